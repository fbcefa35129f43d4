"""State is a fold over the journal: what an unfinished run had done, and what is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from sys import intern
from typing import Any

from labrig.plan.timeline import ROW_KINDS
from labrig.record.consumption import Consumption
from labrig.record.counts import count
from labrig.record.rows import Row
from labrig.record.vocabulary import Condition

SETTLED = frozenset({"confirmed", "failed", "missed", "skipped", "refused"})
"""States after which nothing more is done about an event."""


_STILL_ASKED_FOR = ("begun_s", "resolution")
_NOTHING: Mapping[str, Any] = {}


class ClockWentBack(Exception):
    """The time of day is before the journal's last row, so the gap cannot be known."""


@dataclass(frozen=True, slots=True)
class EntryState:
    """The last word of the journal on one event or level."""

    state: str
    run_s: float
    detail: Mapping[str, Any]

    @property
    def settled(self) -> bool:
        """Whether nothing more is to be done about it.

        An ``unknown`` dose is settled once its rule or the operator has resolved it.
        """
        return self.state in SETTLED or (self.state == "unknown" and "resolution" in self.detail)


@dataclass(frozen=True, slots=True)
class Rest:
    """What is left to give of a dose of which a part may have come.

    Attributes:
        left_ul: still to be given.
        classification: of the part that was given before (`labrig.run.dose_witness`).
    """

    left_ul: float
    classification: str


@dataclass(slots=True)
class RunState:
    """What the journal says of a run so far.

    Attributes:
        entries: by key, the last state of every level and event.
        doses_sent: by key, the detail of the last ``sent`` row of a dose: what its pump had
            delivered before.
        sent_epochs: by key, the epoch in which a dose was sent last.
        dose_tries: by key, how often a dose, or the rest of it, was sent.
        rests: by key, of doses of which only the rest may still be given.
        commands: by id, the reply that was given.
        stop_asked: the arguments of a stop that was accepted, whether or not it was carried out.
        identities: by instrument, who answered when the run began.
        given_up: wells whose arm was aborted.
        censored: by well, from when.
        consumption: what the pumps had moved.
        counts: whatever is counted each time it happens (`labrig.record.counts`).
        alarms: by key, those that stand: ``code``, ``about``, ``since_s``, ``what``, ``remedy``.
        questions: by id, ``what``, ``options``, ``since_s`` of those that were asked last, with
            the ``choice`` once there is an answer.
        stalls: by pump, what was said of a stall that is not over.
        pumps_given_up: of those, the ones that stand, as they stalled again when tried again.
        pumps_left: of those, the ones that an operator wants to stand.
        interlocks: by rule, what was said of one of the rig's when it tripped; those that stand.
    """

    epoch: int = 0
    condition: Condition = "starting"
    started_utc: str | None = None
    last_s: float = 0.0
    last_utc: str = ""
    last_monotonic_s: float = 0.0
    boot_id: str = ""
    entries: dict[str, EntryState] = field(default_factory=dict)
    doses_sent: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    sent_epochs: dict[str, int] = field(default_factory=dict)
    dose_tries: Counter[str] = field(default_factory=Counter)
    rests: dict[str, Rest] = field(default_factory=dict)
    commands: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    stop_asked: Mapping[str, Any] | None = None
    identities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    censored: dict[str, float] = field(default_factory=dict)
    stalls: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    pumps_given_up: set[str] = field(default_factory=set)
    marked_stages: set[str] = field(default_factory=set)
    lost_stages: set[str] = field(default_factory=set)
    pumps_left: set[str] = field(default_factory=set)
    consumption: Consumption = field(default_factory=Consumption)
    counts: Counter[str] = field(default_factory=Counter)
    alarms: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    questions: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    interlocks: dict[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def begun(self) -> bool:
        """Whether the run had ever started."""
        return self.started_utc is not None

    @property
    def ended(self) -> bool:
        """Whether there is nothing to go on with."""
        return self.condition in ("stopped", "finished")


def fold(rows: Iterable[Row], state: RunState | None = None) -> RunState:
    """Read a journal from its first row to its last. Pure: the same rows, the same state.

    Args:
        rows: in order.
        state: what the rows before them say; it is gone on with, in place.
    """
    state = RunState() if state is None else state
    for row in rows:
        state.epoch = max(state.epoch, row.epoch)
        state.last_s, state.last_utc = row.run_s, row.utc
        state.last_monotonic_s, state.boot_id = row.monotonic_s, row.boot_id
        count(state.counts, row)
        _apply(state, row)
    return state


def _apply(state: RunState, row: Row) -> None:
    match row.kind:
        case "run":
            _apply_run(state, row)
        case kind if kind in ROW_KINDS:
            state.entries[row.key] = _last_word(row)
            if row.kind == "dose":
                _apply_dose(state, row)
        case "sample" if "delivered_ul" in row.detail:
            state.consumption.see(row.key, row.run_s, row.detail)
        case "command":
            state.commands[row.key] = row.detail
            if row.detail.get("command") == "stop":
                state.stop_asked = row.detail["args"]
        case "alarm" if row.state == "raised":
            state.alarms[row.key] = {**row.detail, "since_s": row.run_s}
        case "alarm":
            state.alarms.pop(row.key, None)
        case "question":
            _apply_question(state, row)
        case "deviation" if row.key == "arm-aborted":
            state.given_up.update(row.detail["wells"])
        case "deviation" if row.key == "censored":
            for well in row.detail["wells"]:
                state.censored.setdefault(well, row.detail["from_s"])
        case "deviation" if row.key == "uncensored":
            for well in row.detail["wells"]:
                if state.censored.get(well) == row.detail["from_s"]:
                    del state.censored[well]
        case "deviation":
            _apply_trouble(state, row)


def _apply_trouble(state: RunState, row: Row) -> None:
    match row.key:
        case "stall":
            state.stalls[row.detail["instrument"]] = row.detail
        case "stall-given-up":
            state.pumps_given_up.add(row.detail["instrument"])
        case "left-by-operator":
            state.pumps_left.add(row.detail["instrument"])
        case "restarted-by-operator" | "stall-recovered":
            pump = row.detail["instrument"]
            state.stalls.pop(pump, None)
            state.pumps_given_up.discard(pump)
            state.pumps_left.discard(pump)
        case "interlock":
            state.interlocks[row.detail["rule"]] = row.detail
        case "interlock-over":
            state.interlocks.pop(row.detail["rule"], None)
        case "stage-lost":
            state.lost_stages.add(row.detail["instrument"])
        case "stage-homed-by-operator":
            state.lost_stages.discard(row.detail["instrument"])
            state.marked_stages.discard(row.detail["instrument"])


def _last_word(row: Row) -> EntryState:
    """Of what is settled, and that is most of a long run, only what somebody still asks for."""
    said = EntryState(row.state, row.run_s, row.detail)
    if row.kind == "dose" or not said.settled:
        return said
    kept = {name: row.detail[name] for name in _STILL_ASKED_FOR if name in row.detail}
    return EntryState(intern(row.state), row.run_s, kept or _NOTHING)


def _apply_question(state: RunState, row: Row) -> None:
    match row.state:
        case "asked":
            state.questions[row.key] = {**row.detail, "since_s": row.run_s}
        case "answered" if row.key in state.questions:
            state.questions[row.key] = {**state.questions[row.key], "choice": row.detail["choice"]}
        case "withdrawn":
            state.questions.pop(row.key, None)


def _apply_dose(state: RunState, row: Row) -> None:
    if row.state == "sent":
        state.doses_sent[row.key] = row.detail
        state.sent_epochs[row.key] = row.epoch
        state.dose_tries[row.key] += 1
    elif "left_ul" in row.detail and row.detail["classification"] != "not done":
        state.rests[row.key] = Rest(row.detail["left_ul"], row.detail["classification"])


def _apply_run(state: RunState, row: Row) -> None:
    if state.ended:
        # A hold that came with the last row.
        return
    match row.key:
        case "started":
            state.started_utc = row.utc
            state.condition = "running"
        case "adopted" if state.condition == "held":
            pass
        case "adopted" | "resumed":
            state.condition = "running"
        case "held":
            state.condition = "held"
        case "stopped":
            state.condition = "stopped"
        case "finished":
            state.condition = "finished"
        case "stage-marked":
            state.marked_stages.add(row.detail["instrument"])
        case "attached":
            state.identities.setdefault(row.detail["instrument"], row.detail["identity"])


def run_time_now_s(state: RunState, utc: datetime, monotonic_s: float, boot: str) -> float:
    """What the run's clock shows now, for a real run that is adopted.

    Within one boot the monotonic clock tells, which no time change moves; after a reboot only
    the time of day can.

    Raises:
        ClockWentBack: the time of day is earlier than the journal's last row.
    """
    if boot == state.boot_id:
        return state.last_s + (monotonic_s - state.last_monotonic_s)
    gap_s = (utc - datetime.fromisoformat(state.last_utc)).total_seconds()
    if gap_s < 0:
        raise ClockWentBack(
            f"this machine's clock says {utc:%Y-%m-%d %H:%M}, before the run's last entry "
            f"({state.last_utc}): set the clock right, then resume."
        )
    return state.last_s + gap_s
