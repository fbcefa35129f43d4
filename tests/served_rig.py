"""A `labrig serve` of a test, and its owner's and other people's ways to its ports."""

from __future__ import annotations

import base64
import json
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import uuid
from contextlib import closing, suppress
from pathlib import Path

import pytest

from labrig.run_folder import RunFolder

READY_WITHIN_S = 180.0
# Prefect answers 503 while its SQLite is locked by another writer, and wants to be asked again
LOCKED_FOR_S = 60.0


class Serving:
    """`labrig serve` in a process of its own; what it says is kept."""

    def __init__(self, arguments, environment, folder, runs):
        self.runs = runs
        self.said: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "labrig", "serve", *map(str, arguments), "--runs", str(runs)],
            cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, start_new_session=True,
        )  # fmt: skip
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        self.said.extend(iter(self.process.stdout.readline, ""))

    def wait_for(self, what, within_s):
        """Wait until it has said this; returns the line."""
        return until(lambda: next((s for s in self.said if what in s), None), within_s, self)

    def end(self):
        """Ctrl-C; returns the exit status."""
        self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(timeout=60)
        finally:
            if self.process.poll() is None:
                os.killpg(self.process.pid, signal.SIGKILL)
            self._reader.join()
            self.process.stdout.close()

    def processes(self):
        """Ids of it and of all that it has started, by what stands on their command line."""
        parents, lines = {}, {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(stat.parent.name)] = int(stat.read_text().rpartition(")")[2].split()[1])
                lines[int(stat.parent.name)] = (stat.parent / "cmdline").read_text()
            except OSError:
                continue  # it has ended meanwhile
        found, more = {self.process.pid}, True
        while more:
            more = {p for p, parent in parents.items() if parent in found} - found
            found |= more
        return {pid: lines[pid] for pid in found}

    def ports(self):
        """The TCP ports that these processes listen on, as `ss -ltnp` shows them."""
        listening = {}
        for table in ("/proc/net/tcp", "/proc/net/tcp6"):
            for line in Path(table).read_text().splitlines()[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    listening[fields[9]] = int(fields[1].rpartition(":")[2], 16)
        ports = set()
        for pid in self.processes():
            for open_file in Path(f"/proc/{pid}/fd").glob("*"):
                try:
                    target = os.readlink(open_file)
                except OSError:
                    continue
                if target.startswith("socket:["):
                    ports.add(listening.get(target[8:-1]))
        return ports - {None}

    @property
    def page(self):
        """Origin of the Prefect server."""
        return self.wait_for("Prefect: ", 0.0).split()[-1]

    @property
    def authorization(self):
        """What its owner sends."""
        login = (self.runs / ".prefect" / "login").read_text().strip()
        return "Basic " + base64.b64encode(login.encode()).decode()

    def ask(self, method, path, body=None):
        """Ask the API as its owner's client does: again while the database is locked."""
        headers = {"Authorization": self.authorization, "Content-Type": "application/json"}
        if method != "GET":
            client = str(uuid.uuid4())
            token = self.ask("GET", f"/csrf-token?client={client}")["token"]
            headers |= {"Prefect-Csrf-Token": token, "Prefect-Csrf-Client": client}
        patient_until = time.monotonic() + LOCKED_FOR_S
        while True:
            status, answer = send(f"{self.page}/api{path}", method, headers, body)
            if status != 503 or time.monotonic() > patient_until:
                break
            time.sleep(0.2)
        assert status < 300, f"{method} {path}: {status} {answer[:500]}"
        return json.loads(answer or "null")


def send(url, method="GET", headers=None, body=None):
    """Status and text of the answer, whatever it is; 0 when there is none."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, headers or {}, method=method)
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()
    except (OSError, ValueError):
        return 0, ""


def until(look, within_s, serving):
    """What ``look`` finds, once it finds something."""
    deadline = time.monotonic() + within_s
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= deadline:
            pytest.fail(f"not within {within_s:.0f} s. It said:\n{''.join(serving.said)}")
        time.sleep(0.5)


def deployment(serving):
    """The first that it offers, as Prefect knows it."""
    return until(lambda: serving.ask("POST", "/deployments/filter", {}), 60.0, serving)[0]


def flow_runs(serving):
    return serving.ask("POST", "/flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC"})


def ended(serving, flow_run_id=None):
    for run in flow_runs(serving):
        if flow_run_id in (None, run["id"]) and run["state_type"] in (
            "COMPLETED", "FAILED", "CRASHED",
        ):  # fmt: skip
            return run
    return None


def journalled(folder, key):
    with closing(sqlite3.connect(f"{folder.journal.as_uri()}?mode=ro", uri=True)) as connection:
        return connection.execute(
            "SELECT detail ->> 'name' FROM journal WHERE kind='run' AND key=? ORDER BY seq", (key,)
        ).fetchall()


def leave_nobody(runs):
    """A night outlives its `labrig serve`, and its follower; they need not outlive a test."""
    for folder in [RunFolder(path.parent) for path in runs.glob("*/control.json")]:
        with suppress(OSError, ValueError):
            os.kill(json.loads(folder.control.read_text())["pid"], signal.SIGKILL)
            os.kill(int((folder.root / "follower.lock").read_text()), signal.SIGKILL)
