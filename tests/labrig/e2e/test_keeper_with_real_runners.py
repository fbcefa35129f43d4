"""The keeper with real runners: one killed in the middle, one killed after its last row."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from labrig.commands.rig_service import unfinished_run
from labrig.durable import read_json
from labrig.launch.keeper import Keeper
from labrig.launch.offers import Offer, await_answer, make_offer
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.launch.runner_child import RunnerOptions

CATALOGUE = Path(__file__).parents[3] / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"


def offered(short_night, runs, speed):
    folder = prepare_run(StartRequest(short_night, BENCH, runs, True, rehearse=True))
    now = datetime.now(UTC).isoformat()
    make_offer(folder, Offer(due_utc=now, grace_s=600.0, by="me", speed=speed))
    return folder


def tick_until(keeper, done, within_s=120.0):
    deadline = time.monotonic() + within_s
    while not done():
        assert time.monotonic() < deadline, f"not within {within_s:.0f} s"
        keeper.tick()
        time.sleep(0.05)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_a_night_whose_runner_dies_at_the_worst_moments_ends_and_lets_the_next_begin(
    short_night, tmp_path
):
    said = []
    keeper = Keeper(tmp_path, said.append)
    folder = offered(short_night, tmp_path, speed=400.0)
    tick_until(keeper, lambda: keeper.running() == folder)
    await_answer(folder, 1.0)
    os.kill(read_json(folder.control)["pid"], signal.SIGKILL)
    tick_until(keeper, lambda: len(said) >= 2 and keeper.running() == folder)
    tick_until(keeper, lambda: keeper.kept() is None)
    outcome, ledger = folder.outcome.read_bytes(), folder.ledger.read_bytes()
    assert read_json(folder.outcome)["condition"] == "finished"

    # as if it had been killed right before it could conclude, and `labrig serve` with it
    folder.outcome.unlink()
    folder.ledger.unlink()
    another = Keeper(tmp_path, said.append)
    found = unfinished_run(tmp_path, datetime.now(UTC), said.append)
    assert found == folder
    another.take_over(found, RunnerOptions())
    tick_until(another, lambda: another.kept() is None)
    assert folder.outcome.read_bytes() == outcome
    assert folder.ledger.read_bytes() == ledger
    assert not any(text.startswith("ALARM") for text in said)

    second = offered(short_night, tmp_path, speed=float("inf"))
    tick_until(another, (second.root / "answer.json").exists)
    await_answer(second, 1.0)
    tick_until(another, lambda: another.kept() is None)
    assert read_json(second.outcome)["condition"] == "finished"


KEEP = """
import sys
from pathlib import Path
from labrig.commands.run import start_and_keep
from labrig.launch.runner_child import RunnerOptions
from labrig.run_folder import RunFolder
start_and_keep(RunFolder(Path(sys.argv[1])), RunnerOptions(400.0), as_json=True)
"""


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_labrig_run_on_a_bench_of_its_own_brings_a_dead_runner_back(short_night, tmp_path):
    """What `labrig run` does on a real bench, here with the processes of a simulated one."""
    folder = prepare_run(StartRequest(short_night, BENCH, tmp_path, True, rehearse=True))
    follower = subprocess.Popen(
        [sys.executable, "-c", KEEP, str(folder.root)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not folder.control.exists():
            assert follower.poll() is None, follower.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.05)
        # time for the follower to look on
        time.sleep(3.0)
        os.kill(read_json(folder.control)["pid"], signal.SIGKILL)
        out, err = follower.communicate(timeout=300)
    finally:
        follower.kill()
        follower.wait()
    assert json.loads(out.strip().splitlines()[-1])["condition"] == "finished"
    assert "it is taken over in" in err
    assert follower.returncode == 0
