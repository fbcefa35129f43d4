"""Whether a run's measures show what is expected of a row, and whether its read-outs are there."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from labrig.protocol.readouts import readout
from labrig.protocol.segments import moments
from labrig.report.analysis import analyse
from labrig.report.record import read_record
from labrig.run_folder import RunFolder
from labrig.seed.courses import NotModelled
from labrig.seed.foretelling import RESTORED_S, Told, control_of, moment_s
from labrig.seed.index import AmongDonors, Compared, Effect, Ordered, Prediction, Recovery, Row
from labrig.seed.readings import Readings

NOISE = 0.08
"""Means of arms differ by so much for no reason in a short run, with few wells and fields [P]."""
NOISE_OF_FILMS = 0.04
"""The same of what films show: the same points are followed each time [P]."""
CLEAR = 0.15
"""An effect of the culture's state from which on a short run must show its sign [P]."""
LOSS = 0.1
"""What counts as a loss where an order is asked for: as much as reports count, beyond noise [P]."""


@dataclass(frozen=True, slots=True)
class Shown:
    """What a finished run shows of a row.

    Attributes:
        condition: how the run ended.
        absent: read-outs of the row that its report lacks, and why.
        told: each prediction, and what the measures say.
    """

    condition: str
    absent: tuple[str, ...]
    told: tuple[Told, ...]

    @property
    def good(self) -> bool:
        """Finished, every read-out there, every sign as expected."""
        return (
            self.condition == "finished"
            and not self.absent
            and all(told.holds is not False for told in self.told)
        )

    def missed(self, foretold: Sequence[Told]) -> tuple[Told, ...]:
        """What was measured and does not hold although the culture's own state shows it clearly."""
        clear = {told.prediction for told in foretold if abs(told.change) >= CLEAR}
        return tuple(t for t in self.told if t.prediction in clear and not t.holds)


def shown(folder: RunFolder, rows: Sequence[Row]) -> list[Shown]:
    """Read a finished run of the protocol that some rows have in common."""
    analysis = analyse(read_record(folder))
    readings = Readings(
        analysis.record.protocol, analysis.record.plan.wells, analysis.grounds.series
    )
    return [
        Shown(
            analysis.outcome.condition,
            tuple(why for name in row.read_outs if (why := readings.why_not(name))),
            tuple(measured(readings, prediction) for prediction in row.predicts),
        )
        for row in rows
    ]


def measured(readings: Readings, prediction: Prediction) -> Told:
    """What measures say of a prediction.

    Nothing (None) where they cannot tell; it does not hold where an arm was not measured.
    """
    try:
        match prediction:
            case Compared():
                return _compared(readings, prediction)
            case AmongDonors():
                return _among(readings, prediction)
            case Effect():
                return _effect(readings, prediction)
            case Ordered():
                return _ordered(readings, prediction)
            case Recovery():
                return _recovery(readings, prediction)
    except NotModelled as missing:
        return Told(prediction, False, f"{missing} was not measured in every arm")


def _compared(readings: Readings, said: Compared) -> Told:
    at_s = moment_s(readings.protocol, said.compare[0], said.at)
    change = readings.change(said.of, said.compare, at_s)
    return Told(said, _holds(said.sign, change), f"{change:+.1%}", change)


def _among(readings: Readings, said: AmongDonors) -> Told:
    change = readings.change_among(said.of, said.among, readings.protocol.duration_s)
    return Told(said, _holds(said.sign, change), f"{change:+.1%}", change)


def _effect(readings: Readings, said: Effect) -> Told:
    end_s = readings.protocol.duration_s
    first = readings.change(said.of, said.effect, end_s, said.more_in)
    second = readings.change(said.of, said.more_than or said.effect, end_s, said.than_in)
    more = first - second
    return Told(said, _holds("higher", more), f"{first:+.1%} and {second:+.1%}", more)


@dataclass(frozen=True, slots=True)
class _Lost:
    """When a share was lost: by a straight line between two looks; all infinite if never."""

    at_s: float
    from_s: float
    until_s: float

    @property
    def hours(self) -> str:
        return f"{self.at_s / 3600:.0f} h" if math.isfinite(self.at_s) else "not lost"


def _ordered(readings: Readings, said: Ordered) -> Told:
    """Each by when it has lost a share against the other arm."""
    lost = {of: _lost(readings, of, said) for of in said.order}
    holds: bool | None = True
    for earlier, later in pairwise(lost.values()):
        if earlier.at_s >= later.at_s:
            # Where both may have been lost between the same looks, nothing is decided.
            decided = earlier.from_s >= later.until_s and math.isfinite(later.at_s)
            holds = False if decided or holds is False else None
    figures = ", ".join(f"{of} {found.hours}" for of, found in lost.items())
    return Told(said, holds, f"{LOSS:.0%} lost: {figures}")


def _lost(readings: Readings, of: str, said: Ordered) -> _Lost:
    last_s, last = 0.0, 0.0
    for at_s in readings.looks_s(of):
        change = readings.change(of, (said.arm, said.against), at_s)
        if change <= -LOSS:
            part = (last + LOSS) / (last - change)
            return _Lost(last_s + part * (at_s - last_s), last_s, at_s)
        last_s, last = at_s, change
    return _Lost(math.inf, math.inf, math.inf)


def _recovery(readings: Readings, said: Recovery) -> Told:
    """Of what was lost, the share that is there again; the errors of both add up in it."""
    protocol = readings.protocol
    control = control_of(protocol)
    noise = _noise_of(readings, said.of)
    fractions: dict[str, tuple[float, float]] = {}
    for arm in said.recovery:
        restored_s = moments(protocol, arm)["restore"]
        lost, left = (
            -readings.change(said.of, (arm, control), at_s)
            for at_s in (restored_s, restored_s + RESTORED_S)
        )
        if lost > noise:
            fractions[arm] = (1.0 - left / lost, noise / lost)
    figures = ", ".join(f"{arm} {value:.0%}" for arm, (value, _) in fractions.items())
    told = list(fractions.values())
    holds: bool | None = None
    if len(told) > 1:
        falls = told[0][0] - told[-1][0]
        unsure = max(told[0][1], told[-1][1])
        rises = any(later[0] - one[0] > max(one[1], later[1]) for one, later in pairwise(told))
        holds = False if rises or falls < -unsure else True if falls > 0 else None
    return Told(said, holds, figures or "nothing was lost beyond noise")


def _noise_of(readings: Readings, of: str) -> float:
    known = readout(readings.protocol, of)
    films = known is not None and known.from_table == "contractions"
    return NOISE_OF_FILMS if films else NOISE


def _holds(sign: str, change: float) -> bool | None:
    """None where the wrong sign may be noise."""
    if sign == "alike":
        return abs(change) <= NOISE
    right = change < 0 if sign == "lower" else change > 0
    return True if right else None if abs(change) <= NOISE else False
