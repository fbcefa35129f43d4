"""How a run stands, seen from outside: its runner's own word, or what it left behind."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from labrig.durable import DamagedFile, read_json
from labrig.night.followed import is_followed
from labrig.night.last_heard import last_heard
from labrig.plan.store import PlanFormatError
from labrig.record.glimpse import asked_of, last_word
from labrig.record.rows import JournalError
from labrig.record.vocabulary import DIED
from labrig.run.control_client import CommandRefused, NoRunner
from labrig.run.lease import runner_lives
from labrig.web.live_runs import ShownRun, door_of

UNREACHABLE, NEVER_BEGUN = "unreachable", "never begun"
ENDED = frozenset({"finished", "stopped", "failed"})
OF_PEOPLE = frozenset(
    {"stop", "stop-at-boundary", "take-back", "hold", "resume", "answer", "note", "weigh", "refill",
     "amend", "reading"}
)  # fmt: skip
"""Commands that a person gives; phases and followers are told by programs."""
LIVES = frozenset({"starting", "running", "held", "stopping", UNREACHABLE})


@dataclass(frozen=True, slots=True)
class Act:
    """What somebody did to a run.

    Attributes:
        utc: when, ISO 8601.
        verb: name of the command, one of :data:`OF_PEOPLE`.
    """

    utc: str
    verb: str
    by: str
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a run.

    Attributes:
        condition: the runner's own word, that of its outcome, ``died``, ``unreachable`` or
            ``never begun``.
        status: what the runner said last; empty where none has answered since the page began.
        heard_s: monotonic, when it said so, or since when a silent one is listened for; None: no
            runner is to be heard.
        outcome: of a run that has ended.
        followed: whether somebody measures its pictures and will write its report.
        acts: what people last did to it, the newest first.
    """

    run: ShownRun
    condition: str
    status: Mapping[str, Any] = field(default_factory=dict)
    heard_s: float | None = None
    outcome: Mapping[str, Any] = field(default_factory=dict)
    followed: bool = True
    acts: tuple[Act, ...] = ()

    @property
    def lives(self) -> bool:
        """Whether some process runs it, answering or not."""
        return self.condition in LIVES

    @property
    def ended(self) -> bool:
        """Whether it has come to its end, one way or the other."""
        return self.condition in ENDED

    @property
    def dead(self) -> bool:
        """Whether its runner is gone and it has no end."""
        return self.condition == DIED

    @property
    def now_s(self) -> float | None:
        """On the run's clock; None before anything was heard."""
        return self.status.get("now_s")

    def utc(self, at_s: float) -> datetime | None:
        """The time of day of a moment of the run, with time zone UTC."""
        if not self.status.get("utc"):
            return None
        now = datetime.fromisoformat(self.status["utc"])
        return now + timedelta(seconds=at_s - float(self.status["now_s"]))


def look_at(run: ShownRun, before: Look | None = None) -> Look:
    """Look at a run once. Writes nothing.

    Args:
        run: the run.
        before: the last look at it, whose status is kept while no runner answers.
    """
    try:
        status = door_of(run).status()
    except (NoRunner, CommandRefused):
        condition, outcome = _left_behind(run)
        if before is not None and before.status and before.condition == condition:
            return replace(before, run=run, outcome=outcome)
        return Look(
            run,
            condition,
            _last_known(run, before, condition),
            _heard_s(before, condition),
            outcome,
            acts=_last_acts(run),
        )
    return Look(
        run,
        status["condition"],
        {**_SILENT, **status},
        time.monotonic(),
        followed=is_followed(run.folder),
        acts=_last_acts(run),
    )


_SILENT: Mapping[str, Any] = {
    "phase": "",
    "alarms": (),
    "questions": (),
    "counters": {},
    "readings": {},
    "modes": {},
    "censored_from_s": {},
    "reservoirs": (),
    "threads": (),
    "journal_works": True,
    "stop": None,
    "at_boundary": None,
}
"""Of a status, where nobody says it: no runner lives, or one of an older labrig does."""


def _last_known(run: ShownRun, before: Look | None, condition: str) -> Mapping[str, Any]:
    """What is shown of a run whose runner does not answer; of an ended one nothing stands."""
    if condition == NEVER_BEGUN:
        return {}
    if before is not None and before.status:
        known = dict(before.status)
    else:
        try:
            heard = last_heard(run.folder)
        except (JournalError, PlanFormatError, OSError):
            return {}
        known = {**_SILENT, **heard, "utc": heard.get("last_utc")}
    if condition in ENDED:
        known |= {"alarms": (), "questions": (), "threads": (), "upcoming": (), "stop": None}
        known["at_boundary"] = None
        known["censored_from_s"] = _left_out(run)
    return known if known.get("utc") else {}


def _heard_s(before: Look | None, condition: str) -> float | None:
    """When it was last heard; of one that lives and never was, since when it is listened for."""
    heard_s = before.heard_s if before is not None else None
    return time.monotonic() if heard_s is None and condition in LIVES else heard_s


def _left_out(run: ShownRun) -> Mapping[str, float]:
    """By well, from when the ledger of an ended run leaves it out of the analysis."""
    try:
        return dict(read_json(run.folder.ledger).get("censored_from_s", {}))
    except (OSError, DamagedFile):
        return {}


def _last_acts(run: ShownRun) -> tuple[Act, ...]:
    """The last few; none where the journal cannot be read: that is said elsewhere."""
    try:
        rows = asked_of(
            run.folder.journal,
            "SELECT utc, detail FROM journal WHERE kind = 'command' ORDER BY seq DESC LIMIT 12",
        )
    except JournalError:
        return ()
    acts = []
    for utc, text in rows:
        detail = json.loads(text)
        args = detail.get("args") or {}
        if detail.get("command") in OF_PEOPLE:
            acts.append(Act(utc, detail["command"], str(args.get("by") or ""), args))
    return tuple(acts)


def _left_behind(run: ShownRun) -> tuple[str, dict[str, Any]]:
    """Condition and outcome of a run whose runner does not answer."""
    by_register = run.registered is not None and run.registered.lives
    if by_register or runner_lives(run.folder.root):
        return UNREACHABLE, {}
    try:
        outcome = read_json(run.folder.outcome)
        return str(outcome["condition"]), outcome
    except (OSError, DamagedFile, KeyError):
        pass
    try:
        word = last_word(run.folder.journal)
    except JournalError:
        return DIED, {}
    # Killed after its last row: `labrig status` concludes it.
    return {"": NEVER_BEGUN, "started": DIED, "adopted": DIED}.get(word, word), {}
