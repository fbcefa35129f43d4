"""A run folder that lost its journal or its papers: nobody is told that nothing was sent."""

from __future__ import annotations

import json
import re
from dataclasses import asdict

import pytest
from typer.testing import CliRunner

from labrig.cli import app
from labrig.commands import errors, exit_codes
from labrig.commands.stop import Options, stop_from_command_line
from labrig.durable import DamagedFile
from labrig.record.rows import JournalError
from labrig.run.register import STATE, Door, registered
from labrig.run_folder import RunFolder

IDENTITY = {"id": "1", "protocol": "night", "rig": "bench", "simulated": False}


@pytest.fixture(autouse=True)
def state(tmp_path, monkeypatch):
    monkeypatch.setenv(STATE, str(tmp_path / "state"))


@pytest.fixture
def dead(tmp_path):
    """A run that had begun, and whose runner is dead."""
    folder = RunFolder(tmp_path / "night")
    folder.root.mkdir()
    folder.identity.write_text(json.dumps(IDENTITY))
    folder.bench.write_text(json.dumps({"instruments": [{"name": "nerve_1"}, {"name": "base"}]}))
    wire = folder.root / "wire"
    wire.mkdir()
    (wire / "chain.txt").write_text("12.000 > 0RUN\n")
    return folder


JOURNALS = {
    "gone": lambda path: path.unlink(missing_ok=True),
    "emptied": lambda path: path.write_bytes(b""),
    "overwritten": lambda path: path.write_bytes(bytes(range(256)) * 40),
    "text": lambda path: path.write_text("SQLite format 3"),
}


@pytest.mark.parametrize("lost", JOURNALS.values(), ids=JOURNALS)
def test_a_stop_without_a_journal_names_what_must_be_switched_off_by_hand(dead, lost, capsys):
    lost(dead.journal)
    assert stop_from_command_line(Options(run=dead.root)) == exit_codes.REFUSED
    told = capsys.readouterr().out
    assert "was NOT stopped" in told
    assert "nerve_1, base" in told
    assert "not begun" not in told
    assert "nothing was sent" not in told


def test_a_start_that_was_refused_is_still_told_as_one(dead, capsys):
    (dead.root / "wire" / "chain.txt").unlink()
    assert stop_from_command_line(Options(run=dead.root)) == exit_codes.OK
    assert "has not begun: nothing was sent" in capsys.readouterr().out


@pytest.mark.parametrize("command", ["status", "resume", "report", "verify", "follow", "hold"])
@pytest.mark.parametrize("lost", ["overwritten", "text"])
def test_no_command_meets_a_damaged_journal_with_a_traceback(dead, lost, command):
    JOURNALS[lost](dead.journal)
    ended = CliRunner().invoke(app, [command, str(dead.root)])
    if not isinstance(ended.exception, SystemExit):
        assert errors.explain(ended.exception) != exit_codes.OK
        assert isinstance(ended.exception, JournalError | OSError) or command == "hold"


def test_a_damaged_identity_keeps_nobody_from_a_runner_that_lives(dead, monkeypatch):
    with registered(dead.root, IDENTITY) as registration:
        registration.write(Door("127.0.0.1", 1, "t"))
        dead.identity.write_text("{")
        from labrig.commands.which_run import chosen_run

        chosen = chosen_run(dead.root, None)
        assert chosen.registered is not None
        assert asdict(chosen.registered.door)["token"] == "t"
        assert chosen.named == "night on bench (real bench)"


@pytest.mark.parametrize("content", ["", "{", "[1]", '"x"', "\x00" * 40])
@pytest.mark.parametrize("command", ["status", "report", "resume"])
def test_a_damaged_identity_is_named_and_no_traceback(dead, command, content, capsys):
    dead.identity.write_text(content)
    JOURNALS["gone"](dead.journal)
    ended = CliRunner().invoke(
        app, [command, str(dead.root), *(["--fast"] * (command == "resume"))]
    )
    if not isinstance(ended.exception, SystemExit | type(None)):
        assert isinstance(ended.exception, DamagedFile | JournalError), ended.exception
        assert errors.explain(ended.exception) == exit_codes.REFUSED
        assert re.search(r"run\.json|journal", capsys.readouterr().err)


def test_a_dead_runner_beside_the_one_that_lives_is_told_of(dead, tmp_path):
    from labrig.commands.which_run import chosen_run, told_of

    living = tmp_path / "rehearsal"
    living.mkdir()
    with registered(living, IDENTITY | {"id": "2", "rehearsal": True}) as registration:
        registration.write(Door("127.0.0.1", 1, "t"))
        (entry,) = (tmp_path / "state" / "runs").glob("*.json")
        left_behind = json.loads(entry.read_text()) | {
            "folder": str(dead.root), "run_id": "1", "bench": "real bench", "pid": 2**22 + 1,
        }  # fmt: skip
        entry.with_name("9-1.json").write_text(json.dumps(left_behind))
        chosen = chosen_run(None, None)
        assert chosen.folder.root == living
        assert str(dead.root) in told_of(chosen.beside)
        assert "real bench" in told_of(chosen.beside)
