"""What `labrig status`, `answer` and `follow` tell somebody who has just come in."""

from __future__ import annotations

import json
import re
import shlex
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labrig.cli import app
from labrig.commands import errors, exit_codes
from labrig.commands.status_display import print_status, reservoir_lines
from labrig.commands.which_run import listed
from labrig.display.legend import Legend, zero_of
from labrig.display.times import zone_named
from labrig.flows.services import ServiceFailed
from labrig.launch.offers import NoKeeper, OfferRefused
from labrig.launch.runner_child import RunnerDied
from labrig.night.following import Glance, NightEndedEarly, Patience, glance
from labrig.plan.store import PlanFormatError
from labrig.record.journal import open_journal
from labrig.record.rows import JournalCorrupt, JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.record.vocabulary import DIED
from labrig.run.control_client import CommandRefused, NoRunner
from labrig.run.lease import take_lease
from labrig.run.register import Door, RegisteredRun
from labrig.run_folder import RunFolder

RUNNING = {
    "condition": "running",
    "now_s": 3600.0,
    "duration_s": 50400.0,
    "utc": "2026-03-01T18:00:00+00:00",
    "phase": "treatment",
    "counters": {"hits": 12, "missed": 1},
    "alarms": [
        {"code": "stall", "about": "base", "since_s": 1800.0, "what": "[nothing] comes.",
         "remedy": "Look for a clog."},
    ],
    "questions": [{"id": "stall:base", "what": "Restart it?", "options": ["restart", "leave"]}],
    "upcoming": [{"key": "frame/r4/A1", "at_s": 3660.0, "what": "picture of A1 (phase)"}],
    "censored_from_s": {"B2": 1800.0, "A1": 1800.0, "C3": 3000.0},
    "reservoirs": [
        {"reservoir": "full", "left_ml": 1950.0, "dry_at_s": 600000.0},
        {"reservoir": "low", "left_ml": 3.0, "dry_at_s": 7200.0},
        {"reservoir": "syringe", "left_ml": 9.5, "dry_at_s": None},
        {"reservoir": "spare", "left_ml": 9.0, "dry_at_s": None},
    ],
}  # fmt: skip
LEGEND = Legend(
    zone=zone_named("Europe/Berlin"),
    zero=zero_of(RUNNING["utc"], RUNNING["now_s"]),
    length_s=RUNNING["duration_s"],
    arms={"A1": "sham", "B2": "tonic", "C3": "tonic"},
    wells={"base": ("A1", "B2")},
)


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch):
    """One clock on the wall for every machine that runs the tests."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_what_is_wrong_comes_before_what_is_well(tmp_path, capsys):
    print_status(tmp_path / "night", RUNNING, LEGEND)
    shown = capsys.readouterr().out
    assert "running, 1 h of 14 h, ends Mon 08:00" in shown
    assert "ALARM base (A1 sham, B2 tonic): no liquid comes, since Sun 18:30, 30 min in." in shown
    assert "[nothing] comes. It is tried again by itself" in shown, "no markup"
    assert "QUESTION Restart base?" in shown
    for option in ("restart", "leave"):
        assert f"\n  labrig answer stall:base {option} {tmp_path}/night\n" in shown
    assert shown.index("ALARM") < shown.index("QUESTION") < shown.index("phase: treatment")


def test_nobody_is_shown_a_key_or_a_word_of_the_house(tmp_path, capsys):
    print_status(tmp_path / "night", RUNNING, LEGEND)
    shown = capsys.readouterr().out
    assert "next: picture of A1 (phase), Sun 19:01, 1 h 1 min in" in shown
    assert "12 on time, 1 missed" in shown
    assert "left out of the analysis since Sun 18:30, 30 min in: A1 sham, B2 tonic" in shown
    for word in ("hits", "censored", "frame/", "stall:base:"):
        assert word not in shown


def test_every_path_that_is_shown_in_a_command_can_be_pasted(tmp_path, capsys, monkeypatch):
    home = tmp_path / "runs of Zoë's"
    home.mkdir()
    monkeypatch.chdir(home)
    for condition in ("running", "died", "unreachable", "never begun"):
        print_status(Path("a night"), RUNNING | {"condition": condition}, LEGEND)
    told = capsys.readouterr().out
    whole = shlex.quote(str(home / "a night"))
    commands = re.findall(r"labrig (?:answer stall:base \w+|resume|stop) [^`\n]+", told)
    assert len(commands) == 4 * 2 + 2
    for command in commands:
        assert shlex.split(command)[-1] == str(home / "a night"), command
    assert whole in told
    listing = RegisteredRun(
        home / "a night", "1", "p", "rig", "rehearsal", "2026-03-01T00:00:00+00:00", 1, "b",
        Door(), True,
    )  # fmt: skip
    assert f"  {whole}   p on rig (rehearsal)" in listed([listing])


def test_a_run_that_nobody_follows_is_said_to_be_alone(tmp_path, capsys):
    print_status(tmp_path, RUNNING | {"followed": False}, LEGEND)
    assert "Nobody follows it" in capsys.readouterr().out
    for shown in (RUNNING, RUNNING | {"followed": True}):
        print_status(tmp_path, shown, LEGEND)
        assert "Nobody follows" not in capsys.readouterr().out


def test_the_first_reservoir_to_run_dry_is_shown_first_and_marked():
    low, lasting, rest = reservoir_lines(RUNNING, LEGEND)
    assert low.startswith("[bold red]low: 3.0 mL")
    assert "before the run is over" in low
    assert "full is the first to be empty" in lasting
    assert rest == "2 more, not drawn from now: 9.0 mL or more in each"


@pytest.fixture
def run(tmp_path):
    folder = RunFolder(tmp_path / "night")
    folder.root.mkdir()
    folder.identity.write_text("{}")
    return folder


def _begin(run):
    journal = open_journal(run.journal, VirtualClock())
    journal.note(JournalEntry("run", "started", "noted", {}))
    journal.close()


def _status(run):
    return CliRunner().invoke(app, ["status", str(run.root), "--json"])


def test_a_dead_runner_and_a_refused_start_are_told_apart(run, monkeypatch):
    from types import SimpleNamespace

    from labrig.night import last_heard

    plan = SimpleNamespace(forecast=SimpleNamespace(duration_s=3600.0))
    monkeypatch.setattr(last_heard, "read_plan", lambda folder: plan)
    refused = _status(run)
    assert json.loads(refused.stdout)["condition"] == "never begun"
    assert refused.exit_code == exit_codes.NO_RUNNER
    _begin(run)
    died = _status(run)
    assert json.loads(died.stdout)["condition"] == "died"
    assert json.loads(died.stdout)["duration_s"] == 3600.0
    assert died.exit_code == exit_codes.NO_RUNNER
    outcome = {"condition": "finished", "counters": {"hits": 3}}
    (run.root / "outcome.json").write_text(json.dumps(outcome))
    finished = _status(run)
    shown = json.loads(finished.stdout)
    assert shown["run"] == str(run.root)
    assert shown["bench"] == "real bench"
    assert {key: shown[key] for key in outcome} == outcome
    assert finished.exit_code == exit_codes.OK


def test_what_stood_when_a_runner_died_is_shown(run, monkeypatch):
    from types import SimpleNamespace

    from labrig.night import last_heard

    plan = SimpleNamespace(forecast=SimpleNamespace(duration_s=3600.0))
    monkeypatch.setattr(last_heard, "read_plan", lambda folder: plan)
    journal = open_journal(run.journal, VirtualClock())
    alarm = {"about": "base", "what": "nothing comes.", "remedy": "Look."}
    question = {"what": "Restart it?", "options": ["restart", "leave"]}
    journal.note(
        JournalEntry("run", "started", "noted", {}),
        JournalEntry("alarm", "stall:base", "raised", {"code": "stall", **alarm}),
        JournalEntry("alarm", "link:base", "raised", {"code": "link", **alarm}),
        JournalEntry(
            "alarm", "link:base", "cleared", {"code": "link", "about": "base", "from_s": 0.0}
        ),
        JournalEntry("question", "stall:base", "asked", question),
        JournalEntry("question", "dose-1", "asked", question),
        JournalEntry("question", "dose-1", "answered", {"choice": "leave"}),
    )
    journal.close()
    shown = json.loads(_status(run).stdout)
    assert [alarm["code"] for alarm in shown["alarms"]] == ["stall"]
    assert [question["id"] for question in shown["questions"]] == ["stall:base"]
    told = CliRunner().invoke(app, ["status", str(run.root)]).stdout
    assert "ALARM base: no liquid comes, since " in told
    assert "at the start. Nothing comes. It is tried again by itself" in told
    assert "QUESTION Restart base?" in told
    for option in ("restart", "leave"):
        assert f"labrig answer stall:base {option} " in told


def test_a_runner_that_is_slow_is_not_called_dead(run):
    lease = take_lease(run.root)
    assert glance(run).condition == "unreachable"
    lease.release()
    seen = glance(run)
    assert seen.condition == DIED
    assert not seen.ended, "it may be taken over"


def test_patience_with_a_dead_runner_ends_and_begins_anew():
    patience = Patience(within_s=0.0)
    assert patience.is_over(Glance(DIED))
    patience = Patience(within_s=1000.0)
    assert not patience.is_over(Glance(DIED))
    assert not patience.is_over(Glance("running"))
    assert not patience.is_over(Glance(DIED))


EXPLAINED = [
    (OfferRefused("the rig is busy"), exit_codes.REFUSED),
    (NoKeeper("is labrig serve running?"), exit_codes.REFUSED),
    (JournalCorrupt("row 7"), exit_codes.REFUSED),
    (PlanFormatError("plan.json"), exit_codes.REFUSED),
    (CommandRefused("no question 'q' stands"), exit_codes.REFUSED),
    (NoRunner("nobody"), exit_codes.NO_RUNNER),
    (RunnerDied("exit status 1"), exit_codes.ENDED_EARLY),
    (NightEndedEarly("stopped"), exit_codes.ENDED_EARLY),
    (ServiceFailed("the Prefect server ended"), exit_codes.ENDED_EARLY),
    (OSError(28, "No space left on device"), exit_codes.REFUSED),
]


@pytest.mark.parametrize(
    ("error", "status"), EXPLAINED, ids=[type(e).__name__ for e, _ in EXPLAINED]
)
def test_an_error_of_the_night_is_a_line_and_a_status_not_a_traceback(error, status, capsys):
    assert errors.explain(error) == status
    assert str(error) in capsys.readouterr().err.replace("\n", " ").replace("  ", " ")


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        errors.explain(ZeroDivisionError())
