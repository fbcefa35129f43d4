"""The watch's own process beside real runners: killed, hung, faulty; mails and webhooks arrive."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labrig.launch.prepare import StartRequest, prepare_run
from labrig.twin.spec import FaultSpec
from labrig.watch.routes import Route, Routes, save_routes

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(os.name == "nt", reason="sends signals of POSIX"),
]
PATIENCE_S = 120.0  # however busy the computer is


class Lab:
    """A watch and runners in processes of their own, and where their messages arrive."""

    def __init__(self, folder, mails, hook):
        self.folder, self.mails, self.hook = folder, mails, hook
        self.processes = []
        save_routes(
            Routes(
                routes=(
                    Route(name="mail", url=f"mailto://127.0.0.1:{mails.port}?from=lab@example.org"
                          "&to=on-call@example.org"),
                    Route(name="hook", url=f"json://127.0.0.1:{hook.port}/lab"),
                ),
                benches=("rehearsal",),
            )
        )  # fmt: skip

    def start(self, *arguments):
        process = subprocess.Popen([sys.executable, "-m", *map(str, arguments)])
        self.processes.append(process)
        return process

    def watch(self):
        """A watch that has looked once, so that whatever comes is news to it."""
        log = self.folder / "state" / "watch" / "memory.json"
        before = log.stat().st_mtime_ns if log.exists() else 0
        process = self.start("labrig.watch.process")
        until(lambda: log.exists() and log.stat().st_mtime_ns != before)
        return process

    def run(self, speed, faults=()):
        request = StartRequest(
            CATALOGUE / "demo-night.yaml", BENCH, self.folder / "runs", True, rehearse=True,
            faults=faults,
        )  # fmt: skip
        run = prepare_run(request)
        return run, self.start("labrig.launch.runner_process", run.root, "--speed", speed)

    def subjects(self):
        """By route, what has arrived."""
        return (
            [subject for _, subject, _ in self.mails.messages],
            [body["title"] for _, _, body in self.hook.messages],
        )

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGCONT)
                process.kill()
            process.wait()


@pytest.fixture
def lab(tmp_path, own_state, mails, hook):
    lab = Lab(tmp_path, mails, hook)
    yield lab
    lab.close()


def until(happened):
    deadline = time.monotonic() + PATIENCE_S
    while not happened():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def memory(lab):
    return json.loads((lab.folder / "state" / "watch" / "memory.json").read_text())


def known_runs(lab):
    return [run["name"] for run in memory(lab)["runs"]]


def deliveries(lab):
    return [d["state"] for entry in memory(lab)["book"]["entries"] for d in entry["deliveries"]]


def test_a_killed_runner_is_told_by_mail_and_webhook_and_not_again_by_the_next_watch(lab):
    watch = lab.watch()
    run, runner = lab.run("60")
    until(lambda: run.control.exists() and run.root.name in known_runs(lab))
    runner.kill()
    runner.wait()
    killed_s = time.monotonic()
    until(lambda: all(lab.subjects()))
    for at_s in (lab.mails.messages[0][0], lab.hook.messages[0][0]):
        print(f"told {at_s - killed_s:.1f} s after the runner was killed")
    assert "the runner is dead" in lab.subjects()[0][0]
    assert str(run.root) in lab.mails.messages[0][2]
    until(lambda: deliveries(lab) == ["sent", "sent"])
    watch.kill()
    watch.wait()
    second = lab.watch()
    acked = subprocess.run(
        [sys.executable, "-m", "labrig", "watch", "ack", "--by", "A. Technician"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "the runner is dead" in acked.stdout
    until(lambda: "A. Technician" in (lab.folder / "state/watch/memory.json").read_text())
    assert second.poll() is None
    assert [len(subjects) for subjects in lab.subjects()] == [1, 1]


def test_a_hung_runner_is_told_and_only_one_watch_runs(lab):
    lab.watch()
    run, runner = lab.run("60")
    until(lambda: run.control.exists() and run.root.name in known_runs(lab))
    another = subprocess.run(
        [sys.executable, "-m", "labrig.watch.process"], capture_output=True, text=True
    )
    assert another.returncode == 1
    assert "a watch runs already" in another.stderr
    runner.send_signal(signal.SIGSTOP)
    stopped_s = time.monotonic()
    until(lambda: all(lab.subjects()))
    print(f"told {lab.mails.messages[0][0] - stopped_s:.1f} s after the runner was stopped")
    assert "the runner hangs" in lab.subjects()[0][0]
    runner.send_signal(signal.SIGCONT)


def test_of_a_whole_night_with_faults_exactly_the_due_alarms_arrive(lab):
    lab.watch()
    hour = 3600.0
    _, runner = lab.run(
        "3600",
        (
            FaultSpec("nerve_02", "stall", 1.5 * hour, 99 * hour),
            # an answer that stays away for so long is told, and one of seconds is not
            FaultSpec("incubator_probe", "silent", 3 * hour, 4 * hour),
            FaultSpec("base_left", "silent", 6 * hour, 6 * hour + 20.0),
        ),
    )
    assert runner.wait(PATIENCE_S) is not None
    until(lambda: known_runs(lab) == [])
    until(lambda: len(lab.subjects()[0]) == len(lab.subjects()[1]))
    mails, hooks = lab.subjects()
    assert sorted(mails) == sorted(hooks)
    said = [subject.split(": ", 1)[1].rsplit(",", 1)[0] for subject in mails]
    assert said == [
        "nerve_02 (C1 nerve-sham, D1 nerve-tonic): no liquid comes",
        "incubator_probe: does not answer",
    ]
    assert "labrig answer stall:nerve_02 restart" in lab.mails.messages[0][2]
