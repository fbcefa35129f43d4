"""The register of runs on this machine: one small file per runner in the user's state folder.

It is how ``labrig stop`` finds the run that lives from any directory, and its door when the run
folder was renamed or deleted. The runner holds a lock on its file; nothing that the file says is
believed without that lock, this boot, and a process of that number.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from labrig.locks import is_locked, try_lock
from labrig.record.clock import boot_id
from labrig.run.lease import runner_lives
from labrig.run_folder import RunFolder

_log = logging.getLogger(__name__)

STATE = "LABRIG_STATE"
"""Environment variable: another state folder than the user's."""


@dataclass(frozen=True, slots=True)
class Door:
    """Where a runner answers; port 0 while it does not yet."""

    host: str = ""
    port: int = 0
    token: str = ""


@dataclass(frozen=True, slots=True)
class RegisteredRun:
    """A run that has a runner, or had one that died.

    Attributes:
        folder: absolute, as it was when the runner started.
        bench: ``real bench``, ``simulated`` or ``rehearsal``.
        since_utc: when this runner started, ISO 8601.
        lives: whether the runner does.
    """

    folder: Path
    run_id: str
    protocol: str
    rig: str
    bench: str
    since_utc: str
    pid: int
    boot_id: str
    door: Door
    lives: bool

    @property
    def named(self) -> str:
        """Run, rig and bench in a few words."""
        return f"{self.folder.name} on {self.rig} ({self.bench})"


def state_folder() -> Path:
    """Where labrig keeps what belongs to this user on this machine."""
    own = os.environ.get(STATE)
    if own:
        return Path(own)
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return (Path(base) if base else Path.home() / "AppData" / "Local") / "labrig"
    base = os.environ.get("XDG_STATE_HOME")
    # By its standard, a relative path there is to be ignored.
    return (Path(base) if base and os.path.isabs(base) else Path.home() / ".local/state") / "labrig"


class Registration:
    """One runner's place in the register. Made by :func:`registered`."""

    def __init__(self, path: Path, content: dict[str, Any]) -> None:
        self._path = path
        self._content = content
        self._held: list[IO[str]] = []

    def write(self, door: Door) -> None:
        """Say that the runner is there, and where it answers.

        A run needs no register: what the disk refuses is logged and costs nothing else.
        """
        aside = self._path.with_suffix(".new")
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            aside.unlink(missing_ok=True)
            descriptor = os.open(aside, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            file = open(descriptor, "r+", encoding="utf-8")
            self._held.append(file)
            # Locked before it is seen: nobody finds it without its runner.
            try_lock(file)
            json.dump({**self._content, "door": asdict(door)}, file)
            file.flush()
            aside.replace(self._path)
        except OSError as error:
            # Not by hand to stderr, which may lie on that disk: logging forgives it.
            _log.warning("this run is not in the register of live runs: %s", error)

    def withdraw(self) -> None:
        """Take it out."""
        for file in self._held:
            with suppress(OSError):  # what a full disk has not taken yet
                file.close()
        if self._held:
            self._path.unlink(missing_ok=True)


@contextmanager
def registered(folder: Path, identity: dict[str, Any]) -> Iterator[Registration]:
    """Be in the register, until the block ends; its door is written when there is one.

    Args:
        folder: of the run.
        identity: its ``run.json``.
    """
    content: dict[str, Any] = {
        "folder": str(folder.absolute()),
        "run_id": str(identity.get("id", "")),
        "protocol": str(identity.get("protocol", "")),
        "rig": str(identity.get("rig", "")),
        "bench": bench_of(identity),
        "since_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "pid": os.getpid(),
        "boot_id": boot_id(),
    }
    for entry in register():
        if not entry.lives and entry.folder == Path(content["folder"]):
            _path_of(entry.pid, entry.run_id).unlink(missing_ok=True)
    registration = Registration(_path_of(content["pid"], content["run_id"]), content)
    registration.write(Door())
    try:
        yield registration
    finally:
        registration.withdraw()


def register() -> list[RegisteredRun]:
    """Every run with a runner, and those whose runner died before their end; oldest first.

    What is left over of runs that ended or are gone is cleared away.
    """
    found = []
    for path in sorted(_entries().glob("*.json")):
        entry = _read(path)
        if entry is None:
            continue
        if not entry.lives and (
            not entry.folder.exists()
            or RunFolder(entry.folder).outcome.exists()
            or runner_lives(entry.folder)
        ):
            path.unlink(missing_ok=True)
            continue
        found.append(entry)
    return sorted(found, key=lambda entry: entry.since_utc)


def bench_of(identity: dict[str, Any]) -> str:
    """On what a run is, by its ``run.json``."""
    if identity.get("rehearsal"):
        return "rehearsal"
    return "simulated" if identity.get("simulated") else "real bench"


def _read(path: Path) -> RegisteredRun | None:
    """One entry; None when it is gone, is another user's, or makes no sense."""
    try:
        with open(path, "r+", encoding="utf-8") as file:
            if hasattr(os, "getuid") and os.fstat(file.fileno()).st_uid != os.getuid():
                return None
            held = is_locked(file)
            file.seek(0)
            raw = json.load(file)
        return RegisteredRun(
            folder=Path(raw["folder"]),
            run_id=raw["run_id"],
            protocol=raw["protocol"],
            rig=raw["rig"],
            bench=raw["bench"],
            since_utc=raw["since_utc"],
            pid=int(raw["pid"]),
            boot_id=raw["boot_id"],
            door=Door(**raw["door"]),
            lives=held and raw["boot_id"] == boot_id() and _exists(int(raw["pid"])),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _path_of(pid: int, run_id: str) -> Path:
    return _entries() / f"{pid}-{run_id[:12] or 'run'}.json"


def _entries() -> Path:
    return state_folder() / "runs"


def _exists(pid: int) -> bool:
    if os.name == "nt":
        return True  # asking there ends the process; the lock has to do
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
