"""One list of a night's steps, of which each can be done elsewhere."""

from __future__ import annotations

import pickle
import subprocess
import sys
from functools import partial
from types import SimpleNamespace

import pytest

from labrig.measure.run_cells import RunCells
from labrig.night import conduct as conduct_module
from labrig.night import measuring
from labrig.night.conduct import conduct
from labrig.night.following import Glance
from labrig.night.measuring import RoundMeasurer
from labrig.night.processes import processes_here
from labrig.night.progress import NoPictures, TakenFrame
from labrig.night.steps import COMPLETE, REPORT, NightSteps, Step
from labrig.run_folder import RunFolder
from labrig_analysis.settings import MeasureSettings
from labrig_measure.records import records_in_force


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path)


@pytest.fixture
def steps(folder):
    """Of a run whose first round has just become complete, and whose plate cannot be read."""
    taken = (TakenFrame("A1", 0, 0, "cells", 7.0, "A/1/0", 0),)
    measurer = RoundMeasurer(
        folder.plate, folder.measures, 1.3, {"cells": "phase"}, {"phase": 4095.0}, MeasureSettings()
    )
    rounds = SimpleNamespace(newly_complete=lambda ended: [0], taken=lambda number: taken)
    films = SimpleNamespace(newly_complete=lambda ended: {"film/t00": ()})
    return NightSteps(folder, rounds, films, measurer)


def test_rounds_and_films_come_first_and_the_report_after_the_tables(steps):
    assert [(s.kind, s.name) for s in steps.now_possible(ended=False)] == [
        ("round", "round 0"), ("films", "film/t00"),
    ]  # fmt: skip
    kinds, names = zip(*((s.kind, s.name) for s in steps.at_the_end()), strict=True)
    assert set(kinds) == {"end"}
    assert names[0].startswith("tables")
    assert names[-2:] == (REPORT, COMPLETE)


def test_every_step_can_be_sent_to_another_machine_and_done_there(steps, folder, monkeypatch):
    monkeypatch.setattr(measuring, "cells_of_run", lambda _: RunCells())
    sent = pickle.dumps((*steps.now_possible(ended=False), *steps.at_the_end()[:1]))
    assert [step.work() for step in pickle.loads(sent)] == [1, 0, 0]
    assert list(records_in_force(folder.measures)) == ["A1_f0_t000_phase"]
    assert (folder.measures / "fields.csv").exists()


def test_of_a_rehearsal_no_round_is_measured(folder, steps):
    rehearsed = NightSteps(folder, NoPictures(), steps._films, steps._measurer)
    assert [step.kind for step in rehearsed.now_possible(ended=True)] == ["films"]


def test_a_conductor_looks_again_as_soon_as_its_runner_has_ended(monkeypatch):
    monkeypatch.setattr(conduct_module, "ASK_EVERY_S", 600.0)
    with subprocess.Popen([sys.executable, "-c", ""]) as runner:
        conduct_module._pause(runner)
        assert runner.returncode == 0


def note(log, what):
    with log.open("a") as stream:
        stream.write(f"{what}\n")
    if what == "broken":
        raise OSError("disk full")
    return what


@pytest.fixture
def listed(tmp_path, monkeypatch):
    """Has a conductor find these steps; returns what they note in the order of being done."""
    log = tmp_path / "log.txt"

    def have(possible, at_the_end):
        def made(kind, names):
            return tuple(Step(kind, name, partial(note, log, name)) for name in names)

        coming = [(), made("round", possible)]
        found = SimpleNamespace(
            now_possible=lambda ended: coming.pop() if coming else (),
            at_the_end=lambda: made("end", at_the_end),
        )
        monkeypatch.setattr(conduct_module, "NightSteps", SimpleNamespace(of=lambda *_: found))
        nothing = SimpleNamespace(wells=(), timeline=())
        monkeypatch.setattr(conduct_module, "read_plan", lambda _: nothing)
        seen = Glance("finished", ended=True)
        monkeypatch.setattr(conduct_module, "glance", lambda *_: seen)
        return lambda: log.read_text().split()

    return have


def test_a_conductor_does_each_step_of_the_list_and_those_of_the_end_last(listed, folder):
    done = listed(["round-0", "round-1"], ["tables", REPORT, "upload"])
    result = conduct(folder, None, lambda *_: None)
    assert sorted(done()[:2]) == ["round-0", "round-1"]
    assert done()[2:] == ["tables", REPORT, "upload"]
    assert (result.rounds_measured, result.failed) == (2, ())
    assert str(result.report) == REPORT


def test_a_step_that_fails_is_told_and_keeps_no_other_from_being_done(listed, folder):
    done = listed(["broken", "round-1"], ["broken", REPORT])
    result = conduct(folder, None, lambda *_: None)
    assert sorted(done()) == ["broken", "broken", REPORT, "round-1"]
    assert result.failed == (("broken", "OSError: disk full"),) * 2
    assert result.rounds_measured == 1


def end_this_process():
    import os

    os._exit(9)


def test_a_process_that_was_killed_costs_its_own_work_and_no_later(tmp_path):
    processes = processes_here()
    try:
        assert processes.submit(end_this_process).exception(60) is not None
        assert processes.submit(partial(note, tmp_path / "log", "next")).result(60) == "next"
        assert list(processes.map(len, ["a", "bcd"])) == [1, 3]
    finally:
        processes.close()
