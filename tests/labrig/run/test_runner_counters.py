"""What the live board counts: every event once, under what became of it."""

from __future__ import annotations

import pytest

from labrig.record.journal import open_journal
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock

FOREVER_S = float("inf")


def counters_of(night, timeline, script, duration_s=1800.0):
    counters = night.run(script.plan(timeline, duration_s)).counters
    return {
        fate: counters[fate]
        for fate in ("hits", "late", "missed", "failed", "unknown", "skipped")
        if fate in counters
    }


def test_what_is_done_in_time_is_a_hit(rehearse, script):
    events = [script.dose(100.0), script.frame(200.0, 1), script.reading(300.0)]
    assert counters_of(rehearse(), events, script) == {"hits": 3}


@pytest.mark.parametrize(
    ("instrument", "gone_to_s", "counted"),
    [
        ("stage", 700.0, {"late": 1}),
        ("stage", FOREVER_S, {"missed": 1}),
        ("dose", 700.0, {"late": 1}),
        ("dose", FOREVER_S, {"missed": 1}),
    ],
)
def test_an_event_that_met_trouble_counts_once(rehearse, script, instrument, gone_to_s, counted):
    """The cable is found to be out only when the event is begun, in time."""
    night = rehearse(unplugged={instrument: (605.0, gone_to_s)})
    event = {"stage": script.frame(610.0, 1), "dose": script.dose(610.0)}[instrument]
    assert counters_of(night, [event], script) == counted


def test_a_picture_that_the_camera_refused_is_no_hit(rehearse, script):
    night = rehearse(camera=[*script.camera, "refuse-on", "1"])
    assert counters_of(night, [script.frame(100.0, 1)], script) == {"missed": 1}


def test_a_picture_that_the_camera_refused_once_is_taken_again(rehearse, script):
    night = rehearse(camera=[*script.camera, "refuse", "1"])
    assert counters_of(night, [script.frame(100.0, 1)], script) == {"hits": 1}


def test_a_dose_of_which_nobody_knows_is_no_hit(rehearse, script):
    night = rehearse(faults={"dose": (script.Fault("reboot", 640.0),)})
    assert counters_of(night, [script.dose(610.0)], script) == {"unknown": 1}


def test_a_runner_that_takes_a_run_over_goes_on_counting(rehearse, script):
    """The journal of a whole night, cut where its runner died, comes to the same counts."""
    whole = rehearse("whole")
    events = [
        script.dose(110.0), script.dose(125.0), script.frame(300.0, 1, 500.0),
        script.frame(310.0, 2, lateness=script.Lateness("skip")), script.reading(400.0),
        script.dose(700.0, lateness=script.Lateness("skip")), script.stimulate(0.0),
    ]  # fmt: skip
    whole.unplugged = {"stage": (305.0, 330.0), "dose": (650.0, 900.0)}
    plan = script.plan(events, 1800.0)
    counted = whole.run(plan).counters
    assert {"hits", "late", "missed", "deviations", "trains", "pictures"} <= set(counted)
    adopted = rehearse("adopted")
    adopted.folder.mkdir()
    clock = VirtualClock()
    journal = open_journal(adopted.folder / "journal.sqlite", clock)
    journal.epoch = 1
    for row in whole.rows():
        clock._now_s = row.run_s
        if row.key != "finished":
            journal.note(JournalEntry(row.kind, row.key, row.state, row.detail))
    journal.close()
    again = adopted.run(plan, VirtualClock(start_s=1790.0)).counters
    assert again == counted | {"deviations": counted["deviations"] + 1}  # the gap
