"""What a week costs: rehearsal, the runner's memory, the journal, verify, fold and report.

``python benchmarks/week.py [DAYS] [FOLDER]``. A night like the demonstration, repeated for a week
with 96 places a round every ten minutes (98,990 events), is rehearsed over the drivers' bytes on
the simulated bench, without pictures; then read in every way. With FOLDER the run is kept there.
Seconds are CPU; each is told also as a ratio to SHA-256 over 256 MB in the same run.
"""

from __future__ import annotations

import resource
import sqlite3
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dry_run import peak_memory_mb, reference_s
from resume_speed import a_week, start

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.plan.store import from_json, to_json
from labrig.record.reading import every_row
from labrig.run_folder import RunFolder

FOLD = """
import sys
from pathlib import Path
from labrig.record.reading import every_row
from labrig.record.recovery import fold
fold(every_row(Path(sys.argv[1])))
"""


def prepared(days: float, runs: Path) -> RunFolder:
    """A run folder of so many days."""
    catalogue = catalogue_folder()
    folder = prepare_run(
        StartRequest(
            catalogue / DEMO_PROTOCOL, catalogue / DEMO_RIG, runs, simulate=True, rehearse=True
        )
    )
    plan = a_week(from_json(folder.plan.read_text(encoding="utf-8")), days)
    folder.plan.write_text(to_json(plan), encoding="utf-8")
    print(f"{days:g} days, {len(plan.timeline)} events", flush=True)
    return folder


def cost(process: subprocess.Popen[bytes]) -> tuple[float, float]:
    """CPU seconds of a process and its children until it ended, and its own peak memory in MB."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    peak_mb = 0.0
    while process.poll() is None:
        peak_mb = max(peak_mb, peak_memory_mb(process.pid))
        time.sleep(0.1)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, peak_mb


def journal_bytes(folder: RunFolder) -> None:
    """Bytes of the journal an act (an intent or a train) and, by kind and state, a row."""
    acts = samples = 0
    for row in every_row(folder.journal):
        acts += row.state == "intent" or (row.kind == "train" and row.state != "sent")
        samples += row.kind == "sample"
    lengths = (
        "length(kind) + length(key) + length(state) + length(utc) + length(boot_id) + "
        "length(detail) + length(hash) + 20"
    )
    connection = sqlite3.connect(f"{folder.journal.as_uri()}?mode=ro", uri=True)
    try:
        kinds = connection.execute(
            f"SELECT kind, state, count(*), sum({lengths}) FROM journal "
            "GROUP BY 1, 2 ORDER BY 4 DESC"
        ).fetchall()
    finally:
        connection.close()
    size = folder.journal.stat().st_size
    sampled = sum(total for kind, _, _, total in kinds if kind == "sample")
    print(f"journal {size / 1e6:.1f} MB, {acts} acts: {size / acts:.0f} B an act; "
          f"{samples} samples: {sampled / samples:.0f} B each")  # fmt: skip
    for kind, state, count, total in kinds[:8]:
        print(f"  {kind:10} {state:12} {count:7} rows {total / count:6.0f} B each")


def main() -> None:
    """Print figures."""
    days = float(sys.argv[1]) if len(sys.argv) > 1 else 7.0
    unit_s = reference_s()

    def told(what: str, cpu_s: float, peak_mb: float) -> None:
        print(f"{what:10} {cpu_s:6.1f} s CPU ({cpu_s / unit_s:5.0f} x), peak {peak_mb:.0f} MB",
              flush=True)  # fmt: skip

    with tempfile.TemporaryDirectory() as made:
        runs = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(made)
        kept = sorted(runs.glob("*/run.json"))
        if kept:
            folder = RunFolder.at(kept[-1].parent)
        else:
            folder = prepared(days, runs)
            told("rehearsal", *cost(start(folder, "--speed", "inf")))
        journal_bytes(folder)
        fold = [sys.executable, "-c", FOLD, str(folder.journal)]
        told("fold", *cost(subprocess.Popen(fold)))
        for command in ("verify", "report"):
            labrig = [sys.executable, "-m", "labrig", command, str(folder.root)]
            told(command, *cost(subprocess.Popen(labrig, stdout=subprocess.DEVNULL)))
        page = folder.root / "report" / "report.html"
        sizes = [path.stat().st_size / 1e6 for path in (folder.ledger, page)]
        print(f"ledger {sizes[0]:.1f} MB, page {sizes[1]:.1f} MB")


if __name__ == "__main__":
    main()
