"""The wells of several runs as those of one design: nothing that carries a treatment is shared.

A well, a carrier and a moment of one run are none of another's, so they bear the run's number. A
donor that lies on several plates stays one donor.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import plan_in_force
from labrig.report.analysis import Analysis
from labrig.report.arms.guards import failed_donors, guard_of
from labrig.report.arms.verdicts import MeasuredArms
from labrig.report.comparisons import Readings
from labrig.report.contraction import why_no_strength
from labrig.report.units import Design
from labrig.report.verdict import UnitVerdict

if TYPE_CHECKING:
    import pandas as pd

BEFORE, COMPARED = 0, 1
"""Moments of all runs: that before treatment, and that at which arms are compared."""


@dataclass(frozen=True, slots=True)
class Pooled:
    """All runs of a study as one.

    Attributes:
        design: with the wells of all runs.
        per_protocol, intention_to_treat: what was measured, in either analysis set.
        remarks: which runs a read-out had to do without, and why.
    """

    design: Design
    per_protocol: MeasuredArms
    intention_to_treat: MeasuredArms
    remarks: tuple[str, ...]


def pool(runs: Sequence[Analysis]) -> Pooled:
    """Join what runs measured.

    Args:
        runs: that belong together (:func:`labrig.study.joining.joined`).
    """
    remarks: list[str] = []
    adjusted = plan_in_force(runs[0].record.protocol).baseline != "none"
    of_mass = [(run, run.compared.mass) for run in runs]
    of_strength = [(run, run.compared.strength) for run in runs]
    mass = _readings(of_mass, "diameter", remarks, adjusted=adjusted)
    strength = _readings(of_strength, "contraction", remarks, adjusted=adjusted)
    wells = [well for number, run in enumerate(runs, 1) for well in _wells(number, run, remarks)]
    design = Design(tuple(wells), runs[0].design.levels, runs[0].design.control)
    left_out = {
        in_run(number, well): from_s
        for number, run in enumerate(runs, 1)
        for well, from_s in run.left_out_from_s.items()
    }
    no_strength = why_no_strength(runs[0].record.protocol)

    def measured(censored: Mapping[str, float], units: Sequence[UnitVerdict]) -> MeasuredArms:
        guards = {arm: guard_of([u for u in units if u.unit.arm == arm]) for arm in design.levels}
        return MeasuredArms(mass, strength, censored, guards, (), no_strength)

    return Pooled(
        design,
        measured(left_out, [unit for run in runs for unit in run.verdicts]),
        measured({}, [unit for run in runs for unit in run.verdicts_itt]),
        tuple(remarks),
    )


def in_run(number: int, name: str) -> str:
    """A well's, or a carrier's, name among those of all runs."""
    return f"{name} of run {number}"


def _wells(number: int, run: Analysis, remarks: list[str]) -> list[WellPlan]:
    """The wells of a run, but for those of donors whose control lost its own cells there."""
    failed = failed_donors(run.verdicts)
    if failed:
        remarks.append(
            f"{run.record.folder.root.name}: left out {', '.join(failed)}, whose control lost its "
            "own cells"
        )
    return [
        replace(
            well,
            well=in_run(number, well.well),
            factor_unit=in_run(number, well.factor_unit),
            pattern_unit=in_run(number, well.pattern_unit) if well.pattern_unit else "",
            carriers=tuple((aspect, in_run(number, name)) for aspect, name in well.carriers),
        )
        for well in run.design.wells
        if well.donor not in failed
    ]


def _readings(
    runs: Sequence[tuple[Analysis, Readings | None]],
    word: str,
    remarks: list[str],
    *,
    adjusted: bool,
) -> Readings | None:
    """One read-out of all runs; a run without it is left out.

    So is one without a baseline, where others have one and it is ``adjusted`` for.
    """
    import pandas as pd

    some_before = adjusted and any(own is not None and own.baseline is not None for _, own in runs)
    parts: list[pd.DataFrame] = []
    whys: dict[str, None] = {}
    for number, (run, own) in enumerate(runs, 1):
        name = run.record.folder.root.name
        if own is None:
            remarks.append(f"{name} measured no {word} after treatment began")
            continue
        if some_before and own.baseline is None:
            remarks.append(f"{name} measured no {word} before treatment, as the others did")
            continue
        if own.why_not:
            whys[f"{name}: {own.why_not}"] = None
        moments = {own.last: COMPARED}
        if some_before and own.baseline is not None:
            moments[own.baseline] = BEFORE
        table = own.table[own.table["moment"].isin(list(moments))]
        parts.append(
            table.assign(
                moment=table["moment"].map(moments),
                well=[in_run(number, well) for well in table["well"]],
            )[["well", "moment", "hours", "value"]]
        )
    if not parts:
        return None
    joined = pd.concat(parts, ignore_index=True)
    return Readings(joined, COMPARED, BEFORE if some_before else None, "; ".join(whys))
