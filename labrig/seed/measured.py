"""Whether a run's own measures show what is expected of a row, and whether its read-outs are there.

Everything is read as the report reads it: pictures, films and tests that were measured, by well.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labrig.protocol.readouts import readout
from labrig.report.analysis import Analysis, analyse
from labrig.report.readouts import Ask
from labrig.report.record import read_record
from labrig.run_folder import RunFolder
from labrig.seed.courses import OWN_START, NotModelled
from labrig.seed.foretelling import Told, moment_s
from labrig.seed.index import AmongDonors, Compared, Effect, Prediction, Row

if TYPE_CHECKING:
    import pandas as pd

NOISE = 0.08
"""Means of arms differ by so much for no reason in a short run, with one small field a well [P]."""
CLEAR = 0.15
"""An effect of the culture's state from which on a short run must show its sign [P]."""
LATE_S = 7200.0
"""A round or film belongs to a moment up to so long after it: blocks take their time [P]."""
_UNDER_OTHER_NAMES = {"fatigue": ("fatigue_test", None), "diameter_q90": ("diameter", 90.0),
                      "diameter_q10": ("diameter", 10.0)}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Shown:
    """What a finished run shows of a row.

    Attributes:
        condition: how the run ended.
        absent: read-outs of the row that its report lacks, and why.
        told: each prediction that measures can tell, and what they say.
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


def shown(folder: RunFolder, row: Row) -> Shown:
    """Read a finished run."""
    analysis = analyse(read_record(folder))
    read = _Read(analysis)
    told = (_tell(read, prediction) for prediction in row.predicts)
    return Shown(
        analysis.outcome.condition,
        tuple(why for name in row.read_outs if (why := read.why_not(name))),
        tuple(each for each in told if each is not None),
    )


class _Read:
    """Read-outs of one run, by arm."""

    def __init__(self, analysis: Analysis) -> None:
        self.protocol = analysis.record.protocol
        self._grounds = analysis.grounds
        self._arms = {well.well: well.arm for well in analysis.record.plan.wells}
        names = {d.id: frozenset({d.id, d.age_group}) for d in self.protocol.donors}
        self._donors = {well.well: names[well.donor] for well in analysis.record.plan.wells}

    def why_not(self, name: str) -> str:
        """Why a read-out is not there; "" where it is."""
        known = readout(self.protocol, name)
        if known is None:
            return f"{name}: there is no such read-out"
        series = self._grounds.series(known, Ask())
        return f"{name}: {series.why_not}" if series.table.empty else ""

    def value(self, of: str, arm: str | None, at_s: float, among: str | None = None) -> float:
        """Mean over wells of the last value up to a moment, over the first where wells differ.

        Raises:
            NotModelled: it was not measured.
        """
        if of == "specific_strength":
            return self.value("contraction", arm, at_s, among) / self.value(
                "diameter", arm, at_s, among
            )
        name, quantile = _UNDER_OTHER_NAMES.get(of, (of, None))
        known = readout(self.protocol, name)
        if known is None:
            raise NotModelled(of)
        table = self._grounds.series(known, Ask(quantile)).table
        wells = [
            well
            for well, its in self._arms.items()
            if arm in (None, its) and (among is None or among in self._donors[well])
        ]
        values = [_of_well(table[table["well"] == well], at_s, of in OWN_START) for well in wells]
        seen = [value for value in values if not math.isnan(value)]
        if not seen:
            raise NotModelled(of)
        return sum(seen) / len(seen)


def _of_well(rows: pd.DataFrame, at_s: float, over_first: bool) -> float:
    rows = rows[rows["value"].notna()].sort_values("hours")
    until = rows[rows["hours"] * 3600.0 <= at_s + LATE_S]
    if until.empty:
        return math.nan
    first = float(until["value"].iloc[0]) if over_first else 1.0
    return float(until["value"].iloc[-1]) / first


def _tell(read: _Read, prediction: Prediction) -> Told | None:
    """None of what a few rounds cannot tell: an order in time, a recovery."""
    end_s = read.protocol.duration_s
    try:
        match prediction:
            case Compared():
                at_s = moment_s(read.protocol, prediction.compare[0], prediction.at)
                change = _change(
                    [read.value(prediction.of, arm, at_s) for arm in prediction.compare]
                )
                return Told(prediction, _holds(prediction.sign, change), f"{change:+.1%}", change)
            case AmongDonors():
                change = _change(
                    [read.value(prediction.of, None, end_s, group) for group in prediction.among]
                )
                return Told(prediction, _holds(prediction.sign, change), f"{change:+.1%}", change)
            case Effect():
                first = _change(
                    [read.value(prediction.of, arm, end_s, prediction.more_in)
                     for arm in prediction.effect]
                )  # fmt: skip
                second = _change(
                    [read.value(prediction.of, arm, end_s, prediction.than_in)
                     for arm in prediction.more_than or prediction.effect]
                )  # fmt: skip
                more = first - second
                return Told(
                    prediction, _holds("higher", more), f"{first:+.1%} and {second:+.1%}", more
                )
    except NotModelled as missing:
        return Told(prediction, None, f"{missing} was not measured")
    return None


def _holds(sign: str, change: float) -> bool | None:
    """None where the wrong sign may be noise."""
    if sign == "alike":
        return abs(change) <= NOISE
    right = change < 0 if sign == "lower" else change > 0
    return True if right else None if abs(change) <= NOISE else False


def _change(pair: Sequence[float]) -> float:
    one, other = pair
    return one / other - 1.0
