"""The folder that holds all of one run: where everything in it lies.

It can be copied as it is. ``docs/architecture.md`` says what each file holds.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.file_names import LONGEST, RULE, fault_in_name

_LONGEST = LONGEST + len("2026-11-23_180000_")


class NotARunFolder(Exception):
    """The folder is not that of a run; the message says what is missing."""


def is_rehearsal(identity: Mapping[str, Any]) -> bool:
    """Whether a ``run.json`` is that of a rehearsal: simulated, and no picture was taken."""
    return bool(identity.get("rehearsal", False))


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of one run."""

    root: Path

    @classmethod
    def new(cls, runs: Path, name: str) -> RunFolder:
        """The folder of a run to come, right inside the folder of runs; nothing is made.

        Raises:
            NotARunFolder: the name is no single step of a path, or ``runs`` lies inside a run.
        """
        fault = fault_in_name(name, _LONGEST)
        if fault:
            raise NotARunFolder(f"{name!r} {fault}, so no run folder can be called that. {RULE}")
        for outer in (runs.absolute(), *runs.absolute().parents):
            if (outer / "run.json").exists():
                raise NotARunFolder(
                    f"{runs} lies inside the run folder {outer}, where no other run may be: give "
                    "another folder with --runs"
                )
        return cls(runs / name)

    @classmethod
    def at(cls, root: Path) -> RunFolder:
        """An existing run's folder.

        Raises:
            NotARunFolder: there is no ``run.json`` in it.
        """
        folder = cls(root)
        if not folder.identity.exists():
            raise NotARunFolder(
                f"{root} is not a run folder (it has no run.json). "
                "`labrig run` and `labrig demo` print the folder they make."
            )
        return folder

    @property
    def identity(self) -> Path:
        """Who, what, when, which versions."""
        return self.root / "run.json"

    @property
    def protocol(self) -> Path:
        """The protocol as started."""
        return self.root / "protocol.yaml"

    @property
    def rig(self) -> Path:
        """The rig as started."""
        return self.root / "rig.yaml"

    @property
    def commitment(self) -> Path:
        """The commitment as started; absent in an uncommitted pilot."""
        return self.root / "commitment.json"

    @property
    def commitments(self) -> Path:
        """The log of all commitments beside the protocol, as it was at the start."""
        return self.root / "commitments.jsonl"

    @property
    def witness(self) -> Path:
        """Time stamps over the commitment; absent where nobody was asked for one."""
        return self.root / "witness.jsonl"

    @property
    def blinding_key(self) -> Path:
        """Which code is which arm; absent where arms are named."""
        return self.root / "blinding-key.json"

    @property
    def plan(self) -> Path:
        """The compiled plan that it was started with."""
        return self.root / "plan.json"

    def amended_plan(self, number: int) -> Path:
        """The plan after an amendment; number 2 is the first (`labrig amend`)."""
        return self.root / f"plan-{number:03d}.json"

    def amended_protocol(self, number: int) -> Path:
        """The protocol that it was made of."""
        return self.root / f"protocol-{number:03d}.yaml"

    @property
    def amended_plans(self) -> list[Path]:
        """Those that there are, in order."""
        return sorted(self.root.glob("plan-[0-9][0-9][0-9].json"))

    @property
    def plan_in_force(self) -> Path:
        """The compiled plan by which the run goes on, or went to its end."""
        return [self.plan, *self.amended_plans][-1]

    @property
    def bench(self) -> Path:
        """Ports and instruments, for the runner."""
        return self.root / "bench.json"

    @property
    def camera(self) -> Path:
        """Cameras and plate layout, for the imaging process."""
        return self.root / "camera.json"

    @property
    def journal(self) -> Path:
        """What was meant, sent and seen."""
        return self.root / "journal.sqlite"

    @property
    def control(self) -> Path:
        """How to reach the runner while it lives."""
        return self.root / "control.json"

    @property
    def lock(self) -> Path:
        """Held by the runner while it lives."""
        return self.root / "runner.lock"

    @property
    def stop(self) -> Path:
        """A stop that was asked for: by whom, when and why."""
        return self.root / "stop.json"

    @property
    def anchors(self) -> Path:
        """Number and hash of the journal's last row, now and then."""
        return self.root / "anchors.txt"

    @property
    def reserve(self) -> Path:
        """Room that is given up first when the disk is full."""
        return self.root / "reserve"

    @property
    def follower_lock(self) -> Path:
        """Held by whoever follows the run."""
        return self.root / "follower.lock"

    @property
    def follow_log(self) -> Path:
        """What a follower said that `labrig serve` has started."""
        return self.root / "follow.log"

    @property
    def offer(self) -> Path:
        """A start that a schedule wants."""
        return self.root / "offer.json"

    @property
    def answer(self) -> Path:
        """What was said to the start that somebody wanted."""
        return self.root / "answer.json"

    @property
    def start(self) -> Path:
        """A start that people signed on the page, now or at a time."""
        return self.root / "start.json"

    @property
    def start_lock(self) -> Path:
        """Held by the process that waits for that time."""
        return self.root / "start.lock"

    @property
    def outcome(self) -> Path:
        """How the run ended."""
        return self.root / "outcome.json"

    @property
    def complete(self) -> Path:
        """What was expected and is there or accounted for; absent where something is neither."""
        return self.root / "complete.json"

    @property
    def ledger(self) -> Path:
        """Dose by well and factor."""
        return self.root / "ledger.json"

    @property
    def log(self) -> Path:
        """What the runner and its imaging process said."""
        return self.root / "runner.log"

    @property
    def wire(self) -> Path:
        """Every byte to and from each port."""
        return self.root / "wire"

    @property
    def plate(self) -> Path:
        """The time-lapse."""
        return self.root / "images" / "plate.ome.zarr"

    @property
    def manifest(self) -> Path:
        """The table of frames beside the images."""
        return self.root / "images" / "frames.csv"

    @property
    def films(self) -> Path:
        """Films of contraction."""
        return self.root / "films"

    @property
    def measures(self) -> Path:
        """Tables of measures."""
        return self.root / "measures"

    @property
    def report(self) -> Path:
        """The report and its tables."""
        return self.root / "report"

    @property
    def export(self) -> Path:
        """What was written for other programs."""
        return self.root / "export"

    @property
    def results(self) -> Path:
        """Tables that came from elsewhere, every version (`labrig results`)."""
        return self.root / "results"

    @property
    def simulated_results(self) -> Path:
        """Of a simulated run, the tables that another laboratory would send."""
        return self.twin / "results"

    @property
    def twin(self) -> Path:
        """The simulated bench's memory and truth; absent on a real bench."""
        return self.root / "twin"
