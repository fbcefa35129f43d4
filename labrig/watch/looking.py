"""Looks at a run once: register, lease, door, journal, outcome. Writes nothing, decides nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.durable import read_json
from labrig.launch.signs_of_life import signs_of_life
from labrig.record.glimpse import asked_of, last_command, last_word
from labrig.record.rows import JournalError
from labrig.run.control_client import CommandRefused, NoRunner, RunnerClient, connect
from labrig.run.lease import runner_lives
from labrig.run.register import RegisteredRun
from labrig.run_folder import RunFolder

ANSWERS_WITHIN_S = 2.0
MOST_ROWS = 500


@dataclass(frozen=True, slots=True)
class JournalRow:
    """A row of kind ``alarm`` or ``question``.

    Attributes:
        key: ``code:about`` of an alarm, the id of a question.
        state: ``raised``, ``cleared``; ``asked``, ``answered``, ``withdrawn``.
        run_s: on the run's clock.
    """

    seq: int
    kind: str
    key: str
    state: str
    run_s: float
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """What was seen of a run.

    Attributes:
        lives: some process runs it, answering or not.
        pid: of that process; 0: unknown.
        door: whether it has said where it answers.
        status: what its runner shows; None when it does not answer.
        signs: of life, of its process (:mod:`labrig.launch.signs_of_life`).
        rows: of its journal since the last look.
        outcome: how it ended; None while it has not.
        begun: whether the run is known to have begun; asked only of one without a runner.
    """

    lives: bool
    pid: int
    door: bool
    status: Mapping[str, Any] | None
    signs: tuple[int, ...]
    rows: tuple[JournalRow, ...]
    outcome: Mapping[str, Any] | None
    begun: bool


def look_at(folder: RunFolder, entry: RegisteredRun | None, after_seq: int) -> Look:
    """Look at a run.

    Args:
        folder: of the run.
        entry: what the register has of it.
        after_seq: the last row of its journal that was read.
    """
    lives = (entry is not None and entry.lives) or runner_lives(folder.root)
    pid = entry.pid if entry is not None else 0
    status = _status(folder, entry) if lives else None
    word = "" if lives else _last_word(folder)
    return Look(
        lives=lives,
        pid=pid,
        door=status is not None or folder.control.exists() or bool(entry and entry.door.port),
        status=status,
        signs=signs_of_life(pid, folder) if lives and status is None else (),
        rows=_rows(folder.journal, after_seq),
        outcome=None if lives else _outcome(folder, word),
        begun=lives or word != "",
    )


def last_row(journal: Path) -> int:
    """The number of the last alarm or question in a journal; 0: none."""
    try:
        rows = asked_of(journal, "SELECT max(seq) FROM journal WHERE kind IN ('alarm', 'question')")
    except JournalError:
        return 0
    return int(rows[0][0] or 0) if rows else 0


def _status(folder: RunFolder, entry: RegisteredRun | None) -> Mapping[str, Any] | None:
    """By the door that the folder names, or by the one in the register."""
    doors = []
    with suppress(NoRunner):
        doors.append(connect(folder.control, ANSWERS_WITHIN_S))
    if entry is not None and entry.lives and entry.door.port:
        door = RunnerClient(entry.door.host, entry.door.port, entry.door.token, ANSWERS_WITHIN_S)
        doors += [door] * (door not in doors)
    for door in doors:
        with suppress(NoRunner, CommandRefused):
            return door.status()
    return None


def _rows(journal: Path, after_seq: int) -> tuple[JournalRow, ...]:
    """None of a journal that cannot be read: its runner raises an alarm about that itself."""
    try:
        found = asked_of(
            journal,
            "SELECT seq, kind, key, state, run_s, detail FROM journal WHERE kind IN "
            f"('alarm', 'question') AND seq > {int(after_seq)} ORDER BY seq LIMIT {MOST_ROWS}",
        )
    except JournalError:
        return ()
    rows = []
    for seq, kind, key, state, run_s, detail in found:
        said = json.loads(detail)
        rows.append(JournalRow(seq, kind, key, state, run_s, said if type(said) is dict else {}))
    return tuple(rows)


def _outcome(folder: RunFolder, word: str) -> Mapping[str, Any] | None:
    """By its file, or by its journal when the runner died before it could write that.

    Of one that was stopped it has ``by``, ``reason`` and ``stopped_utc`` as well.
    """
    try:
        outcome = read_json(folder.outcome)
    except FileNotFoundError:
        if word not in ("finished", "stopped"):
            return None
        outcome = {"condition": word, "over": True}
    except (OSError, ValueError):
        return None
    if outcome.get("condition") == "stopped":
        with suppress(JournalError):
            if (stop := last_command(folder.journal, "stop")) is not None:
                by, reason = str(stop[1].get("by", "")), str(stop[1].get("reason", ""))
                outcome |= {"stopped_utc": stop[0], "by": by, "reason": reason}
    return outcome


def _last_word(folder: RunFolder) -> str:
    """How its journal ends; one that cannot be read was a journal of a run that had begun."""
    try:
        return last_word(folder.journal)
    except JournalError:
        return "unreadable"
