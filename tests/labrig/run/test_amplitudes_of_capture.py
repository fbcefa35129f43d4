"""Amplitudes in % of capture: what stimulators play, before and after a threshold is known."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labrig.plan.timeline import AskedTest
from labrig.record.recovery import fold
from labrig.record.rows import Row
from labrig.run.control_client import CommandRefused, connect


def visit(night, at_s, act):
    box = night.clock.mailbox("conductor")

    def come() -> None:
        box.get(at_s)
        act(connect(night.folder / "control.json"))

    night.clock.start(f"conductor at {at_s}", come)


def steps(script):
    """Films of a staircase of 4, 6 and 8 V."""
    return [
        replace(
            script.film(10.0 + 10 * i), key=f"film/s00/capture/{i:02d}/A1/f0/phase",
            assay="capture", step=i, test=AskedTest(f"capture:{i}", 1.0, 4.0 + 2 * i),
        )
        for i in range(3)
    ]  # fmt: skip


def dose(script, at_s=500.0, **changes):
    """From then on, 150 % of capture, at most 12 V; every 50 s."""
    level = script.stimulate(at_s, amplitude_v=12.0)
    (spec,) = level.trains
    asked = {"of_capture": 1.5, "capture": "capture", "fallback_v": 9.0} | changes
    return replace(level, trains=(replace(spec, **asked),))


def night_of(rehearse, script, **changes):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), *steps(script), dose(script, **changes)]
    return night, night.make(script.plan(timeline, 1000.0))


def played_v(night):
    return night.plants["pulses"].volts


def test_what_was_found_before_is_played(rehearse, script):
    night, runner = night_of(rehearse, script)
    visit(night, 300.0, lambda client: client.capture("capture", {"pulses:1": 6.0}))
    runner.run()
    assert played_v(night) == pytest.approx([9.0] * 10, abs=0.05)
    assert night.deviations() == []
    (level,) = [r for r in night.rows("level") if r.state == "confirmed" and
                "channels" in r.detail]  # fmt: skip
    assert level.detail["resolved_v"] == {"1": 9.0}
    assert fold(night.rows()).captures["capture/pulses:1"].volts == 6.0


def test_until_it_is_known_the_channel_is_silent_and_a_person_is_asked(rehearse, script):
    night, runner = night_of(rehearse, script)
    asked = []
    visit(night, 600.0, lambda client: asked.append(client.status()))
    visit(night, 720.0, lambda client: client.capture("capture", {"pulses:1": 4.0}))
    # by then it has learnt all it can, and its trains go on as they are
    visit(night, 830.0, lambda client: client.capture("capture", {"other:1": 4.0}))
    runner.run()
    programmed = [r.run_s for r in night.rows("level") if "channels" in r.detail]
    assert programmed == pytest.approx([500.0, 720.0], abs=1.0)
    assert played_v(night) == pytest.approx([6.0] * 5, abs=0.05)
    (question,) = asked[0]["questions"]
    assert question["id"] == "capture:pulses"
    assert question["options"] == ["use-fallback", "leave-out"]
    assert [alarm["code"] for alarm in asked[0]["alarms"]] == ["capture"]
    assert night.deviations() == ["capture-unknown"]
    assert [r.state for r in night.rows("alarm")] == ["raised", "cleared"]
    assert [r.state for r in night.rows("question")] == ["asked", "withdrawn"]


@pytest.mark.parametrize(("choice", "volts"), [("use-fallback", [9.0] * 6), ("leave-out", [])])
def test_a_person_decides_when_no_step_captures(rehearse, script, choice, volts):
    night, runner = night_of(rehearse, script)
    visit(night, 300.0, lambda client: client.capture("capture", {"pulses:1": None}))
    visit(night, 660.0, lambda client: client.answer("capture:pulses", choice))
    runner.run()
    assert played_v(night) == pytest.approx(volts, abs=0.05)
    frozen = next(r for r in night.rows("run") if r.key == "capture-frozen")
    assert frozen.detail["why"] == "no step of the staircase was captured"


@pytest.mark.parametrize(("rule", "volts"), [("fallback", [9.0] * 10), ("leave-out", [])])
def test_a_protocol_that_decides_beforehand_asks_nobody(rehearse, script, rule, volts):
    night, runner = night_of(rehearse, script, if_unknown=rule)
    runner.run()
    assert played_v(night) == pytest.approx(volts, abs=0.05)
    assert night.rows("question") == []
    assert night.deviations() == ["capture-unknown"]


def test_the_first_word_on_a_channel_counts(rehearse, script):
    night, runner = night_of(rehearse, script)

    def tell(client):
        client.capture("capture", {"pulses:1": 6.0})
        client.capture("capture", {"pulses:1": 8.0})

    visit(night, 300.0, tell)
    runner.run()
    assert set(played_v(night)) == {played_v(night)[0]}
    assert played_v(night)[0] == pytest.approx(9.0, abs=0.05)


def test_nothing_is_played_above_what_was_checked(rehearse, script):
    night, runner = night_of(rehearse, script, of_capture=1.9, fallback_v=None)
    visit(night, 300.0, lambda client: client.capture("capture", {"pulses:1": 8.0}))
    runner.run()
    assert played_v(night) == []  # 15.2 V are more than the 12 V of the plan
    assert "capture-unknown" in night.deviations()


def test_what_is_no_step_is_taken_for_none(rehearse, script):
    night, runner = night_of(rehearse, script, if_unknown="leave-out")
    visit(night, 300.0, lambda client: client.capture("capture", {"pulses:1": 7.3}))
    runner.run()
    assert played_v(night) == []
    frozen = next(r for r in night.rows("run") if r.key == "capture-frozen")
    assert (frozen.detail["volts"], frozen.detail["why"]) == (
        None, "7.3 V is no step of the staircase",
    )  # fmt: skip


def test_whoever_takes_the_run_over_knows_what_was_frozen(rehearse, script):
    night = rehearse()
    timeline = [script.flow(0.0, 30.0), *steps(script), dose(script)]
    plan = script.plan(timeline, 1000.0)
    death = script.Death()
    runner = night.make(plan, connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    visit(night, 300.0, lambda client: client.capture("capture", {"pulses:1": 6.0}))
    night.visit(400.0, lambda: death._die_if(True))
    runner.run()
    assert played_v(night) == []
    night.run(plan)
    assert played_v(night) == pytest.approx([9.0] * 10, abs=0.05)


@pytest.mark.parametrize(
    "thresholds", [{}, {"pulses": 4.0}, {"pulses:1": "4"}, {"pulses:1": -1.0}, {"pulses:1": True}]
)
def test_nonsense_is_refused_at_the_door(rehearse, script, thresholds):
    night, runner = night_of(rehearse, script, if_unknown="leave-out")
    refused = []

    def tell(client):
        with pytest.raises(CommandRefused) as caught:
            client.capture("capture", thresholds)
        refused.append(str(caught.value))

    visit(night, 300.0, tell)
    runner.run()
    assert refused
    assert not [r for r in night.rows("run") if r.key == "capture-frozen"]


def test_the_fold_keeps_the_first_word():
    rows = [
        Row(n, "run", "capture-frozen", "noted", 1, float(n), "u", 1.0, "b",
            {"assay": "c", "instrument": "s", "channel": 1, "volts": volts, "why": ""}, "")
        for n, volts in enumerate((None, 8.0))
    ]  # fmt: skip
    assert fold(rows).captures["c/s:1"].volts is None
