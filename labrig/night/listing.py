"""All runs of a folder, and those that live elsewhere on this computer, at one glance each.

Nothing is sent to a bench, nothing is written, and no journal is read through: of a week it has
400,000 rows.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labrig.durable import read_json
from labrig.record.glimpse import last_word
from labrig.record.rows import JournalError
from labrig.record.vocabulary import DIED
from labrig.run.control_client import NoRunner, connect
from labrig.run.lease import runner_lives
from labrig.run.register import bench_of, register
from labrig.run_folder import RunFolder

NEVER_BEGUN = "never begun"
UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class ListedRun:
    """One run.

    Attributes:
        folder: of the run.
        protocol: its name.
        rig: its name.
        bench: ``real bench``, ``simulated`` or ``rehearsal``.
        made: when its folder was made, with time zone.
        condition: the runner's own word, that of its outcome, ``died``, ``unreachable``, or
            ``never begun``.
        operator: who started it.
        report: the report's page, if there is one.
    """

    folder: Path
    protocol: str
    rig: str
    bench: str
    made: datetime
    condition: str
    operator: str
    report: Path | None

    def as_json(self) -> dict[str, Any]:
        """For programs: paths as texts, times in ISO 8601."""
        return {
            "run": str(self.folder),
            "protocol": self.protocol,
            "rig": self.rig,
            "bench": self.bench,
            "made_utc": self.made.isoformat(),
            "condition": self.condition,
            "operator": self.operator,
            "report": None if self.report is None else str(self.report),
        }


@dataclass(frozen=True, slots=True)
class Listing:
    """Runs, newest first; and in words, what looks like a run and cannot be read."""

    runs: tuple[ListedRun, ...]
    unreadable: tuple[str, ...]


def list_runs(folder: Path) -> Listing:
    """The runs right inside ``folder``, and every run on this computer that has a runner.

    Args:
        folder: of runs; it need not exist.
    """
    roots = {os.path.realpath(found.parent) for found in folder.glob("*/run.json")}
    roots |= {os.path.realpath(entry.folder) for entry in register() if entry.lives}
    runs, unreadable = [], []
    for root in sorted(roots):
        try:
            runs.append(_listed(RunFolder(Path(root))))
        except (OSError, ValueError, KeyError, TypeError, JournalError) as error:
            unreadable.append(f"{root} is left out: its files cannot be read ({error})")
    newest_first = sorted(runs, key=lambda run: (run.made, run.folder.name), reverse=True)
    return Listing(tuple(newest_first), tuple(unreadable))


def _listed(folder: RunFolder) -> ListedRun:
    identity = read_json(folder.identity)
    page = folder.report / "report.html"
    return ListedRun(
        folder=folder.root,
        protocol=str(identity["protocol"]),
        rig=str(identity["rig"]),
        bench=bench_of(identity),
        made=datetime.fromisoformat(identity["made_utc"]),
        condition=_condition(folder),
        operator=str(identity.get("operator", "")),
        report=page if page.exists() else None,
    )


def _condition(folder: RunFolder) -> str:
    try:
        return str(connect(folder.control, timeout_s=1.0).status()["condition"])
    except NoRunner:
        pass
    if runner_lives(folder.root):
        return UNREACHABLE
    if folder.outcome.exists():
        return str(read_json(folder.outcome)["condition"])
    return {"": NEVER_BEGUN, "started": DIED, "adopted": DIED}.get(
        word := last_word(folder.journal), word
    )
