"""How soon a long run that lost its runner is fed again: door open, levels asserted.

``python benchmarks/resume_speed.py [FOLDER]``. Rehearses a night like the demonstration over and
over for a week with 96 places a round every ten minutes, kills its runner on the seventh day, and
times the one that takes over: at once, with every pump answering, and later that day, when six
pumps of a chain of twelve have gone mute. With FOLDER the killed run is kept there, and used again.
Given also as a ratio to SHA-256 over 256 MB, because a second here is not a second elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.plan.plan import PhaseSpan, Plan
from labrig.plan.store import from_json, to_json
from labrig.plan.timeline import Frame
from labrig.run.control_client import NoRunner, connect
from labrig.run_folder import RunFolder
from labrig.twin.spec import FaultSpec

DAYS, KILLED_ON_DAY = 7.0, 6.8
MUTE_FROM_S = 6.95 * 86400.0
MUTE = tuple(f"nerve_{number:02d}" for number in range(1, 12, 2))
"""Of a chain of twelve, every other pump: a healthy one is behind each."""
PLACES, ROUND_S = 96, 600.0


def reference_s() -> float:
    """CPU seconds of SHA-256 over 256 MB."""
    block = bytes(1 << 20)
    begun = time.process_time()
    digest = hashlib.sha256()
    for _ in range(256):
        digest.update(block)
    return time.process_time() - begun


def a_week(plan: Plan, days: float = DAYS) -> Plan:
    """The night of ``plan`` repeated for so many days, with many more pictures."""
    night_s, duration_s = plan.forecast.duration_s, days * 86400.0
    frames = [entry for entry in plan.timeline if isinstance(entry, Frame)]
    others = [entry for entry in plan.timeline if not isinstance(entry, Frame)]
    timeline: list[Any] = []
    for number in range(int(duration_s // night_s)):
        shift_s = number * night_s
        timeline += [
            replace(entry, key=f"{entry.key}/{number}", offset_s=entry.offset_s + shift_s)
            for entry in others
        ]
    for number in range(int(duration_s // ROUND_S)):
        for place in range(PLACES):
            base = frames[place % len(frames)]
            offset_s = number * ROUND_S + place * 5.0
            key = f"frame/{number}/{place}"
            timeline.append(replace(base, key=key, offset_s=offset_s, round=number))
    return replace(
        plan,
        timeline=tuple(sorted(timeline, key=lambda entry: entry.offset_s)),
        phases=(PhaseSpan("week", 0.0, duration_s),),
        forecast=replace(plan.forecast, duration_s=duration_s),
    )


def start(folder: RunFolder, *options: str) -> subprocess.Popen[bytes]:
    """The runner's process."""
    command = [sys.executable, "-m", "labrig.launch.runner_process", str(folder.root), *options]
    with folder.log.open("ab") as log:
        return subprocess.Popen(command, stdout=log, stderr=log)


def killed_run(runs: Path) -> RunFolder:
    """A run whose runner was killed on its seventh day."""
    catalogue = catalogue_folder()
    folder = prepare_run(
        StartRequest(
            catalogue / DEMO_PROTOCOL, catalogue / DEMO_RIG, runs, simulate=True, rehearse=True,
            faults=tuple(FaultSpec(pump, "silent", MUTE_FROM_S, DAYS * 86400.0) for pump in MUTE),
        )
    )  # fmt: skip
    plan = a_week(from_json(folder.plan.read_text(encoding="utf-8")))
    folder.plan.write_text(to_json(plan), encoding="utf-8")
    runner = start(folder, "--speed", "inf")
    while last_row(folder)[1] < KILLED_ON_DAY * 86400.0 and runner.poll() is None:
        time.sleep(0.5)
    runner.send_signal(signal.SIGKILL)
    runner.wait()
    return folder


def last_row(folder: RunFolder) -> tuple[int, float]:
    """Number and time of the journal's last row."""
    try:
        connection = sqlite3.connect(f"{folder.journal.as_uri()}?mode=ro", uri=True)
        try:
            sql = "SELECT seq, run_s FROM journal ORDER BY seq DESC LIMIT 1"
            return connection.execute(sql).fetchone() or (0, 0.0)
        finally:
            connection.close()
    except sqlite3.OperationalError:
        return 0, 0.0


def confirmed_after(folder: RunFolder, seq: int) -> set[str]:
    """Instruments whose level was confirmed since."""
    connection = sqlite3.connect(f"{folder.journal.as_uri()}?mode=ro", uri=True)
    try:
        sql = "SELECT detail FROM journal WHERE seq > ? AND kind = 'level' AND state = 'confirmed'"
        return {json.loads(d)["instrument"] for (d,) in connection.execute(sql, (seq,))}
    finally:
        connection.close()


def peak_mb(pid: int) -> float:
    """The kernel's high-water mark of a process (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


def cpu_s(pid: int) -> float:
    """CPU seconds of a process so far (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resume(folder: RunFolder, gap_s: float, mute: tuple[str, ...]) -> tuple[float, ...]:
    """Seconds until the door was open and until every level was confirmed, CPU seconds, peak MB.

    Args:
        folder: of a run without a runner.
        gap_s: of the run's time, for how long it has none.
        mute: pumps that are waited for by nobody.
    """
    seq, _ = last_row(folder)
    awaited = held_levels(folder) - set(mute)
    folder.control.unlink(missing_ok=True)
    begun = time.monotonic()
    runner = start(folder, "--speed", "1", "--gap-s", f"{gap_s:.0f}")
    door_s = levels_s = 0.0
    try:
        while not levels_s and runner.poll() is None and time.monotonic() < begun + 300:
            if not door_s:
                try:
                    connect(folder.control).status()
                    door_s = time.monotonic() - begun
                except NoRunner:
                    time.sleep(0.02)
            elif awaited <= confirmed_after(folder, seq):
                levels_s = time.monotonic() - begun
            else:
                time.sleep(0.05)
        return door_s, levels_s, cpu_s(runner.pid), peak_mb(runner.pid)
    finally:
        runner.kill()
        runner.wait()


def held_levels(folder: RunFolder) -> set[str]:
    """Instruments that hold a level."""
    bench = json.loads(folder.bench.read_text(encoding="utf-8"))
    held = ("new_era_ne1000", "leadfluid_bt", "pulse_pal_2")
    return {one["name"] for one in bench["instruments"] if one["type"] in held}


def main() -> None:
    """Print figures."""
    reference = reference_s()
    with tempfile.TemporaryDirectory() as made:
        runs = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(made)
        kept = sorted(runs.glob("*/run.json"))
        folder = RunFolder.at(kept[-1].parent) if kept else killed_run(runs)
        for mute in ((), MUTE):
            rows, at_s = last_row(folder)
            size_mb = folder.journal.stat().st_size / 1e6
            print(f"killed at day {at_s / 86400:.2f}: {rows} rows, {size_mb:.0f} MB", flush=True)
            # Killed again on the same copy: what it wrote in these seconds is little.
            gap_s = max(60.0, MUTE_FROM_S + 60.0 - at_s) if mute else 60.0
            door_s, levels_s, used_s, memory_mb = resume(folder, gap_s, mute)
            print(
                f"{len(mute)} pumps mute: door {door_s:.1f} s ({door_s / reference:.0f} x), levels "
                f"of all that answer {levels_s:.1f} s ({levels_s / reference:.0f} x), "
                f"{used_s:.1f} s of CPU, peak {memory_mb:.0f} MB; load {os.getloadavg()[0]:.1f}, "
                f"reference {reference:.2f} s",
                flush=True,
            )


if __name__ == "__main__":
    main()
