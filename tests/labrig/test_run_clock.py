"""What time of day it was, by the run's own clock."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from labrig.run_clock import RunClock

# The night in which the clocks of Berlin go from 02:00 to 03:00.
BEGAN = datetime(2026, 3, 28, 22, 0, 0, 400_000, UTC)


@pytest.mark.parametrize(
    ("zone", "hours", "utc", "local"),
    [
        ("Europe/Berlin", 2.0, "2026-03-29T00:00:00Z", "2026-03-29T01:00:00+01:00"),
        ("Europe/Berlin", 3.0, "2026-03-29T01:00:00Z", "2026-03-29T03:00:00+02:00"),
        ("Asia/Kolkata", 0.0, "2026-03-28T22:00:00Z", "2026-03-29T03:30:00+05:30"),
        ("", 0.0, "2026-03-28T22:00:00Z", ""),
        ("Middle/Earth", 0.0, "2026-03-28T22:00:00Z", ""),
    ],
)
def test_utc_and_the_time_on_the_wall_with_its_offset(zone, hours, utc, local):
    cells = RunClock(BEGAN, zone).cells(3600.0 * hours)
    assert cells == {"utc": utc, "local_time": local}
    if local:
        assert datetime.fromisoformat(local) == datetime.fromisoformat(utc)


def test_nearest_second():
    assert RunClock(BEGAN).cells(0.15)["utc"].endswith("22:00:01Z")


@pytest.mark.parametrize(("began", "run_s"), [(None, 5.0), (BEGAN, None)])
def test_what_is_not_known_is_empty(began, run_s):
    assert RunClock(began, "Europe/Berlin").cells(run_s) == {"utc": "", "local_time": ""}
