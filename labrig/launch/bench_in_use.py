"""Which run has a bench, or is to have it: asked before anything is sent to an instrument."""

from __future__ import annotations

from pathlib import Path

from labrig.durable import read_json
from labrig.launch.port_claims import one_address
from labrig.launch.wanted_start import how_it_stands, read_start
from labrig.rig.bench import SIMULATED, BenchSpec
from labrig.run.register import register
from labrig.run_folder import RunFolder


def reason_against_a_start(bench: BenchSpec, runs: Path) -> str:
    """Why no run may be started on these ports now, or empty; simulated ports belong to nobody.

    Args:
        bench: its ports.
        runs: the folder of runs, in which starts wait for their time.
    """
    if reason := reason_against_asking(bench):
        return reason
    ours = _addresses(bench)
    for path in sorted(runs.glob("*/start.json")):
        folder = RunFolder(path.parent)
        try:
            if how_it_stands(folder)[0] == "waits" and ours & _addresses(_bench_of(folder)):
                due = read_start(folder).due.astimezone()
                return (
                    f"{folder.root.name} waits to begin on this bench at {due:%a %d %b %H:%M %Z}: "
                    "call that start off first"
                )
        except (OSError, ValueError, KeyError):
            continue  # a start whose files are damaged does not begin
    return ""


def reason_against_asking(bench: BenchSpec) -> str:
    """Why its instruments must be left alone now, or empty: a run that lives has one of them."""
    ours = _addresses(bench)
    for entry in register() if ours else ():
        if not entry.lives:
            continue
        try:
            theirs = _addresses(_bench_of(RunFolder(entry.folder)))
        except (OSError, ValueError, KeyError):
            theirs = ours  # nobody knows what it has: nothing is risked
        if ours & theirs:
            return (
                f"{entry.named} is running on this bench: its instruments are left alone until it "
                "has ended"
            )
    return ""


def _bench_of(folder: RunFolder) -> BenchSpec:
    return BenchSpec.from_json(read_json(folder.bench))


def _addresses(bench: BenchSpec) -> set[str]:
    return {one_address(port.address) for port in bench.ports if port.address != SIMULATED}
