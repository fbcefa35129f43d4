"""An error that a person can mend ends in a few lines and an exit status, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from labrig.commands import exit_codes
from labrig.commands.errors import explain
from labrig.launch.prepare import StartRefused
from labrig.plan.findings import Finding
from labrig.problems import FileProblems, Problem
from labrig.run.control_client import NoRunner
from labrig_drivers.errors import PortMissing

PROBLEM = Problem(Path("a[b].yaml"), 3, 1, "arms", "", "'arms' is missing", "Add a line.")

# name: (error, exit status, what must be said)
CASES = {
    "a wrong file": (
        FileProblems([PROBLEM]),
        exit_codes.REFUSED,
        ["a[b].yaml:3", "'arms' is missing", "Add a line."],
    ),
    "a port that is not there": (
        PortMissing("pump", "there is no port /dev/x[red].", "Plug it in."),
        exit_codes.INSTRUMENT,
        ["pump:", "/dev/x[red]", "What to do: Plug it in."],
    ),
    "a folder of somebody else's": (
        PermissionError(13, "Permission denied", "/srv/[lab]/night.commitment.json"),
        exit_codes.REFUSED,
        ["/srv/[lab]/night.commitment.json cannot be", "Choose a folder of your own"],
    ),
    "no runner": (NoRunner("nobody at [here]"), exit_codes.NO_RUNNER, ["nobody at [here]"]),
}


@pytest.mark.parametrize("name", CASES)
def test_said_with_its_remedy_and_brackets_kept(name, capsys):
    error, status, words = CASES[name]
    assert explain(error) == status
    said = " ".join(capsys.readouterr().err.split())
    for word in words:
        assert word in said


def test_a_refused_start_names_each_finding(capsys):
    finding = Finding("stim.field", "block", "n.yaml:3 patterns.[x]", "8 V/cm [S]", "lower it")
    assert explain(StartRefused("one finding blocks", (finding,))) == exit_codes.REFUSED
    said = " ".join(capsys.readouterr().err.split())
    assert "stim.field n.yaml:3 patterns.[x] 8 V/cm [S] What to do: lower it" in said


def test_an_error_nobody_explains_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        explain(ZeroDivisionError())
