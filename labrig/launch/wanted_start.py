"""A start that people signed on the page: now, or at a time that a process of its own waits for.

``start.json`` of a prepared run folder says it, ``start.lock`` is held by whoever waits for it,
``answer.json`` says what came of it. ``stop.json`` calls it off, as it ends a run.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from labrig.durable import read_json, write_json
from labrig.launch.offers import DEFAULT_GRACE_S
from labrig.locks import is_locked
from labrig.run.lease import runner_lives
from labrig.run.stop_file import read_stop
from labrig.run_folder import RunFolder
from labrig.typed_json import TypedJson

GRACE_S = DEFAULT_GRACE_S
"""[P] Later than this a start is not wanted any more: who signed for it may have left."""

Stands = Literal["waits", "nobody waits", "called off", "refused", "begun"]


@dataclass(frozen=True, slots=True)
class SignedLine:
    """One line that a person ticked or signed, for the journal; ``utc`` is ISO 8601."""

    by: str
    text: str
    utc: str


@dataclass(frozen=True, slots=True)
class WantedStart:
    """What was signed.

    Attributes:
        due_utc: when it is to begin, ISO 8601.
        by: who signed it, all of them.
        speed: run seconds per wall second of a simulated run, ``inf`` as text; "" as the clock.
        lines: what goes into the journal once it has begun.
    """

    due_utc: str
    by: str
    speed: str
    lines: tuple[SignedLine, ...]

    @property
    def due(self) -> datetime:
        """When it is to begin."""
        return datetime.fromisoformat(self.due_utc)

    @property
    def run_s_per_s(self) -> float | None:
        """The pace; None: as the clock goes."""
        return float(self.speed) if self.speed else None


def write_start(folder: RunFolder, wanted: WantedStart) -> None:
    """Put it on the disk. Raises OSError."""
    write_json(folder.start, TypedJson().plain(wanted))


def read_start(folder: RunFolder) -> WantedStart:
    """What was signed.

    Raises:
        OSError: there is none.
        ValueError: it is damaged.
    """
    wanted = TypedJson().read(WantedStart, read_json(folder.start))
    if wanted.due.tzinfo is None or math.isnan(wanted.run_s_per_s or 1.0):
        raise ValueError(f"{folder.start} is damaged: {wanted.due_utc} at {wanted.speed}")
    return wanted


def answer_start(folder: RunFolder, reason: str) -> None:
    """Write down that it began, or the reason why it did not. Raises OSError."""
    write_json(
        folder.answer,
        {
            "accepted": not reason,
            "reason": reason,
            "answered_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )


def how_it_stands(folder: RunFolder) -> tuple[Stands, str]:
    """What has become of a wanted start, and in words why.

    Raises:
        ValueError: a file of it is damaged.
    """
    if folder.answer.exists():
        answer = read_json(folder.answer)
        return ("begun", "") if answer["accepted"] else ("refused", str(answer["reason"]))
    if runner_lives(folder.root):
        return "begun", ""
    if (stop := read_stop(folder.stop)) is not None:
        return "called off", f"by {stop.by or 'somebody'}" + (stop.reason and f": {stop.reason}")
    if _is_held(folder.start_lock):
        return "waits", ""
    return "nobody waits", "the process that waited for its time is gone (was the computer off?)"


def _is_held(path: Path) -> bool:
    try:
        file = path.open("r+", encoding="utf-8")
    except FileNotFoundError:
        return False
    with file:
        return is_locked(file)
