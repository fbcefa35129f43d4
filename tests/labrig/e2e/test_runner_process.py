"""The runner as a process: small enough to be forgotten."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from labrig.launch.prepare import StartRequest, prepare_run

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
