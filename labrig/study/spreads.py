"""How much cultures of this laboratory spread, from runs that it has done: for ``labrig power``.

Logarithms of units at the time that arms are compared, arms and donors as fixed effects: what is
left is how units of one arm and donor differ, and, with two donors or more, how arms differ between
donors (REML).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from labrig.plan.power import PROPOSED, Spread
from labrig.protocol.analysis_plan import Component, plan_in_force
from labrig.report.analysis import Analysis
from labrig.report.arms.measured import unit_logs
from labrig.report.contraction import why_no_strength
from labrig_analysis.statistics.mixed_model import MixedModel, against, fit_mixed_model

BY_ARM = "donor by arm"
LEAST_DF = 4
"""[P] With fewer degrees of freedom a spread is a guess, and the proposal is kept."""

_Row = tuple[str, str, float]
"""Arm, donor, logarithm of a unit."""


def spreads_of(runs: Sequence[Analysis]) -> dict[Component, Spread]:
    """By read-out, the spread that these runs show, as far as they show it.

    What they cannot tell keeps the proposal, and the basis says so. The tubes' spread is within
    that of units. A carrier that donors share keeps the proposal: to tell it apart takes many.

    Args:
        runs: of any protocols; arms of one name are taken for the same.
    """
    components: tuple[Component, ...] = ("mass", "strength")
    return {name: _spread(name, _rows(runs, name)) for name in components}


def _rows(runs: Sequence[Analysis], component: Component) -> list[_Row]:
    found: list[_Row] = []
    for run in runs:
        protocol = run.record.protocol
        if component == "strength" and why_no_strength(protocol):
            continue
        readings = run.compared.mass if component == "mass" else run.compared.strength
        if readings is None:
            continue
        units = run.design.contrast(list(run.design.levels)).units
        logs = unit_logs(readings, units, plan_in_force(protocol).baseline, run.left_out_from_s)
        found += [
            (arm, donor, value)
            for arm, donor, value in zip(logs.arms, logs.donors, logs.values, strict=True)
            if math.isfinite(value)
        ]
    return found


def _spread(component: Component, rows: Sequence[_Row]) -> Spread:
    proposed = PROPOSED[component]
    cells = {(arm, donor) for arm, donor, _ in rows}
    df = len(rows) - len(cells)
    if df < LEAST_DF:
        return replace(
            proposed, basis=f"{proposed.basis}: these runs show too few units of one arm and donor"
        )
    model = _model(rows)
    if model is None or not model.converged:
        return replace(proposed, basis=f"{proposed.basis}: no spread fits these runs")
    unit = math.sqrt(model.residual)
    low, high = _interval(unit, df)
    donors = len({donor for _, donor, _ in rows})
    said = f"from {len(rows)} units of {donors} donor{'s' if donors > 1 else ''} in these runs"
    said += f" (REML; unit 95 % interval {low:.3f} to {high:.3f})"
    by_arm = model.components.get(BY_ARM)
    if by_arm is None:
        said += "; donor x arm [P], which one donor cannot show"
    if component == "mass":
        said += "; tubes within units"
    return Spread(
        donor_by_arm=proposed.donor_by_arm if by_arm is None else math.sqrt(by_arm),
        unit=unit,
        carrier=proposed.carrier,
        tube=0.0,
        basis=f"{said}; carrier [P]",
    )


def _model(rows: Sequence[_Row]) -> MixedModel | None:
    """With how arms differ between donors where that can be told; None where nothing fits."""
    arms, donors, values = ([row[at] for row in rows] for at in range(3))
    fixed = against([str(arm) for arm in arms], str(arms[0]))
    for donor in list(dict.fromkeys(donors))[1:]:
        fixed[f"donor {donor}"] = against([str(d) for d in donors], str(donors[0]))[str(donor)]
    pairs = list(zip(arms, donors, strict=True))
    for groups in ({BY_ARM: pairs}, {}):
        if groups and len(set(donors)) < 2:
            continue
        try:
            return fit_mixed_model([float(value) for value in values], fixed, groups)
        except ValueError:
            continue
    return None


def _interval(sd: float, df: int) -> tuple[float, float]:
    """95 % of a standard deviation known to ``df`` degrees of freedom, by chi-square."""
    from scipy.special import chdtri

    # chdtri takes the upper tail.
    return tuple(sd * math.sqrt(df / float(chdtri(df, tail))) for tail in (0.025, 0.975))  # type: ignore[return-value]
