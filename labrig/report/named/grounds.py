"""What outcomes are answered from: one run, or several that are one study."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.protocol.culture import Donor
from labrig.protocol.models import Protocol
from labrig.protocol.moments import moments_of_arm
from labrig.protocol.readouts import Readout
from labrig.report.comparisons import Readings
from labrig.report.moments import at_time, fullest
from labrig.report.readouts import Ask, Series
from labrig.report.units import Design

if TYPE_CHECKING:
    import pandas as pd

SAME_MOMENT_S = 1.0
LARGEST_EXPONENT = 100.0


@dataclass(frozen=True, slots=True)
class Grounds:
    """Whatever outcomes are answered from.

    Attributes:
        protocol: committed; of a study, of its first run.
        plan: of its analysis, in force.
        design: persons as donors.
        donors: by well, the entry of ``donors:`` that it holds.
        series: a read-out over time, and a quantile of it where one is asked.
        treated_from_s: what was measured before is baseline.
        censored_from_s: by well, what the plan's analysis set leaves out.
        failed: donors whose control lost its own cells.
    """

    protocol: Protocol
    plan: AnalysisPlan
    design: Design
    donors: Mapping[str, Donor]
    series: Callable[[Readout, Ask], Series]
    treated_from_s: float
    censored_from_s: Mapping[str, float]
    failed: Collection[str]

    def moments(self, arm: str) -> dict[str, float]:
        """Named moments of an arm, on the run's clock."""
        return moments_of_arm(self.protocol, arm)

    @property
    def compared_at_s(self) -> float:
        """When the analysis plan compares arms; infinite: at the last."""
        return math.inf if self.plan.at_h is None else 3600.0 * self.plan.at_h

    @property
    def by_entry(self) -> Design:
        """The design with each entry of ``donors:`` as a donor: passages apart."""
        wells = tuple(replace(well, donor=self.donors[well.well].id) for well in self.design.wells)
        return replace(self.design, wells=wells)


BEFORE, THEN = 0, 1


@dataclass(frozen=True, slots=True)
class Times:
    """When a read-out is looked at: by arm, on the run's clock.

    Attributes:
        then: the moment itself.
        before: what it is divided by; None: what was there before treatment began.
    """

    then: Mapping[str, float]
    before: Mapping[str, float] | None = None


def readings_at(
    grounds: Grounds, series: Series, times: Times, wells: Collection[WellPlan] | None = None
) -> Readings | None:
    """One value per well at the moment of its arm, and one before; None without any.

    The value of a moment is that of the last whole round, or block of films, up to it.
    """
    import pandas as pd

    chosen = tuple(grounds.design.wells if wells is None else wells)
    table = series.table[series.table["well"].isin([well.well for well in chosen])]
    then, why_not = _picked(chosen, table, series, times.then)
    if then.empty:
        return None
    if times.before is None:
        early = {m for m, at_s in series.starts_s.items() if at_s <= grounds.treated_from_s}
        # A block of films, or a round, begins within seconds of its moment.
        early_rows = table[table["moment"].isin(early)]
        moment = fullest(_shown(early_rows), chosen, series.cut_off)
        before = early_rows[early_rows["moment"] == moment]
    else:
        before, said = _picked(chosen, table, series, times.before)
        why_not = "; ".join(dict.fromkeys(x for x in (why_not, said) if x))
    parts = [then.assign(moment=THEN)]
    if not before.empty:
        parts.append(before.assign(moment=BEFORE))
    joined = pd.concat(parts, ignore_index=True)
    return Readings(joined, THEN, None if before.empty else BEFORE, why_not)


def _picked(
    wells: Collection[WellPlan],
    table: pd.DataFrame,
    series: Series,
    times_s: Mapping[str, float],
) -> tuple[pd.DataFrame, str]:
    """Rows of each arm's moment, and why they are not at it."""
    import pandas as pd

    groups: dict[float, list[str]] = {}
    for arm, at_s in times_s.items():
        groups.setdefault(at_s, []).append(arm)
    parts, whys = [], []
    for at_s, arms in groups.items():
        own = [well for well in wells if well.arm in arms]
        rows = table[table["well"].isin([well.well for well in own])]
        moment = at_time(_shown(rows), own, series.starts_s, at_s, series.cut_off)
        if moment.number is None:
            whys.append(f"{', '.join(arms)}: {moment.why_not}")
            continue
        if moment.why_not:
            whys.append(moment.why_not)
        parts.append(rows[rows["moment"] == moment.number])
    if not parts:
        return table.iloc[:0], "; ".join(whys)
    return pd.concat(parts, ignore_index=True), "; ".join(dict.fromkeys(whys))


def _shown(table: pd.DataFrame) -> list[tuple[int, str]]:
    return list(zip(table["moment"].astype(int), table["well"].astype(str), strict=True))


def exponent_of(readings: Readings) -> float:
    """What values must be divided by, so that no exponential of them is too large to be held."""
    largest = readings.table["value"].astype(float).abs().max()
    return max(1.0, float(largest) / LARGEST_EXPONENT)


def linear(readings: Readings, per: float = 1.0) -> Readings:
    """As exponentials, so that logarithms of them are values and ratios are differences.

    Args:
        readings: of a read-out whose values may be 0 or below.
        per: what a value is divided by, so that no exponential is too large.
    """
    import numpy as np

    value = np.exp(readings.table["value"].astype(float) / per)
    return replace(readings, table=readings.table.assign(value=value))
