"""A run whose time is over is finished only if most of each part of its plan was done."""

from __future__ import annotations

import json

import pytest

from labrig.launch.concluding import conclude_if_ended
from labrig.plan.store import to_json
from labrig.record import conclusion
from labrig.record.conclusion import concluded
from labrig.run.stimulation import StimulatorHandler
from labrig.run_folder import RunFolder


def _silent(script, name, until_s=1e9):
    return {name: (script.Fault("silent", 1.0, until_s),)}


def _outcome(night):
    return json.loads((night.folder / "outcome.json").read_text())


def test_a_sound_night_is_finished_and_whoever_finds_it_says_the_same(rehearse, script):
    night, plan = rehearse(), script.night()
    outcome = night.run(plan)
    assert (outcome.condition, outcome.failures, outcome.shortfalls) == ("finished", (), ())
    found, ledger = concluded(plan, night.rows())
    assert found == outcome
    assert ledger is not None


@pytest.mark.parametrize(
    ("instrument", "what"),
    [
        ("stage", "of 12 pictures (phase) were missed"),
        ("pulses", "impulses of pulses were missed"),
        ("probe", "of 6 readings of the air were missed"),
        ("dose", "of 2 doses of CNTF were missed"),
    ],
)
def test_a_night_that_missed_most_of_a_part_has_failed(rehearse, script, instrument, what):
    night = rehearse(faults=_silent(script, instrument))
    outcome = night.run(script.night())
    assert outcome.condition == "failed"
    assert outcome.over
    assert any(what in shortfall for shortfall in outcome.shortfalls), outcome.shortfalls
    assert _outcome(night)["shortfalls"] == list(outcome.shortfalls)


def test_half_of_it_missed_is_told_and_no_failure(rehearse, script):
    night = rehearse(faults=_silent(script, "stage", 1200.0))
    assert night.run(script.night()).condition == "finished"


def test_a_stopped_night_is_stopped_however_little_was_done(rehearse, script):
    from labrig.run.control_client import connect

    night = rehearse()
    runner = night.make(script.night())
    night.visit(10.0, lambda: connect(night.folder / "control.json").stop("smoke"))
    assert runner.run().condition == "stopped"


def test_a_ledger_that_cannot_be_made_makes_a_failed_run_and_no_traceback(
    rehearse, script, monkeypatch
):
    def broken(*_):
        raise ZeroDivisionError("no such well")

    monkeypatch.setattr(conclusion, "dose_ledger", broken)
    night = rehearse()
    outcome = night.run(script.plan([script.flow(0.0, 30.0)], 600.0))
    assert outcome.condition == "failed"
    assert "the dose ledger could not be made" in outcome.failures[0]
    monkeypatch.undo()
    (night.folder / "outcome.json").unlink()
    folder = RunFolder(night.folder)
    folder.plan.write_text(to_json(script.plan([script.flow(0.0, 30.0)], 600.0)))
    assert conclude_if_ended(folder).condition == "finished", "mended, and said again"
    assert folder.ledger.exists()


def test_a_worker_that_died_makes_a_failed_run_for_whoever_finds_it_too(
    rehearse, script, monkeypatch
):
    monkeypatch.setattr(StimulatorHandler, "next_due_s", lambda self: 1 / 0)
    night, plan = rehearse(), script.plan([script.flow(0.0, 30.0)], 600.0)
    outcome = night.run(plan)
    assert outcome.condition == "failed"
    found, _ = concluded(plan, night.rows())
    assert (found.condition, found.failures) == ("failed", outcome.failures)


def test_a_run_that_has_not_ended_is_not_concluded(rehearse, script):
    night, plan = rehearse(), script.night()
    night.folder.mkdir()
    folder = RunFolder(night.folder)
    assert conclude_if_ended(folder) is None
    seen = []
    runner = night.make(plan)
    night.visit(600.0, lambda: seen.append(conclude_if_ended(folder)))
    runner.run()
    assert seen == [None], "a runner lives"
    assert conclude_if_ended(folder) is None, "it has said so itself"
