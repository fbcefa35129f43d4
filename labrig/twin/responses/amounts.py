"""Amounts of ``responses.toml`` in the unit of the simulated liquid: ng/mL, or a share."""

from __future__ import annotations

import re

_AMOUNT = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)\s*(\S+(?: h)?)\s*")
_NG_ML = {"pg/mL": 1e-3, "ng/mL": 1.0, "ug/mL": 1e3, "mg/mL": 1e6}
_MOLAR = {"pM": 1e-12, "nM": 1e-9, "uM": 1e-6, "mM": 1e-3}
_G_MOL = {"kDa": 1e3, "Da": 1.0, "g/mol": 1.0}
_SHARE = {"%": 0.01, "x": 1.0}
"""Of a conditioned medium, which the liquid holds as a share of itself."""
UNITS = ", ".join([*_NG_ML, *_MOLAR, *_SHARE])


class BadAmount(ValueError):
    """A text is no amount; the message ends with what is wanted."""


def molar_mass_g_mol(text: str) -> float:
    """``22.7 kDa`` or ``314 g/mol`` as g/mol.

    Raises:
        BadAmount: it is neither.
    """
    number, unit = _parts(text, "'22.7 kDa' or '314 g/mol'")
    if unit not in _G_MOL or number <= 0:
        raise BadAmount(f"'{text}' is no mass of a molecule: write '22.7 kDa' or '314 g/mol'")
    return number * _G_MOL[unit]


def ng_ml(text: str, g_mol: float | None) -> float:
    """A concentration in ng/mL.

    >>> round(ng_ml("10 uM", 314.0))
    3140
    >>> ng_ml("8 ng/mL", None)
    8.0

    Args:
        text: number and unit.
        g_mol: the factor's molar mass, where it has one.

    Raises:
        BadAmount: no number above 0 with a known unit, or a molar one without a molar mass.
    """
    number, unit = _parts(text, "'8 ng/mL' or '10 uM'")
    if number <= 0:
        raise BadAmount(f"'{text}' is not above 0: at it half of an effect is reached")
    if unit in _NG_ML:
        return number * _NG_ML[unit]
    if unit in _SHARE:
        return number * _SHARE[unit]
    if unit in _MOLAR:
        if g_mol is None:
            raise BadAmount(f"'{text}' is molar: add molar_mass, for example '314 g/mol'")
        return number * _MOLAR[unit] * g_mol * 1e6
    raise BadAmount(f"the unit of '{text}' is not known: write one of {UNITS}")


def ng_ml_h(text: str, g_mol: float | None) -> float:
    """A concentration times hours, ``400 uM h``, in ng h/mL.

    Raises:
        BadAmount: as of :func:`ng_ml`, or it does not end with ``h``.
    """
    if not text.rstrip().endswith(" h"):
        raise BadAmount(f"'{text}' is no dose: write a concentration times hours, '400 uM h'")
    return ng_ml(text.rstrip()[:-2], g_mol)


def _parts(text: str, example: str) -> tuple[float, str]:
    found = _AMOUNT.fullmatch(text.replace("\u00b5", "u").replace("\u03bc", "u"))
    if found is None:
        raise BadAmount(f"'{text}' is not a number with a unit: write {example}")
    return float(found[1]), found[2]
