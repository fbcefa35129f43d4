"""State is a fold over the journal: what an unfinished run had done, and what is still open."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from sys import intern
from typing import Any

from labrig.plan.timeline import ROW_KINDS
from labrig.record.alarms import Alarm, AskedQuestion
from labrig.record.consumption import Consumption
from labrig.record.counts import count
from labrig.record.entry_states import EntryState, EntryStates
from labrig.record.kinds.doses import DoseAgain, DoseSent
from labrig.record.kinds.levels import PumpRead, ValveRead
from labrig.record.kinds.operator import (
    AlarmCleared,
    AlarmRaised,
    CommandTaken,
    QuestionAnswered,
    QuestionAsked,
    QuestionWithdrawn,
    ReservoirFilled,
    ValueEntered,
)
from labrig.record.kinds.other_deviations import (
    InterlockOver,
    InterlockTripped,
    OutageOver,
    OutageTooLong,
    StageHomedByOperator,
    StageLost,
    UnitHeld,
    UnitReleased,
)
from labrig.record.kinds.pump_deviations import (
    ArmAborted,
    Censored,
    LeftByOperator,
    RestartedByOperator,
    Stalled,
    StallGivenUp,
    StallRecovered,
    Uncensored,
)
from labrig.record.kinds.runs import (
    Attached,
    CaptureFrozen,
    RunAdopted,
    RunAmended,
    RunFinished,
    RunHeld,
    RunResumed,
    RunStarted,
    RunStopped,
    StageMarked,
)
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.record.undone import see_deed
from labrig.record.vocabulary import Condition

_STILL_ASKED_FOR = ("begun_s", "done_s", "resolution")
_NOTHING: Mapping[str, Any] = {}


class ClockWentBack(Exception):
    """The time of day is before the journal's last row, so the gap cannot be known."""


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
        doses_sent: by key, the last ``sent`` row of a dose: what its pump had delivered before.
        sent_epochs: by key, the epoch in which a dose was sent last.
        dose_tries: by key, how often a dose, or the rest of it, was sent.
        rests: by key, of doses of which only the rest may still be given.
        commands: by id, the reply that was given, as it was.
        stop_asked: the arguments of a stop that was accepted, whether or not it was carried out;
            None where it was taken back.
        identities: by instrument, who answered when the run began.
        given_up: wells whose arm was aborted.
        censored: by well, from when.
        consumption: what the pumps had moved.
        counts: whatever is counted each time it happens (`labrig.record.counts`).
        alarms: by key, those that stand.
        questions: by id, those that were asked last.
        stalls: by pump, what was said of a stall that is not over.
        pumps_given_up: of those, the ones that stand, as they stalled again when tried again.
        pumps_left: of those, the ones that an operator wants to stand.
        interlocks: by rule, what was said of one of the rig's when it tripped; those that stand.
        entered: by meter, what people last measured by hand.
        captures: by assay and channel, the threshold that was found first.
        amendments: by number, those that were accepted.
        held_units: wells of which nothing begins until a person says so.
        left_too_long: an outage was longer than cells can do without, and nobody has decided yet.
        undone: by id, rows of commands that were accepted and not carried out, the oldest first.
        hold_asked: the arguments of a hold at the next boundary that has not come.
        stop_waits: those of a stop at the next boundary, with ``id`` and ``at_s`` of its command.
    """

    epoch: int = 0
    condition: Condition = "starting"
    started_utc: str | None = None
    last_s: float = 0.0
    last_utc: str = ""
    last_monotonic_s: float = 0.0
    boot_id: str = ""
    entries: MutableMapping[str, EntryState] = field(default_factory=EntryStates)
    doses_sent: dict[str, DoseSent] = field(default_factory=dict)
    sent_epochs: dict[str, int] = field(default_factory=dict)
    dose_tries: Counter[str] = field(default_factory=Counter)
    rests: dict[str, Rest] = field(default_factory=dict)
    commands: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    stop_asked: Mapping[str, Any] | None = None
    identities: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    given_up: set[str] = field(default_factory=set)
    censored: dict[str, float] = field(default_factory=dict)
    stalls: dict[str, Stalled] = field(default_factory=dict)
    pumps_given_up: set[str] = field(default_factory=set)
    marked_stages: set[str] = field(default_factory=set)
    lost_stages: set[str] = field(default_factory=set)
    pumps_left: set[str] = field(default_factory=set)
    consumption: Consumption = field(default_factory=Consumption)
    counts: Counter[str] = field(default_factory=Counter)
    alarms: dict[str, Alarm] = field(default_factory=dict)
    questions: dict[str, AskedQuestion] = field(default_factory=dict)
    interlocks: dict[str, InterlockTripped] = field(default_factory=dict)
    entered: dict[str, ValueEntered] = field(default_factory=dict)
    captures: dict[str, CaptureFrozen] = field(default_factory=dict)
    amendments: dict[str, RunAmended] = field(default_factory=dict)
    held_units: set[str] = field(default_factory=set)
    left_too_long: bool = False
    undone: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    hold_asked: Mapping[str, Any] | None = None
    stop_waits: Mapping[str, Any] | None = None

    @property
    def begun(self) -> bool:
        """Whether the run had ever started."""
        return self.started_utc is not None

    @property
    def ended(self) -> bool:
        """Whether there is nothing to go on with."""
        return self.condition in ("stopped", "finished")

    def was_settled(self, key: str) -> bool:
        """Whether an earlier runner had come to an end with this entry."""
        known = self.entries.get(key)
        return known is not None and known.settled


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
        state.last_monotonic_s, state.boot_id = row.monotonic_s, row.boot_id or state.boot_id
        count(state.counts, row)
        see_deed(state.undone, row)
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
        case "sample" if PumpRead.MARK in row.detail:
            read = said(row)
            if isinstance(read, PumpRead):
                state.consumption.see(row.key, row.run_s, read)
        case "sample" if ValveRead.MARK in row.detail:
            valve = said(row)
            if isinstance(valve, ValveRead) and valve.position is not None:
                state.consumption.see_valve(row.key, valve.position)
        case "note" if ReservoirFilled.MARK in row.detail:
            filled = said(row)
            if isinstance(filled, ReservoirFilled):
                state.consumption.see_filled(filled)
        case "note" if ValueEntered.MARK in row.detail:
            entered = said(row)
            if isinstance(entered, ValueEntered):
                last = state.entered.get(entered.meter)
                if last is None or last.done_s <= entered.done_s:
                    state.entered[entered.meter] = entered
        case "command":
            state.commands[row.key] = row.detail
            taken = said(row)
            if isinstance(taken, CommandTaken):
                if taken.first:
                    state.undone[row.key] = row.detail
                _apply_command(state, row.key, taken)
        case "alarm" | "question":
            _apply_to_people(state, row)
        case "deviation":
            _apply_deviation(state, row)


def _apply_command(state: RunState, command_id: str, taken: CommandTaken) -> None:
    args = taken.args or {}
    match taken.command:
        case "stop":
            state.stop_asked, state.stop_waits = args, None
        case "stop-at-boundary":
            state.stop_waits = {**args, "id": command_id, "at_s": taken.at_s}
            state.hold_asked = None
        case "take-back":
            state.stop_asked = state.stop_waits = None
        case "hold":
            state.hold_asked = args if args.get("at") == "boundary" else None
        case "resume":
            state.hold_asked = None


def _apply_deviation(state: RunState, row: Row) -> None:
    match said(row):
        case ArmAborted(wells=wells):
            state.given_up.update(wells)
        case Censored(wells=wells, from_s=from_s):
            for well in wells:
                state.censored.setdefault(well, from_s)
        case Uncensored(wells=wells, from_s=from_s):
            for well in wells:
                if state.censored.get(well) == from_s:
                    del state.censored[well]
        case Stalled(instrument=pump) as stall:
            state.stalls[pump] = stall
        case StallGivenUp(instrument=pump):
            state.pumps_given_up.add(pump)
        case LeftByOperator(instrument=pump):
            state.pumps_left.add(pump)
        case RestartedByOperator(instrument=pump) | StallRecovered(instrument=pump):
            state.stalls.pop(pump, None)
            state.pumps_given_up.discard(pump)
            state.pumps_left.discard(pump)
        case UnitHeld(wells=wells):
            state.held_units.update(wells)
        case UnitReleased(wells=wells):
            state.held_units.difference_update(wells)
        case OutageTooLong():
            state.left_too_long = True
        case OutageOver():
            state.left_too_long = False
        case InterlockTripped(rule=rule) as tripped:
            state.interlocks[rule] = tripped
        case InterlockOver(rule=rule):
            state.interlocks.pop(rule, None)
        case StageLost(instrument=stage):
            state.lost_stages.add(stage)
        case StageHomedByOperator(instrument=stage):
            state.lost_stages.discard(stage)
            state.marked_stages.discard(stage)


def _last_word(row: Row) -> EntryState:
    """Of what is settled, and that is most of a long run, only what somebody still asks for."""
    said = EntryState(row.state, row.run_s, row.detail)
    if row.kind == "dose" or not said.settled:
        return said
    kept = {name: row.detail[name] for name in _STILL_ASKED_FOR if name in row.detail}
    return EntryState(intern(row.state), row.run_s, kept or _NOTHING)


def _apply_to_people(state: RunState, row: Row) -> None:
    """What a person should do, or decide."""
    match said(row):
        case AlarmRaised() as raised:
            state.alarms[row.key] = Alarm(
                raised.code, raised.about, row.run_s, raised.what, raised.remedy
            )
        case AlarmCleared():
            state.alarms.pop(row.key, None)
        case QuestionAsked() as asked:
            state.questions[row.key] = AskedQuestion(
                asked.what, asked.options, row.run_s, facts=asked.facts
            )
        case QuestionAnswered(choice=choice) if row.key in state.questions:
            state.questions[row.key] = replace(state.questions[row.key], choice=choice)
        case QuestionWithdrawn():
            state.questions.pop(row.key, None)


def _apply_dose(state: RunState, row: Row) -> None:
    match said(row):
        case DoseSent() as sent:
            state.doses_sent[row.key] = sent
            state.sent_epochs[row.key] = row.epoch
            state.dose_tries[row.key] += 1
        case DoseAgain(left_ul=float() | int() as left_ul) as again:
            if again.classification != "not done":
                state.rests[row.key] = Rest(left_ul, again.classification)
                answered = state.questions.get(row.key)
                if answered is not None and answered.choice == "redo":
                    # Carried out by this row: it is no answer to what becomes of the rest.
                    del state.questions[row.key]


def _apply_run(state: RunState, row: Row) -> None:
    if state.ended:
        # A hold that came with the last row.
        return
    match said(row):
        case RunStarted():
            state.started_utc = row.utc
            state.condition = "running"
        case RunAdopted() if state.condition == "held":
            pass
        case RunAdopted() | RunResumed():
            state.condition = "running"
        case RunHeld():
            state.condition = "held"
            state.hold_asked = None
        case RunStopped():
            state.condition = "stopped"
        case RunFinished():
            state.condition = "finished"
        case RunAmended(number=number) as amended:
            state.amendments[str(number)] = amended
        case StageMarked(instrument=stage):
            state.marked_stages.add(stage)
        case CaptureFrozen(assay=assay, instrument=name, channel=channel) as frozen:
            state.captures.setdefault(f"{assay}/{name}:{channel}", frozen)
        case Attached(instrument=name, identity=identity):
            state.identities.setdefault(name, identity)


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
