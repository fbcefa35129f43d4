"""Prefect conducts: a real local server, a schedule that fires, and a clean end."""

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

import pytest

from labrig.run_folder import RunFolder

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
WITHIN_S = 420.0

pytestmark = pytest.mark.slow


def ask(api, path, body):
    request = urllib.request.Request(
        f"{api}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return json.loads(answer.read())


@pytest.mark.timeout(600)
def test_an_interval_schedule_fires_and_its_night_ends_in_a_report(sentry, short_night, tmp_path):
    """Proves that schedules fire with the locked versions, and the whole of `labrig serve`."""
    environment, outside = sentry
    runs = tmp_path / "runs"
    served = subprocess.Popen(
        [sys.executable, "-m", "labrig", "serve", str(short_night), "--rig", str(BENCH),
         "--runs", str(runs), "--simulate", "--fast", "--every", "1 min", "--port", "0"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True,
        start_new_session=True,
    )  # fmt: skip
    try:
        api = served.stdout.readline().split()[-1] + "/api"
        flow_run = _first_finished(api)
        folder = RunFolder.at(sorted(runs.glob("*/run.json"))[0].parent)
        tasks = ask(api, "/task_runs/filter", {
            "flow_runs": {"id": {"any_": [flow_run["id"]]}}, "limit": 100,
        })  # fmt: skip
        schema = ask(api, "/deployments/filter", {})[0]["parameter_openapi_schema"]
    finally:
        served.send_signal(signal.SIGINT)
        try:
            served.wait(timeout=60)
        finally:
            os.killpg(served.pid, signal.SIGKILL) if served.poll() is None else None
            served.stdout.close()
    assert served.returncode == 0, "serve does not end cleanly"
    assert flow_run["state_type"] == "COMPLETED"
    assert (folder.report / "report.html").exists()
    names = sorted(t["name"] for t in tasks)
    assert [n for n in names if n.startswith("phase")] == ["phase baseline", "phase treatment"]
    rounds = [n for n in names if n.startswith("round")]
    assert rounds == [f"round {i}" for i in range(len(rounds))]
    assert len(rounds) == 3
    assert {"CultureRecord", "Donor"} <= set(schema["definitions"])
    assert outside.read_text() == "", "something was asked to connect outside this machine"
    connection = sqlite3.connect(f"{folder.journal.as_uri()}?mode=ro", uri=True)
    phases = connection.execute(
        "SELECT detail ->> 'name' FROM journal WHERE kind='run' AND key='phase' ORDER BY seq"
    ).fetchall()
    connection.close()
    assert ("treatment",) in phases, "the flow did not tell the runner its phase"


def _first_finished(api):
    deadline = time.monotonic() + WITHIN_S
    while time.monotonic() < deadline:
        found = ask(api, "/flow_runs/filter", {"sort": "EXPECTED_START_TIME_ASC", "limit": 5})
        for run in found:
            if run["state_type"] in ("COMPLETED", "FAILED", "CRASHED"):
                return run
        time.sleep(1.0)
    pytest.fail(f"no flow run ended within {WITHIN_S:.0f} s: {found}")
