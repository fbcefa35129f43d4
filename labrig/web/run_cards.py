"""Runs as a person looks for them in the morning: how each ended, by whom, what to look at.

What a report found is read from ``verdict.json`` beside it, and nothing is worked out here again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from labrig.durable import read_json
from labrig.launch.wanted_start import Stands, how_it_stands, read_start
from labrig.night.listing import NEVER_BEGUN, ListedRun
from labrig.record.glimpse import asked_of, last_command
from labrig.record.rows import JournalError
from labrig.run_folder import RunFolder
from labrig.web.look import ENDED, LIVES

READ = "read"
"""Key of the note by which somebody says that they have read a report."""


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to know of a run; ``tone`` is ``good``, ``warn`` or ``bad``."""

    tone: str
    text: str


@dataclass(frozen=True, slots=True)
class Found:
    """What the report found.

    Attributes:
        title, lead: its first words.
        points: what to look at.
        verdict: on the experiment as a whole; ``arms``: each with its label.
    """

    tone: str
    title: str
    lead: str
    points: tuple[Point, ...]
    verdict: str
    arms: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class RunCard:
    """One run.

    Attributes:
        began: when its folder was made, with time zone.
        ended_by: who stopped it, and why; "" where nobody did.
        found: None where there is no report, or an older one that says less.
        read_by: who has read its report, the last of them.
        start: of one that has not begun: how its start stands, why, and when it is due.
    """

    name: str
    protocol: str
    rig: str
    bench: str
    began: datetime
    condition: str
    operator: str
    ended_by: str
    found: Found | None
    reported: bool
    read_by: str
    start: tuple[Stands, str, datetime] | None

    @property
    def live(self) -> bool:
        """Whether it goes on, or should."""
        return self.condition in LIVES or self.condition not in (*ENDED, NEVER_BEGUN)

    @property
    def rehearsal(self) -> bool:
        """Whether nothing was delivered and nothing seen."""
        return self.bench == "rehearsal"


def card_of(run: ListedRun) -> RunCard:
    """One run at one glance; what of it cannot be read is left out, and its own screen says why."""
    folder = RunFolder(run.folder)
    return RunCard(
        run.folder.name,
        run.protocol,
        run.rig,
        run.bench,
        run.made,
        run.condition,
        run.operator,
        _ended_by(folder) if run.condition in ("stopped", "stopping") else "",
        found_in(folder),
        run.report is not None,
        _read_by(folder),
        _start(folder) if run.condition == NEVER_BEGUN else None,
    )


def told(label: str) -> str:
    """The verdict on an arm in words: "none" alone would read as if there was none."""
    return "no loss shown" if label == "none" else label


def found_in(folder: RunFolder) -> Found | None:
    """What the report of a run found."""
    try:
        said = read_json(folder.report / "verdict.json")["headline"]
        return Found(
            str(said["tone"]),
            str(said["title"]),
            str(said["lead"]),
            tuple(Point(str(point["tone"]), str(point["text"])) for point in said["points"]),
            str(said["verdict"]["lead"]),
            tuple((str(arm["arm"]), told(str(arm["label"]))) for arm in said["verdict"]["arms"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _ended_by(folder: RunFolder) -> str:
    try:
        found = last_command(folder.journal, "stop")
    except JournalError:
        return ""
    if found is None:
        return ""
    args: dict[str, Any] = found[1]
    reason = args.get("reason")
    return f"{args.get('by') or 'somebody'}{f': {reason}' if reason else ''}"


def _read_by(folder: RunFolder) -> str:
    try:
        rows = asked_of(
            folder.journal,
            "SELECT json_extract(detail, '$.by') FROM journal WHERE kind = 'note' "
            f"AND key LIKE '{READ}:%' ORDER BY seq DESC LIMIT 1",
        )
    except JournalError:
        return ""
    return str(rows[0][0] or "") if rows else ""


def _start(folder: RunFolder) -> tuple[Stands, str, datetime] | None:
    try:
        stands, why = how_it_stands(folder)
        return stands, why, read_start(folder).due
    except (OSError, ValueError, KeyError):
        return None
