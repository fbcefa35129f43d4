"""A night whose stocks come through valves, on a heated plate: killed in a switch, and stopped."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labrig.run_folder import RunFolder
from labrig.truth.check import check_truth

CATALOGUE = Path(__file__).parents[3] / "protocols"
HEAT = "environment: {interval: 5 min, set: [{at: 40 min, for: 40 min, temperature: 41 degC}]}"
CLIMATE = "climate: {plate: {instrument: heater, sets: temperature}}"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture
def files(short_night, tmp_path):
    """The short night with heat, and the bench of selectors with a heater."""
    text = short_night.read_text(encoding="utf-8")
    assert "environment: {interval: 5 min}" in text
    short_night.write_text(text.replace("environment: {interval: 5 min}", HEAT), encoding="utf-8")
    rig = (CATALOGUE / "rigs" / "selector-bench.yaml").read_text(encoding="utf-8")
    rig = rig.replace("\nports:\n", "\nports:\n  heat: {address: sim}\n", 1)
    rig = rig.replace(
        "\ninstruments:\n", "\ninstruments:\n  heater: {type: watlow_pm, port: heat}\n", 1
    )
    path = tmp_path / "bench.yaml"
    path.write_text(f"{rig}\n{CLIMATE}\n", encoding="utf-8")
    return short_night, path


def rows(folder, query):
    connection = sqlite3.connect(f"{folder.journal.resolve().as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(query).fetchall()
    finally:
        connection.close()


def begun(files, tmp_path, environment, speed):
    protocol, bench = files
    return subprocess.Popen(
        [sys.executable, "-m", "labrig", "run", str(protocol), "--rig", str(bench),
         "--runs", "runs", "--simulate", "--speed", speed, "--json"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def passed(runs, after_s):
    """The run's folder and its runner's pid, once its journal has passed a time."""
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        for control in runs.glob("*/control.json"):
            folder = RunFolder(control.parent)
            (last_s,) = rows(folder, "SELECT coalesce(max(run_s), 0) FROM journal")[0]
            if last_s >= after_s:
                return folder, json.loads(control.read_text(encoding="utf-8"))["pid"]
        time.sleep(0.02)
    pytest.fail("the night did not get that far")


def last_held(folder):
    found = {}
    for line in (folder.root / "twin" / "physical.jsonl").read_text().splitlines():
        name, _, what, *values = json.loads(line)
        if what == "held":
            found[name] = values[1]
    return found


@pytest.mark.parametrize("after_s", [1800.2, 2500.0])
def test_killed_in_a_switch_or_in_the_heat_the_night_is_true(
    labrig, sentry, files, tmp_path, after_s
):
    environment, _ = sentry
    night = begun(files, tmp_path, environment, "600")
    try:
        folder, pid = passed(tmp_path / "runs", after_s)
        os.kill(pid, signal.SIGKILL)
        night.communicate(timeout=120)
    finally:
        night.kill()
        night.wait()
    done = labrig("resume", folder.root, "--gap", "10 min", "--fast", "--json")
    assert json.loads(done.stdout.strip().splitlines()[-1])["condition"] == "finished"
    assert [str(violation) for violation in check_truth(folder.root)] == []
    held = last_held(folder)
    assert float(held["heater"]) == pytest.approx(37.0, abs=0.01)
    assert {v for n, v in held.items() if n.startswith("nerve_valve")} == {"2"}
    assert "Temperature and gases" in (folder.report / "report.html").read_text(encoding="utf-8")


def test_a_stop_in_the_heat_brings_valves_and_heater_to_their_safe_settings(
    labrig, sentry, files, tmp_path
):
    environment, _ = sentry
    night = begun(files, tmp_path, environment, "300")
    try:
        folder, _ = passed(tmp_path / "runs", 2500.0)
        labrig("stop", "--final", "--reason", "test")
        out, _ = night.communicate(timeout=200)
    finally:
        night.kill()
        night.wait()
    assert json.loads(out.strip().splitlines()[-1])["condition"] == "stopped"
    held = last_held(folder)
    assert float(held["heater"]) == pytest.approx(37.0, abs=0.01)
    assert {v for n, v in held.items() if n.startswith("nerve_valve")} == {"2"}
    assert [str(violation) for violation in check_truth(folder.root)] == []
