"""How a measure of one experimental unit changes over a time-lapse, in numbers chosen beforehand.

One unit gives one number: the log-slope a day, the area under the curve, the time to a loss of
10 %. Frames are never units, and missing values are left out, not made up.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd

LEAST_POINTS = 3
BASELINE_H = 1.0
LOSS = 0.10
"""A loss counts once this share is gone in two measurements running."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Growth:
    """Summary of one unit's series.

    Attributes:
        log_slope_per_day: Least-squares slope of ln(value) on days; 0.1 is +10.5 % a day.
        log_slope_se: Its standard error as if points were independent, which points of a
            time-lapse are not: a description of scatter, not for a test.
        auc_relative_h: Area under value / baseline over time, h (trapezoids); over the
            duration it is the mean relative level.
        time_to_loss_h: From the first point until value / baseline has fallen by 10 % and the
            next point agrees, interpolated; NaN if it never does.
        loss_reached: False: the series ended first (censored), time_to_loss_h is NaN.
        baseline: Mean value of the first hour.
        points: Values used.
        missing: Values left out: NaN, or not positive (no logarithm).
        duration_h: From the first to the last value used.
        reason: Why there is no summary; empty if there is.
    """

    log_slope_per_day: float
    log_slope_se: float
    auc_relative_h: float
    time_to_loss_h: float
    loss_reached: bool
    baseline: float
    points: int
    missing: int
    duration_h: float
    reason: str = ""


def summarise_growth(time_h: Sequence[float] | Floats, value: Sequence[float] | Floats) -> Growth:
    """Summarise one unit's series.

    Args:
        time_h: Times, h, in any order.
        value: The measure, positive (diameter, area fraction, amplitude ...); NaN = missing.

    Returns:
        The summary; with fewer than 3 usable values, or all at one time, NaN and the reason.

    Raises:
        ValueError: The two differ in length.

    >>> g = summarise_growth([0, 12, 24, 36, 48], [16, 15.2, 14.4, 13.7, 13.0])
    >>> round(g.log_slope_per_day, 3), round(g.time_to_loss_h, 1)
    (-0.104, 24.0)
    """
    times, values = np.asarray(time_h, dtype=np.float64), np.asarray(value, dtype=np.float64)
    if times.shape != values.shape or times.ndim != 1:
        raise ValueError(f"{times.shape} times and {values.shape} values: give one value per time")
    usable = np.isfinite(values) & (values > 0) & np.isfinite(times)
    missing = int((~usable).sum())
    order = np.argsort(times[usable], kind="stable")
    times, values = times[usable][order], values[usable][order]
    if len(times) < LEAST_POINTS or times[0] == times[-1]:
        nan = float("nan")
        why = f"{len(times)} usable values, at least {LEAST_POINTS} at different times are needed"
        return Growth(nan, nan, nan, nan, False, nan, len(times), missing, 0.0, why)
    baseline = float(values[times <= times[0] + BASELINE_H].mean())
    slope, error = _line(times / 24.0, np.log(values))
    loss_h = _time_to_loss(times, values / baseline)
    return Growth(
        log_slope_per_day=slope,
        log_slope_se=error,
        auc_relative_h=float(np.trapezoid(values / baseline, times)),
        time_to_loss_h=loss_h,
        loss_reached=bool(np.isfinite(loss_h)),
        baseline=baseline,
        points=len(times),
        missing=missing,
        duration_h=float(times[-1] - times[0]),
    )


def growth_by_unit(
    table: pd.DataFrame, *, unit: str, value: str, time_h: str = "time_h"
) -> pd.DataFrame:
    """One row per unit: `summarise_growth` of its values.

    Values of one unit at one time (fields, wells of one line) are averaged first, so that each
    time counts once.

    Args:
        table: One row per measurement.
        unit: Column of the experimental unit.
        value: Column of the measure.
        time_h: Column of the time, h.

    Raises:
        ValueError: A column is missing.
    """
    absent = [name for name in (unit, value, time_h) if name not in table.columns]
    if absent:
        raise ValueError(f"columns {absent} are not in the table, which has {list(table.columns)}")
    rows = []
    for name, part in table.groupby(unit, sort=True):
        # A time at which every field failed stays, as NaN, and is counted as missing.
        series = part.groupby(time_h)[value].mean()
        summary = summarise_growth(series.index.to_numpy(float), series.to_numpy(float))
        rows.append({unit: name, **asdict(summary)})
    return pd.DataFrame(rows, columns=[unit, *Growth.__dataclass_fields__])


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and its standard error, for three points or more."""
    away = x - x.mean()
    slope = float((away * y).sum() / (away**2).sum())
    left = y - y.mean() - slope * away
    error = float(np.sqrt((left**2).sum() / (len(x) - 2) / (away**2).sum()))
    return slope, error


def time_to_loss_h(
    time_h: Sequence[float] | Floats,
    relative: Sequence[float] | Floats,
    loss: float = LOSS,
) -> float:
    """Hours from the first point until a share is lost, and the next point agrees, interpolated.

    Args:
        time_h: (n,) in order.
        relative: (n,) of what there was at the beginning.
        loss: the share; 0.1 for 10 %.

    Returns:
        NaN where it is never lost while it is watched.

    >>> round(time_to_loss_h([0, 12, 24, 36], [1.0, 0.96, 0.88, 0.8]), 6)
    21.0
    """
    return _time_to_loss(np.asarray(time_h, float), np.asarray(relative, float), loss)


def _time_to_loss(times_h: Floats, relative: Floats, loss: float = LOSS) -> float:
    limit = 1 - loss
    below = relative <= limit
    for i in range(1, len(times_h)):
        if below[i] and (i + 1 < len(times_h)) and below[i + 1]:
            if below[i - 1]:
                return float(times_h[i - 1] - times_h[0])
            part = (relative[i - 1] - limit) / (relative[i - 1] - relative[i])
            crossing = times_h[i - 1] + part * (times_h[i] - times_h[i - 1])
            return float(crossing - times_h[0])
    return float("nan")
