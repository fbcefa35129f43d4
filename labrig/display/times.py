"""Times as a person in the lab reads them: the clock on the wall first, then how far in."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_TIME_OF_DAY = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def zone_named(name: str | None) -> tzinfo:
    """A time zone by its name in the IANA database; UTC without one, or where it is not known.

    A run says in ``run.json`` in which zone its bench stands; those of an older labrig do not.
    """
    if not name:
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError):
        return UTC


def clock_words(utc: datetime, zone: tzinfo) -> str:
    """Day of the week and time, e.g. ``Tue 02:13``.

    In the hour that a clock shows twice when summer ends, the zone is named as well.

    Args:
        utc: with a time zone, whichever.
        zone: of the lab.
    """
    at = utc.astimezone(zone)
    return f"{DAYS[at.weekday()]} {at:%H:%M}{_which(at)}"


def date_words(utc: datetime, zone: tzinfo) -> str:
    """The same with its date, e.g. ``Tue 1 Dec 02:13``: for what lies more than days away."""
    at = utc.astimezone(zone)
    day = f"{DAYS[at.weekday()]} {at.day} {MONTHS[at.month - 1]}"
    return f"{day} {at:%H:%M}{_which(at)}"


def length_words(for_s: float) -> str:
    """How long, e.g. ``3 h 41 min``.

    >>> length_words(13260), length_words(12.3), length_words(300), length_words(90.4)
    ('3 h 41 min', '12 s', '5 min', '2 min')
    """
    seconds = round(for_s)
    if abs(seconds) < 60:
        return f"{seconds} s"
    minutes = round(for_s / 60)
    hours, rest = divmod(minutes, 60)
    if hours and rest:
        return f"{hours} h {rest} min"
    return f"{hours} h" if hours else f"{rest} min"


def elapsed_words(at_s: float) -> str:
    """How far into a run, e.g. ``3 h 41 min in``.

    >>> elapsed_words(13260), elapsed_words(-300.0), elapsed_words(0.0)
    ('3 h 41 min in', '5 min before the start', 'at the start')
    """
    if round(at_s) == 0:
        return "at the start"
    if at_s < 0:
        return f"{length_words(-at_s)} before the start"
    return f"{length_words(at_s)} in"


def _which(at: datetime) -> str:
    twice = at.replace(fold=0).utcoffset() != at.replace(fold=1).utcoffset()
    return f" {at.tzname()}" if twice else ""


def clock_s(text: str, utc: str, now_s: float, zone: tzinfo) -> float | None:
    """A time of day, the last one that was, on a run's clock; None: it is none.

    Args:
        text: as people write it, ``22:10``.
        utc: time of day, ISO 8601, at which the run's clock shows ``now_s``.
        now_s: on the run's clock.
        zone: of the bench.
    """
    found = _TIME_OF_DAY.fullmatch(text.strip())
    if found is None:
        return None
    now = datetime.fromisoformat(utc).astimezone(zone)
    meant = now.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    if meant > now:
        meant -= timedelta(days=1)
    return now_s - (now - meant).total_seconds()
