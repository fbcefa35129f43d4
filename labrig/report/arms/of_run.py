"""The arms of one run, at the time and in the analysis set of its plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from labrig.protocol.analysis_plan import plan_in_force
from labrig.report.arms.guards import failed_donors, guard_of
from labrig.report.arms.verdicts import ArmsVerdict, MeasuredArms, verdicts_of_arms
from labrig.report.compared_at import Compared
from labrig.report.contraction import why_no_strength
from labrig.report.record import Record
from labrig.report.units import Design
from labrig.report.verdict import UnitVerdict


def arms_of_run(
    record: Record,
    design: Design,
    compared: Compared,
    left_out_from_s: Mapping[str, float],
    units: Sequence[UnitVerdict],
) -> ArmsVerdict:
    """Judge the arms of a run.

    Args:
        record: of the run.
        design: of the run.
        compared: what was measured at the planned time.
        left_out_from_s: by well, from when on it is left out per protocol; empty for intention to
            treat.
        units: classed in the same analysis set, for their guards.
    """
    protocol = record.protocol
    plan = plan_in_force(protocol)
    guards = {arm: guard_of([unit for unit in units if unit.unit.arm == arm])
              for arm in protocol.arms}  # fmt: skip
    measured = MeasuredArms(
        mass=compared.mass,
        strength=compared.strength,
        censored_from_s=left_out_from_s,
        guards=guards,
        failed=failed_donors(units),
        no_strength=why_no_strength(protocol),
    )
    return verdicts_of_arms(design, plan, protocol.definition, measured)
