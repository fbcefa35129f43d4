"""The clock of a run, from its journal: no file's date, and no clock of whoever reads it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from labrig.record.kinds.runs import RunStarted
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.run_clock import RunClock


def clock_of_run(rows: Iterable[Row], identity: Mapping[str, Any]) -> RunClock:
    """When a run began, by the time of day that its journal gives to the start.

    Args:
        rows: the journal's; of kind ``run`` are enough.
        identity: ``run.json``, which names the zone.
    """
    zone = identity.get("zone") or ""
    for row in rows:
        if row.kind == "run" and isinstance(said(row), RunStarted):
            began = datetime.fromisoformat(row.utc) - timedelta(seconds=row.run_s)
            return RunClock(began, zone)
    return RunClock(None, zone)


def taken_s(detail: Mapping[str, Any]) -> float | None:
    """When a picture or film was taken, s from t0; None in rows that do not say when it was due."""
    due_s = detail.get("offset_s")
    return None if due_s is None else float(due_s) + float(detail.get("lateness_s") or 0.0)
