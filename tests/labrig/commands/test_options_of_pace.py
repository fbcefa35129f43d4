"""How fast a simulated night goes: what is asked is done, or refused with the reason."""

from __future__ import annotations

import json
import math

import pytest
from typer.testing import CliRunner

from labrig.cli import app
from labrig.commands import run as run_command
from labrig.run.control_client import RunnerClient
from labrig.run_folder import RunFolder

NIGHT = ["run", "night.yaml", "--rig", "rig.yaml"]


def invoke(*arguments):
    done = CliRunner().invoke(app, [*map(str, arguments)], env={"COLUMNS": "300", "TERM": "dumb"})
    return done.exit_code, " ".join(done.output.split())


@pytest.fixture
def started(monkeypatch):
    """Options of the runners that were to be started; none is."""
    seen = []
    monkeypatch.setattr(
        run_command, "_directly", lambda _request, options, **_: seen.append(options)
    )
    monkeypatch.setattr(
        run_command, "start_and_follow", lambda _folder, options, **_: seen.append(options)
    )
    return seen


@pytest.mark.parametrize(
    ("asked", "speed"),
    [
        (["--rehearse"], math.inf),
        (["--rehearse", "--fast"], math.inf),
        (["--rehearse", "--speed", "50"], 50.0),
        (["--simulate", "--fast"], math.inf),
        (["--simulate", "--speed", "50"], 50.0),
        (["--simulate"], None),
        ([], None),
    ],
    ids=str,
)
def test_a_night_goes_at_the_pace_that_was_asked_for(started, asked, speed):
    assert invoke(*NIGHT, *asked)[0] == 0
    assert [options.speed for options in started] == [speed]


REFUSED = [
    ([*NIGHT, "--simulate", "--fast", "--speed", "9"], "two paces"),
    ([*NIGHT, "--simulate", "--prefect", "--speed", "9"], "Prefect knows no --speed"),
    ([*NIGHT, "--rehearse", "--prefect"], "a rehearsal takes no Prefect"),
    ([*NIGHT, "--speed", "9"], "add --simulate"),
    (["serve", "night.yaml", "--rig", "rig.yaml", "--fast"], "add --simulate"),
    (["serve", "night.yaml", "--rig", "rig.yaml", "--every", "24"], "'24' has no unit"),
]


@pytest.mark.parametrize(("asked", "why"), REFUSED, ids=[" ".join(asked) for asked, _ in REFUSED])
def test_an_option_that_would_be_ignored_is_refused(started, asked, why):
    status, said = invoke(*asked)
    assert (status, started) == (2, [])
    assert why in said


def test_the_help_says_that_a_rehearsal_takes_no_prefect():
    said = invoke("run", "--help")[1]
    assert "Not with --prefect." in said
    assert "Not with --rehearse." in said


@pytest.fixture
def folder(tmp_path):
    made = RunFolder(tmp_path / "night")
    made.root.mkdir()
    made.identity.write_text(json.dumps({"simulated": True}))
    return made


@pytest.mark.parametrize(
    ("asked", "speed", "gap_s"),
    [
        ([], None, 600.0),
        (["--fast"], math.inf, 600.0),
        (["--speed", "7", "--gap", "2 h"], 7.0, 7200.0),
    ],
)
def test_a_run_taken_over_keeps_its_pace_unless_another_is_asked_for(
    started, folder, asked, speed, gap_s
):
    assert invoke("resume", folder.root, *asked)[0] == 0
    assert [(options.speed, options.gap_s) for options in started] == [(speed, gap_s)]


@pytest.mark.parametrize("asked", [["--fast"], ["--speed", "7"], ["--gap", "1 h"]], ids=" ".join)
@pytest.mark.parametrize("why", ["real bench", "lives and keeps its pace"])
def test_resume_refuses_what_it_would_ignore(monkeypatch, started, folder, asked, why):
    if why == "real bench":
        folder.identity.write_text(json.dumps({"simulated": False}))
    else:
        folder.control.write_text(json.dumps({"host": "127.0.0.1", "port": 1, "token": "t"}))
        monkeypatch.setattr(RunnerClient, "status", lambda _: {"condition": "running"})
        monkeypatch.setattr(RunnerClient, "resume", lambda _: pytest.fail("it was resumed"))
    status, said = invoke("resume", folder.root, *asked)
    assert (status, started) == (2, [])
    assert why in said


@pytest.mark.parametrize(
    ("gap", "why"), [("10", "'10' has no unit"), ("-5 min", "lies below 0"), ("5 kg", "'10 min'")]
)
def test_a_gap_that_is_no_duration_is_refused(started, folder, gap, why):
    status, said = invoke("resume", folder.root, "--gap", gap)
    assert (status, started) == (2, [])
    assert why in said
