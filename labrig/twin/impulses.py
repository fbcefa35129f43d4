"""Impulses of a simulated bench: whom a train reaches, who follows, what a film shows of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from labrig.twin.chips import Chip, lit_share
from labrig.twin.culture import Activity, Culture
from labrig.twin.responses import Responses
from labrig.twin.spec import TwinSpec
from labrig.twin.trains import Train

Numbers = Mapping[str, Mapping[str, float]]
Channel = tuple[str, int]
LONGEST_TWITCH_S = 1.0
COUNTED_AT_ONCE_S = 300.0
"""A longer train is counted as it goes."""
REMEMBERED_S = 600.0
"""Trains that ended longer ago are in no film that is still to be rendered."""
_TIRED_FOR = 3.0
"""Pulses longer ago than so many recovery times have left nothing [P]."""
_SAME_TRAIN_S = 2.0
"""Fast trains with a shorter pause between them tire like one [P]."""
_TWITCHES_HZ = 2.0
"""Up to this rate each twitch is rested from the one before [P]."""
_NERVE_NEEDS_V = 1.0
"""Electrodes beside neurons move them all from here on [P]."""


@dataclass(frozen=True, slots=True)
class Reach:
    """A train in one well.

    Attributes:
        train: that was started.
        share: of the cells that follow its pulses.
        passes: chance that a pulse arrives: 1 at electrodes, less through a junction.
        by_nerve: it comes through a junction.
    """

    train: Train
    share: float
    passes: float = 1.0
    by_nerve: bool = False


class Impulses:
    """All trains of a bench, and the cultures that they reach.

    Args:
        spec: the bench.
        cultures: by well.
        chips: by name.
        responses: of the cultures.
    """

    def __init__(
        self,
        spec: TwinSpec,
        cultures: Mapping[str, Culture],
        chips: Mapping[str, Chip],
        responses: Responses,
    ) -> None:
        self.activity = {w.well: Activity() for w in spec.wells}
        self.wells_of_channel = {(e.stimulator, e.channel): e.wells for e in spec.electrodes}
        self._cultures, self._responses = cultures, responses
        self._lights = {(light.stimulator, light.channel): light for light in spec.lights}
        self._chip_of_nerve = {chip.nerve: chip for chip in chips.values()}
        self._trains: dict[Channel, list[Train]] = {}

    @property
    def _numbers(self) -> Numbers:
        return self._responses.numbers

    def start(self, key: Channel, train: Train) -> None:
        """A train of pulses begins; it is counted as delivered unless it is cut."""
        self.feel(key, train.start_s)
        since_s = train.start_s - REMEMBERED_S
        kept = [t for t in self._trains.get(key, []) if t.ends_s >= since_s]
        self._trains[key] = [*kept, train]
        if train.duration_s <= COUNTED_AT_ONCE_S:
            self._count(key, train, train.pulses_in(train.duration_s))

    def stop(self, key: Channel, now_s: float) -> None:
        """A train was cut off: its undelivered pulses are taken back."""
        if not self._trains.get(key) or self._trains[key][-1].ends_s <= now_s:
            return
        train = self._trains[key][-1]
        train.cut_s = now_s - train.start_s
        self._count(key, train, train.pulses_in(train.cut_s) - train.counted)

    def feel_all(self, now_s: float) -> None:
        """Count what long trains have given until now."""
        for key in self._trains:
            self.feel(key, now_s)

    def feel(self, key: Channel, now_s: float) -> None:
        """Count what a long train has given until now."""
        for train in self._trains.get(key, [])[-1:]:
            if train.duration_s > COUNTED_AT_ONCE_S:
                self._count(key, train, train.pulses_in(now_s - train.start_s) - train.counted)

    def fade(self, hours: float) -> None:
        """Let time pass."""
        tau_h = self._numbers["activity"]["tau_h"]
        for activity in self.activity.values():
            activity.fade(hours, tau_h)

    def shown(self, well: str, since_s: float, now_s: float) -> dict[str, Any]:
        """What a film of a well shows of the trains that reach it.

        The last pulses before it are among them: their twitch may not be over. ``tired_pulses`` is
        how many pulses of a train that was already running still weigh on its first response; fast
        trains that are armed anew without a pause are one.
        """
        reaches = sorted(self._in_well(well), key=lambda reach: reach.train.start_s)
        times = sorted(
            round(t - since_s, 6)
            for reach in reaches
            for t in reach.train.pulses_between_s(since_s - LONGEST_TWITCH_S, now_s)
        )
        during = [r for r in reaches if r.train.start_s <= now_s and r.train.ends_s >= since_s] or [
            Reach(Train(since_s, 0.0, 0.0, 0.0, 0.0, 0.0), 0.0)
        ]
        last = during[-1]
        # By way of the nerve every tube that it reaches follows, whatever a channel's volts are.
        volts = [math.inf if r.by_nerve else r.train.amplitude_v for r in during]
        tau_s = self._numbers["fatigue"]["recovers_s"]
        tired = sum(
            math.exp((t - since_s) / tau_s)
            for train in _running([reach.train for reach in reaches], since_s)
            for t in train.pulses_between_s(
                since_s - _TIRED_FOR * tau_s, since_s - LONGEST_TWITCH_S
            )
        )
        latency_ms = self._numbers["synapse"]["latency_ms"] if last.by_nerve else 0.0
        return {
            "pulses_s": times,
            "amplitude_v": min(1e4, round(max(volts), 6)),
            "tired_pulses": round(tired, 3),
            "transmission": round(last.share * last.passes if last.by_nerve else 1.0, 6),
            "latency_s": round(latency_ms / 1000.0, 6),
        }

    def _count(self, key: Channel, train: Train, pulses: int) -> None:
        train.counted += pulses
        if not pulses:
            return
        for well, reach in self._reached(key, train):
            blocked = self._cultures[well].blocked.get("impulses", 0.0)
            self.activity[well].pulse(
                pulses,
                burst_hz=train.frequency_hz,
                share=reach.share * reach.passes * (1.0 - blocked),
                numbers=self._numbers["activity"],
            )

    def _in_well(self, well: str) -> Iterator[Reach]:
        for key, trains in self._trains.items():
            for train in trains:
                for reached, reach in self._reached(key, train):
                    if reached == well:
                        yield reach

    def _reached(self, key: Channel, train: Train) -> Iterator[tuple[str, Reach]]:
        """Wells in which enough cells follow a train, those behind a junction too."""
        for well, share in self._directly(key, train):
            if share < self._numbers["activity"]["least_share"]:
                continue
            yield well, Reach(train, share)
            chip = self._chip_of_nerve.get(well)
            if chip is not None:
                mean_hz = train.frequency_hz
                passes = chip.junction.passes(mean_hz, self._numbers["synapse"])
                yield chip.muscle, Reach(train, share, passes, by_nerve=True)

    def _directly(self, key: Channel, train: Train) -> Iterator[tuple[str, float]]:
        light = self._lights.get(key)
        if light is not None:
            threshold = self._numbers["synapse"]["light_threshold_mw_mm2"]
            share = lit_share(light, train.amplitude_v, threshold)
            for well in light.moves:
                yield well, share
        for well in self.wells_of_channel.get(key, ()):
            if well in self._chip_of_nerve:
                yield well, float(train.amplitude_v >= _NERVE_NEEDS_V)
            else:
                twitch = self._cultures[well].twitch
                yield well, twitch.share_following(train.amplitude_v, self._numbers)


def _running(trains: Sequence[Train], at_s: float) -> list[Train]:
    """The trains that run at a time, with those before them that they go on from."""
    found = []
    begins_s = at_s
    for train in reversed(trains):
        fast = train.frequency_hz > _TWITCHES_HZ
        pause_s = _SAME_TRAIN_S if fast else 0.0
        if train.start_s < begins_s <= train.ends_s + pause_s and (fast or begins_s == at_s):
            found.append(train)
            begins_s = train.start_s if fast else begins_s
    return found
