"""Who starts a watch, that there is one only, and who is warned that nobody could be called."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from labrig.commands.mounted import app
from labrig.durable import write_json
from labrig.run.register import Door, RegisteredRun
from labrig.watch import standing_alone
from labrig.watch.acks import left_acks
from labrig.watch.couriers import Couriers
from labrig.watch.judging import Known
from labrig.watch.places import watch_folder
from labrig.watch.process import Watch
from labrig.watch.routes import Route, Routes, save_routes
from labrig.watch.standing_alone import KeptWatch, WatchLives, alone, start_watch_for, watch_lives
from labrig.watch.trials import findings_about, try_out
from labrig.watch.voice import Voice

CATALOGUE = Path(__file__).parents[3] / "protocols"
ROUTE = Route(name="phone", url="json://127.0.0.1:1")
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_only_one_watch_is_let_in_and_the_second_names_the_first(own_state):
    folder = watch_folder()
    assert not watch_lives(folder)
    with alone(folder, "watch.lock"):
        assert watch_lives(folder)
        with pytest.raises(WatchLives, match=r"process \d+"), alone(folder, "watch.lock"):
            pass
    assert not watch_lives(folder)


def test_a_watch_is_started_only_where_somebody_would_be_told(own_state, monkeypatch):
    started = []
    monkeypatch.setattr(standing_alone.subprocess, "Popen", lambda *a, **_: started.append(a))
    assert not start_watch_for("real bench")
    save_routes(Routes(routes=(ROUTE,)))
    assert not start_watch_for("simulated")
    assert started == []
    assert start_watch_for("real bench")
    assert len(started) == 1
    with alone(watch_folder(), "watch.lock"):
        assert start_watch_for("real bench")
    assert len(started) == 1


def test_a_watch_that_cannot_be_had_is_told_once_and_ends_nothing():
    said, clock = [], iter([0.0, 0.0, 5.0, 11.0, 11.0, 22.0, 22.0])

    def refuse(bench):
        raise OSError("no process left")

    kept = KeptWatch("real bench", said.append, refuse, lambda: next(clock))
    for _ in range(4):
        kept.look()
    assert len(said) == 1
    assert "no process left" in said[0]


def _plan(duration_s):
    return SimpleNamespace(forecast=SimpleNamespace(duration_s=duration_s))


def test_a_night_that_nobody_could_be_called_in_is_warned_of(own_state, hook):
    (finding,) = findings_about(_plan(14 * 3600.0), False, NOW)
    assert (finding.code, finding.severity) == ("watch.untested", "warn")
    assert "the run of 14 h" in finding.why
    assert findings_about(_plan(3600.0), False, NOW) == ()
    assert findings_about(_plan(14 * 3600.0), True, NOW) == ()
    route = Route(name="hook", url=f"json://127.0.0.1:{hook.port}")
    save_routes(Routes(routes=(route,)))
    try_out(route)
    assert findings_about(_plan(14 * 3600.0), False, datetime.now(UTC)) == ()


def test_check_warns_on_a_real_bench_and_never_on_a_simulated_one(own_state):
    cli = CliRunner()
    protocol = str(CATALOGUE / "demo-night.yaml")
    for rig, warned in (("example-bench", True), ("simulated-bench", False)):
        done = cli.invoke(app, ["check", protocol, "--rig", str(CATALOGUE / f"rigs/{rig}.yaml")])
        assert ("watch.untested" in done.output) is warned


def test_routes_are_added_listed_and_removed_without_showing_their_password(own_state):
    cli, secret = CliRunner(), "correct-horse-battery"
    url = f"mailtos://lab:{secret}@example.org?to=on-call@example.org"
    outputs = [
        cli.invoke(app, ["watch", "add", "mail", "--takes", "call", "--after", "5"], input=url),
        cli.invoke(app, ["watch", "add", "Mail!", url]),
        cli.invoke(app, ["watch", "add", "odd", f"nothing://{secret}"]),
        cli.invoke(app, ["watch", "routes"]),
        cli.invoke(app, ["watch", "remove", "other"]),
        cli.invoke(app, ["watch", "remove", "mail"]),
    ]
    assert [done.exit_code for done in outputs] == [0, 2, 2, 0, 2, 0]
    assert all(secret not in done.output for done in outputs)
    assert "mail: call, after 5 min without an answer, never tried out" in outputs[3].output


class Register:
    """Runs as the register has them."""

    def __init__(self):
        self.entries = []

    def __call__(self):
        return self.entries


@pytest.fixture
def watched(own_state):
    """A watch over a register of its own, and what it sent."""
    sent, register = [], Register()
    lab = Routes(routes=(ROUTE,), benches=("real bench",))
    voice = Voice(watch_folder(), "memory.json", Couriers(lambda *a: sent.append(a[1]) or ""))
    watch = Watch(voice, lambda: lab, register)
    watch.voice, watch.sent, watch.register = voice, sent, register
    return watch


def entry(folder, bench="real bench", lives=True):
    folder.mkdir(exist_ok=True)
    return RegisteredRun(
        folder, f"id-{folder.name}", "night", "bench", bench, "2026-11-30T00:00:00+00:00",
        4242, "boot", Door(), lives,
    )  # fmt: skip


def test_runs_on_benches_that_nobody_is_to_hear_of_are_not_looked_at(watched, tmp_path):
    watched.register.entries = [entry(tmp_path / "a"), entry(tmp_path / "b", "rehearsal")]
    watched.tick()
    assert watched.runs() == ("a on bench (real bench)",)
    assert watched.sound()
    assert not watched.idle()


def test_a_run_whose_files_are_broken_keeps_no_other_from_being_looked_at(watched, tmp_path):
    broken, gone = tmp_path / "broken", tmp_path / "gone"
    watched.register.entries = [entry(broken, lives=False), entry(gone)]
    (broken / "run.json").write_text("{}")
    write_json(broken / "outcome.json", {"condition": 3, "failures": 5})
    watched.tick()
    assert "gone on bench (real bench)" in watched.runs()
    assert watched.sound()


def test_what_stood_of_a_run_stands_on_while_it_cannot_be_looked_at(watched, monkeypatch):
    known = Known("/nowhere", "night", "night on bench (real bench)", "id-9")
    watched.voice.memory = replace(watched.voice.memory, runs=(known,))

    def break_(*_):
        raise ValueError("a damaged file")

    monkeypatch.setattr("labrig.watch.process.look_at", break_)
    watched.tick()
    assert watched.runs() == ("night on bench (real bench)",)
    assert watched.sent == []
    # and when it stays so, people are told that nobody watches it
    monkeypatch.setattr("labrig.watch.process.BLIND_FOR_S", -1.0)
    watched.tick()
    watched.tick()
    assert [e.cause.subject for e in watched.voice.book.entries] == ["nobody watches this run"]


def test_without_a_call_there_is_nothing_to_acknowledge(own_state):
    done = CliRunner().invoke(app, ["watch", "ack"])
    assert "No call stands" in done.output
    assert CliRunner().invoke(app, ["watch", "ack", "7"]).exit_code == 2
    assert left_acks(watch_folder()) == []
