"""Schedules follow the clock on the wall, winter and summer."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from labrig.flows.schedules import ScheduleRefused, Timetable, local_zone, timetable

ANCHOR = "2026-01-01T00:00:00+00:00"


def starts(zone, now, cron="0 18 * * *", count=3):
    return Timetable(cron, None, zone, ANCHOR).next_starts(now, count)


@pytest.mark.parametrize(
    ("zone", "now", "utc_hour"),
    [
        ("Europe/Berlin", "2026-01-15T10:00+00:00", 17),
        ("Europe/Berlin", "2026-07-15T10:00+00:00", 16),
        ("America/New_York", "2026-01-15T10:00+00:00", 23),
        ("America/New_York", "2026-07-15T10:00+00:00", 22),
        ("Asia/Kolkata", "2026-07-15T10:00+00:00", 12),
        ("UTC", "2026-07-15T10:00+00:00", 18),
    ],
)
def test_18_00_is_18_00_on_the_clock_on_the_wall(zone, now, utc_hour):
    found = starts(zone, datetime.fromisoformat(now))
    assert [f.hour for f in found] == [18, 18, 18]
    assert {f.astimezone(UTC).hour for f in found} == {utc_hour}
    assert str(found[0].tzinfo) == zone
    days = {(b - a).days for a, b in pairwise(found)}
    assert days == {1}


CHANGES = ["2026-03-28T20:00+00:00", "2026-10-24T20:00+00:00"]


@pytest.mark.parametrize("change", CHANGES)
def test_a_night_stays_at_its_hour_over_a_change_of_clocks(change):
    now = datetime.fromisoformat(change)
    found = starts("Europe/Berlin", now)
    assert [(f.hour, f.minute) for f in found] == [(18, 0)] * 3
    assert now.astimezone(found[0].tzinfo).utcoffset() != found[0].utcoffset()


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("every_s", [3600.0, 86400.0])
def test_an_interval_is_elapsed_time_over_a_change_of_clocks(change, every_s):
    now = datetime.fromisoformat(change)
    found = Timetable(None, every_s, "Europe/Berlin", ANCHOR).next_starts(now, 10)
    gaps = {(b - a).total_seconds() for a, b in pairwise(f.astimezone(UTC) for f in found)}
    assert gaps == {every_s}


def test_an_hour_that_does_not_exist_that_night_is_offered_once():
    now = datetime.fromisoformat("2026-03-28T12:00+00:00")
    found = starts("Europe/Berlin", now, "30 2 * * *")
    assert len({f.date() for f in found}) == 3


@pytest.mark.parametrize("cron", ["18:00", "0 25 * * *", "every day", "0 18 * *", "@never"])
def test_what_is_no_cron_is_refused_with_an_example(cron):
    with pytest.raises(ScheduleRefused, match="0 18"):
        timetable(cron, None).schedule()


@pytest.mark.parametrize("zone", ["Europe/Berlin", "America/New_York", "UTC", "Asia/Kolkata"])
def test_the_zone_is_the_one_of_the_environment(monkeypatch, zone):
    monkeypatch.setenv("TZ", zone)
    assert local_zone() == zone
    assert timetable("0 18 * * *", None).schedule().timezone == zone


def test_a_zone_that_nobody_knows_is_refused(monkeypatch):
    monkeypatch.setenv("TZ", "Middle/Earth")
    with pytest.raises(ScheduleRefused, match="TZ="):
        local_zone()
    assert timetable(None, None).schedule() is None, "nobody has asked for a time"


def test_no_schedule_is_no_schedule():
    none = timetable(None, None)
    assert none.schedule() is None
    assert none.next_starts(datetime.now(UTC)) == ()


def test_an_interval_begins_one_interval_from_now():
    now = datetime.now(UTC)
    first = timetable(None, 3600.0).next_starts(now, 1)[0]
    assert timedelta(minutes=59) < first - now < timedelta(minutes=61)
