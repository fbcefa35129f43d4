"""Which pulses reached a well, and when, as the journal tells; never as they were planned.

The one fold for pulses: ledger, report and films count with it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from labrig.plan.packed import of_kind
from labrig.plan.plan import Plan
from labrig.plan.pulse_times import pulse_times_s
from labrig.plan.timeline import StimulationLevel, TrainSpec
from labrig.protocol.step_names import assay_of
from labrig.record.kinds.levels import LevelFailed, StimulationConfirmed, Train
from labrig.record.kinds.other_deviations import FailedByBug, LinkLost
from labrig.record.kinds.runs import RunAdopted, RunReplanned, Silenced, TrainTriggered
from labrig.record.rows import Row
from labrig.record.said import said

KINDS = ("train", "level", "run", "deviation")
"""Of journal rows that say something about pulses."""
_FOUND_WITHIN_S = 75.0
"""[P] A stimulator that is gone is found out by its poll: once a minute, on a busy port later."""
_ROOM_S = 1e-6
"""The journal's times are rounded so."""


@dataclass(frozen=True, slots=True)
class Pulse:
    """One pulse: when it began, s from t0, and the pattern it was part of."""

    at_s: float
    pattern: str


@dataclass(slots=True)
class PlayedTrain:
    """One train on one channel that was sent, as far as the journal knows. Times from t0.

    Attributes:
        begun_s: no earlier and no later than this did it begin.
        taken: the instrument acknowledged its trigger.
        sure_until_s: it surely played until then, if it was taken and not cut.
        cut_s: no earlier and no later than this was it cut off.
        found_by_s: an instrument that vanished in it would have been missed by then.
    """

    spec: TrainSpec
    begun_s: tuple[float, float]
    taken: bool = False
    sure_until_s: float = math.inf
    cut_s: tuple[float, float] = (math.inf, math.inf)
    found_by_s: float = math.inf

    @property
    def ends_s(self) -> float:
        """When it is over at the latest."""
        return min(self.begun_s[1] + self.spec.duration_s, self.cut_s[1])

    def pulses(self) -> Iterator[Pulse]:
        """Those of a train that was taken, until it was cut."""
        if self.taken:
            for t in pulse_times_s(self.spec):
                at_s = round(self.begun_s[1] + t, 6)
                if at_s >= self.cut_s[0] - _ROOM_S:
                    return
                yield Pulse(at_s, self.spec.pattern)

    def count(self, until_s: float) -> tuple[int, int]:
        """Pulses before ``until_s`` that surely came, and those beyond that may have come.

        What goes on after ``until_s`` may come, unless it is known to have been cut.
        """
        earliest_s, latest_s = self.begun_s
        sure_s = min(self.sure_until_s, self.cut_s[0], until_s) if self.taken else -math.inf
        if sure_s >= latest_s + self.spec.duration_s:
            return len(pulse_times_s(self.spec)), 0
        times = pulse_times_s(self.spec)
        sure = sum(latest_s + t < sure_s - _ROOM_S for t in times)
        possible = sum(earliest_s + t < self.cut_s[1] - _ROOM_S for t in times)
        return sure, max(possible - sure, 0)

    def unsure_s(self) -> tuple[float, float] | None:
        """From when to when it is not known whether it played."""
        since_s = max(self.begun_s[0], self.sure_until_s if self.taken else -math.inf)
        return (since_s, self.ends_s) if since_s < self.ends_s else None


@dataclass(slots=True)
class ChannelPulses:
    """Pulses of one stimulator channel.

    Attributes:
        trains: those that were sent, in order.
    """

    trains: list[PlayedTrain] = field(default_factory=list)

    @property
    def pulses(self) -> list[Pulse]:
        """As delivered, in order; among them those that are unsure, by :attr:`unsure_s`."""
        return [pulse for train in self.trains for pulse in train.pulses()]

    @property
    def unsure_s(self) -> list[tuple[float, float]]:
        """From when to when it is not known whether a train played."""
        return [span_s for train in self.trains if (span_s := train.unsure_s()) is not None]

    def between(self, since_s: float, until_s: float) -> ChannelPulses:
        """The trains that may have played in a stretch of time."""
        inside = (t for t in self.trains if t.begun_s[0] <= until_s and t.ends_s >= since_s)
        return ChannelPulses(list(inside))

    def of_tests(self) -> ChannelPulses:
        """The trains of test series."""
        return ChannelPulses([train for train in self.trains if assay_of(train.spec.pattern)])

    def count(self, until_s: float) -> tuple[int, int]:
        """Pulses delivered before ``until_s``, and those that may have come besides."""
        counts = [train.count(until_s) for train in self.trains if train.begun_s[0] < until_s]
        return sum(sure for sure, _ in counts), sum(unsure for _, unsure in counts)


class PulseFold:
    """Reads rows in order; :attr:`channels` is what they say so far.

    A train begins between its row `TrainTriggered` and its ``train`` row. Whatever is programmed
    next, a hold, a stop and the run's end cut it off, also in its middle. Uncertain is: a train
    that was sent and not acknowledged, by a runner that died or an instrument that fell silent;
    the last train of an instrument that was then found gone; and what was still playing after the
    last row of a runner that died.

    Args:
        plan: says what a train of a level is.
    """

    def __init__(self, plan: Plan) -> None:
        self._levels = {level.key: level for level in of_kind(plan.timeline, StimulationLevel)}
        self.channels: dict[str, ChannelPulses] = {}
        self._sent: dict[tuple[str, int | None, int], PlayedTrain] = {}
        self._last_row_s = 0.0

    def see(self, row: Row, told: object) -> None:
        """Take one row in, and what it says."""
        match told:
            case Silenced(instrument=name, from_s=from_s):
                self._cut(name, row, from_s)
            case TrainTriggered(level=key) if key in self._levels:
                self._see_train(self._levels[key], row, told.index, told.pulses)
            case RunAdopted():
                self._runner_died(row.run_s)
            case LinkLost(instrument=name) | FailedByBug(instrument=name):
                self._doubt_last(name, row.run_s)
            case Train() if row.key in self._levels:
                self._see_train(self._levels[row.key], row, told.index, told.pulses or {})
            case StimulationConfirmed(from_s=from_s) | LevelFailed(from_s=from_s):
                if row.key in self._levels:
                    self._cut(self._levels[row.key].instrument, row, from_s)
        if not isinstance(told, RunReplanned):
            # Whoever takes an amended run over writes it first: not the last word of the dead.
            self._last_row_s = row.run_s

    def _see_train(
        self, level: StimulationLevel, row: Row, index: int | None, pulses: Mapping[str, int]
    ) -> None:
        if row.state == "unknown":
            self._doubt_last(level.instrument, row.run_s)
        for spec in level.trains:
            if str(spec.channel) not in pulses:
                continue
            trains = self._channel(level.instrument, spec.channel).trains
            key = (level.key, index, spec.channel)
            train = self._sent.pop(key, None)
            if row.state in ("sent", "acknowledged", "unknown"):
                if train is None or row.state == "sent":
                    self._forget(trains, train)
                    train = PlayedTrain(spec, (row.run_s, row.run_s))
                    trains.append(train)
                train.begun_s = (train.begun_s[0], row.run_s)
                train.taken = row.state == "acknowledged"
                train.found_by_s = train.ends_s + _FOUND_WITHIN_S
                if row.state == "sent":
                    self._sent[key] = train
            elif row.state != "missed":
                self._forget(trains, train)

    @staticmethod
    def _forget(trains: list[PlayedTrain], train: PlayedTrain | None) -> None:
        """It was sent by no one, as the instrument refused it first."""
        if train is not None:
            trains.remove(train)

    def _channel(self, instrument: str, channel: int) -> ChannelPulses:
        return self.channels.setdefault(f"{instrument}:{channel}", ChannelPulses())

    def _last_of(self, instrument: str, ending_after_s: float) -> Iterator[PlayedTrain]:
        """Trains of an instrument that were not over by then, on any channel; newest first."""
        for name, channel in self.channels.items():
            if name.rpartition(":")[0] == instrument:
                for train in reversed(channel.trains):
                    if train.ends_s <= ending_after_s:
                        break
                    yield train

    def _doubt_last(self, instrument: str, at_s: float) -> None:
        """It does not answer: when it fell silent lies between its last trains and now."""
        for name, channel in self.channels.items():
            if name.rpartition(":")[0] != instrument:
                continue
            last = next((train for train in reversed(channel.trains) if train.taken), None)
            if last is not None and at_s <= last.found_by_s:
                last.sure_until_s = -math.inf

    def _cut(self, instrument: str, row: Row, from_s: float | None) -> None:
        """It was programmed anew or silenced: whatever train still ran on it ended."""
        from_s = row.run_s if from_s is None else from_s
        for train in self._last_of(instrument, from_s):
            if train.cut_s[0] > from_s:
                train.cut_s = (from_s, row.run_s)

    def _runner_died(self, adopted_s: float) -> None:
        """What it did after its last row is written nowhere, and nobody asked who still answers."""
        died_s = self._last_row_s
        for channel in self.channels.values():
            for train in reversed(channel.trains):
                if train.found_by_s <= died_s:
                    break
                train.found_by_s = max(train.found_by_s, adopted_s + _FOUND_WITHIN_S)
                # It may have cut it with no row to tell, or both may have lost power together.
                if train.ends_s > died_s:
                    train.sure_until_s = min(train.sure_until_s, died_s)
        self._sent.clear()


def delivered_pulses(plan: Plan, rows: Iterable[Row]) -> dict[str, ChannelPulses]:
    """Pulses by channel, named like :attr:`labrig.plan.plan.WellPlan.pattern_unit`.

    Args:
        plan: says what a train of a level is.
        rows: of the journal, in order.
    """
    fold = PulseFold(plan)
    for row in rows:
        fold.see(row, said(row) if row.kind in KINDS else None)
    return fold.channels
