"""What was last heard of a run whose runner does not answer, by its journal."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from labrig.plan.store import read_plan
from labrig.record.detail import to_detail
from labrig.run.runner import previous_state
from labrig.run_folder import RunFolder


def last_heard(folder: RunFolder) -> dict[str, Any]:
    """How far it had come, and what stood; in the words of a runner's own status.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be read or trusted.
        labrig.plan.store.PlanFormatError, OSError: nor can the plan.
    """
    state = previous_state(folder.root)
    if not state.begun:
        return {"condition": "never begun"}
    return {
        "now_s": state.last_s,
        "duration_s": read_plan(folder).forecast.duration_s,
        "last_utc": state.last_utc,
        "alarms": [asdict(a) for a in sorted(state.alarms.values(), key=lambda a: a.since_s)],
        "questions": [
            {"id": key, **to_detail(question)}
            for key, question in state.questions.items()
            if question.choice is None
        ],
    }
