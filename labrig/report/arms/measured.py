"""Logarithms at the units of a contrast, with what is to be adjusted for."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from labrig.plan.experimental_units import Unit
from labrig.report.comparisons import Readings, unit_values

Adjustment = Literal["change", "covariance", "none"]


@dataclass(frozen=True, slots=True)
class UnitLogs:
    """One logarithm per row: a unit, or a donor's mean of an arm.

    Attributes:
        covariate: the logarithm before treatment, where it is to be adjusted for; None otherwise.
        wells: of each row; empty for means.
        hours: at which they were measured, on average.
    """

    values: tuple[float, ...]
    arms: tuple[str, ...]
    donors: tuple[str, ...]
    covariate: tuple[float, ...] | None
    wells: tuple[tuple[str, ...], ...]
    hours: float

    def of_donors(self, donors: Collection[str]) -> UnitLogs:
        """Rows of these donors."""
        return self._rows([i for i, own in enumerate(self.donors) if own in donors])

    def of_arms(self, arms: Collection[str]) -> UnitLogs:
        """Rows of these arms."""
        return self._rows([i for i, own in enumerate(self.arms) if own in arms])

    def by_donor_and_arm(self) -> UnitLogs:
        """Means over the units of each donor and arm; units weigh alike."""
        cells: dict[tuple[str, str], list[int]] = {}
        for index, cell in enumerate(zip(self.donors, self.arms, strict=True)):
            cells.setdefault(cell, []).append(index)
        return replace(
            self,
            values=_means(self.values, cells.values()),
            arms=tuple(arm for _, arm in cells),
            donors=tuple(donor for donor, _ in cells),
            covariate=None if self.covariate is None else _means(self.covariate, cells.values()),
            wells=(),
        )

    def nested(self) -> dict[str, dict[str, float]]:
        """By donor and arm; for means."""
        found: dict[str, dict[str, float]] = {}
        for donor, arm, value in zip(self.donors, self.arms, self.values, strict=True):
            found.setdefault(donor, {})[arm] = value
        return found

    def _rows(self, at: Sequence[int]) -> UnitLogs:
        return replace(
            self,
            values=tuple(self.values[i] for i in at),
            arms=tuple(self.arms[i] for i in at),
            donors=tuple(self.donors[i] for i in at),
            covariate=None if self.covariate is None else tuple(self.covariate[i] for i in at),
            wells=tuple(self.wells[i] for i in at) if self.wells else (),
        )


def unit_logs(
    readings: Readings,
    units: Sequence[Unit],
    adjustment: Adjustment,
    censored_from_s: Mapping[str, float] | None,
) -> UnitLogs:
    """Units that show the read-out at its moment; minus infinity where one of their wells has none.

    A read-out without a baseline is taken as it is, whatever the adjustment.
    """
    over = adjustment == "change" and readings.baseline is not None
    table = unit_values(readings, units, censored_from_s, over)
    rows = table.to_dict("records")
    covariate = None
    if adjustment == "covariance" and readings.baseline is not None:
        before = replace(readings, last=readings.baseline)
        began = unit_values(before, units, censored_from_s, over_baseline=False)
        start = {str(row["unit"]): _log(row["value"]) for row in began.to_dict("records")}
        rows = [row for row in rows if math.isfinite(start.get(str(row["unit"]), math.nan))]
        covariate = tuple(start[str(row["unit"])] for row in rows)
    wells = {unit.name: unit.wells for unit in units}
    return UnitLogs(
        values=tuple(_log(row["value"]) for row in rows),
        arms=tuple(str(row["arm"]) for row in rows),
        donors=tuple(str(row["donor"]) for row in rows),
        covariate=covariate,
        wells=tuple(wells[str(row["unit"])] for row in rows),
        hours=float(table["hours"].mean()) if rows else math.nan,
    )


def quality_of(mass: Readings | None, strength: Readings | None) -> Readings | None:
    """Contraction over diameter in the same well, at the last moment of either; None without both.

    It has a baseline where both read-outs have one.
    """
    if mass is None or strength is None:
        return None
    moments = {1: (mass.last, strength.last)}
    if mass.baseline is not None and strength.baseline is not None:
        moments[0] = (mass.baseline, strength.baseline)
    import pandas as pd

    parts = []
    for moment, (of_mass, of_strength) in moments.items():
        width = mass.table[mass.table["moment"] == of_mass]
        both = strength.table[strength.table["moment"] == of_strength].merge(
            width[["well", "value"]], on="well", suffixes=("", "_width")
        )
        parts.append(both.assign(moment=moment, value=both["value"] / both["value_width"]))
    return Readings(pd.concat(parts, ignore_index=True), 1, 0 if 0 in moments else None)


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _means(values: Sequence[float], cells: Collection[Sequence[int]]) -> tuple[float, ...]:
    return tuple(math.fsum(values[i] for i in own) / len(own) for own in cells)
