"""The clock on the wall in a report: the zone of the bench as ``run.json`` has it, UTC without."""

from __future__ import annotations

from datetime import UTC, datetime

from labrig.display.legend import Legend, legend_of, zero_of
from labrig.display.times import DAYS, MONTHS
from labrig.report.record import Record


def legend_of_record(record: Record) -> Legend:
    """Names and times of a run whose arms may be told; the same for every reader, anywhere."""
    began = next((r for r in record.rows if r.kind == "run" and r.key == "started"), None)
    zero = None if began is None else zero_of(began.utc, began.run_s)
    return legend_of(record.plan, record.identity.get("zone"), zero, arms_told=True)


def zone_words(record: Record) -> str:
    """What the times of a report are, e.g. ``Europe/Berlin``."""
    return str(record.identity.get("zone") or "UTC")


def both_clocks(utc: str, legend: Legend) -> str:
    """A time of day in the lab, and in UTC where that is another: for records, with the date.

    Args:
        utc: ISO 8601; "" gives "".
        legend: whose zone it is.
    """
    if not utc:
        return ""
    at = datetime.fromisoformat(utc)
    here, there = at.astimezone(legend.zone), at.astimezone(UTC)
    day = f"{DAYS[here.weekday()]} {here.day} {MONTHS[here.month - 1]} {here.year}"
    told = f"{day} {here:%H:%M}"
    if here.utcoffset() == there.utcoffset():
        return f"{told} UTC"
    return f"{told} ({there:%Y-%m-%d %H:%M} UTC)"
