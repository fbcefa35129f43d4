"""What goes wrong in Prefect alone touches no night: it is followed to its report."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing

import pytest
from served_rig import deployment, journalled, until

from labrig.run.control_client import connect
from labrig.run_folder import RunFolder

FOLLOWED_WITHIN_S = 60.0
REPORT_WITHIN_S = 240.0

pytestmark = pytest.mark.slow


@pytest.fixture
def night(serve):
    """A night that Prefect follows: what serves it, and its folder."""
    serving = serve()
    body = {"parameters": {"parameters": {"protocol": "short-night"}}}
    serving.ask("POST", f"/deployments/{deployment(serving)['id']}/create_flow_run", body)
    serving.wait_for("started: ", 120.0)
    folder = RunFolder.at(next(serving.runs.glob("*/run.json")).parent)
    until(lambda: follower(folder), FOLLOWED_WITHIN_S, serving)
    return serving, folder


def follower(folder):
    """The process that follows it; 0: none."""
    try:
        return int((folder.root / "follower.lock").read_text() or 0)
    except (FileNotFoundError, ValueError):
        return 0


def stop(folder, environment):
    command = [sys.executable, "-m", "labrig", "stop", "--final", str(folder.root)]
    subprocess.run(command, env=environment, check=True, timeout=60, stdout=subprocess.DEVNULL)


@pytest.mark.timeout(600)
def test_a_night_ends_in_its_report_though_prefects_database_stays_locked(night, sentry):
    serving, folder = night
    follows, database = follower(folder), serving.runs / ".prefect" / "prefect.db"
    with closing(sqlite3.connect(database, timeout=60.0, isolation_level=None)) as another:
        another.execute("BEGIN EXCLUSIVE")
        before_s = connect(folder.control).status()["now_s"]
        time.sleep(5.0)
        assert connect(folder.control).status()["now_s"] > before_s + 1.0
        stop(folder, sentry[0])
        until((folder.report / "report.html").exists, REPORT_WITHIN_S, serving)
        another.execute("ROLLBACK")
    followed_on(folder, follows)
    assert serving.end() == 0


@pytest.mark.timeout(600)
def test_a_night_is_followed_on_when_prefects_worker_alone_is_killed(night, sentry):
    serving, folder = night
    follows = follower(folder)
    [first] = workers(serving)
    os.kill(first, signal.SIGKILL)
    serving.wait_for("Prefect worker ended", 30.0)
    until(lambda: workers(serving) - {first}, 60.0, serving)
    stop(folder, sentry[0])
    until((folder.report / "report.html").exists, REPORT_WITHIN_S, serving)
    followed_on(folder, follows)
    assert serving.end() == 0


def workers(serving):
    return {pid for pid, line in serving.processes().items() if "labrig.flows.worker" in line}


def followed_on(folder, follows):
    """By the same process to the end, and nobody had to be told that it was not followed."""
    assert follower(folder) == follows
    assert journalled(folder, "unfollowed") == []
    assert json.loads(folder.outcome.read_text())["condition"] == "stopped"
