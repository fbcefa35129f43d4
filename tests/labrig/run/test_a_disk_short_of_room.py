"""Pictures give way before the disk is full, by rule and written down; nothing else does."""

from __future__ import annotations

import pytest

from labrig.plan.consumables import PictureSize
from labrig.record.completeness import completeness
from labrig.record.last_words import last_words
from labrig.run.runner import RunOver

MB = 1_000_000
SIZES = (PictureSize("phase", 10 * MB, 10 * MB), PictureSize("extra", 10 * MB, 10 * MB, True))


@pytest.fixture(autouse=True)
def _as_large_as_before_compression(monkeypatch):
    """The stand-in for a camera stores next to nothing."""
    monkeypatch.setattr("labrig.run.disk_room.KNOWN_AFTER", 10**6)


def plan_of(script, rounds=24):
    frames = [script.frame(60.0 + 120 * i, i) for i in range(rounds)]
    frames += [
        script.frame(90.0 + 120 * i, i, key=f"extra-{i}", channel="extra") for i in range(rounds)
    ]
    timeline = [script.flow(0.0, 30.0), script.dose(1810.0), *frames]
    return script.plan(timeline, 120.0 * rounds + 60, pictures=SIZES)


def free_from(night, course):
    """Free bytes over time: (from s, bytes), the last that has come."""
    return lambda: [free for at_s, free in course if at_s <= night.clock.now_s()][-1]


def fates(night, channel):
    prefix = {"phase": "frame-", "extra": "extra-"}[channel]
    rows = [row for row in night.rows("frame") if row.key.startswith(prefix)]
    return [row.state for row in rows if row.state != "intent"]


def test_secondary_channels_give_way_first_and_come_back(rehearse, script):
    night = rehearse()
    plan, base = plan_of(script), 70 * MB
    course = [(0.0, base + 1000 * MB), (1000.0, base + 200 * MB), (2000.0, base + 1000 * MB)]
    night.make(plan, free_bytes=free_from(night, course))
    assert night.runner.run().condition == "finished"
    assert set(fates(night, "phase")) == {"confirmed"}
    extra = fates(night, "extra")
    assert extra[:7] == ["confirmed"] * 7
    assert extra[8:15] == ["skipped"] * 7
    assert extra[-6:] == ["confirmed"] * 6
    skipped = [r for r in night.rows("frame") if r.state == "skipped"]
    assert {r.detail["reason"] for r in skipped} == {
        "the disk is short of room, and its channel is secondary"
    }
    assert [r.detail["stage"] for r in night.rows("deviation")] == [1, 0]
    assert [r.state for r in night.rows("alarm")] == ["raised", "cleared"]
    assert [r.state for r in night.rows("dose")][-1] == "confirmed"


def test_then_rounds_of_the_others_are_thinned_out_and_the_night_is_told_from_a_full_one(
    rehearse, script
):
    night = rehearse()
    course = [(0.0, 70 * MB + 1000 * MB), (300.0, 70 * MB + 60 * MB)]
    night.make(plan_of(script), free_bytes=free_from(night, course))
    outcome = night.runner.run()
    phase = fates(night, "phase")
    assert 8 <= phase.count("confirmed") < 12
    assert outcome.condition == "failed", "most of its pictures are not there"
    assert any("pictures" in what for what in outcome.shortfalls)
    counted = {e.sort: e for e in completeness(night.runner._plan, last_words(night.rows()))}
    assert sum(counted["pictures (phase)"].not_there.values()) == phase.count("skipped")
    assert not counted["pictures (phase)"].unaccounted


def test_a_start_without_room_is_refused_before_anything_is_sent(rehearse, script):
    night = rehearse()
    night.make(plan_of(script), free_bytes=lambda: 50 * MB)
    with pytest.raises(RunOver, match=r"0\.05 GB are free"):
        night.runner.run()
    assert night.wire == []
