"""Tubes of samples: which there are to be, which were taken, when and by whom. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from labrig.plan.plan import Plan
from labrig.plan.timeline import PersonStep
from labrig.record.kinds.steps import StepDone
from labrig.record.result_tables import Tube
from labrig.record.rows import Row
from labrig.record.said import said


def tubes_of(plan: Plan, rows: Iterable[Row] = ()) -> tuple[Tube, ...]:
    """Every tube of a plan, in order of time and then of wells.

    Args:
        plan: of the run.
        rows: its journal, for what was taken.
    """
    done = {
        row.key: told
        for row in rows
        if row.kind == "step" and isinstance(told := said(row), StepDone)
    }
    found = []
    for entry in plan.timeline:
        if not isinstance(entry, PersonStep) or not entry.labels:
            continue
        taken = done.get(entry.key)
        for well, label in zip(entry.wells, entry.labels, strict=True):
            tube = Tube(label, well, entry.step, entry.offset_s)
            if taken is not None:
                tube = replace(tube, taken_s=taken.done_s, by=tuple(taken.by))
            found.append(tube)
    return tuple(found)
