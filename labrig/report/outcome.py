"""What became of the run: how it ended, what was late, missed or uncertain, and every deviation."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from sys import intern
from typing import Literal, NamedTuple

from labrig.plan.plan import Plan
from labrig.plan.timeline import TimelineEntry
from labrig.plan.words import MANY_ROWS, words_of
from labrig.record.alarms import AlarmSpan, alarm_spans
from labrig.record.kinds.doses import DoseAgain, DoseFailed, DoseUnknown, RestNotGiven
from labrig.record.kinds.levels import LevelFailed, NotDone, Train
from labrig.record.kinds.other_deviations import Gap as NothingDone
from labrig.record.kinds.pictures import FilmTaken, FrameTaken, PictureMissed
from labrig.record.kinds.runs import RunStopped
from labrig.record.lateness import PUNCTUAL_S
from labrig.record.rows import Row
from labrig.record.said import said

Condition = Literal["finished", "stopped", "unfinished", "never begun"]
LATE_PICTURE_FRACTION = 0.01
"""[P] A picture is late from this part of the imaging interval on: the stage travels seconds."""
TALLIED = (
    "on time", "late", "missed", "skipped", "failed", "uncertain", "under way", "still ahead",
)  # fmt: skip
_FINAL = {
    "missed": "missed",
    "skipped": "skipped",
    "refused": "skipped",
    "failed": "failed",
    "unknown": "uncertain",
}


@dataclass(frozen=True, slots=True)
class Slip:
    """One entry of the timeline that did not go as planned.

    Attributes:
        fate: one of :data:`TALLIED` other than "on time" and "still ahead".
        late_s: seconds after it was due, where it was done.
    """

    kind: str
    key: str
    where: str
    due_s: float
    fate: str
    late_s: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing the runner recorded as not planned.

    Attributes:
        detail: in words.
        said: the same by its class; None of a code that a newer labrig has.
    """

    at_s: float
    code: str
    about: str
    detail: str
    said: object | None


@dataclass(frozen=True, slots=True)
class Gap:
    """A stretch in which nothing could be done, and why."""

    from_s: float
    to_s: float
    cause: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a run went.

    Attributes:
        until_s: how far the run's clock came.
        tally: by kind of entry, how many met which of :data:`TALLIED`.
        worst_late_s: by kind, of what was done, the largest lateness.
        gaps: stretches in which nothing could be done.
        alarms: what was told to a person, from when to when.
    """

    condition: Condition
    reason: str
    until_s: float
    started_utc: str
    ended_utc: str
    tally: Mapping[str, Mapping[str, int]]
    worst_late_s: Mapping[str, float]
    slips: tuple[Slip, ...]
    deviations: tuple[Deviation, ...]
    gaps: tuple[Gap, ...]
    held: int
    alarms: tuple[AlarmSpan, ...] = ()

    def count(self, fate: str) -> int:
        """Entries of every kind with this fate."""
        return sum(fates.get(fate, 0) for fates in self.tally.values())


def outcome_of(plan: Plan, rows: Iterable[Row], imaging_interval_s: float) -> Outcome:
    """Read plan and journal side by side.

    Args:
        plan: what was meant.
        rows: the journal.
        imaging_interval_s: between rounds; decides from when a picture is late.
    """
    fold = OutcomeFold(plan, imaging_interval_s)
    for row in rows:
        fold.see(row)
    return fold.outcome()


class _Fate(NamedTuple):
    """What the row that counts says of an entry.

    Attributes:
        state: of that row.
        fate: one of :data:`TALLIED`, were the run not over.
        late_s: seconds after it was due, where it was done.
        why: it did not go as planned.
    """

    state: str
    fate: str
    late_s: float | None
    why: str


_AHEAD = _Fate("intent", "still ahead", None, "")


class OutcomeFold:
    """Takes the rows of a journal in their order; keeps of each entry what counts, and no row.

    Args:
        plan: what was meant.
        imaging_interval_s: between rounds; decides from when a picture is late.
    """

    def __init__(self, plan: Plan, imaging_interval_s: float) -> None:
        self._plan = plan
        self._entries = {entry.key: entry for entry in plan.timeline}
        self._kinds = {entry.row_kind for entry in plan.timeline} | {"level"}
        self._picture_late_s = max(PUNCTUAL_S, LATE_PICTURE_FRACTION * imaging_interval_s)
        self._fates: dict[str, _Fate] = {}
        self._sent_s: dict[str, float] = {}
        self._few: list[Row] = []
        self._last: Row | None = None
        self._trains: list[Slip] = []
        self._tally: dict[str, dict[str, int]] = {}
        self._worst: dict[str, float] = {}

    def see(self, row: Row) -> None:
        """One row."""
        self._last = row
        if row.kind in self._kinds:
            self._see_entry(row)
        elif row.kind == "train":
            self._see_train(row)
        elif row.kind in ("deviation", "alarm") or (row.kind == "run" and row.state != "sent"):
            self._few.append(row)

    def _see_entry(self, row: Row) -> None:
        entry = self._entries.get(row.key)
        if entry is None:
            return
        if row.kind == "dose" and row.state == "sent":
            # It is confirmed when it ran in, and began when it was sent.
            self._sent_s.setdefault(row.key, row.run_s)
        known = self._fates.get(row.key)
        if row.kind == "level" and known is not None and known.state == "confirmed":
            return  # asserted again after every interruption: the first time counts
        self._fates[row.key] = self._fate_of(entry, row)

    def _fate_of(self, entry: TimelineEntry, row: Row) -> _Fate:
        if row.state == "intent" and row.kind != "dose":
            return _AHEAD  # most rows of a long run are these
        is_picture = entry.row_kind in ("frame", "film")
        late_s = row.detail.get("lateness_s") if is_picture else None
        if row.state == "confirmed" and isinstance(late_s, float):
            # And nearly all others are these: a whole picture's row is not needed for it.
            if late_s <= self._picture_late_s:
                return _Fate("confirmed", "on time", late_s, "")
            return _Fate("confirmed", "late", late_s, "")
        told = said(row)
        late_s = None
        if isinstance(told, FrameTaken | FilmTaken):
            late_s = told.stored.lateness_s
        elif row.state == "confirmed":
            late_s = self._sent_s.get(entry.key, row.run_s) - entry.offset_s
        fate = _fate(row, told, late_s, self._picture_late_s if is_picture else PUNCTUAL_S)
        why = "" if fate in ("on time", "still ahead") else _why(row, told)
        return _Fate(intern(row.state), fate, late_s, why)

    def _see_train(self, row: Row) -> None:
        """Trains are re-armed by the runner, so they stand in the journal, not in the timeline."""
        told = said(row)
        if not isinstance(told, Train):
            return
        late_s = told.late_s
        fate = _FINAL.get(row.state, "late" if late_s > PUNCTUAL_S else "on time")
        self._count("train", fate, late_s if row.state == "acknowledged" else None)
        if fate != "on time":
            where = f"{told.instrument} {', '.join(sorted(told.pulses or {}))}".strip()
            key = f"{row.key}/{'' if told.index is None else told.index}"
            self._trains.append(
                Slip("train", key, where, row.run_s - late_s, fate, late_s, told.what)
            )

    def _count(self, kind: str, fate: str, late_s: float | None) -> None:
        fates = self._tally.setdefault(kind, {})
        fates[fate] = fates.get(fate, 0) + 1
        if late_s is not None:
            self._worst[kind] = max(self._worst.get(kind, 0.0), late_s)

    def outcome(self) -> Outcome:
        """How the run went, by all rows that were seen; to be asked for once."""
        last, runs = self._last, [row for row in self._few if row.kind == "run"]
        ends = [r for r in runs if r.key in ("finished", "stopped", "adopted")]
        end = ends[-1] if ends and ends[-1].key != "adopted" else None
        until_s = last.run_s if last is not None else 0.0
        if end is not None:
            until_s = end.run_s
        ended = None if end is None else said(end)
        deviations = tuple(_deviation(row) for row in self._few if row.kind == "deviation")
        slips = [*self._slips(until_s if end is not None else -math.inf), *self._trains]
        started = next((r.utc for r in runs if r.key == "started"), "")
        condition: Condition = "never begun" if not started else "unfinished"
        if end is not None:
            condition = "finished" if end.key == "finished" else "stopped"
        return Outcome(
            condition=condition,
            reason=ended.reason if isinstance(ended, RunStopped) else "",
            until_s=until_s,
            started_utc=started,
            ended_utc=end.utc if end else (last.utc if last is not None else ""),
            tally={kind: self._tally[kind] for kind in MANY_ROWS if kind in self._tally},
            worst_late_s=self._worst,
            slips=tuple(sorted(slips, key=lambda slip: (slip.due_s, slip.key))),
            deviations=deviations,
            gaps=tuple(
                Gap(d.said.from_s, d.said.to_s, d.said.cause)
                for d in deviations
                if isinstance(d.said, NothingDone)
            ),
            held=sum(row.key == "held" for row in runs),
            alarms=alarm_spans(self._few),
        )

    def _slips(self, over_s: float) -> list[Slip]:
        """Entries that did not go as planned; counts all of them.

        What was due until ``over_s`` and never settled is no longer ahead.
        """
        slips = []
        for entry in self._plan.timeline:
            kind = entry.row_kind
            known = self._fates.get(entry.key)
            _, fate, late_s, why = known or _AHEAD
            if fate == "still ahead" and known is not None and entry.offset_s <= over_s:
                fate = "missed"
            elif fate == "under way" and entry.offset_s <= over_s:
                fate = "uncertain"
            self._count(kind, fate, late_s)
            if fate in ("on time", "still ahead") or known is None:
                continue
            which = words_of(entry).which
            slips.append(Slip(kind, entry.key, which, entry.offset_s, fate, late_s, why))
        return slips


def _why(row: Row, told: object) -> str:
    """Why an entry did not go as planned, by the row that counts."""
    if row.state in ("sent", "acknowledged"):
        return f"{row.state}, and the journal does not say what came"
    match told:
        case NotDone(reason=why) | PictureMissed(reason=why):
            return why
        case DoseFailed(what=why) | LevelFailed(what=why):
            return why
        case DoseUnknown(resolution=why) | RestNotGiven(resolution=why):
            return why
        case DoseAgain(left_ul=float() | int() as left_ul):
            return f"{left_ul:g} µL of it were still to be given"
    return ""


def _fate(row: Row, told: object, late_s: float | None, allowed_s: float) -> str:
    is_rest = isinstance(told, DoseAgain) and told.left_ul is not None
    if row.state == "acknowledged" or is_rest:
        # While the journal goes on no further, that is all that is known of it.
        return "under way"
    if row.state == "intent":
        return "still ahead"
    if row.state == "sent":
        # It may have come: bytes were on their way, and nothing was heard after them.
        return "uncertain"
    if row.state in _FINAL:
        return _FINAL[row.state]
    return "late" if late_s is not None and late_s > allowed_s else "on time"


def _deviation(row: Row) -> Deviation:
    detail = dict(row.detail)
    about = detail.get("instrument") or ", ".join(detail.get("wells", ())) or detail.get("key", "")
    known = ("instrument", "wells", "key", "wire")
    words = [
        _shown(name, value)
        for name, value in detail.items()
        if name not in known and value not in (None, "", [])
    ]
    if detail.get("instrument") and detail.get("wells"):
        words.insert(0, f"wells {', '.join(detail['wells'])}")
    return Deviation(row.run_s, row.key, str(about), "; ".join(words), said(row))


def _shown(name: str, value: object) -> str:
    if name.endswith("_s") and isinstance(value, (int, float)):
        return f"{name.removesuffix('_s').replace('_', ' ')} {clock(value)}"
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if isinstance(value, (list, tuple)):
        text = ", ".join(map(str, value))
    return text if name in ("what", "reason") else f"{name.replace('_', ' ')} {text}"


def clock(at_s: float) -> str:
    """Run time as h:mm.

    >>> clock(5430)
    '1:30'
    """
    minutes = int(at_s // 60)
    return f"{minutes // 60}:{minutes % 60:02d}"
