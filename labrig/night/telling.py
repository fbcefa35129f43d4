"""What whoever tells of a run must read from its folder first: its names, its zone, who held it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from labrig.display.legend import Legend, legend_of, zero_of
from labrig.display.people import who_words
from labrig.display.times import zone_named
from labrig.durable import DamagedFile, read_json
from labrig.local_zone import local_zone_name_or_none
from labrig.plan.store import PlanFormatError, read_plan
from labrig.record.glimpse import asked_of, last_command, last_of_run
from labrig.record.unblinding import KEY as UNBLINDED
from labrig.run_folder import RunFolder


def legend_of_run(folder: RunFolder, utc: str = "", now_s: float | None = None) -> Legend:
    """The legend of a run; of one whose files cannot be read, no more than the time of day.

    Args:
        folder: of the run.
        utc: time of day, ISO 8601, at which its clock showed ``now_s``; "": nobody knows.
        now_s: on the run's clock.
    """
    zero = zero_of(utc, now_s) if utc and now_s is not None else None
    identity = _identity(folder)
    zone = identity.get("zone") or local_zone_name_or_none()
    try:
        plan = read_plan(folder)
    except (OSError, PlanFormatError):
        return Legend(zone=zone_named(zone), zero=zero)
    return legend_of(plan, zone, zero, arms_told=arms_told(folder))


def who_and_why(folder: RunFolder, condition: str, legend: Legend) -> str:
    """By whom, since when and why a run is held, was stopped or ``amended``; "" where it is not."""
    if condition in ("held", "amended"):
        # Also by a rule of the bench, of which no command tells.
        row = last_of_run(folder.journal, condition)
    elif condition in ("stopping", "stopped"):
        row = last_command(folder.journal, "stop")
    else:
        return ""
    if row is None:
        return ""
    utc, said = row
    return who_words(
        datetime.fromisoformat(utc), str(said.get("by") or ""), str(said.get("reason") or ""),
        legend.zone,
    )  # fmt: skip


def _identity(folder: RunFolder) -> dict[str, Any]:
    try:
        return dict(read_json(folder.identity))
    except (OSError, DamagedFile):
        return {}


def arms_told(folder: RunFolder) -> bool:
    """Whether a blinded run's arms have been told to everybody."""
    return bool(
        asked_of(
            folder.journal,
            f"SELECT 1 FROM journal WHERE kind = 'note' AND key = '{UNBLINDED}' LIMIT 1",
        )
    )
