"""Who did what, when and why."""

from __future__ import annotations

from datetime import datetime, tzinfo

from labrig.display.times import clock_words

SOMEBODY = "somebody"
NO_REASON = "no reason given"


def who_words(utc: datetime, by: str, reason: str, zone: tzinfo) -> str:
    """By whom, since when and why, e.g. ``by A. Technician, Tue 02:13: leak at A3``."""
    why = reason.strip().rstrip(".") or NO_REASON
    return f"by {by or SOMEBODY}, {clock_words(utc, zone)}: {why}"
