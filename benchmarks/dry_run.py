"""How long rehearsals of two fourteen-hour nights take, and how much memory the runner needs.

``python benchmarks/dry_run.py``. The runner runs each over the drivers' bytes on the
simulated bench, without pictures. Times are given as ratios to SHA-256 over 256 MB in the same
run, because a second here is not a second elsewhere.
"""

from __future__ import annotations

import hashlib
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.launch.prepare import StartRequest, prepare_run

REFERENCE_MB = 256


def reference_s() -> float:
    """CPU seconds of SHA-256 over 256 MB."""
    block = bytes(1 << 20)
    begun = time.process_time()
    digest = hashlib.sha256()
    for _ in range(REFERENCE_MB):
        digest.update(block)
    return time.process_time() - begun


def peak_memory_mb(pid: int) -> float:
    """The kernel's high-water mark of a process (Linux); 0 once it has ended.

    Not ``ru_maxrss`` of the child: that begins with what this process held when it forked.
    """
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    marks = [line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")]
    return int(marks[0]) / 1024 if marks else 0.0


def rehearse(protocol: str) -> tuple[float, float, float]:
    """Wall seconds, CPU seconds and peak memory in MB of one rehearsed night."""
    catalogue = catalogue_folder()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    with tempfile.TemporaryDirectory() as runs:
        request = StartRequest(
            catalogue / protocol, catalogue / DEMO_RIG, Path(runs), simulate=True, rehearse=True
        )
        folder = prepare_run(request)
        command = [sys.executable, "-m", "labrig.launch.runner_process", str(folder.root),
                   "--speed", "inf"]  # fmt: skip
        begun = time.monotonic()
        peak_mb = 0.0
        with subprocess.Popen(command) as runner:
            while runner.poll() is None:
                peak_mb = max(peak_mb, peak_memory_mb(runner.pid))
                time.sleep(0.1)
        wall_s = time.monotonic() - begun
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu_s = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall_s, cpu_s, peak_mb


def main() -> None:
    """Print one row per night."""
    unit_s = reference_s()
    print("rehearsal of 14 h | wall s | CPU s | CPU / SHA-256 of 256 MB | peak memory MB")
    for protocol in (DEMO_PROTOCOL, "overnight-imaging.yaml"):
        wall_s, cpu_s, peak_mb = rehearse(protocol)
        name = protocol.removesuffix(".yaml")
        print(f"{name:17} | {wall_s:6.1f} | {cpu_s:5.1f} | {cpu_s / unit_s:23.1f} | {peak_mb:.0f}")


if __name__ == "__main__":
    main()
