"""The runner as a process: small enough to be forgotten, and taken over as it was."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from labrig.launch.prepare import StartRequest, prepare_run
from labrig.run.runner import previous_state

CATALOGUE = Path(__file__).parents[3] / "protocols"
MOST_MB = 80.0


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_the_runner_needs_less_than_80_mb(short_night, tmp_path):
    folder = prepare_run(
        StartRequest(
            short_night, CATALOGUE / "rigs" / "simulated-bench.yaml", tmp_path, True, rehearse=True
        )
    )
    command = [sys.executable, "-m", "labrig.launch.runner_process", str(folder.root),
               "--speed", "inf"]  # fmt: skip
    peaks = []
    with subprocess.Popen(command) as runner:
        status = Path(f"/proc/{runner.pid}/status")
        while runner.poll() is None:
            lines = status.read_text(encoding="ascii").splitlines()
            peaks += [int(line.split()[1]) / 1024 for line in lines if line.startswith("VmHWM")]
            time.sleep(0.02)
    assert runner.returncode == 0
    assert peaks, "the runner ended before it could be looked at"
    assert max(peaks) < MOST_MB


@pytest.mark.slow
def test_a_rehearsal_whose_runner_was_killed_is_taken_over_at_its_pace(
    labrig, short_night, tmp_path
):
    bench = CATALOGUE / "rigs" / "simulated-bench.yaml"
    folder = prepare_run(StartRequest(short_night, bench, tmp_path, True, rehearse=True))
    with subprocess.Popen(
        [sys.executable, "-m", "labrig.launch.runner_process", str(folder.root),
         "--speed", "1000"]
    ) as runner:  # fmt: skip
        while runner.poll() is None and not (
            folder.control.exists() and previous_state(folder.root).last_s >= 600.0
        ):
            time.sleep(0.02)
        runner.kill()
    assert runner.returncode == -signal.SIGKILL, "it was over before it could be killed"

    # 80 minutes of the night are left
    try:
        done = labrig("resume", folder.root, "--json", timeout=60)
    finally:
        if folder.control.exists():
            labrig("stop", "--final", folder.root, check=False)

    assert json.loads(done.stdout)["condition"] == "finished"
