"""When nights are offered: cron by the clock on the wall, intervals by elapsed time."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from labrig.local_zone import NoZone, local_zone_name

if TYPE_CHECKING:
    from prefect.schedules import Schedule


class ScheduleRefused(Exception):
    """The schedule, or this machine's time zone, cannot be understood; the message says why."""


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a deployment's start is offered.

    Attributes:
        cron: e.g. ``0 18 * * *``; or None.
        every_s: or this interval, from ``anchor_utc`` on, whatever the clocks do; or None.
        zone: IANA name, e.g. ``Europe/Berlin``: a night at 18:00 stays at 18:00 when the clocks
            change.
        anchor_utc: ISO 8601.
    """

    cron: str | None
    every_s: float | None
    zone: str
    anchor_utc: str

    def schedule(self) -> Schedule | None:
        """As Prefect wants it; None when nothing is offered by the clock.

        Raises:
            ScheduleRefused: the cron expression cannot be understood.
        """
        from prefect.schedules import Schedule

        if self.cron is None and self.every_s is None:
            return None
        try:
            return Schedule(
                cron=self.cron,
                interval=None if self.every_s is None else timedelta(seconds=self.every_s),
                # Prefect 3.8.8 shifts intervals by an hour where they cross the end of summer time
                timezone=None if self.cron is None else self.zone,
                anchor_date=datetime.fromisoformat(self.anchor_utc),
            )
        except ValueError as error:
            raise ScheduleRefused(
                f"--at {self.cron!r} is no cron expression ({error}): write minute, hour, day of "
                "the month, month, day of the week, e.g. '0 18 * * *' for every day at 18:00"
            ) from error

    def next_starts(self, now: datetime, count: int = 3) -> tuple[datetime, ...]:
        """The next starts, as Prefect's own scheduler reckons them, in the local time.

        Args:
            now: with time zone.
            count: how many.

        Raises:
            ScheduleRefused: as :meth:`schedule`.
        """
        from prefect.server.schemas.schedules import CronSchedule, IntervalSchedule

        schedule = self.schedule()
        if schedule is None:
            return ()
        reckoned: CronSchedule | IntervalSchedule
        if schedule.cron is not None:
            reckoned = CronSchedule(cron=schedule.cron, timezone=self.zone)
        else:
            reckoned = IntervalSchedule.model_validate(
                {
                    "interval": schedule.interval,
                    "anchor_date": schedule.anchor_date,
                }
            )
        found = asyncio.run(reckoned.get_dates(n=count, start=now))
        return tuple(start.astimezone(ZoneInfo(self.zone)) for start in found)


def timetable(cron: str | None, every_s: float | None) -> Timetable:
    """A timetable in this machine's time zone, which nobody needs who is offered nothing by it.

    Raises:
        ScheduleRefused: the zone cannot be told.
    """
    anchor = datetime.now(UTC).isoformat(timespec="seconds")
    zone = "UTC" if cron is None and every_s is None else local_zone()
    return Timetable(cron, every_s, zone, anchor)


def local_zone() -> str:
    """IANA name of the zone of the clock on the wall, from ``TZ`` or the system's own setting.

    Raises:
        ScheduleRefused: it has none that is known.
    """
    try:
        return local_zone_name()
    except NoZone as error:
        raise ScheduleRefused(
            f"this machine's time zone cannot be told ({error}), so nobody knows when 18:00 is: "
            "set it in the system, or say e.g. TZ=Europe/Berlin before the command"
        ) from error
