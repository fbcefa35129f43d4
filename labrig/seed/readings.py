"""Read-outs of one run by arm, held against what was there before arms were treated unlike.

Everything is read as the report reads it: pictures, films and tests that were measured, by well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING

from labrig.plan.plan import WellPlan
from labrig.protocol.models import Protocol
from labrig.protocol.moments import first_unlike_s
from labrig.protocol.readouts import Readout, readout
from labrig.report.readouts import Ask, Series
from labrig.seed.courses import OWN_START, NotModelled

if TYPE_CHECKING:
    pass

LATE_S = 7200.0
"""A round or film belongs to a moment up to so long after it: blocks take their time [P]."""
SOON_S = 5400.0
"""[P] A look so soon after arms got unlike still shows what wells began with."""
LOOKS_BEFORE = 3
"""[P] What a well began with is the mean of its last looks before, up to so many."""
_UNDER_OTHER_NAMES = {"fatigue": ("fatigue_test", None), "diameter_q90": ("diameter", 90.0),
                      "diameter_q10": ("diameter", 10.0)}  # fmt: skip


class Readings:
    """Of a finished run.

    Args:
        protocol: of the run.
        wells: of its plan.
        series: gives a read-out over time, by well.
    """

    def __init__(
        self,
        protocol: Protocol,
        wells: Collection[WellPlan],
        series: Callable[[Readout, Ask], Series],
    ) -> None:
        self.protocol = protocol
        self._read = series
        self._arms = {well.well: well.arm for well in wells}
        names = {donor.id: frozenset({donor.id, donor.age_group}) for donor in protocol.donors}
        self._donors = {well.well: names[well.donor] for well in wells}

    def why_not(self, name: str) -> str:
        """Why a read-out is not there; "" where it is."""
        known = readout(self.protocol, name)
        if known is None:
            return f"{name}: there is no such read-out"
        series = self._read(known, Ask())
        return f"{name}: {series.why_not}" if series.table.empty else ""

    def change(self, of: str, pair: Sequence[str], at_s: float, among: str | None = None) -> float:
        """How far one arm lies from another up to a moment: a share, or a difference of shares.

        Each is held against what it had before the two got anything different.

        Args:
            of: the read-out.
            pair: the arm, and the one that it is held against.
            at_s: the moment, s from the start.
            among: a group of donors; None: all.

        Raises:
            NotModelled: it was not measured.
        """
        since_s = first_unlike_s(self.protocol, pair)
        one, other = (self._of_arm(of, arm, at_s, since_s, among) for arm in pair)
        return self._apart(of, one, other)

    def change_among(self, of: str, groups: Sequence[str], at_s: float) -> float:
        """The same of two groups of donors, over all arms: they differ from the start.

        Raises:
            NotModelled: it was not measured.
        """
        one, other = (self._of_arm(of, None, at_s, -math.inf, group) for group in groups)
        return self._apart(of, one, other)

    def looks_s(self, of: str) -> list[float]:
        """When a read-out was looked at, s from the start.

        Raises:
            NotModelled: it was not measured.
        """
        series = self._series(of)
        return sorted(series.starts_s[moment] for moment in set(series.table["moment"].astype(int)))

    def _apart(self, of: str, one: float, other: float) -> float:
        known = self._known(of)[0]
        return (one - other) / 100.0 if _may_be_nothing(known) else one / other - 1.0

    def _of_arm(
        self, of: str, arm: str | None, at_s: float, since_s: float, among: str | None
    ) -> float:
        """Mean over the wells of an arm (None: all) and of a group of donors (None: all)."""
        if of == "specific_strength":
            force, width = (
                self._of_arm(part, arm, at_s, since_s, among)
                for part in ("contraction", "diameter")
            )
            return force / width
        series = self._series(of)
        wells = {
            well
            for well, its in self._arms.items()
            if arm in (None, its) and (among is None or among in self._donors[well])
        }
        own = series.table[series.table["well"].isin(wells) & series.table["value"].notna()]
        until = own[own["hours"] * 3600.0 <= at_s + LATE_S]
        if until.empty:
            raise NotModelled(of)
        # A well that was not measured then is left out: what it had before is not what it has.
        last = int(until.sort_values("hours")["moment"].iloc[-1])
        then = own[own["moment"] == last]
        values = dict(zip(then["well"].astype(str), then["value"].astype(float), strict=True))
        if of in OWN_START:
            began = _began_with(series, since_s)
            values = {
                well: value / began.get(well, math.nan) if began else value
                for well, value in values.items()
            }
        told = [value for value in values.values() if not math.isnan(value)]
        if not told:
            raise NotModelled(of)
        return math.fsum(told) / len(told)

    def _series(self, of: str) -> Series:
        known, quantile = self._known(of)
        return self._read(known, Ask(quantile))

    def _known(self, of: str) -> tuple[Readout, float | None]:
        name, quantile = _UNDER_OTHER_NAMES.get(of, (of, None))
        known = readout(self.protocol, name)
        if known is None:
            raise NotModelled(of)
        return known, quantile


def _may_be_nothing(known: Readout) -> bool:
    return known.scale == "difference" and known.unit == "%"


def _began_with(series: Series, since_s: float) -> dict[str, float]:
    """By well, the mean of its last values up to a time; empty where there was no look yet."""
    early = [moment for moment, start_s in series.starts_s.items() if start_s <= since_s + SOON_S]
    rows = series.table[series.table["moment"].isin(early) & series.table["value"].notna()]
    last = rows.sort_values("hours").groupby("well").tail(LOOKS_BEFORE)
    return {str(well): float(mean) for well, mean in last.groupby("well")["value"].mean().items()}
