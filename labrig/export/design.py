"""What every row of a well begins with, and whether it counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from labrig.export.source import run_id
from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import plan_in_force
from labrig.report.analysis import Analysis

PLACE = ("run", "donor", "arm", "role", "unit", "carriers", "well")
COUNTS = ("in_itt", "in_pp", "excluded_why")


def carriers_in_words(well: WellPlan) -> str:
    """``impulses: channel s:1; nerve: line 3``."""
    return "; ".join(f"{aspect}: {name}" for aspect, name in well.carriers)


def places_of(run: Analysis) -> dict[str, dict[str, Any]]:
    """By well, the columns :data:`PLACE`."""
    unit_of = {well: unit.name for unit in run.units for well in unit.wells}
    arms = run.record.protocol.arms
    return {
        well.well: {
            "run": run_id(run),
            "donor": well.donor,
            "arm": well.arm,
            "role": arms[well.arm].role,
            "unit": unit_of.get(well.well, ""),
            "carriers": carriers_in_words(well),
            "well": well.well,
        }
        for well in run.record.plan.wells
    }


def left_out_by_dose(run: Analysis, well: str, at_s: float) -> str:
    """Why a well's doses keep it out of the analysis per protocol at this time; "" if not."""
    since_s = run.ledger.censored_from_s.get(well, 0.0)
    return run.left_out[well] if well in run.left_out and at_s >= since_s else ""


def named_exclusions(run: Analysis) -> dict[str, str]:
    """By well that the plan excludes by name, why."""
    plan = plan_in_force(run.record.protocol)
    return {out.well: f"excluded, as planned: {out.reason}" for out in plan.exclusions}


def counted(reasons: Iterable[str], dose: str) -> dict[str, Any]:
    """In which analyses a row is, and why not in others: the columns :data:`COUNTS`."""
    why = [reason for reason in reasons if reason]
    return {
        "in_itt": not why,
        "in_pp": not why and not dose,
        "excluded_why": "; ".join([*why, *([f"per protocol: {dose}"] if dose else [])]),
    }
