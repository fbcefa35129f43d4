"""Server and worker end with the `labrig serve` that started them, however that dies."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = "import os, time; from labrig.flows.orphaned import end_with; end_with(os.getppid()); "
PARENT = (
    "import subprocess, sys, time\n"
    f"child = subprocess.Popen([sys.executable, '-c', {CHILD + 'time.sleep(60)'!r}])\n"
    "print(child.pid, flush=True)\n"
    "time.sleep(60)\n"
)


@pytest.mark.skipif(not Path("/proc").exists(), reason="needs Linux's /proc")
def test_a_child_ends_soon_after_its_parent_was_killed_and_not_before():
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        child = Path(f"/proc/{int(parent.stdout.readline())}")
        time.sleep(1.5)
        assert child.exists()
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 10.0
    while _runs(child):
        assert time.monotonic() < deadline, "it lives on, and keeps the port"
        time.sleep(0.05)


def _runs(process):
    try:
        return (process / "stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
