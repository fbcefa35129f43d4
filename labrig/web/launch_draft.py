"""What people have ticked, typed and signed for a start that has not been made yet.

It lies on the disk of the folder of runs, so that a page that dies or is reloaded loses nothing,
and two people at two screens see the same. It is bound to the files it was made for: another
protocol or another bench begins anew.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from labrig.durable import DamagedFile, read_json, write_json
from labrig.typed_json import NotAsTyped, TypedJson

FOLDER = ".launch"
STALE_AFTER = timedelta(hours=12)
"""[P] What was seen longer ago is to be seen again: syringes warm up, lids are lifted."""
_writing = threading.Lock()


@dataclass(frozen=True, slots=True)
class Tick:
    """Somebody has seen to a line; ``utc`` is ISO 8601."""

    by: str
    utc: str


@dataclass(frozen=True, slots=True)
class Answered:
    """Somebody takes responsibility for what blocks."""

    by: str
    reason: str
    utc: str


@dataclass(slots=True)
class Draft:
    """One start to be.

    Attributes:
        ticks: by line of the checklist, and ``seen:CODE`` by finding.
        lots: by line, as typed.
        answered: by code of a finding that blocks.
        names: who signs, as typed.
        at: ``HH:MM`` on the clock on the wall; "" for now.
        speed: of a simulated run.
    """

    ticks: dict[str, Tick] = field(default_factory=dict)
    lots: dict[str, str] = field(default_factory=dict)
    answered: dict[str, Answered] = field(default_factory=dict)
    names: tuple[str, ...] = ()
    at: str = ""
    speed: str = ""

    def standing(self, now: datetime) -> dict[str, Tick]:
        """Ticks that still count."""
        return {
            line: tick
            for line, tick in self.ticks.items()
            if now - datetime.fromisoformat(tick.utc) <= STALE_AFTER
        }

    def settle(self, lines: Mapping[str, bool], by: str, now: datetime) -> None:
        """Take ticks as a form has them: who ticked first stays, who unticks takes it away.

        Args:
            lines: those that the form shows, and whether each is ticked.
            by: who sent it.
            now: with time zone.
        """
        standing = self.standing(now)
        for line, ticked in lines.items():
            if ticked and line not in standing:
                self.ticks[line] = Tick(by, now.isoformat(timespec="seconds"))
            elif not ticked:
                self.ticks.pop(line, None)


class Drafts:
    """Those of one folder of runs."""

    def __init__(self, runs: Path) -> None:
        self._folder = runs / FOLDER

    def read(self, about: tuple[str, ...]) -> Draft:
        """The draft about this protocol and bench; an empty one where there is none.

        Args:
            about: hashes and ids of what is to be started.
        """
        try:
            return TypedJson().read(Draft, read_json(self._path(about)))
        except (FileNotFoundError, DamagedFile, NotAsTyped):
            return Draft()  # what cannot be read was not ticked

    @contextmanager
    def changing(self, about: tuple[str, ...]) -> Iterator[Draft]:
        """Change it; written when the block ends without an error. Raises OSError."""
        with _writing:
            draft = self.read(about)
            yield draft
            self._folder.mkdir(parents=True, exist_ok=True)
            write_json(self._path(about), TypedJson().plain(draft))

    def drop(self, about: tuple[str, ...]) -> None:
        """It has become a run. Raises OSError."""
        with _writing:
            self._path(about).unlink(missing_ok=True)

    def _path(self, about: tuple[str, ...]) -> Path:
        name = hashlib.sha256("\n".join(about).encode()).hexdigest()[:24]
        return self._folder / f"{name}.json"
