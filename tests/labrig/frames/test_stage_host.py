"""Stages of the imaging process: every verb, and what a driver raises, as JSON."""

from __future__ import annotations

import json

import pytest

from labrig.frames.stage_host import StageHost, TimeTold
from labrig.twin.stages import SimulatedStage
from labrig_drivers.conformance import SteppedClock, stage
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import StageLimits

REACH = StageLimits(-1000.0, 1000.0, -500.0, 500.0)


@pytest.mark.parametrize("check", stage.CHECKS)
def test_a_simulated_stage_is_a_stage(check, tmp_path):
    clock = SteppedClock()
    check(lambda: SimulatedStage("xy", REACH, tmp_path / "xy.json", clock.now_s), clock)


@pytest.fixture
def ask(tmp_path):
    """``ask(do, at_s, **what)``: a reply to one request, as it comes out of JSON."""
    time_told = TimeTold()
    host = StageHost(
        {"xy": SimulatedStage("xy", REACH, tmp_path / "xy.json", time_told.now_s)}, time_told
    )

    def asked(do, at_s, **what):
        request = {"id": 1, "do": do, "instrument": "xy", "now_s": at_s, **what}
        return json.loads(json.dumps(host.action(do)(json.loads(json.dumps(request)))))

    return asked


def test_a_move_takes_its_time_and_can_be_stopped(ask):
    assert ask("position", 10.0) == {"x_um": 0.0, "y_um": 0.0}
    assert ask("move_to", 10.0, x_um=1000.0, y_um=-500.0) == {}
    assert ask("moving", 10.1) == {"moving": True}
    assert ask("position", 10.1) == {"x_um": 500.0, "y_um": -250.0}
    assert ask("stop", 10.1) == {}
    assert ask("moving", 10.1) == {"moving": False}
    assert ask("position", 99.0) == {"x_um": 500.0, "y_um": -250.0}
    ask("move_to", 99.0, x_um=0.0, y_um=0.0)
    assert ask("moving", 99.1) == {"moving": False}


def test_its_place_outlives_its_process(ask, tmp_path):
    ask("move_to", 1.0, x_um=700.0, y_um=20.0)
    again = SimulatedStage("xy", REACH, tmp_path / "xy.json", lambda: 5.0)
    assert again.position_um() == (700.0, 20.0)


def test_who_it_is(ask):
    assert ask("identify_stage", 0.0)["model"] == "simulated stage"
    assert ask("identify_stage", 0.0)["serial_number"] is None


def test_beyond_its_reach_nothing_moves(ask):
    with pytest.raises(OutOfRange):
        ask("move_to", 1.0, x_um=1001.0, y_um=0.0)
    assert ask("position", 2.0) == {"x_um": 0.0, "y_um": 0.0}


def test_pictures_are_not_its_business():
    assert StageHost({}, TimeTold()).action("snap") is None
