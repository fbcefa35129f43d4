"""One stimulator: finite trains, re-armed at exact multiples while their level holds.

The instrument makes every pulse and ends every train by itself; when this process dies, the
last train runs out within its ten seconds and nothing starts another.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.record.kinds.levels import LevelFailed, StimulationConfirmed, Train
from labrig.record.kinds.runs import Silenced, TrainTriggered
from labrig.record.rows import JournalWriteFailed, State
from labrig.record.said import entry_of, entry_of_run
from labrig.run.captures import KNOWN
from labrig.run.desk import Desk
from labrig.run.handler import ForHandler, next_poll_s
from labrig.run.lease import StaleEpoch
from labrig.run.mode import FOLLOWING, Mode
from labrig.run.orders import Decided, Finish, InMode, Order
from labrig.run.strengths import Strengths
from labrig_drivers.errors import InstrumentError, LinkError, NoReply, NotNow, Refused
from labrig_drivers.kinds import PulseTrain, Quantity, Stimulator

_ROOM_S = 1e-6
"""Times of a plan are rounded to milliseconds, and their sums to what floats hold."""
_WAIT_FOR_END_S = 1.0
"""A train that is still playing when the next is due is waited for this long, not longer."""


@dataclass(slots=True)
class _Group:
    """Trains of one level that are re-armed together."""

    every_s: float
    trains: tuple[TrainSpec, ...]
    next_index: int
    due_s: float


class StimulatorHandler:
    """Owns one stimulator.

    Args:
        name: as the rig calls it.
        desk: clock, journal, fence and board.
        poll_s: how often its answer is asked for between trains.
        strengths: resolves amplitudes that rest on a capture threshold.
        measures: what its type declares that it measures of its outputs.
    """

    def __init__(
        self,
        name: str,
        desk: Desk,
        poll_s: float,
        strengths: Strengths,
        measures: Sequence[Quantity] = (),
    ) -> None:
        self.name = name
        self._desk = desk
        self._strengths = strengths
        self._poll_s = poll_s
        self._measures = measures
        self._stimulator: Stimulator | None = None
        self._level: StimulationLevel | None = None
        self._until_s = math.inf
        self._groups: list[_Group] = []
        self._played: tuple[TrainSpec, ...] = ()
        self._epoch = desk.fence.epoch
        self._next_index: dict[float, int] = {}
        self._mode = FOLLOWING
        self._cut_off_s = math.inf
        self._confirmed = True
        self._poll_due_s = desk.clock.now_s()

    @property
    def busy(self) -> bool:
        """Trains end by themselves."""
        return False

    @property
    def has_more_to_do(self) -> bool:
        """Nothing waits here."""
        return False

    @property
    def patience_s(self) -> float:
        """On a simulated bench an order waits for capture thresholds."""
        return self._strengths.patience_s

    def attach(self, driver: Stimulator) -> None:
        """Ask whether it answers; change nothing."""
        self._stimulator = driver
        self._poll()

    @property
    def confirmed(self) -> bool:
        """Whether it took its last programme, or silence."""
        return self._confirmed

    def heed(self, message: ForHandler) -> None:
        """Remember a level, which :meth:`assert_due` programmes; or enter a mode."""
        match message:
            case Order(entry=StimulationLevel() as level):
                self._remember(level, message)
            case Order():
                raise TypeError(f"{message.entry.key} is not for a stimulator")
            case Decided(key=key) if key == KNOWN and self._learns_of_capture:
                self.assert_due()
            case Decided(key=key, choice=choice) if key == self._strengths.question_id:
                self._strengths.decide(choice)
                self.assert_due()
            case InMode():
                if message.mode.name == "halted":
                    self._epoch = message.epoch
                self._enter(message.mode)
            case Finish():
                # Also when it answers only later: nobody is there to re-arm.
                self._enter(self._mode.halt())
            case _:
                pass

    @property
    def _waits_for_capture(self) -> bool:
        """Whether what is due now is to be played otherwise once a threshold is known."""
        return self._level is not None and any(s.of_capture is not None for s in self._level.trains)

    @property
    def _learns_of_capture(self) -> bool:
        """Whether thresholds that have come change what it plays: else its trains go on."""
        if self._level is None or self._mode.name != "following" or not self._waits_for_capture:
            return False
        return not self._confirmed or self._strengths.resolved(self._level) != self._played

    def _remember(self, level: StimulationLevel, order: Order) -> None:
        now_s = self._desk.clock.now_s()
        if self._level is not None:
            self._miss_until(self._level, level.offset_s)
        # What became of trains before a takeover the earlier runner wrote down, or nobody did.
        taken_over = self._level is None and now_s - level.offset_s > _WAIT_FOR_END_S
        self._next_index = {
            every_s: math.ceil((now_s - level.offset_s) / every_s) if taken_over else 0
            for every_s in _by_period(_live(level))
        }
        self._level, self._epoch = level, order.epoch
        self._until_s = math.inf if order.next_s is None else order.next_s

    def _enter(self, mode: Mode) -> None:
        if self._mode.name != "following":
            self._miss_until_now()
        if self._mode.name != "halted":
            self._mode = mode
        self.assert_due()

    def assert_due(self) -> None:
        """Programme the level due now, and go on at its next multiple; else be silent."""
        if self._mode.name != "following":
            self._silence()
        elif self._level is not None:
            self._assert()

    def next_due_s(self) -> float:
        """When the next train or poll is due."""
        return min(self._poll_due_s, *(group.due_s for group in self._groups), math.inf)

    def tick(self) -> None:
        """Start trains that are due, and poll."""
        now_s = self._desk.clock.now_s()
        for group in self._groups:
            if group.due_s <= now_s:
                self._trigger(group)
        if self._poll_due_s <= now_s:
            self._poll()
            if self._mode.name == "suspended":
                # As they pass: whoever takes the run over knows nothing of those before.
                self._miss_until_now()

    def cut_off(self) -> None:
        """Every train."""
        if self._stimulator is not None:
            self._cut_off_s = self._desk.clock.now_s()
            self._stimulator.halt()

    def _silence(self) -> None:
        """Cut off what plays; that it was cut off is written down, for whoever counts pulses."""
        self._groups = []
        from_s = min(self._cut_off_s, self._desk.clock.now_s())
        self._port().stop()
        self._confirmed = True
        self._cut_off_s = math.inf
        # Also when this process has started nothing: what it took over may have been playing.
        self._desk.of_run(Silenced(instrument=self.name, from_s=from_s))

    def _assert(self) -> None:
        level = self._level
        if level is None:
            return
        live = self._played = self._strengths.resolved(level)
        self._groups = []
        self._desk.fence.check(self._epoch)
        from_s = self._desk.clock.now_s()
        try:
            if live:
                self._port().program({train.channel: _pulse_train(train) for train in live})
            else:
                self._port().stop()
        except Refused as error:
            self._confirmed = False
            failed = LevelFailed(str(error), self.name, from_s)
            self._desk.note("level", level.key, "failed", failed)
            self._desk.alarm("stimulation", self.name, error.what, error.remedy)
            self._desk.troubles.met("train", "refused", self.name, error.what)
            return
        self._confirmed = True
        self._groups = self._grouped(level, live)
        channels = tuple(train.channel for train in live)
        resolved_v = {
            str(train.channel): train.amplitude_v for train in live if train.of_capture is not None
        }
        programmed = StimulationConfirmed(self.name, channels, from_s, resolved_v or None)
        self._desk.note("level", level.key, "confirmed", programmed)
        for group in self._groups:
            self._account(level, group.every_s, group.next_index)

    def _grouped(self, level: StimulationLevel, live: tuple[TrainSpec, ...]) -> list[_Group]:
        passed_s = self._desk.clock.now_s() - level.offset_s
        groups = []
        for every_s, trains in _by_period(live).items():
            # A level asserted on time starts with its first train, though programming took a while.
            index = 0 if passed_s < min(every_s, 1.0) else math.ceil(passed_s / every_s - 1e-9)
            groups.append(_Group(every_s, tuple(trains), index, level.offset_s + index * every_s))
        return groups

    def _account(self, level: StimulationLevel, every_s: float, until_index: int) -> None:
        """Trains before this one that nobody triggered are missed, each of them.

        Not those of a hold or after a stop: they were not wanted.
        """
        since = self._next_index.get(every_s, 0)
        self._next_index[every_s] = max(since, until_index)
        if not self._mode.wanted or until_index <= since:
            return
        what = "it could not be triggered in its time"
        if self._mode.name == "suspended":
            what = f"it was suspended by {', '.join(self._mode.why)}"
        now_s = self._desk.clock.now_s()
        pulses = {str(t.channel): t.pulses for t in _live(level) if t.every_s == every_s}
        self._desk.note_all(
            [
                entry_of("train", level.key, "missed", Train(
                    self.name, index, pulses,
                    round(now_s - (level.offset_s + index * every_s), 3), what,
                ))
                for index in range(since, until_index)
            ]
        )  # fmt: skip

    def _miss_until(self, level: StimulationLevel, end_s: float) -> None:
        """Its level has ended: what of it was not triggered by then is missed."""
        for every_s in _by_period(_live(level)):
            trains = math.ceil((end_s - level.offset_s) / every_s - 1e-9)
            self._account(level, every_s, trains)

    def _miss_until_now(self) -> None:
        if self._level is not None:
            self._miss_until(self._level, min(self._desk.clock.now_s(), self._until_s))

    def _trigger(self, group: _Group) -> None:
        level = self._level
        now_s = self._desk.clock.now_s()
        if level is None:
            return
        late_s = now_s - group.due_s
        if late_s > group.every_s / 2 or not self._desk.journal_works:
            self._move_on(group, now_s, done=False)
            return
        channels = tuple(train.channel for train in group.trains)
        self._desk.fence.check(self._epoch)
        try:
            # Before it is triggered, so that no death can leave a train that no row tells of.
            self._desk.intend(entry_of_run(self._triggered(level, group), "sent"))
        except JournalWriteFailed:
            self._move_on(group, now_s, done=False)
            return
        try:
            self._port().trigger(channels, self._desk.clock.now_s())
        except NotNow as error:
            self._still_playing(group, channels, now_s, error)
            return
        except Refused as error:
            self._note_train(level, group, "failed", late_s, str(error))
            self._desk.alarm("stimulation", self.name, error.what, error.remedy)
            self._desk.troubles.met("train", "refused", self.name, error.what)
            self._move_on(group, now_s)
            return
        except (InstrumentError, StaleEpoch) as error:
            self._note_train(level, group, "unknown", late_s, str(error))
            self._move_on(group, now_s)
            what = "it is not known whether a train was played"
            self._desk.troubles.met("train", "unknown_outcome", self.name, what)
            raise
        self._note_train(level, group, "acknowledged", late_s)
        self._desk.troubles.over("train", self.name)
        self._move_on(group, now_s)

    def _still_playing(
        self, group: _Group, channels: tuple[int, ...], now_s: float, error: NotNow
    ) -> None:
        """Trains back to back may overlap by the host's jitter: wait for the end, once."""
        running = self._port().state(now_s).running_until_s
        ends_s = max((running.get(channel, now_s) for channel in channels), default=now_s)
        if now_s < ends_s <= now_s + _WAIT_FOR_END_S:
            group.due_s = ends_s
            return
        if self._level is not None:
            self._note_train(self._level, group, "failed", 0.0, str(error))
        self._move_on(group, now_s)

    def _note_train(
        self, level: StimulationLevel, group: _Group, state: State, late_s: float, what: str = ""
    ) -> None:
        self._desk.board.count("trains")
        pulses = {str(train.channel): train.pulses for train in group.trains}
        train = Train(self.name, group.next_index, pulses, round(late_s, 3), what)
        self._desk.note("train", level.key, state, train)

    def _triggered(self, level: StimulationLevel, group: _Group) -> TrainTriggered:
        pulses = {str(train.channel): train.pulses for train in group.trains}
        return TrainTriggered(level.key, self.name, group.next_index, pulses)

    def _move_on(self, group: _Group, now_s: float, done: bool = True) -> None:
        """To the next multiple that is not past: never a burst of catching up."""
        level = self._level
        if level is None:
            return
        if done:
            self._next_index[group.every_s] = group.next_index + 1
        passed = math.floor((now_s - level.offset_s) / group.every_s + 1e-9)
        group.next_index = max(group.next_index, passed) + 1
        group.due_s = level.offset_s + group.next_index * group.every_s
        self._account(level, group.every_s, group.next_index)
        if group.due_s >= self._until_s - _ROOM_S:
            # The next level is due then; a train begun now would only be cut off by it.
            group.due_s = math.inf

    def _poll(self) -> None:
        now_s = self._desk.clock.now_s()
        self._poll_due_s = next_poll_s(now_s, self._poll_s)
        state = self._port().state(now_s)
        if not state.reachable:
            raise NoReply(
                self.name,
                "it does not answer the handshake.",
                "Check its cable and screen; a train under way ends by itself.",
            )
        running = {str(c): round(until_s, 3) for c, until_s in state.running_until_s.items()}
        measured = {
            quantity.key: value if value is None or quantity.plausible(value) else None
            for quantity in self._measures
            for value in (state.measured.get(quantity.key),)
        }
        values = {"reachable": True, "running_until_s": running, **measured}
        self._desk.measured(self.name, values)

    def _port(self) -> Stimulator:
        if self._stimulator is None:
            raise LinkError(self.name, "it has not answered since this runner started.")
        return self._stimulator


def _live(level: StimulationLevel) -> tuple[TrainSpec, ...]:
    """No amplitude is silence: a sham is not programmed, so that it cannot differ from rest."""
    return tuple(train for train in level.trains if train.live)


def _by_period(trains: tuple[TrainSpec, ...]) -> dict[float, list[TrainSpec]]:
    by_period: dict[float, list[TrainSpec]] = {}
    for train in trains:
        by_period.setdefault(train.every_s, []).append(train)
    return by_period


def _pulse_train(train: TrainSpec) -> PulseTrain:
    return PulseTrain(
        phase_ms=train.phase_ms,
        amplitude_v=train.amplitude_v,
        amplitude_ma=train.amplitude_ma,
        biphasic=train.biphasic,
        frequency_hz=train.frequency_hz,
        burst_s=train.burst_s,
        gap_s=train.gap_s,
        duration_s=train.duration_s,
    )
