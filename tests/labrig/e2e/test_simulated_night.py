"""A simulated night on the command line: what a technician finds in the morning."""

from __future__ import annotations

import csv
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaozarrs

from labrig.launch.prepare import StartRequest, prepare_run
from labrig.plan.store import read_plan
from labrig.record.reading import journal_digest, read_journal
from labrig.run_folder import RunFolder

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
MADE = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def bytes_of(log):
    """What went over a port; anchors of the journal, whose rows say when this was, are left out."""
    return [line for line in log.read_bytes().splitlines() if b"# journal" not in line]


def last_json(done):
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def rows(folder, sql):
    connection = sqlite3.connect(f"{folder.journal.as_uri()}?mode=ro", uri=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def test_the_demo_ends_in_a_report_without_touching_the_network(labrig, sentry, tmp_path):
    done = labrig("demo", "out", "--json")

    report = Path(last_json(done)["report"])
    report = report if report.is_absolute() else tmp_path / report
    folder = RunFolder.at(report.parents[1])
    page = report.read_text(encoding="utf-8")
    assert "pilot" in page.lower()
    assert "simulated" in page.lower()
    assert "http-equiv" not in page
    assert "<script src" not in page
    assert sentry[1].read_text() == "", "something was asked to connect outside this machine"
    frames = table(folder.manifest)
    assert len({f["well"] for f in frames}) >= 24
    assert len({f["round"] for f in frames}) >= 28
    plan = json.loads(folder.plan.read_text(encoding="utf-8"))["plan"]
    assert plan["pilot"] is True
    yaozarrs.validate_zarr_store(str(folder.plate))
    fields = table(folder.measures / "fields.csv")
    kinds = Counter(field["kind"] for field in fields)
    assert kinds == {"tube-like object": 24 * 28, "tube": 24 * 2}
    assert not [field for field in fields if field["status"] == "failed"]
    assert {field["quality"] for field in fields} == {"good"}
    films = table(folder.measures / "contractions.csv")
    assert Counter(film["film"] for film in films) == {"0": 24, "1": 24}
    assert sum(film["status"] == "ok" for film in films) >= 40
    assert len(table(folder.measures / "tracks.csv")) > 200
    verdict = json.loads((folder.report / "verdict.json").read_text(encoding="utf-8"))
    classed = [unit for unit in verdict["units"] if unit["label"] != "reference"]
    assert len(classed) == 6
    assert {unit["strength"] for unit in classed} <= {"yes", "no"}
    assert "not assessable" not in {unit["label"] for unit in classed}
    talked = {p.stem for p in folder.wire.iterdir() if p.stat().st_size > 0}
    assert {"chain_nerve", "rs485_pumps", "pulse_pal", "probe", "stage"} <= talked


def test_the_same_seed_gives_the_same_night(labrig, short_night, tmp_path):
    folders = []
    for name in ("first", "second"):
        request = StartRequest(short_night, BENCH, tmp_path / name, simulate=True)
        # A simulated night goes by its own clock, from the time at which it was prepared.
        folders.append(prepare_run(request, now=MADE))
        labrig("resume", folders[-1].root, "--fast", "--json")
    first, second = folders
    assert journal_digest(read_journal(first.journal)) == journal_digest(
        read_journal(second.journal)
    )
    assert first.manifest.read_bytes() == second.manifest.read_bytes()
    fields = table(first.measures / "fields.csv")
    assert fields[0]["utc"].startswith("2026-11-23T18:")
    arms = {well.well: well.arm for well in read_plan(first).wells}
    assert {row["well"]: row["arm"] for row in fields} == arms
    for name in ("fields.csv", "tubes.csv", "nuclei.csv", "contractions.csv", "tracks.csv"):
        assert (first.measures / name).read_bytes() == (second.measures / name).read_bytes()
    yaozarrs.validate_zarr_store(str(first.plate))
    labels = sorted(
        path.relative_to(first.plate) for path in first.plate.rglob("labels/*/0/c/*/*/*/*")
    )
    assert labels
    for path in labels:
        assert (first.plate / path).read_bytes() == (second.plate / path).read_bytes(), path
    for port in first.wire.iterdir():
        assert bytes_of(port) == bytes_of(second.wire / port.name), port.name


@pytest.mark.parametrize("after_s", [2400.0, 3050.0])
def test_kill_9_in_the_night_then_resume(labrig, sentry, short_night, tmp_path, after_s):
    environment, _ = sentry
    night = subprocess.Popen(
        [sys.executable, "-m", "labrig", "run", str(short_night), "--rig", str(BENCH),
         "--runs", "runs", "--simulate", "--speed", "1500", "--json"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    try:
        folder = _killed_at(tmp_path / "runs", after_s)
        night.communicate(timeout=120)
    finally:
        night.kill()
        night.wait()

    done = labrig("resume", folder.root, "--gap", "10 min", "--fast", "--json")

    assert last_json(done)["condition"] == "finished"
    doses = rows(folder, "SELECT key, count(*) FROM journal WHERE kind='dose' AND state='sent' "
                         "GROUP BY key")  # fmt: skip
    assert len(doses) == 12
    assert all(count == 1 for _, count in doses), "a dose was issued twice"
    gaps = rows(folder, "SELECT detail FROM journal WHERE kind='deviation' AND key='gap'")
    assert len(gaps) == 1
    gap = json.loads(gaps[0][0])
    assert gap["to_s"] - gap["from_s"] == pytest.approx(600.0, abs=60.0)
    epochs = rows(folder, "SELECT DISTINCT epoch FROM journal WHERE kind='level' "
                          "AND state='confirmed' ORDER BY epoch")  # fmt: skip
    assert [e for (e,) in epochs][-1] > epochs[0][0], "levels were not asserted again"
    assert "gap" in (folder.report / "report.html").read_text(encoding="utf-8").lower()


def _killed_at(runs, after_s):
    """Kill the runner once its journal has passed ``after_s``; returns its folder."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        for control in runs.glob("*/control.json"):
            folder = RunFolder(control.parent)
            (last_s,) = rows(folder, "SELECT coalesce(max(run_s), 0) FROM journal")[0]
            if last_s >= after_s:
                pid = json.loads(control.read_text(encoding="utf-8"))["pid"]
                os.kill(pid, signal.SIGKILL)
                return folder
        time.sleep(0.02)
    pytest.fail("the night did not get that far within two minutes")


def test_stop_from_another_terminal(labrig, sentry, short_night, tmp_path):
    environment, _ = sentry
    night = subprocess.Popen(
        [sys.executable, "-m", "labrig", "run", str(short_night), "--rig", str(BENCH),
         "--runs", "runs", "--simulate", "--speed", "300", "--json"],
        cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while labrig("status", "--json", check=False).returncode != 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        labrig("stop", "--final", "--reason", "test")
        out, _ = night.communicate(timeout=120)
    finally:
        night.kill()
        night.wait()
    assert night.returncode == 4, "ended early has an exit status of its own"
    result = json.loads(out.strip().splitlines()[-1])
    assert result["condition"] == "stopped"
    page = Path(tmp_path / result["report"]).read_text(encoding="utf-8")
    assert "stopped" in page.lower()
