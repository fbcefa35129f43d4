"""Whole nights as their users run them: by the command line, in processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from served_rig import READY_WITHIN_S, Serving, leave_nobody

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"

# loaded by every Python process of a night: writes down whoever is asked to connect elsewhere
SENTRY = """
import os, socket

def _note(address):
    host = address[0] if isinstance(address, tuple) else None
    if host in (None, "", "localhost", "::1") or str(host).startswith("127."):
        return
    with open(os.environ["LABRIG_TEST_SENTRY"], "a") as log:
        log.write(f"{os.getpid()} {address!r}\\n")

class _Watched(socket.socket):
    def connect(self, address):
        _note(address)
        return super().connect(address)

    def connect_ex(self, address):
        _note(address)
        return super().connect_ex(address)

socket.socket = _Watched
"""


@pytest.fixture
def sentry(tmp_path):
    """Environment for child processes, and the file that names every outside connection."""
    folder = tmp_path / "sentry"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(SENTRY)
    log = tmp_path / "outside.txt"
    log.touch()
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")]),
        "LABRIG_TEST_SENTRY": str(log),
        "HOME": str(tmp_path / "home"),
    }
    (tmp_path / "home").mkdir()
    environment.pop("PREFECT_API_URL", None)
    return environment, log


@pytest.fixture
def short_night(tmp_path):
    """The demo's protocol cut to 90 minutes: a phase of each kind, a bolus, two blocks of films."""
    text = (CATALOGUE / "demo-night.yaml").read_text(encoding="utf-8")
    for old, new in (
        ("duration: 1 h, factors: off", "duration: 30 min, factors: off"),
        ("duration: 13 h", "duration: 1 h"),
        ("at: 7 h", "at: 50 min"),
        ("at: [1.1 h, 13.6 h]", "at: [40 min, 70 min]"),
        ("$schema=./schema.json", "$schema=schema.json"),
        ("name: demo-night", "name: short-night"),
    ):
        assert old in text, f"demo-night.yaml has no {old!r} any more: mend this fixture"
        text = text.replace(old, new)
    path = tmp_path / "short-night.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def labrig(tmp_path, sentry):
    """Run ``labrig ARGUMENTS`` in an empty folder; returns the finished process."""
    environment, _ = sentry

    def call(*arguments, check=True, timeout=560):
        done = subprocess.run(
            [sys.executable, "-m", "labrig", *map(str, arguments)],
            cwd=tmp_path,
            env=environment,
            capture_output=True,
            text=True,
            timeout=timeout,
        )
        if check:
            assert done.returncode == 0, f"{arguments}: {done.stdout}\n{done.stderr}"
        return done

    return call


@pytest.fixture
def serve(sentry, short_night, tmp_path):
    """Start `labrig serve` with further arguments; ended at the end."""
    environment, _ = sentry
    started = []

    def start(*arguments):
        serving = Serving(
            [short_night, "--rig", BENCH, "--simulate", "--port", "0", *arguments],
            environment, tmp_path, tmp_path / "runs",
        )  # fmt: skip
        started.append(serving)
        serving.wait_for("Ctrl-C ends serving", READY_WITHIN_S)
        return serving

    yield start
    for serving in started:
        if serving.process.poll() is None:
            serving.end()
        leave_nobody(serving.runs)


def last_json(done):
    """The JSON line a command ends with."""
    return json.loads(done.stdout.strip().splitlines()[-1])
