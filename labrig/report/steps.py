"""What people did at the plate: who, when it was due and done, how late, and whom it concerned."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labrig.plan.experimental_units import Unit
from labrig.plan.plan import Plan
from labrig.plan.supply_steps import unplanned_of
from labrig.plan.timeline import PersonStep
from labrig.record.kinds.steps import StepBegun, StepDone, StepOneSignature, StepRefused, StepSigned
from labrig.record.rows import Row
from labrig.record.said import said

_MEANS = {
    "censor": "left out from then on",
    "flag": "counted, and flagged",
    "stop": "the run was stopped",
}


@dataclass(frozen=True, slots=True)
class StepShown:
    """One step.

    Attributes:
        due_s / done_s / entered_s: on the run's clock; None: it was not done, or not entered.
        took_s: how long hands were at the plate; None: nobody had said that it began.
        late_s: after the end of its time; 0: in time.
        by: who signed or decided.
        fate: in a few words; ``bad`` where it is a deviation.
        units: experimental units it concerned, all of them where it concerned all.
        means: what a deviation of it means for them, by the protocol's rule.
    """

    step: str
    what: str
    due_s: float
    done_s: float | None
    entered_s: float | None
    took_s: float | None
    late_s: float
    by: str
    fate: str
    bad: bool
    units: str
    wells: int
    means: str
    note: str


def steps_shown(plan: Plan, rows: Iterable[Row], units: Sequence[Unit]) -> tuple[StepShown, ...]:
    """Every step of the plan, in order of time.

    Args:
        plan: of the run.
        rows: its journal.
        units: what is compared.
    """
    by_key: dict[str, list[Row]] = {}
    alone = set()
    for row in rows:
        if row.kind == "step":
            by_key.setdefault(row.key, []).append(row)
        elif row.kind == "deviation" and row.key == StepOneSignature.CODE:
            alone.add(str(row.detail.get("key")))
    entries = [entry for entry in plan.timeline if isinstance(entry, PersonStep)]
    # what somebody saw to unasked is told as well
    entries += [entry for key in by_key if (entry := unplanned_of(plan, key)) is not None]
    entries.sort(key=lambda entry: entry.offset_s)
    return tuple(
        _shown(entry, by_key.get(entry.key, ()), units, entry.key in alone) for entry in entries
    )


def _shown(
    entry: PersonStep, rows: Sequence[Row], units: Sequence[Unit], one_alone: bool
) -> StepShown:
    done_s = entered_s = begun_s = None
    late_s, by, note, bad = 0.0, "", "", False
    fate = "never asked: the run ended before"
    for row in rows:
        told = said(row)
        match told:
            case StepBegun():
                begun_s, by, fate = told.begun_s, told.by, "begun, and never signed"
            case StepSigned():
                by, done_s, entered_s, fate = told.by, told.done_s, row.run_s, "signed by one"
            case StepDone():
                done_s, entered_s, late_s = told.done_s, row.run_s, told.late_s
                by, note, begun_s = " and ".join(told.by), told.note, told.begun_s
                bad = late_s > 0
                fate = "late" if bad else "in time"
            case StepRefused():
                by, note, fate, bad = told.by, told.reason, "refused", True
            case _ if row.state in ("missed", "skipped"):
                fate, bad = row.state, row.state == "missed"
                note = str(row.detail.get("reason", ""))
    if one_alone:
        fate, bad = f"{fate}, one signature of two", True
    concerned = [unit.name for unit in units if set(unit.wells) & set(entry.wells)]
    named = "all" if len(concerned) == len(units) else ", ".join(concerned)
    took_s = None if begun_s is None or done_s is None else max(0.0, done_s - begun_s)
    return StepShown(
        step=entry.step, what=entry.what, due_s=entry.offset_s, done_s=done_s,
        entered_s=entered_s, took_s=took_s, late_s=late_s, by=by, fate=fate, bad=bad,
        units=named or "none", wells=len(entry.wells),
        means=_MEANS[entry.if_missed] if bad and not one_alone else "", note=note,
    )  # fmt: skip
