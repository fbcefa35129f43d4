"""Concentrations as people think of them: by mass, small molecules by molecules, media by share."""

from __future__ import annotations

from collections.abc import Iterable

from labrig.plan.dose_model import FactorLoss

_NG_ML_PER_MICROMOLAR_KDA = 1000.0
"""One µM of a substance of one kDa: 1 µmol/L of 1 kg/mol is 1 mg/L."""
_MASS = ((1e6, "mg/mL"), (1e3, "µg/mL"), (1.0, "ng/mL"))
_MOLAR = ((1e3, "mM"), (1.0, "µM"), (1e-3, "nM"))
SHARE = "x"


def scale_of(losses: Iterable[FactorLoss], factor: str, highest: float) -> tuple[float, str]:
    """What one unit is in the plan's own (ng/mL, or the share of a medium), and its name.

    >>> leucine = FactorLoss("leucine", 1.0, 1.0, 1.0, "assumed", molar_mass_kda=0.1312)
    >>> scale, unit = scale_of([leucine], "leucine", 656_000.0)
    >>> round(656_000.0 / scale, 6), unit
    (5.0, 'mM')
    """
    loss = next((loss for loss in losses if loss.factor == factor), None)
    if loss is not None and loss.unit == SHARE:
        return 0.01, "% of the medium"
    if loss is not None and loss.molar_mass_kda is not None:
        micromolar = _NG_ML_PER_MICROMOLAR_KDA * loss.molar_mass_kda
        steps = tuple((size * micromolar, unit) for size, unit in _MOLAR)
    else:
        steps = _MASS
    return next(((size, unit) for size, unit in steps if highest >= size), steps[-1])
