"""Prefect conducts: a real local server that nobody else can use, a schedule, and a clean end."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from served_rig import (
    READY_WITHIN_S,
    deployment,
    ended,
    flow_runs,
    journalled,
    send,
    until,
)

from labrig.night.steps import NightSteps
from labrig.plan.film_schedule import block_of
from labrig.plan.store import read_plan
from labrig.plan.timeline import Film
from labrig.run_folder import RunFolder

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
WITHIN_S = 800.0

pytestmark = pytest.mark.slow


@pytest.mark.timeout(1500)
def test_nobody_else_gets_in_and_a_schedule_ends_in_a_report(serve, sentry, tmp_path):
    """Proves that schedules fire with the locked versions, and the whole of `labrig serve`."""
    _, outside = sentry
    marker = tmp_path / "MARKER"
    serving = serve("--fast", "--every", "1 min")
    served = deployment(serving)
    _refuses_everybody_else(serving)
    _shows_no_secret(serving)
    _what_stands_in_the_database_is_not_run(serving, served, tmp_path, marker)

    flow_run = until(lambda: _completed(serving), WITHIN_S, serving)
    folder = RunFolder.at(serving.runs / flow_run["name"])
    tasks = serving.ask(
        "POST",
        "/task_runs/filter",
        {"flow_runs": {"id": {"any_": [flow_run["id"]]}}, "limit": 100},
    )
    schema = deployment(serving)["parameter_openapi_schema"]
    assert serving.end() == 0, "serve does not end cleanly"
    assert not marker.exists(), "the server's database has run a command"
    assert [p.name for p in tmp_path.glob("elsewhere*")] == []
    assert (folder.report / "report.html").exists()
    names = sorted(t["name"] for t in tasks)
    assert [n for n in names if n.startswith("phase")] == ["phase baseline", "phase treatment"]
    rounds = [n for n in names if n.startswith("round")]
    assert rounds == [f"round {i}" for i in range(len(rounds))]
    assert len(rounds) == 3
    # Each step of the list that `labrig run` carries out is a task here.
    plan = read_plan(folder)
    films = {block_of(entry) for entry in plan.timeline if isinstance(entry, Film)}
    ends = {step.name for step in NightSteps.of(folder, plan).at_the_end()}
    assert films
    assert films | ends <= set(names)
    assert {"CultureRecord", "Donor"} <= set(schema["definitions"])
    asked = set(schema["definitions"]["NightParameters"]["properties"])
    assert asked == {"protocol", "operator", "culture", "donors"}, "no path of a file"
    assert outside.read_text() == "", "something was asked to connect outside this machine"
    assert ("treatment",) in journalled(folder, "phase"), "the flow did not tell its phase"
    assert any("next starts" in said for said in serving.said)


def _completed(serving):
    return next((r for r in flow_runs(serving) if r["state_type"] == "COMPLETED"), None)


def _refuses_everybody_else(serving):
    port = int(serving.page.rpartition(":")[2])
    ours = {"Authorization": serving.authorization}
    theirs = {"Authorization": "Basic bGFicmlnOmd1ZXNz"}
    paths = ["/", "/v2/", "/docs", "/openapi.json", "/ui-settings", "/api/health", "/api/ready",
             "/api/docs", "/api/version", "/api/admin/settings", "/api/deployments/filter",
             "/api/events/in", "/api/logs/out"]  # fmt: skip
    foreign = {"Origin": "http://evil.example"}
    rebound = {"Host": "evil.example"}
    for path in paths:
        for method in ("GET", "POST", "PATCH", "DELETE", "OPTIONS"):
            url = serving.page + path
            for headers in ({}, theirs, foreign, rebound, ours | foreign, ours | rebound):
                status, _ = send(url, method, headers)
                assert status in (401, 403), f"{method} {path} {sorted(headers)}: {status}"
    for path in ("/api/events/in", "/api/events/out", "/api/logs/out"):
        assert _handshake(port, path, {}) == 403
        assert _handshake(port, path, theirs) == 403
        assert _handshake(port, path, ours | foreign) == 403
        assert _handshake(port, path, ours | rebound) == 403
        assert _handshake(port, path, ours) == 101
    assert send(f"{serving.page}/api/health", headers=ours) == (200, "true")
    assert send(serving.page, headers=ours)[0] == 200, "the owner's own page"
    # Without Prefect's own token a page cannot have the owner's browser change anything.
    assert send(f"{serving.page}/api/deployments/filter", "POST", ours, {})[0] == 403
    others = serving.ports() - {port}
    for other in others:
        for headers in ({}, ours, foreign, rebound):
            status, _ = send(f"http://127.0.0.1:{other}/", headers=headers)
            assert status in (0, 401, 403), f"port {other}: {status}"


def _handshake(port, path, headers):
    """Status of the answer to a websocket's opening handshake."""
    lines = [f"GET {path} HTTP/1.1"]
    wanted = {
        "Host": f"127.0.0.1:{port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Protocol": "prefect",
    }
    lines += [f"{name}: {value}" for name, value in (wanted | headers).items()]
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(connection.recv(100).split()[1])


def _shows_no_secret(serving):
    password = (serving.runs / ".prefect" / "login").read_text().strip().partition(":")[2]
    for line in serving.processes().values():
        assert password not in line, "the password stands on a command line"
    assert password not in "".join(serving.said)
    home = serving.runs / ".prefect"
    assert home.stat().st_mode & 0o777 == 0o700
    for path in (home / "login", home / "served.json", home / "timetable.json"):
        assert path.stat().st_mode & 0o777 == 0o600


def _what_stands_in_the_database_is_not_run(serving, served, tmp_path, marker):
    """As if somebody had got at it all the same."""
    evil = tmp_path / "evil.py"
    evil.write_text(
        f"open({str(marker)!r}, 'w')\nfrom prefect import flow\n@flow\ndef night(**k): ...\n"
    )
    step = {"prefect.deployments.steps.run_shell_script": {"script": f"touch {marker}"}}
    changed = {"pull_steps": [step], "entrypoint": f"{evil}:night", "path": str(tmp_path)}
    serving.ask("PATCH", f"/deployments/{served['id']}", changed)
    for hostile in (
        {"protocol": str(evil)},
        {"protocol": "../short-night"},
        {"protocol": "short-night", "runs": str(tmp_path / "elsewhere")},
        {"protocol": "short-night", "rig": str(BENCH), "simulate": False},
    ):
        body = {"parameters": {"parameters": hostile}, "enforce_parameter_schema": False}
        made = serving.ask("POST", f"/deployments/{served['id']}/create_flow_run", body)
        refused = until(lambda: ended(serving, made["id"]), 120.0, serving)  # noqa: B023
        assert refused["state_type"] == "FAILED", f"{hostile}: {refused['state']}"


@pytest.mark.timeout(1500)
def test_a_night_is_followed_whatever_dies_and_none_begins_after_a_stop(serve, sentry, tmp_path):
    serving = serve()
    served = deployment(serving)
    body = {"parameters": {"parameters": {"protocol": "short-night"}}}
    create = f"/deployments/{served['id']}/create_flow_run"
    first = serving.ask("POST", create, body)
    serving.wait_for("started: ", 120.0)
    folder = RunFolder.at(next(serving.runs.glob("*/run.json")).parent)
    lock = folder.root / "follower.lock"
    until(lambda: lock.exists() and lock.read_text(), 60.0, serving)
    named = serving.ask("GET", f"/flow_runs/{first['id']}")["name"]
    assert named == folder.root.name

    # Somebody cancels it in Prefect's page: the bench goes on, and so does the following of it.
    cancel = {"state": {"type": "CANCELLING", "name": "Cancelling"}, "force": False}
    serving.ask("POST", f"/flow_runs/{first['id']}/set_state", cancel)
    until(lambda: journalled(folder, "followed"), 120.0, serving)
    assert len(journalled(folder, "unfollowed")) == 1
    flow = int(until(lambda: lock.exists() and lock.read_text(), 60.0, serving))

    # Prefect's server and the flow die; a second start has been asked for meanwhile.
    serving.ask("POST", create, body)
    server = next(p for p, line in serving.processes().items() if "labrig.flows.server" in line)
    os.kill(server, signal.SIGKILL)
    os.kill(flow, signal.SIGKILL)
    serving.wait_for("Prefect server ended", 30.0)
    until(lambda: len(journalled(folder, "followed")) == 2, 120.0, serving)
    assert len(journalled(folder, "unfollowed")) == 2
    health = f"{serving.page}/api/health"
    ours = {"Authorization": serving.authorization}
    until(lambda: send(health, headers=ours)[0] == 200, READY_WITHIN_S, serving)
    assert send(health)[0] == 401, "the second server is guarded as the first"

    stop = [sys.executable, "-m", "labrig", "stop", "--final", str(folder.root)]
    subprocess.run(stop, env=sentry[0], check=True, timeout=60, stdout=subprocess.DEVNULL)
    page = folder.report / "report.html"
    until(page.exists, 180.0, serving)

    made = serving.ask("POST", create, body)
    refused = until(lambda: ended(serving, made["id"]), 180.0, serving)
    assert "labrig ready" in refused["state"]["message"]
    answers = [json.loads(p.read_text()) for p in sorted(serving.runs.glob("*/answer.json"))]
    assert sum(answer["accepted"] for answer in answers) == 1, "a night began by itself"
    ready = [sys.executable, "-m", "labrig", "ready", "--runs", str(serving.runs)]
    subprocess.run(ready, env=sentry[0], check=True, timeout=60, stdout=subprocess.DEVNULL)
    time.sleep(1.0)
    serving.ask("POST", create, body)
    until(lambda: len([s for s in serving.said if "started: " in s]) == 2, 120.0, serving)
    second = RunFolder(Path(next(s for s in reversed(serving.said) if "started: " in s).split()[1]))
    stop[-1] = str(second.root)
    subprocess.run(stop, env=sentry[0], check=True, timeout=60, stdout=subprocess.DEVNULL)
    assert serving.end() == 0
