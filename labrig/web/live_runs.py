"""Which run a page is about: by the name of its folder, among those that live and those beside."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.durable import DamagedFile, read_json
from labrig.file_names import fault_in_name
from labrig.run.control_client import RunnerClient, connect
from labrig.run.register import RegisteredRun, bench_of, register
from labrig.run_folder import RunFolder

ANSWERS_WITHIN_S = 2.0
_DATE = re.compile(r"^\d{4}-\d{2}-\d{2}_")


class NoSuchRun(Exception):
    """No run has that name; the message says where was looked."""


class SeveralRuns(Exception):
    """Several runs have that name: none of them may be guessed."""


@dataclass(frozen=True, slots=True)
class ShownRun:
    """One run, as the page knows it.

    Attributes:
        name: of its folder, and in addresses of the page.
        bench: ``real bench``, ``simulated`` or ``rehearsal``.
        identity: its ``run.json``; empty where that is damaged.
        registered: its place in the register; None once it has ended.
    """

    name: str
    folder: RunFolder
    protocol: str
    rig: str
    bench: str
    identity: dict[str, Any]
    registered: RegisteredRun | None

    @property
    def named(self) -> str:
        """Run, rig and bench in a few words."""
        return f"{self.name} on {self.rig} ({self.bench})"

    @property
    def short(self) -> str:
        """Its name without the date in front, which all runs of a day share: for narrow places."""
        return _DATE.sub("", self.name) or self.name

    @property
    def pilot(self) -> bool:
        """Whether it was started uncommitted."""
        return bool(self.identity.get("pilot", False))


def registered_runs() -> list[ShownRun]:
    """Runs that have a runner, or whose runner died before their end; oldest first."""
    return [_of_entry(entry) for entry in register()]


def run_named(name: str, runs: Path) -> ShownRun:
    """The run of that name: one with a runner wherever it is, or one of a folder of runs.

    Raises:
        NoSuchRun: there is none.
        SeveralRuns: there are several; nobody guesses which is meant.
    """
    if fault_in_name(name, 255):
        raise NoSuchRun(f"{name!r} is no name of a run")
    found = {
        os.path.realpath(run.folder.root): run for run in registered_runs() if run.name == name
    }
    beside = RunFolder(runs / name)
    if beside.identity.exists():
        found.setdefault(os.path.realpath(beside.root), _beside(beside))
    if not found:
        raise NoSuchRun(f"no run is called {name}, neither among those that live nor in {runs}")
    if len(found) > 1:
        raise SeveralRuns(
            f"several runs are called {name}: {', '.join(found)}. Use `labrig status` and "
            "`labrig stop` with the folder that is meant."
        )
    return next(iter(found.values()))


def door_of(run: ShownRun) -> RunnerClient:
    """The door of its runner, for whoever acts on the page. Sends nothing.

    Raises:
        NoRunner: no runner lives.
    """
    entry = run.registered
    if entry is not None and entry.lives and entry.door.port:
        door = entry.door
        return RunnerClient(door.host, door.port, door.token, ANSWERS_WITHIN_S, via="page")
    # On a full disk a runner is in no register.
    there = connect(run.folder.control, ANSWERS_WITHIN_S)
    return RunnerClient(there.host, there.port, there.token, ANSWERS_WITHIN_S, via="page")


def _of_entry(entry: RegisteredRun) -> ShownRun:
    folder = RunFolder(entry.folder)
    return ShownRun(
        entry.folder.name, folder, entry.protocol, entry.rig, entry.bench, _identity(folder), entry
    )


def _beside(folder: RunFolder) -> ShownRun:
    identity = _identity(folder)
    return ShownRun(
        folder.root.name,
        folder,
        str(identity.get("protocol", "")),
        str(identity.get("rig", "a rig")),
        bench_of(identity),
        identity,
        None,
    )


def _identity(folder: RunFolder) -> dict[str, Any]:
    try:
        return read_json(folder.identity)
    except (OSError, DamagedFile):
        return {}
