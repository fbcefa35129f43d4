"""Rounds are complete when every frame was taken or given up, and never reported twice."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from labrig.night.progress import Progress, TakenFrame
from labrig.plan.timeline import Frame, Lateness
from labrig.record.clock import RealClock
from labrig.record.journal import open_journal
from labrig.record.kinds.levels import NotDone
from labrig.record.kinds.pictures import FrameTaken, Stored, Where
from labrig.record.said import entry_of
from labrig.run_folder import RunFolder


def frame(round_, well):
    key = f"frame/r{round_:03d}/{well}/f0/phase"
    return Frame(key, 60.0 * round_, "p", "cam", "stage", well, 0, "phase", round_, 0.0, 0.0,
                 20.0, Lateness("skip"))  # fmt: skip


PLAN = SimpleNamespace(timeline=tuple(frame(r, w) for r in (0, 1) for w in ("A1", "A2")))


@pytest.fixture
def folder(tmp_path):
    return RunFolder(tmp_path)


@pytest.fixture
def journal(folder):
    opened = open_journal(folder.journal, RealClock())
    yield opened
    opened.close()


def note(journal, round_, well, state):
    key = f"frame/r{round_:03d}/{well}/f0/phase"
    said = NotDone("the worker of its port had ended")
    if state == "confirmed":
        where = Where("cam", well, 0, "phase", 0.0, 0.0, round_)
        said = FrameTaken(where, Stored(f"{well}/{round_}", "0" * 64))
    journal.note(entry_of("frame", key, state, said))


def test_nothing_yet_is_no_error(folder):
    assert Progress(folder, PLAN).newly_complete(ended=False) == []


def test_a_round_is_complete_with_a_missed_frame_and_said_once(folder, journal):
    progress = Progress(folder, PLAN)
    note(journal, 0, "A1", "confirmed")
    assert progress.newly_complete(ended=False) == []
    note(journal, 0, "A2", "missed")
    assert progress.newly_complete(ended=False) == [0]
    assert progress.newly_complete(ended=False) == []
    assert progress.taken(0) == (TakenFrame("A1", 0, 0, "phase", 0.0, "A1/0", 0),)


def test_when_the_run_ends_half_a_round_counts(folder, journal):
    progress = Progress(folder, PLAN)
    note(journal, 1, "A2", "confirmed")
    assert progress.newly_complete(ended=False) == []
    assert progress.newly_complete(ended=True) == [1]
