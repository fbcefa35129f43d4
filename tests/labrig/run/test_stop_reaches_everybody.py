"""A stop on the wire: who is told first, how soon, and what is never sent after it."""

from __future__ import annotations

import pytest

from labrig.run.control_client import connect

BAUD = 19200.0
CHAIN = 12


def _chain(rehearse, script, mute=(), mute_from_s=0.0, at_stop_off=True, watchdog_s=200, **parts):
    """Twelve syringe pumps on one line, each with an additive flowing, and a plan for them."""
    names = [f"p{i:02d}" for i in range(CHAIN)]
    instruments = {
        name: ("new_era_ne1000", {"address": i, "watchdog_s": watchdog_s})
        for i, name in enumerate(names)
    }
    night = rehearse(
        instruments=instruments,
        shared_port=dict.fromkeys(names, "chain"),
        faults={name: (script.Fault("silent", mute_from_s),) for name in mute},
        baud=BAUD,
        **parts,
    )
    draws = tuple(script.draw(f"syringe-{name}", name, "additive") for name in names)
    levels = [script.flow(0.0, 1.0 + i, name) for i, name in enumerate(names)]
    rules = script.rules(additives_on_stop="off" if at_stop_off else "keep")
    return night, names, levels, {"draws": draws, "rules": rules}


def _stop_times(night, stop_s, command=b"STP"):
    """By address on the line: when the bare command first went out after the stop."""
    times = {}
    for now_s, _, way, data in night.wire:
        if way == ">" and now_s >= stop_s and command in data:
            times.setdefault(_address(data), now_s - stop_s)
    return times


def _address(data: bytes) -> int:
    text = data.split(b"STP")[0]
    digits = bytes(byte for byte in text if chr(byte).isdigit())
    return int(digits[-2:] or b"0")


@pytest.mark.parametrize("mute", [(), ("p02", "p05", "p09")])
@pytest.mark.parametrize("watchdog_s", [0, 200])
def test_a_stop_reaches_twelve_pumps_of_a_chain_within_150_ms(rehearse, script, mute, watchdog_s):
    """The mute ones are silent since just before, so that nobody knows of it."""
    night, names, levels, plan = _chain(
        rehearse, script, mute=mute, mute_from_s=59.0, watchdog_s=watchdog_s
    )
    runner = night.make(script.plan(levels, 3600.0, **plan))
    # At 60 s all are polled: the stop meets the line in the middle of it.
    night.visit(60.2, lambda: connect(night.folder / "control.json").stop())
    outcome = runner.run()
    assert outcome.condition == "stopped"
    times = _stop_times(night, 60.2)
    healthy = [i for i, name in enumerate(names) if name not in mute]
    assert set(healthy) <= set(times)
    assert max(times[i] for i in healthy) < 0.150
    for i in healthy:
        assert night.plants[names[i]].rate_ul_min == 0.0
    assert set(outcome.unsafe) == set(mute)


def test_known_mute_pumps_are_told_last_and_the_reads_come_after_the_last_stop(rehearse, script):
    mute = ("p00", "p01", "p02")
    night, _, levels, plan = _chain(rehearse, script, mute=mute, mute_from_s=10.0)
    runner = night.make(script.plan(levels, 3600.0, **plan))
    night.visit(200.0, lambda: connect(night.folder / "control.json").stop())
    runner.run()
    sent = [(now_s, data) for now_s, _, way, data in night.wire if way == ">" and now_s >= 200.0]
    first = [_address(data) for _, data in sent[:CHAIN] if b"STP" in data]
    assert first == [3, 4, 5, 6, 7, 8, 9, 10, 11, 0, 1, 2]


@pytest.mark.parametrize("after_writes", range(1, 26, 2))
def test_nothing_that_starts_a_motor_is_sent_after_a_stop(rehearse, script, after_writes):
    """The stop comes at every point of the conversation that begins a dose."""
    night = rehearse(baud=BAUD)
    timeline = [script.flow(0.0, 30.0), script.flow(0.0, 2.0, "dose"), script.dose(600.0)]
    runner = night.make(script.plan(timeline, 1800.0))
    stopped = []

    def stop_in_the_conversation(port, way, data):
        if port == "dose" and way == ">" and night.clock.now_s() >= 600.0:
            stopped.append(len(night.wire))
            if len(stopped) == after_writes:
                connect(night.folder / "control.json").stop()

    night.listen = stop_in_the_conversation
    outcome = runner.run()
    assert len(stopped) >= after_writes
    assert outcome.condition == "stopped"
    later = [d for _, port, way, d in night.wire[stopped[after_writes - 1] :] if way == ">"]
    assert any(b"STP" in data for data in later)
    assert not [data for data in later if b"RUN" in data]
    assert night.plants["base"].rate_ul_min == pytest.approx(30.0)
    ends = [row for row in night.rows("dose") if row.state in ("refused", "unknown", "confirmed")]
    assert len(ends) == 1


@pytest.mark.parametrize("after_writes", range(1, 18, 2))
def test_a_stop_in_the_middle_of_a_new_rate_leaves_no_cells_unfed(rehearse, script, after_writes):
    """A pump of medium that has to stand for a moment to change its rate's unit."""
    base = ("new_era_ne1000", {"address": 0, "watchdog_s": 0})
    night = rehearse(instruments={"base": base}, baud=BAUD)
    timeline = [script.flow(0.0, 0.5), script.flow(600.0, 500.0)]
    runner = night.make(script.plan(timeline, 1800.0))
    sent = []

    def stop_in_the_conversation(port, way, data):
        if way == ">" and night.clock.now_s() >= 600.0:
            sent.append(data)
            if len(sent) == after_writes:
                connect(night.folder / "control.json").stop()

    night.listen = stop_in_the_conversation
    outcome = runner.run()
    assert outcome.condition == "stopped"
    assert outcome.unsafe == ()
    assert night.plants["base"].rate_ul_min in (pytest.approx(0.5), pytest.approx(500.0))
