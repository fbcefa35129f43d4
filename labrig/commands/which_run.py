"""Which run a command is for: the one that is named, or the only one that lives. Never a guess."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from labrig.durable import DamagedFile, read_json
from labrig.pasted import pasted
from labrig.run.lease import runner_lives
from labrig.run.register import RegisteredRun, bench_of, register
from labrig.run_folder import NotARunFolder, RunFolder


class NoSuchRun(Exception):
    """No run lives that the command could be for."""


class SeveralRuns(Exception):
    """More than one run lives, and the command names none."""


@dataclass(frozen=True, slots=True)
class ChosenRun:
    """A run, and what is known of its runner.

    Attributes:
        folder: it may be gone, when ``registered`` has a runner that lives.
        named: run, rig and bench, for every reply.
        registered: its entry in the register of live runs.
        beside: runs that nobody named, whose runners died: one of them may have been meant.
    """

    folder: RunFolder
    named: str
    rig: str
    bench: str
    registered: RegisteredRun | None
    beside: tuple[RegisteredRun, ...] = ()

    @property
    def runner_lives(self) -> bool:
        """Whether some process runs it, answering or not."""
        by_register = self.registered is not None and self.registered.lives
        return by_register or runner_lives(self.folder.root)


def chosen_run(run: Path | None, runs: Path | None) -> ChosenRun:
    """The run that a command is for.

    Args:
        run: its folder, or the name of one that has a runner.
        runs: without ``run``, look only at runs in this folder.

    Raises:
        NotARunFolder: ``run`` is none.
        NoSuchRun: no run lives.
        SeveralRuns: several do; all are listed.
    """
    known = register()
    if run is not None:
        return _named(run, known)
    if runs is not None:
        inside = os.path.realpath(runs)
        known = [entry for entry in known if os.path.realpath(entry.folder.parent) == inside]
    living = [entry for entry in known if entry.lives]
    dead = [entry for entry in known if not entry.lives]
    if len(living) == 1:
        return replace(_of_entry(living[0]), beside=tuple(dead))
    where = "" if runs is None else f" in {runs}"
    if living:
        raise SeveralRuns(
            f"{len(living)} runs live{where}: name the one that is meant.\n{listed(living)}"
        )
    if dead:
        raise NoSuchRun(
            f"no run lives{where}, but these runners died before their run had ended:\n"
            f"{listed(dead)}\n`labrig stop RUN` makes the bench of one safe, `labrig resume RUN` "
            "goes on with it."
        )
    raise NoSuchRun(f"no run lives{where}. To look at one that has ended, name its run folder.")


def listed(entries: list[RegisteredRun]) -> str:
    """One line each: folder, rig, bench, since when."""
    lines = []
    for entry in entries:
        since = datetime.fromisoformat(entry.since_utc).astimezone()
        lines.append(
            f"  {pasted(entry.folder)}   {entry.protocol} on {entry.rig} ({entry.bench}), "
            f"since {since:%Y-%m-%d %H:%M:%S}"
        )
    return "\n".join(lines)


def told_of(beside: tuple[RegisteredRun, ...]) -> str:
    """That other benches may need somebody; empty: none does."""
    if not beside:
        return ""
    return (
        "Not touched, and their runners died before their runs had ended:\n"
        f"{listed(list(beside))}\n`labrig stop RUN` makes the bench of one safe."
    )


def _named(run: Path, known: list[RegisteredRun]) -> ChosenRun:
    """A run by its folder, which may have been renamed or deleted under its runner."""
    folder = RunFolder(run)
    if folder.identity.exists():
        identity = _identity(folder)
        run_id, real = str(identity.get("id", "")), os.path.realpath(run)
        same = [
            entry
            for entry in known
            if os.path.realpath(entry.folder) == real
            # it was renamed: not where it was, and still itself
            or (run_id and entry.run_id == run_id and not entry.folder.exists())
        ]
        entry = next((e for e in same if e.lives), None)
        if not identity and entry is not None:
            return _of_entry(entry)
        rig, bench = str(identity.get("rig", "a rig")), bench_of(identity)
        name = Path(real).name
        return ChosenRun(folder, f"{name} on {rig} ({bench})", rig, bench, entry)
    by_place = [e for e in known if e.folder == run.absolute()]
    by_name = [e for e in known if run.name == str(run) == e.folder.name]
    found = by_place or by_name
    if len(found) == 1:
        return _of_entry(found[0])
    if found:
        raise SeveralRuns(f"several runs are called {run}:\n{listed(found)}")
    raise NotARunFolder(
        f"{run} is not a run folder (it has no run.json), and no run of that name has a runner. "
        "`labrig run` and `labrig demo` print the folder they make."
    )


def _identity(folder: RunFolder) -> dict[str, Any]:
    """Its ``run.json``; empty where that is damaged, which must keep nobody from a stop."""
    try:
        return read_json(folder.identity)
    except DamagedFile:
        return {}


def _of_entry(entry: RegisteredRun) -> ChosenRun:
    return ChosenRun(RunFolder(entry.folder), entry.named, entry.rig, entry.bench, entry)
