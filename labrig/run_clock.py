"""What time of day it was at a moment of a run, by the run's own clock.

Two texts, of which a spreadsheet makes no dates of its own: ``2026-11-29T22:39:04Z``, and in the
zone of the bench ``2026-11-29T17:39:04-05:00``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

COLUMNS = ("utc", "local_time")


@dataclass(frozen=True, slots=True)
class RunClock:
    """When a run began, and the zone of its bench.

    Attributes:
        began: t0, with time zone; None: the run never began, or nobody can say when.
        zone: IANA name; "" where it is not known, as of runs of older versions.
    """

    began: datetime | None = None
    zone: str = ""

    def at(self, run_s: float) -> datetime | None:
        """The time of day in UTC, to the second; None where it cannot be told."""
        if self.began is None:
            return None
        return (self.began + timedelta(seconds=round(run_s, 3))).astimezone(UTC)

    def cells(self, run_s: float | None) -> dict[str, str]:
        """The cells of :data:`COLUMNS`; empty where they cannot be told.

        Args:
            run_s: seconds from t0; None: not known.
        """
        at = None if run_s is None else self.at(run_s)
        if at is None:
            return dict.fromkeys(COLUMNS, "")
        # To the nearest second: what reads the same instants shows the same texts.
        at = (at + timedelta(milliseconds=500)).replace(microsecond=0)
        zone = _zone(self.zone)
        return {
            "utc": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "local_time": "" if zone is None else at.astimezone(zone).isoformat(),
        }


def _zone(name: str) -> ZoneInfo | None:
    """None also where the machine that reads has never heard of the bench's zone."""
    try:
        return ZoneInfo(name) if name else None
    except (ZoneInfoNotFoundError, ValueError):
        return None
