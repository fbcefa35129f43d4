"""The page as a process beside a night: one per folder of runs, and nobody misses it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request

import pytest

from labrig.commands import page_beside
from labrig.commands.page_beside import begin_page, page_entry, page_of
from labrig.run.register import STATE

pytestmark = [
    pytest.mark.slow,
    # that it outlives whoever started it is what it is for
    pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning"),
]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.setenv(STATE, str(tmp_path / "state"))
    folder = tmp_path / "runs"
    folder.mkdir()
    yield folder
    entry = page_entry(folder)
    if page_of(folder):
        os.kill(json.loads(entry.read_text())["pid"], signal.SIGTERM)


def test_it_is_started_once_told_of_and_gone_when_it_is_killed(runs, tmp_path):
    said = []
    begin_page(runs, tmp_path)(said.append, "night-1")
    address = page_of(runs)
    assert said == [f"page: {address}/run/night-1"]
    with urllib.request.urlopen(f"{address}/", timeout=10) as answer:
        assert b"labrig" in answer.read()

    begin_page(runs, tmp_path)(said.append, "")
    assert said[1] == f"page: {address}"
    second = subprocess.run(
        [sys.executable, "-m", "labrig", "page", "--runs", str(runs), "--port", "0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert second.returncode == 1
    assert "has a page already" in second.stderr

    os.kill(json.loads(page_entry(runs).read_text())["pid"], signal.SIGKILL)
    deadline = time.monotonic() + 10
    while page_of(runs) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert page_of(runs) == ""


def test_one_that_nobody_needs_ends_by_itself(runs):
    command = [sys.executable, "-m", "labrig", "page", "--runs", str(runs), "--port", "0"]
    done = subprocess.run([*command, "--idle", "1 s"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.startswith("page: ")) == (0, True), done.stderr
    assert page_of(runs) == ""


def test_a_night_needs_no_page(runs, tmp_path, monkeypatch):
    monkeypatch.setattr(page_beside.sys, "executable", str(tmp_path / "no-python"))
    said = []
    begin_page(runs, tmp_path)(said.append, "night-1")
    assert "the night needs none" in said[0]
