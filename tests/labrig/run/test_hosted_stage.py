"""A stage that the imaging process owns: nights, a process that hangs, refusals, a stop."""

from __future__ import annotations

import pytest
from hosted_stage_type import SOURCE
from plugged_in import PlugIns

from labrig.frames.stage_host import StageHost, TimeTold, failure
from labrig.run.hosted_stage import HostedStage
from labrig.run.imaging_link import ImagingFailed
from labrig.run.lease import Fence, StaleEpoch
from labrig.run.port_gate import Leave
from labrig.twin.stages import SimulatedStage
from labrig_drivers.errors import InstrumentError, NoReply, OutOfRange
from labrig_drivers.instrument import installed_types
from labrig_drivers.kinds import StageLimits

REACH = StageLimits(-60_000.0, 60_000.0, -60_000.0, 60_000.0)


class InOneProcess:
    """The imaging process without the process: a simulated stage, and pictures of nothing."""

    def __init__(self, folder, hangs=()):
        self.told = TimeTold()
        self.stage = SimulatedStage("stage", REACH, folder / "stage.json", self.told.now_s)
        self.host = StageHost({"stage": self.stage}, self.told)
        self.asked = []
        self.hangs = hangs

    def request(self, extra_s, **what):
        self.asked.append(what)
        if len(self.asked) in self.hangs:
            raise ImagingFailed("no answer within 20 s.", "Unplug it.")
        action = self.host.action(what["do"])
        if action is None:
            return {"ok": True, "path": "p", "sha256": "0", "focus": 1.0, "bytes": 1,
                    "exposure_ms": what["exposure_ms"]}  # fmt: skip
        try:
            return action(what)
        except InstrumentError as error:
            said = failure(what, error.what, error.remedy, type(error).__name__)
            raise ImagingFailed(said["what"], said["remedy"], said["error"]) from error

    def close(self):
        pass


@pytest.fixture
def night(rehearse, tmp_path, monkeypatch):
    """A rehearsal whose stage is hosted."""
    site = tmp_path / "site"
    site.mkdir()
    PlugIns(site, monkeypatch).install("acme-labrig", {"acme_stage": "INSTRUMENT"}, SOURCE)

    def made(hangs=()):
        return rehearse(
            instruments={
                "base": ("leadfluid_bt", {"address": 1}),
                "stage": ("acme_stage", {"label": "XY", "reach_um": 60_000.0}),
            },
            imaging=InOneProcess(tmp_path, hangs),
        )

    yield made
    monkeypatch.undo()
    installed_types.cache_clear()


def told(run):
    """What a simulated bench does with each picture: write down where the stage stands."""
    last = []

    def attach(picture, since_s, at_um):
        if last != [at_um]:
            last[:] = [at_um]
            run.record.add("stage", since_s, "at", *at_um)

    return attach


def pictures(script, count):
    return [
        script.flow(0.0, 30.0),
        *(script.frame(60.0 * i, i, 100.0 + 500.0 * (i % 3)) for i in range(count)),
    ]


def test_a_small_night_goes_where_it_should(night, script):
    run = night()
    outcome = run.run(script.plan(pictures(script, 6), 600.0), attachment=told(run))
    assert outcome.condition == "finished"
    taken = [row for row in run.rows("frame") if row.state == "confirmed"]
    assert [row.detail["x_reached_um"] for row in taken] == [
        100.0,
        600.0,
        1100.0,
        100.0,
        600.0,
        1100.0,
    ]
    assert all(row.detail["position_verified"] for row in taken)
    assert all(row.detail["lateness_s"] < 1.0 for row in taken)
    assert run.deviations() == []
    moves = [(what["x_um"], what["y_um"]) for what in run.imaging.asked if what["do"] == "move_to"]
    assert moves == [(x, 0.0) for x in (100.0, 600.0, 1100.0, 100.0, 600.0, 1100.0)]


def test_a_process_that_hangs_costs_a_picture_and_not_the_night(night, script):
    run = night(hangs=(9,))
    outcome = run.run(script.plan(pictures(script, 8), 900.0), attachment=told(run))
    assert outcome.condition == "finished"
    states = [row.state for row in run.rows("frame") if row.state != "intent"]
    assert states.count("confirmed") >= 7
    assert "link-lost" in run.deviations()
    assert "link-restored" in run.deviations()


def test_what_is_out_of_reach_is_missed_with_the_drivers_words(night, script):
    run = night()
    timeline = [
        script.flow(0.0, 30.0),
        *(script.frame(60.0 * i, i, x) for i, x in enumerate((5.0, 500.0, 70_000.0, 90.0))),
    ]
    run.run(script.plan(timeline, 300.0), attachment=told(run))
    ends = [row for row in run.rows("frame") if row.state != "intent"]
    assert [row.state for row in ends] == ["confirmed", "confirmed", "missed", "confirmed"]
    assert "cannot go to 70000" in ends[2].detail["reason"]


def test_a_stop_halts_it_and_nothing_moves_it_afterwards(night, script):
    run = night()
    runner = run.make(script.plan(pictures(script, 20), 1800.0), attachment=told(run))

    def stop():
        from labrig.run.control_client import connect

        connect(run.folder / "control.json").stop("test")

    run.visit(90.0, stop)
    assert runner.run().condition == "stopped"
    doings = [what["do"] for what in run.imaging.asked]
    assert "stop" in doings
    assert "move_to" not in doings[doings.index("stop") :]


def stage_of(imaging, fence=None):
    fence = fence or Fence(1)
    return HostedStage(imaging, "stage", REACH, Leave(fence), lambda: 0.0), fence


class Says:
    def __init__(self, error):
        self.error = error
        self.asked = 0

    def request(self, extra_s, **what):
        self.asked += 1
        raise ImagingFailed("what it said.", "what to do.", self.error)

    def close(self):
        pass


@pytest.mark.parametrize(
    ("error", "kind"), [("OutOfRange", OutOfRange), ("", NoReply), ("KeyError", NoReply)]
)
def test_errors_come_back_as_the_driver_raised_them(error, kind):
    stage, _ = stage_of(Says(error))
    with pytest.raises(kind, match=r"stage: what it said. what to do."):
        stage.move_to(1.0, 2.0)


def test_nothing_is_asked_once_a_stop_has_come():
    imaging = Says("")
    stage, fence = stage_of(imaging)
    fence.raise_epoch()
    with pytest.raises(StaleEpoch):
        stage.move_to(1.0, 2.0)
    assert imaging.asked == 0
