"""How long the largest protocol of the catalogue takes to compile.

Prints seconds and, so that machines can be compared, the ratio to a reference operation:
hashing 64 MB with SHA-256. Run: ``python benchmarks/compile_time.py``.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections.abc import Callable
from datetime import date
from pathlib import Path

from labrig.plan.compile import compile as compile_plan
from labrig.plan.store import from_json, to_json
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig

CATALOGUE = Path(__file__).parents[1] / "protocols"
REPEATS = 5


def seconds(work: Callable[[], object]) -> float:
    """Median of a few runs."""
    taken = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def main() -> None:
    """Print one line per step."""
    protocol = load_protocol(CATALOGUE / "nerve-factor-factorial.yaml")
    rig = load_rig(CATALOGUE / "rigs" / "simulated-bench.yaml")
    today = date(2026, 11, 23)
    block = bytes(64_000_000)
    reference = seconds(lambda: hashlib.sha256(block).digest())
    plan = compile_plan(protocol, rig, today=today)
    text = to_json(plan)
    print(
        f"{len(plan.wells)} wells, {len(protocol.model.arms)} arms, "
        f"{plan.forecast.duration_s / 3600:g} h, {len(plan.timeline)} entries"
    )
    print(f"reference: SHA-256 of 64 MB  {reference:.3f} s")
    for name, work in (
        ("compile", lambda: compile_plan(protocol, rig, today=today)),
        ("to_json", lambda: to_json(plan)),
        ("from_json", lambda: from_json(text)),
    ):
        taken = seconds(work)
        print(f"{name:<10} {taken:.3f} s  {taken / reference:.1f} × reference")


if __name__ == "__main__":
    main()
