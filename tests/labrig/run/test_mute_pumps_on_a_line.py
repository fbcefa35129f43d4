"""Pumps that do not answer keep those that do from nothing, where silence costs time."""

from __future__ import annotations

import pytest

from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect

CHAIN = 12
ADOPTED_S = 200.0


def _taken_over(rehearse, script, mute_first, *visits, watchdog_s=200):
    """A chain whose runner died before a new level was due, taken over with some of it mute."""
    names = [f"p{i:02d}" for i in range(CHAIN)]
    pump = {name: ("new_era_ne1000", {"address": i, "watchdog_s": watchdog_s})
            for i, name in enumerate(names)}  # fmt: skip
    night = rehearse(
        instruments=pump,
        shared_port=dict.fromkeys(names, "chain"),
        faults={name: (script.Fault("silent", 150.0, 1500.0),) for name in names[:mute_first]},
        baud=19200.0,
    )
    draws = tuple(script.draw(f"bottle-{name}", name, "medium") for name in names)
    levels = [script.flow(at_s, 2.0 + i + at_s / 20.0, name)
              for at_s in (0.0, 100.0) for i, name in enumerate(names)]  # fmt: skip
    plan = script.plan(levels, 2400.0, draws=draws)
    death = script.Death()
    runner = night.make(plan, VirtualClock(), connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    night.visit(50.0, lambda: death._die_if(True))
    runner.run()
    night.wire.clear()
    runner = night.make(plan, VirtualClock(start_s=ADOPTED_S))
    for at_s, act in visits:
        night.visit(at_s, lambda act=act: act(connect(night.folder / "control.json")))
    return night, runner, names


@pytest.mark.parametrize("watchdog_s", [0, 200])
@pytest.mark.parametrize("mute", [0, 6, 11])
def test_healthy_pumps_have_their_levels_within_5_s_of_a_takeover(
    rehearse, script, mute, watchdog_s
):
    night, runner, names = _taken_over(rehearse, script, mute, watchdog_s=watchdog_s)
    runner.run()
    first = {}
    for row in night.rows("level"):
        if row.run_s >= ADOPTED_S and row.state == "confirmed":
            first.setdefault(row.detail["instrument"], row.run_s - ADOPTED_S)
    healthy = names[mute:]
    assert max(first[name] for name in healthy) < 5.0
    # Those that come back are brought to their levels as well, and their loss is on record.
    assert set(first) == set(names)
    lost = {row.detail["instrument"] for row in night.rows("deviation") if row.key == "link-lost"}
    assert lost == set(names[:mute])


@pytest.mark.parametrize("after_s", [0.05, 0.4, 1.7, 3.3, 8.0, 20.0])
def test_a_stop_is_heard_while_eleven_mute_pumps_are_asked(rehearse, script, after_s):
    night, runner, _ = _taken_over(
        rehearse, script, 11, (ADOPTED_S + after_s, lambda client: client.hold()),
        (ADOPTED_S + after_s + 1.0, lambda client: client.stop()), watchdog_s=0,
    )  # fmt: skip
    outcome = runner.run()
    assert outcome.condition == "stopped"
    (stop_s,) = [row.run_s for row in night.rows("command") if row.detail.get("command") == "stop"]
    asked = [
        now_s - stop_s
        for now_s, _, way, data in night.wire
        if way == ">" and now_s > stop_s and b"11" in data[:5]
    ]
    # The healthy one is asked, and keeps its rate: it brings medium. In the roll call, which takes
    # some two seconds, nobody knows yet who is healthy.
    assert min(asked) < (0.25 if after_s > 2.5 else 3.0)
    assert night.plants["p11"].rate_ul_min > 0.0


def test_polls_of_the_healthy_go_on_between_tries_of_the_mute(rehearse, script):
    """No poll of a healthy pump comes more than two seconds late."""
    night, runner, names = _taken_over(rehearse, script, 11)
    runner.run()
    polls = [r.run_s for r in night.rows("sample") if r.key == names[-1] and 240 <= r.run_s < 1500]
    assert len(polls) >= 20
    assert max(at_s % 60.0 for at_s in polls) < 2.0
