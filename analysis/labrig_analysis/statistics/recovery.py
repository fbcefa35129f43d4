"""What a gap in support leaves behind after it is restored.

The lasting deficit, log before - log restored, has a value at every gap, 0 included; its slope on
the gap is one number per donor. The recovered fraction, (restored - after) / (before - after), is
0/0 where the gap cost nothing, so it is given only at gaps where the loss is shown over donors.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from labrig_analysis.statistics.estimate import Estimate, of_mean


@dataclass(frozen=True, slots=True)
class AfterGap:
    """One donor at one gap, means of logarithms.

    Attributes:
        gap_h: hours without support.
        before, after, restored: before the gap, at its end, and after support came back.
    """

    gap_h: float
    before: float
    after: float
    restored: float


@dataclass(frozen=True, slots=True)
class Recovery:
    """Recovery against gap over donors.

    Attributes:
        deficit_per_h: slope of the lasting deficit of log on the gap.
        deficit_by_donor: each donor's.
        loss: by gap, the loss at its end (log before - after) over donors.
        fraction: by gap, the recovered fraction over donors, only where the loss is shown.
        not_told: by gap, why there is no fraction.
        fraction_per_h: slope of the fraction on the gap over those gaps; None below three of them.
    """

    deficit_per_h: Estimate
    deficit_by_donor: dict[str, float]
    loss: dict[float, Estimate]
    fraction: dict[float, Estimate]
    not_told: dict[float, str]
    fraction_per_h: Estimate | None


def recovery_after_gaps(donors: Mapping[str, Sequence[AfterGap]]) -> Recovery:
    """Lasting deficit and recovered fraction, both by donor before donors are counted.

    Raises:
        ValueError: no donor, a donor with fewer than three gaps or one gap twice, donors with
            different gaps, or a value is missing.
    """
    gaps = _gaps(donors)
    by_gap = {
        gap: [next(row for row in rows if row.gap_h == gap) for rows in donors.values()]
        for gap in gaps
    }
    slopes = {
        donor: _slope([(row.gap_h, row.before - row.restored) for row in rows])
        for donor, rows in donors.items()
    }
    loss = {gap: of_mean([row.before - row.after for row in by_gap[gap]]) for gap in gaps}
    fraction, not_told = {}, {}
    for gap, rows in by_gap.items():
        low, smallest = loss[gap].low, min(row.before - row.after for row in rows)
        if low is None or low <= 0:
            not_told[gap] = "no loss is shown at this gap, so there is nothing to recover from"
        elif smallest <= 0:
            not_told[gap] = "a donor lost nothing at this gap, so it has no fraction"
        else:
            fraction[gap] = of_mean([_fraction(row) for row in rows])
    return Recovery(
        deficit_per_h=of_mean(list(slopes.values())),
        deficit_by_donor=slopes,
        loss=loss,
        fraction=fraction,
        not_told=not_told,
        fraction_per_h=_slope_of_fractions(donors, set(fraction)),
    )


def _gaps(donors: Mapping[str, Sequence[AfterGap]]) -> list[float]:
    if not donors:
        raise ValueError("at least one donor is needed")
    gaps: list[float] = []
    for donor, rows in donors.items():
        own = sorted(row.gap_h for row in rows)
        if len(own) < 3 or len(set(own)) < len(own):
            raise ValueError(f"donor {donor!r} needs three or more gaps, each of them once")
        if gaps and own != gaps:
            raise ValueError(f"donor {donor!r} has gaps {own}, others {gaps}")
        gaps = own
        for row in rows:
            if not np.isfinite([row.gap_h, row.before, row.after, row.restored]).all():
                raise ValueError(f"donor {donor!r}, gap {row.gap_h} h: a value is missing")
    return gaps


def _fraction(row: AfterGap) -> float:
    return (row.restored - row.after) / (row.before - row.after)


def _slope_of_fractions(
    donors: Mapping[str, Sequence[AfterGap]], gaps: set[float]
) -> Estimate | None:
    if len(gaps) < 3:
        return None
    return of_mean(
        [
            _slope([(row.gap_h, _fraction(row)) for row in rows if row.gap_h in gaps])
            for rows in donors.values()
        ]
    )


def _slope(points: Sequence[tuple[float, float]]) -> float:
    x, y = np.array(points, float).T
    return float(np.polynomial.polynomial.polyfit(x - x.mean(), y, 1)[1])
