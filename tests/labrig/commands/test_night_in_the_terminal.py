"""What the terminal that follows a night shows of it."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest
from rich.console import Console

from labrig.commands import night_display
from labrig.commands.night_display import NightDisplay
from labrig.launch.runner_child import detached
from labrig.night import telling
from labrig.night.following import Glance
from labrig.run_folder import RunFolder

QUESTION = {
    "id": "stall:base", "what": "It stalled.", "options": ["restart", "leave"], "since_s": 60.0,
}  # fmt: skip
ALARM = {
    "code": "stall", "about": "base", "since_s": 60.0, "what": "[nothing] comes", "remedy": "",
}  # fmt: skip


UTC_AT_60_S = "2026-03-01T18:01:00+00:00"


@pytest.fixture(autouse=True)
def in_berlin(monkeypatch):
    monkeypatch.setattr(telling, "local_zone_name_or_none", lambda: "Europe/Berlin")


@pytest.fixture
def display(tmp_path):
    plan = SimpleNamespace(timeline=(), forecast=SimpleNamespace(duration_s=3600.0))
    made = NightDisplay(RunFolder(tmp_path / "night"), plan, quiet=False)
    made._console = Console(file=(tmp_path / "shown").open("w+"), width=200)
    yield made
    made._console.file.close()


def _shown(display):
    file = display._console.file
    file.flush()
    file.seek(0)
    return file.read()


def _look(**changes):
    return Glance(**({"condition": "running", "phase": "treatment", "now_s": 60.0} | changes))


def test_a_question_is_shown_once_while_it_stands_and_again_when_asked_again(display, tmp_path):
    for questions in ((QUESTION,), (QUESTION,), (), (QUESTION,)):
        display.show(_look(questions=questions), 0, 0)
    shown = _shown(display)
    assert shown.count("QUESTION Restart base?") == 2
    assert "|" not in shown, "pasted, it would be a pipe, and the first answer given"
    for option in QUESTION["options"]:
        assert f"  labrig answer stall:base {option} {tmp_path}/night\n" in shown


def test_the_end_an_alarm_and_what_answers_lead_to_are_said_once(display):
    for _ in range(2):
        display.show(_look(alarms=(ALARM,), questions=(QUESTION,), utc=UTC_AT_60_S), 0, 0)
    shown = _shown(display)
    assert shown.count("ends Sun 20:00\n") == 1
    assert (
        shown.count("ALARM base: no liquid comes, since Sun 19:01, 1 min in. [nothing] comes.") == 1
    )
    assert shown.count("Leave it: It stands to the end and is not tried again") == 1


def test_an_amended_night_shows_its_new_end_and_who_amended_it(display, monkeypatch):
    display.show(_look(utc=UTC_AT_60_S), 0, 0)
    later = SimpleNamespace(timeline=(), forecast=SimpleNamespace(duration_s=7200.0))
    monkeypatch.setattr(night_display, "read_plan", lambda folder: later)
    said = ("2026-03-01T18:00:30+00:00", {"by": "Ida", "reason": "the tubes grow faster"})
    monkeypatch.setattr(telling, "last_of_run", lambda journal, key: said)
    (display._folder.root).mkdir()
    (display._folder.root / "plan-002.json").touch()
    for _ in range(2):
        display.show(_look(utc=UTC_AT_60_S), 0, 0)
    shown = _shown(display)
    assert shown.count("AMENDED by Ida, Sun 19:00: the tubes grow faster") == 1
    assert (shown.count("ends Sun 20:00\n"), shown.count("ends Sun 21:00\n")) == (1, 1)


def test_who_held_a_night_is_said(display, tmp_path, monkeypatch):
    held = ("2026-03-01T18:00:30+00:00", {"by": "Ida", "reason": "leak at A3"})
    monkeypatch.setattr(telling, "last_of_run", lambda journal, key: held)
    display.show(_look(condition="held", utc=UTC_AT_60_S), 0, 0)
    assert "HELD by Ida, Sun 19:00: leak at A3. No event begins" in _shown(display)


def test_a_held_night_is_called_held(display):
    display.show(_look(), 0, 0)
    for _ in range(2):
        display.show(_look(condition="held"), 0, 0)
    (task,) = [t for t in display._progress.tasks if t.description == "night"]
    assert task.fields["note"].startswith("held")
    assert _shown(display).count("HELD") == 1
    display.show(_look(), 0, 0)
    assert task.fields["note"].startswith("treatment")


def test_how_a_night_failed_is_said(display, tmp_path):
    result = SimpleNamespace(
        condition="failed", why=("9 of 9 films were missed",), report=tmp_path / "report.html",
        failed=(),
    )  # fmt: skip
    display.conclude(result)
    assert "9 of 9 films were missed" in _shown(display)


@pytest.mark.parametrize(
    ("identity", "said"),
    [
        ({"simulated": True, "rehearsal": True}, "The rehearsal has finished."),
        ({"simulated": True}, "The simulated night has finished."),
        ({"simulated": False}, "The night has finished."),
    ],
)
def test_nobody_takes_a_rehearsal_for_a_night(display, tmp_path, identity, said):
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "run.json").write_text(json.dumps(identity))
    result = SimpleNamespace(
        condition="finished", why=(), report=tmp_path / "report.html", failed=(),
    )  # fmt: skip
    display.conclude(result)
    assert said in _shown(display)


def test_a_runner_is_detached_as_each_system_has_it():
    assert detached("linux") == detached("darwin") == {"start_new_session": True}
    assert set(detached("win32")) == {"creationflags"}


def test_where_no_bar_can_be_drawn_each_phase_is_a_line(display):
    for phase, now_s in (("rest", 60.0), ("rest", 90.0), ("treatment", 3660.0)):
        display.show(_look(phase=phase, now_s=now_s, utc=UTC_AT_60_S), 0, 0)
    shown = _shown(display)
    assert shown.count("rest: Sun 19:01, 1 min in\n") == 1
    assert shown.count("treatment: Sun 19:01, 1 h 1 min in\n") == 1


def test_a_rehearsal_is_called_one_from_its_first_line(display, tmp_path):
    (tmp_path / "night").mkdir()
    (tmp_path / "night" / "run.json").write_text(json.dumps({"rehearsal": True}))
    display._plan = SimpleNamespace(
        pilot=True, protocol_name="p", rig_name="r", wells=(),
        forecast=SimpleNamespace(duration_s=3600.0, frames=840),
    )  # fmt: skip
    display.open()
    display.close()
    shown = _shown(display)
    assert "REHEARSAL: no picture is taken" in shown
    assert "840" not in shown
