"""A bench of simulated nights, the page on it in a process of its own, and people's browsers."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from labrig.launch.prepare import StartRequest, prepare_run
from labrig.twin.spec import FaultSpec

CATALOGUE = Path(__file__).parents[1] / "protocols"
RIG = CATALOGUE / "rigs" / "simulated-bench.yaml"
WITHIN_MS = 30_000
"""Nothing here is about speed: what should come is waited for as long as a loaded machine takes."""


class Bench:
    """Runs and a page on them, with a register of their own."""

    def __init__(self, folder):
        self.runs = folder / "runs"
        self.runs.mkdir()
        self.environment = {
            **os.environ, "LABRIG_STATE": str(folder / "state"), "TZ": "Europe/Berlin",
        }  # fmt: skip
        self.log = folder / "page.log"
        self.port = 0
        self.page = None
        self.runners = {}

    # -- the page ------------------------------------------------------------------------------
    def open_page(self):
        """Start the page, on the port that it had before; returns its address."""
        command = [
            sys.executable, "-m", "labrig", "page", "--runs", str(self.runs),
            "--lab", str(CATALOGUE), "--port", str(self.port),
        ]  # fmt: skip
        with self.log.open("ab") as log:
            self.page = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        line = self.page.stdout.readline()
        assert line.startswith("page: "), line + self.log.read_text()
        address = line.split()[1]
        self.port = int(address.rpartition(":")[2])
        until(lambda: answers(address))
        return address

    def kill_page(self):
        self.page.kill()
        self.page.wait()
        self.page.stdout.close()

    # -- runs ----------------------------------------------------------------------------------
    def start(self, protocol, speed="60", faults=()):
        """A rehearsal, once its runner is at work."""
        folder = prepare_run(
            StartRequest(
                protocol, RIG, self.runs, True, rehearse=True, operator="A. Technician",
                faults=tuple(FaultSpec(*fault) for fault in faults),
            )
        )  # fmt: skip
        runner = subprocess.Popen(
            [sys.executable, "-m", "labrig.launch.runner_process", str(folder.root),
             "--speed", speed],
            env=self.environment, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self.runners[folder.root.name] = runner
        until(lambda: folder.control.exists() or runner.poll() is not None)
        return folder

    def close(self):
        if self.page is not None and self.page.poll() is None:
            self.kill_page()
        for runner in self.runners.values():
            if runner.poll() is None:
                runner.send_signal(signal.SIGKILL)
            runner.wait()
        # What the page started itself: `labrig stop` of a dead runner.
        for entry in self.runs.glob("*/control.json"):
            try:
                os.kill(json.loads(entry.read_text())["pid"], signal.SIGKILL)
            except (OSError, ValueError, KeyError):
                continue


def until(look, within_s=WITHIN_MS / 1000):
    """What ``look`` finds, once it finds something."""
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
    return found


def commands(folder, name):
    """What was said with each command of that name."""
    which = f"kind = 'command' AND json_extract(detail, '$.command') = '{name}'"
    return [row["args"] for row in journal(folder, which)]


def journal(folder, where):
    """Details of the rows that these words choose."""
    if not folder.journal.exists():
        return []
    connection = sqlite3.connect(f"{folder.journal.resolve().as_uri()}?mode=ro", uri=True)
    try:
        rows = connection.execute(f"SELECT detail FROM journal WHERE {where}").fetchall()
    except sqlite3.OperationalError:
        return []
    finally:
        connection.close()
    return [json.loads(detail) for (detail,) in rows]


def answers(address):
    """Whether anybody answers there."""
    try:
        return bool(get(address))
    except OSError:
        return False


def get(address):
    """Text of a page, as somebody without a browser gets it."""
    with urllib.request.urlopen(address, timeout=30) as answer:
        return answer.read().decode()


class Visitor:
    """Somebody's browser: what it asks for and complains of is kept."""

    def __init__(self, browser, **options):
        options = {
            "viewport": {"width": 1280, "height": 900},
            "reduced_motion": "reduce",
            **options,
        }
        self.context = browser.new_context(**options)
        self.context.set_default_timeout(WITHIN_MS)
        self.asked: list[str] = []
        self.complaints: list[str] = []
        self.context.on("request", lambda request: self.asked.append(request.url))

    def open(self, address):
        tab = self.context.new_page()
        tab.on("pageerror", lambda error: self.complaints.append(str(error)))
        tab.on(
            "console",
            lambda said: (
                self.complaints.append(said.text)
                if "Content Security Policy" in said.text
                else None
            ),
        )
        tab.goto(address)
        return tab
