"""Counts what a runner does that outlives it, and ends it right before the effect of a number.

From then on nothing of it reaches disk, wires or camera, and every thread of it ends at its next
step, as if the process were gone.
"""

from __future__ import annotations

import gc
import os
import shutil
import sqlite3
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.record.clock import Mailbox
from labrig.record.virtual_clock import VirtualClock


class Killed(SystemExit):
    """No ``except Exception`` holds it up, as none holds up ``kill -9``."""


@dataclass(frozen=True)
class Effect:
    """One thing that outlives the process."""

    kind: str
    what: str
    at_s: float


@dataclass(frozen=True)
class Kill:
    """How a runner ends: right before its effect of this number, from 0.

    Attributes:
        how: ``kill``: the process alone. ``power cut``: every instrument loses its power as well.
            ``torn``: the computer alone, in the middle of a command on a wire.
        back_after_s: when the next runner comes.
    """

    before: int
    how: str = "kill"
    back_after_s: float = 20.0


class MortalClock(VirtualClock):
    """A virtual clock whose participants end when their process does."""

    def __init__(self, start_s: float) -> None:
        super().__init__(start_s=start_s)
        self.dead = False
        self.visitors: Mailbox[Any] | None = None
        self._boxes: list[Mailbox[Any]] = []

    def mailbox(self, name: str) -> Mailbox[Any]:
        self._boxes.append(box := super().mailbox(name))
        return box

    def start(self, name: str, target: Callable[[], None]) -> None:
        def live() -> None:
            try:
                if not self.dead:
                    target()
            except Killed:
                pass
            if name == "dispatcher" and self.visitors is not None:
                # It has ended, or is taken up again: nobody keeps its clock going.
                self.visitors.put("over")

        super().start(name, live)

    def get(self, box: Any, until_s: float | None) -> Any:
        if self.dead:
            raise Killed
        item = super().get(box, until_s)
        if self.dead:
            raise Killed
        return item

    def join(self) -> None:
        super().join()
        if self.dead:
            raise Killed

    def die(self) -> None:
        """Everybody wakes, to end."""
        self.dead = True
        for box in self._boxes:
            box.put_first("dead")


class Fate:
    """Of one runner.

    Args:
        clock: its clock.
        folder: its run folder; what the simulated world writes there is none of its effects.
        kill: when it ends; None: not by violence.
    """

    def __init__(self, clock: MortalClock, folder: Path, kill: Kill | None) -> None:
        self._clock, self._folder, self._kill = clock, str(folder), kill
        self._journals: list[Any] = []
        self.effects: list[Effect] = []
        self.died_s: float | None = None
        self._lock = threading.RLock()

    def effect(self, kind: str, what: str, torn: Callable[[], None] | None = None) -> None:
        """Right before something that outlives the process. Raises Killed."""
        with self._lock:
            if self.died_s is not None:
                raise Killed
            if self._kill is not None and len(self.effects) == self._kill.before:
                if torn is not None and self._kill.how == "torn":
                    torn()
                self.died_s = self._clock.now_s()
            else:
                self.effects.append(Effect(kind, what, self._clock.now_s()))
                return
        self._clock.die()
        raise Killed

    def connect(self, *args: Any, **settings: Any) -> sqlite3.Connection:
        """As ``sqlite3.connect``; once dead, nothing is read or written any more."""
        fate = self

        class Connection(sqlite3.Connection):
            def execute(self, sql, *values):  # type: ignore[no-untyped-def]
                if fate.died_s is not None:
                    return super().execute("SELECT 1 WHERE 0")
                if sql == "COMMIT":
                    fate.effect("commit", "")
                return super().execute(sql, *values)

            def executemany(self, sql, rows):  # type: ignore[no-untyped-def]
                rows = list(rows)
                return super().executemany(sql, [] if fate.died_s is not None else rows)

            def executescript(self, script):  # type: ignore[no-untyped-def]
                fate.effect("commit", "the journal's table")
                return super().executescript(script)

            def close(self) -> None:
                # A process that is gone has not folded the write-ahead log into its file.
                with fate._as_it_lay():
                    super().close()

        return sqlite3.connect(*args, factory=Connection, **settings)

    @contextmanager
    def _as_it_lay(self) -> Iterator[None]:
        if self.died_s is None:
            yield
            return
        files = [Path(self._folder) / name for name in ("journal.sqlite", "journal.sqlite-wal")]
        kept = {path: path.with_suffix(path.suffix + ".kept") for path in files if path.exists()}
        with outside():
            for path, copy in kept.items():
                shutil.copyfile(path, copy)
            yield
            for path, copy in kept.items():
                os.replace(copy, path)

    def files(self, event: str, args: tuple[Any, ...]) -> None:
        """An audit event of this process."""
        path = args[0] if args else None
        if isinstance(path, Path):
            path = str(path)
        if not isinstance(path, str) or not path.startswith(self._folder + os.sep):
            return
        name = path[len(self._folder) + 1 :]
        if name.startswith(("twin", "journal.sqlite")) or getattr(_outside, "here", False):
            return
        if event == "open" and not _writes(args[1], args[2]):
            return
        short = name if not name.endswith(".part") else name.split(".")[1] + " aside"
        self.effect(event, short)


class MortalWire:
    """The host's end of a port, as long as the runner lives."""

    def __init__(self, inner: Any, name: str, fate: Fate) -> None:
        self._inner, self._name, self._fate = inner, name, fate

    def write(self, data: bytes) -> None:
        half = data[: len(data) // 2]
        self._fate.effect("wire", f"{self._name} {data!r}", lambda: self._inner.write(half))
        self._inner.write(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        return b"" if self._fate.died_s is not None else self._inner.read(size, timeout_s)

    def discard_input(self) -> bytes:
        return b"" if self._fate.died_s is not None else self._inner.discard_input()

    def close(self) -> None:
        pass


_outside = threading.local()
_living: list[Fate] = []


@contextmanager
def outside() -> Iterator[None]:
    """What this thread does is done by another process than the runner's."""
    _outside.here = True
    try:
        yield
    finally:
        _outside.here = False


@contextmanager
def watched(fate: Fate) -> Iterator[None]:
    """Files of the run folder count as well; threads that are killed end without a word."""
    before = threading.excepthook

    def hook(ended: threading.ExceptHookArgs) -> None:
        if not issubclass(ended.exc_type, Killed):
            before(ended)

    _hooked()
    threading.excepthook = hook
    _living.append(fate)
    try:
        yield
    finally:
        _living.remove(fate)
        threading.excepthook = before


@contextmanager
def closing_nothing() -> Iterator[None]:
    """Who is killed closes no file: what the dead left open is no leak, and is gone afterwards."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed file", ResourceWarning)
        gc.freeze()  # what was there before is not looked through: most of the time of a kill
        try:
            yield
        finally:
            gc.collect()
            gc.unfreeze()


def _hooked(done: list[bool] = []) -> None:  # noqa: B006 - once in a process
    if not done:
        done.append(True)
        sys.addaudithook(_audit)


def _audit(event: str, args: tuple[Any, ...]) -> None:
    if _living and event in ("open", "os.rename", "os.remove"):
        _living[-1].files(event, args)


def _writes(mode: object, flags: object) -> bool:
    if isinstance(mode, str):
        return any(letter in mode for letter in "wax+")
    return isinstance(flags, int) and bool(flags & (os.O_WRONLY | os.O_RDWR))
