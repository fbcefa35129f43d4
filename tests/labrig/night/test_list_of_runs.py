"""`labrig runs`: every run of a folder with how it stands, and what cannot be read is told."""

from __future__ import annotations

import json
from contextlib import closing

import pytest
from typer.testing import CliRunner

from labrig.cli import app
from labrig.night.listing import NEVER_BEGUN, UNREACHABLE, list_runs
from labrig.record.journal import open_journal
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.record.vocabulary import DIED
from labrig.run.lease import take_lease
from labrig.run_folder import RunFolder


def a_run(runs, name, made="2026-03-01T18:00:00+00:00", **more):
    root = runs / name
    root.mkdir(parents=True)
    identity = {
        "protocol": "demo-night", "rig": "bench", "simulated": True, "rehearsal": False,
        "made_utc": made, "operator": "Zoë", **more,
    }  # fmt: skip
    (root / "run.json").write_text(json.dumps(identity), encoding="utf-8")
    return RunFolder(root)


def begun(folder, *words):
    with closing(open_journal(folder.journal, VirtualClock())) as journal:
        for word in words:
            journal.note(JournalEntry("run", word, "noted", {}))
    return folder


def ended(folder, condition):
    folder.outcome.write_text(json.dumps({"condition": condition}), encoding="utf-8")
    return folder


@pytest.fixture
def runs(tmp_path):
    home = tmp_path / "runs"
    ended(a_run(home, "b", "2026-03-02T18:00:00+00:00"), "finished")
    ended(a_run(home, "a", "2026-03-04T18:00:00+00:00", simulated=False), "stopped")
    begun(a_run(home, "c", "2026-03-03T18:00:00+00:00", rehearsal=True), "started")
    a_run(home, "d", "2026-03-01T18:00:00+00:00")
    return home


@pytest.mark.spoilt_night
def test_each_says_how_it_stands_newest_first(runs):
    (runs / "b" / "report").mkdir()
    (runs / "b" / "report" / "report.html").write_text("page")
    listed = list_runs(runs)
    assert [(run.folder.name, run.condition, run.bench) for run in listed.runs] == [
        ("a", "stopped", "real bench"),
        ("c", DIED, "rehearsal"),
        ("b", "finished", "simulated"),
        ("d", NEVER_BEGUN, "simulated"),
    ]
    assert [run.report is not None for run in listed.runs] == [False, False, True, False]


@pytest.mark.spoilt_night
def test_a_runner_that_holds_its_lock_and_says_nothing_is_unreachable(runs):
    folder = begun(a_run(runs, "e"), "started")
    lease = take_lease(folder.root)
    try:
        assert {run.folder.name: run.condition for run in list_runs(runs).runs}["e"] == UNREACHABLE
    finally:
        lease.release()


@pytest.mark.spoilt_night
@pytest.mark.parametrize("content", ["", "[]", "{}", '{"made_utc": 3}', '{"protocol": "x"}'])
def test_a_damaged_folder_hides_no_other(runs, content):
    (runs / "d" / "run.json").write_text(content)
    listed = list_runs(runs)
    assert [run.folder.name for run in listed.runs] == ["a", "c", "b"]
    assert len(listed.unreadable) == 1
    assert str(runs / "d") in listed.unreadable[0]


@pytest.mark.spoilt_night
def test_the_command_says_where_and_who(runs):
    shown = CliRunner().invoke(app, ["runs", str(runs)])
    assert shown.exit_code == 0
    for word in ("stopped: demo-night on bench (real bench), started by Zoë", str(runs / "a")):
        assert word in shown.output
    lines = CliRunner().invoke(app, ["runs", str(runs), "--json"]).output.splitlines()
    assert json.loads(lines[0])["condition"] == "stopped"


def test_a_folder_without_runs_says_what_to_do(tmp_path):
    shown = CliRunner().invoke(app, ["runs", str(tmp_path / "none")])
    assert (shown.exit_code, "labrig run" in shown.output) == (0, True)


def test_an_empty_note_is_refused():
    assert CliRunner().invoke(app, ["note", "  "]).exit_code == 2
