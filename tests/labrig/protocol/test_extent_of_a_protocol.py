"""A slipped unit is told where it stands, before anything is compiled."""

from __future__ import annotations

import time

import pytest

from labrig.catalogue import DEMO_PROTOCOL, catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol

DEMO = (catalogue_folder() / DEMO_PROTOCOL).read_text(encoding="utf-8")
SLIPS = {
    "a run of ages": ("duration: 13 h", "duration: 1e12 h", "phases", "days"),
    "hours for days": ("duration: 13 h", "duration: 61 d", "phases", "61.04 days"),
    "rounds every µs": ("interval: 30 min", "interval: 1 us", "imaging.interval", "rounds"),
    "the least": ("interval: 30 min", "interval: 1e-300 s", "imaging.interval", "rounds"),
    "many pictures": ("interval: 30 min", "interval: 0.8 s", "imaging.interval", "pictures"),
    "readings every millisecond": (
        "environment: {interval: 5 min}", "environment: {interval: 5 ms}", "environment.interval",
        "readings",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("before", "after", "where", "what"), SLIPS.values(), ids=SLIPS)
def test_more_than_anybody_means_is_refused_with_its_place(tmp_path, before, after, where, what):
    assert before in DEMO
    path = tmp_path / "slip.yaml"
    path.write_text(DEMO.replace(before, after), encoding="utf-8")
    began = time.process_time()
    with pytest.raises(FileProblems) as refused:
        load_protocol(path)
    assert time.process_time() - began < 5.0, "what it costs must not follow the number"
    told = str(refused.value)
    assert where in told
    assert what in told
    assert "unit" in told


def test_a_week_of_many_wells_is_not_too_large(tmp_path):
    path = tmp_path / "week.yaml"
    week = DEMO.replace("duration: 13 h", "duration: 167 h").replace("30 min ", "10 min ")
    path.write_text(week, encoding="utf-8")
    assert load_protocol(path).model.duration_s == 7 * 86400.0
