"""A run that is taken over goes on at the pace it had."""

from __future__ import annotations

import math

import pytest

from labrig.launch.pace import settle_pace
from labrig.run.lease import take_lease
from labrig.run_folder import RunFolder


@pytest.fixture
def folder(tmp_path):
    made = RunFolder(tmp_path)
    made.twin.mkdir()
    return made


def test_it_goes_as_the_clock_until_another_pace_is_asked_for(folder):
    assert settle_pace(folder, None) == 1.0
    for pace in (math.inf, 0.3):
        assert settle_pace(folder, pace) == pace
        assert settle_pace(folder, None) == pace


def test_a_damaged_record_is_named(folder):
    (folder.twin / "pace.json").write_text("{")
    with pytest.raises(ValueError, match=r"pace\.json is damaged"):
        settle_pace(folder, None)


def test_a_second_starter_does_not_change_the_pace_of_a_run(folder):
    settle_pace(folder, 60.0)
    lease = take_lease(folder.root)
    settle_pace(folder, 1.0)
    lease.release()
    assert settle_pace(folder, None) == 60.0
