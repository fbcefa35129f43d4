"""The time zone of this machine's clock on the wall."""

from __future__ import annotations

from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import tzlocal


class NoZone(Exception):
    """It has none that is known; the message says why."""


def local_zone_name() -> str:
    """Its IANA name, from ``TZ`` or the system's own setting.

    Raises:
        NoZone: it cannot be told.
    """
    try:
        # asked anew, for TZ may have been set since
        return ZoneInfo(str(tzlocal.reload_localzone())).key
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise NoZone(str(error)) from error


def local_zone_name_or_none() -> str | None:
    """The same, None where it cannot be told: for what is only shown."""
    try:
        return local_zone_name()
    except NoZone:
        return None
