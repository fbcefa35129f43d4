"""`labrig stop`, `status`, `resume` on real runs: living, hung, killed, renamed, deleted, many."""

from __future__ import annotations

import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labrig.launch.prepare import StartRequest, prepare_run
from labrig.run.stop_file import read_stop

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="sends signals of POSIX"),
]


class Runs:
    """Runs in processes of their own, with a register of their own."""

    def __init__(self, folder: Path, protocol: Path) -> None:
        self.folder, self.protocol = folder, protocol
        self.elsewhere = folder / "elsewhere"
        self.elsewhere.mkdir()
        self.environment = {**os.environ, "LABRIG_STATE": str(folder / "state")}
        self.started: list[subprocess.Popen[str]] = []

    def start(self, name="runs", speed="60", until_s=30.0):
        """A run folder and its runner, once it is at work."""
        request = StartRequest(self.protocol, BENCH, self.folder / name, True, rehearse=True)
        run = prepare_run(request)
        return run, self.runner(run, speed, until_s)

    def runner(self, run, speed, until_s=0.0):
        runner = subprocess.Popen(
            [sys.executable, "-m", "labrig.launch.runner_process", str(run.root), "--speed", speed],
            env=self.environment, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(runner)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and not (
            run.control.exists() and rows(run, "max(run_s)")[0][0] >= until_s
        ):
            assert runner.poll() is None, runner.stderr.read()
            time.sleep(0.01)
        return runner

    def labrig(self, *arguments):
        return subprocess.run(
            [sys.executable, "-m", "labrig", *map(str, arguments)],
            cwd=self.elsewhere, env=self.environment, capture_output=True, text=True, timeout=90,
        )  # fmt: skip

    def close(self):
        for runner in self.started:
            if runner.poll() is None:
                runner.send_signal(signal.SIGCONT)
                runner.kill()
            runner.wait()
            runner.stderr.close()


def rows(run, what, where="1"):
    if not run.journal.exists():
        return [(0.0,)]
    connection = sqlite3.connect(f"{run.journal.resolve().as_uri()}?mode=ro", uri=True)
    try:
        found = connection.execute(f"SELECT {what} FROM journal WHERE {where}").fetchall()
    except sqlite3.OperationalError:
        return [(0.0,)]
    finally:
        connection.close()
    return [tuple(value or 0.0 for value in row) for row in found]


@pytest.fixture
def runs(tmp_path, short_night):
    made = Runs(tmp_path, short_night)
    yield made
    made.close()


def test_a_living_run_is_stopped_from_any_directory(runs):
    run, runner = runs.start()
    # a later run that has ended is not the one that is meant
    other = prepare_run(StartRequest(runs.protocol, BENCH, runs.folder / "runs2", True))
    shutil.move(other.root, run.root.parent / "9999-newest")
    done = runs.labrig("stop", "--final", "--reason", "smoke", "--by", "T. Echnician")
    assert done.returncode == 0, done.stderr
    assert f"{run.root.name} on simulated-bench (rehearsal) is being stopped" in done.stdout
    assert runner.wait(20) == 4
    asked = read_stop(run.stop)
    assert (asked.reason, asked.by) == ("smoke", "T. Echnician")
    ended = rows(run, "detail", "kind = 'run' AND key = 'stopped'")
    assert json.loads(ended[0][0])["by"] == "T. Echnician"
    again = runs.labrig("stop", "--final")
    assert again.returncode == 3
    assert "no run lives" in again.stderr
    assert runs.labrig("stop", "--final", run.root).returncode == 0, "safe to repeat"
    for command in (("status",), ("hold",), ("resume",), ("answer", "stall:x", "leave")):
        said = runs.labrig(*command)
        assert (said.returncode, "no run lives" in said.stderr) == (3, True), command


def test_a_stop_by_mistake_is_taken_back_from_any_directory(runs):
    run, runner = runs.start(speed="1", until_s=1.0)
    stopped = runs.labrig("stop", "--by", "T. Echnician")
    assert "impulses and doses are off, medium goes on. The run ends at " in stopped.stdout
    assert f"labrig take-back {run.root}" in stopped.stdout
    shown = json.loads(runs.labrig("status", "--json").stdout)
    assert (shown["condition"], shown["stop"]["by"]) == ("stopping", "T. Echnician")
    back = runs.labrig("take-back", "--by", "S. Cientist")
    assert (back.returncode, "its stop was taken back" in back.stdout) == (0, True), back.stderr
    assert not run.stop.exists()
    deadline = time.monotonic() + 30
    while not rows(run, "seq", "key = 'adopted'") and time.monotonic() < deadline:
        time.sleep(0.05)
    again = runs.labrig("take-back")
    assert (again.returncode, "no stop stands" in again.stderr) == (1, True)
    assert runs.labrig("stop", "--final").returncode == 0
    assert runner.wait(20) == 4


def test_of_two_runs_neither_is_guessed(runs):
    first, one = runs.start("a")
    second, two = runs.start("b")
    for command in ("stop", "status", "hold", "resume"):
        refused = runs.labrig(command)
        assert refused.returncode == 1
        for run in (first, second):
            assert str(run.root) in refused.stderr
        assert "rehearsal" in refused.stderr
    assert one.poll() is None
    assert two.poll() is None
    assert not first.stop.exists()
    assert runs.labrig("stop", "--final", "--runs", runs.folder / "b").returncode == 0
    two.wait(20)
    assert one.poll() is None
    assert runs.labrig("stop", "--final").returncode == 0
    one.wait(20)


def test_a_killed_runner_s_bench_is_made_safe_in_one_step(runs):
    run, runner = runs.start(speed="1000", until_s=2400.0)
    runner.kill()
    runner.wait()
    assert runs.labrig("stop", "--final").returncode == 3, "none lives: it says which died"
    before = rows(run, "max(seq)")[0][0]
    wires = {p.name: p.stat().st_size for p in run.wire.iterdir()}
    done = runs.labrig("stop", "--final", run.root.name, "--reason", "smoke")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "taken over only to make it safe" in done.stdout
    assert "Still turning, as they were found: " in done.stdout
    assert json.loads(run.outcome.read_text())["condition"] == "stopped"
    after = rows(run, "kind, key, state", f"seq > {before}")
    assert ("run", "stopped", "noted") in after
    assert not [row for row in after if row[0] == "level" and row[2] == "confirmed"]
    assert not [row for row in after if row[0] in ("train", "frame") and row[2] != "skipped"]
    for path in run.wire.glob("nerve*"):
        sent = path.read_bytes()[wires[path.name] :].decode().splitlines()
        for line in sent:
            _at, way, *data = line.split(" ")
            assert way != ">" or b"RUN" not in bytes.fromhex("".join(data)), line


def test_a_hung_runner_carries_the_stop_out_when_it_wakes(runs):
    run, runner = runs.start()
    runner.send_signal(signal.SIGSTOP)
    began = time.monotonic()
    done = runs.labrig("stop", "--final", "--reason", "smoke")
    assert time.monotonic() - began < 20
    assert done.returncode == 3
    assert "NOT known to be stopped" in done.stdout
    assert f"process {runner.pid}" in done.stdout
    assert run.stop.exists()
    runner.send_signal(signal.SIGCONT)
    assert runner.wait(20) == 4
    assert json.loads(run.outcome.read_text())["condition"] == "stopped"
    assert len(rows(run, "key", "kind = 'command'")) == 1, "once, by door and by file"


@pytest.mark.parametrize("after_s", [0.0, 0.01, 0.04])
def test_a_stop_outlives_a_runner_that_is_killed_right_after(runs, after_s):
    run, runner = runs.start(speed="200", until_s=1900.0)
    stop = subprocess.Popen(
        [sys.executable, "-m", "labrig", "stop", "--final", "--reason", "smoke"],
        cwd=runs.elsewhere, env=runs.environment, stdout=subprocess.DEVNULL,
    )  # fmt: skip
    while not run.stop.exists():
        time.sleep(0.001)
    time.sleep(after_s)
    runner.kill()
    runner.wait()
    before = rows(run, "max(seq)")[0][0]
    stop.wait(60)
    runs.labrig("resume", run.root, "--fast")
    assert json.loads(run.outcome.read_text())["condition"] == "stopped"
    assert not rows(run, "key", f"kind = 'train' AND seq > {before}")
    assert not rows(run, "key", f"kind = 'dose' AND state = 'sent' AND seq > {before}")


def test_one_that_died_after_its_last_row_has_ended_for_everybody(runs):
    run, runner = runs.start()
    runs.labrig("stop", "--final", run.root)
    runner.wait(20)
    outcome, ledger = run.outcome.read_bytes(), json.loads(run.ledger.read_text())
    for command, status in ((("status",), 0), (("resume",), 1), (("stop",), 0), (("report",), 0)):
        run.outcome.unlink()
        run.ledger.unlink()
        done = runs.labrig(command[0], run.root)
        assert done.returncode == status, (command, done.stdout, done.stderr)
        assert json.loads(run.outcome.read_bytes()) == json.loads(outcome), command
        assert json.loads(run.ledger.read_text()) == ledger, command
        assert "runner is dead" not in done.stdout + done.stderr


@pytest.mark.parametrize("fate", ["renamed", "deleted"])
def test_a_run_whose_folder_is_gone_is_still_reached_and_ends_in_peace(runs, fate):
    run, runner = runs.start()
    new = run.root.with_name("renamed")
    if fate == "renamed":
        run.root.rename(new)
    else:
        shutil.rmtree(run.root)
    deadline = time.monotonic() + 10
    while "was renamed, moved or deleted" not in (shown := runs.labrig("status")).stdout:
        assert time.monotonic() < deadline, shown
    assert runs.labrig("status", run.root).returncode == 0, "by its old name too"
    done = runs.labrig("stop", "--final", "--reason", "smoke")
    assert done.returncode == 0, done.stderr
    assert runner.wait(20) == 4
    words = runner.stderr.read()
    assert "Traceback" not in words
    if fate == "renamed":
        status = runs.labrig("status", new)
        assert (status.returncode, "stopped" in status.stdout) == (0, True)
        assert json.loads((new / "outcome.json").read_text())["condition"] == "stopped"


def test_a_living_run_is_listed_from_anywhere_and_takes_a_note(runs):
    run, _ = runs.start()
    listed = runs.labrig("runs", "--json")
    assert [(json.loads(line)["run"], json.loads(line)["condition"])
            for line in listed.stdout.splitlines()] == [(str(run.root), "running")]  # fmt: skip
    noted = runs.labrig("note", "opened the door for 2 min", "--by", "Zoë")
    assert noted.returncode == 0, noted.stderr
    assert f"{run.root.name} on simulated-bench (rehearsal) has your note" in noted.stdout
    args = [json.loads(d)["args"] for (d,) in rows(run, "detail", "kind = 'command'")]
    assert args == [{"text": "opened the door for 2 min", "by": "Zoë"}]
    assert runs.labrig("stop", "--final").returncode == 0
