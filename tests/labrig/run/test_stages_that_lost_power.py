"""No picture of another place is called verified: stages that reset, were moved, or died."""

from __future__ import annotations

import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.record.recovery import fold
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect
from labrig.run.whereabouts import Whereabouts
from labrig_drivers.kinds import StageLimits

PLACES = [(-38_000.0, -30_000.0), (0.0, 0.0), (12_000.0, -500.0), (0.0, 9000.0)]
LIMITS = StageLimits(-55_000.0, 55_000.0, -37_500.0, 37_500.0)
STAGE = {"stage": ("asi_ms2000", {})}


@pytest.mark.parametrize(
    ("ends", "found", "believed"),
    [
        ([(100.0, 100.0)], (100.0, 100.0), True),
        ([(100.0, 100.0)], (100.0, 140.0), False),
        ([(100.0, 100.0)], (0.0, 0.0), False),
        ([(0.0, 1.0)], (0.0, 0.0), True),
        ([(-500.0, -500.0), (500.0, 500.0)], (20.0, -400.0), True),
        ([(-500.0, -500.0), (500.0, 500.0)], (0.0, 0.0), False),
        ([(0.0, 0.0), (500.0, 500.0)], (0.0, 0.0), False),
        ([(500.0, 500.0), (0.0, 0.0)], (0.0, 0.0), True),
        ([(-500.0, -500.0), (500.0, 500.0)], (501.0, 600.0), False),
        ([], (0.0, 0.0), True),
        ([], (0.0, 38_000.0), False),
    ],
)
def test_what_is_believed(ends, found, believed):
    where = Whereabouts(2.0)
    if len(ends) == 1:
        where.rests(ends[0])
    elif ends:
        where.leaves(*ends)
    assert (where.doubt(found, LIMITS) == "") is believed


def test_a_takeover_believes_any_place_but_zero():
    where = Whereabouts(2.0, [(100.0, 100.0), (500.0, 0.0)])
    assert where.doubt((250.0, 70.0), LIMITS) == ""
    assert "as after lost power" in where.doubt((0.0, 0.0), LIMITS)


def test_a_mark_that_has_gone_is_believed_more_than_any_place():
    where = Whereabouts(2.0, [(0.0, 0.0)], marked=True)
    assert where.doubt((0.0, 0.0), LIMITS, unmarked=False) == ""
    assert "switched off and on" in where.doubt((0.0, 0.0), LIMITS, unmarked=True)
    where.forget()
    assert where.doubt((0.0, 0.0), LIMITS, unmarked=True) == ""


def pictures(script, every_s=20.0, count=12):
    frames = []
    for number in range(count):
        x_um, y_um = PLACES[number % len(PLACES)]
        frames.append(script.frame(number * every_s, number, x_um, y_um=y_um))
    return script.plan(frames, count * every_s + 10.0)


def follow(night):
    """Where the plate really is, as it comes to rest."""
    rests, make = [(0.0, 0.0, 0.0)], night._simulator

    def simulator(name):
        made = make(name)
        night.plants[name].moved = lambda now_s, x, y: rests.append((now_s, x, y))
        return made

    night._simulator = simulator
    return rests


def check(night, rests, plan):
    planned = {entry.key: entry for entry in plan.timeline}
    for row in night.rows("frame"):
        if row.state == "confirmed" and row.detail["position_verified"]:
            taken_s = row.detail["offset_s"] + row.detail["lateness_s"]
            _, x_um, y_um = [rest for rest in rests if rest[0] <= taken_s + 0.002][-1]
            entry = planned[row.key]
            assert (x_um, y_um) == pytest.approx((entry.x_um, entry.y_um), abs=3.0), row.key


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    reset_s=st.floats(0.5, 200.0).map(lambda t: round(t, 2)),
    gone=st.none() | st.tuples(st.floats(0.5, 200.0), st.floats(0.5, 60.0)),
    dies_s=st.none() | st.floats(0.5, 200.0),
)
def test_a_reset_at_any_moment_never_makes_a_wrong_picture_verified(
    rehearse, script, reset_s, gone, dies_s
):
    night = rehearse(f"run-{os.urandom(4).hex()}", instruments=STAGE)
    night.faults = {"stage": (script.Fault("reboot", reset_s),)}
    if gone:
        night.unplugged = {"stage": (gone[0], sum(gone))}
    plan, rests = pictures(script), follow(night)
    if dies_s is not None:
        dies = script.Death()
        runner = night.make(plan, VirtualClock(), connect=dies.connect)
        dies.clock, open_transport = night.clock, night.open_transport
        runner._open_transport = lambda port: dies.wire(open_transport(port))
        night.visit(dies_s, lambda: dies._die_if(True))
        runner.run()
        night.simulators["stage"].advance(dies_s + 20.0)
        night.run(plan, VirtualClock(start_s=dies_s + 20.0))
    else:
        night.run(plan)
    assert fold(night.rows()).ended
    check(night, rests, plan)


def test_a_reset_stops_the_pictures_until_somebody_has_looked(rehearse, script):
    night = rehearse(instruments=STAGE)
    night.faults = {"stage": (script.Fault("reboot", 65.0),)}
    plan, rests = pictures(script), follow(night)
    night.make(plan)
    seen = []

    def somebody_looks():
        client = connect(night.folder / "control.json")
        (question,) = client.status()["questions"]
        seen.append(question)
        # They put the zero back where it was.
        simulator = night.simulators["stage"]
        _, x_um, y_um = rests[-1]
        words = f"H X={round(10 * x_um)} Y={round(10 * y_um)}\r".encode()
        simulator.receive(words, night.clock.now_s())
        client.answer(question["id"], "homed")

    night.visit(150.0, somebody_looks)
    night.runner.run()
    assert "switched off and on" in seen[0]["what"]
    states = [row.state for row in night.rows("frame") if row.state in ("confirmed", "missed")]
    assert states == ["confirmed"] * 4 + ["missed"] * 4 + ["confirmed"] * 4
    assert night.deviations().count("stage-lost") == 1
    assert "stage-homed-by-operator" in night.deviations()
    check(night, rests, plan)


def test_a_stage_moved_by_hand_is_asked_about(rehearse, script):
    night = rehearse(instruments=STAGE)
    plan, rests = pictures(script), follow(night)
    night.make(plan)
    night.visit(
        70.0, lambda: night.simulators["stage"].receive(b"R X=50000\r", night.clock.now_s())
    )
    night.runner.run()
    assert night.deviations().count("stage-lost") == 1
    check(night, rests, plan)


def test_units_that_another_program_left_do_not_mirror_the_plate(rehearse, script):
    night = rehearse(instruments=STAGE)
    plan, rests = pictures(script, count=4), follow(night)
    night.make(plan)
    night.open_transport(night.bench.port("stage-port"))
    night.simulators["stage"].receive(b"UM X=-10000 Y=10000\r", 0.0)
    night.runner.run()
    assert [row.state for row in night.rows("frame") if row.state != "intent"] == ["confirmed"] * 4
    check(night, rests, plan)


def test_a_takeover_without_a_reset_goes_on(rehearse, script):
    for dies_s in (3.0, 20.5, 23.0, 44.0, 65.0):
        night = rehearse(f"run-{dies_s}", instruments=STAGE)
        plan, rests = pictures(script), follow(night)
        dies = script.Death()
        runner = night.make(plan, VirtualClock(), connect=dies.connect)
        dies.clock, open_transport = night.clock, night.open_transport
        runner._open_transport = lambda port, d=dies, o=open_transport: d.wire(o(port))
        night.visit(dies_s, lambda d=dies: d._die_if(True))
        runner.run()
        night.simulators["stage"].advance(dies_s + 20.0)
        night.run(plan, VirtualClock(start_s=dies_s + 20.0))
        assert "stage-lost" not in night.deviations()
        check(night, rests, plan)
