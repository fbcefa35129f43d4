"""What arms are compared by, and when: at the planned time, never at a round that was cut off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labrig.plan.timeline import Film, Frame
from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.report.comparisons import Readings, diameter_readings, film_readings
from labrig.report.moments import at_time, fullest
from labrig.report.record import Record
from labrig.report.units import Design

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Compared:
    """The readings of a run.

    Attributes:
        mass: diameter; None where nothing was measured after treatment began.
        strength: contraction; None likewise, whatever films were taken under.
    """

    mass: Readings | None
    strength: Readings | None

    @property
    def rounds(self) -> tuple[int, ...]:
        """The rounds whose diameters are compared."""
        if self.mass is None:
            return ()
        baseline = () if self.mass.baseline is None else (self.mass.baseline,)
        return (*baseline, self.mass.last)


def compared_at(
    record: Record,
    design: Design,
    wells: pd.DataFrame,
    films: pd.DataFrame,
    span_s: tuple[float, float],
    plan: AnalysisPlan,
) -> Compared:
    """Diameter and contraction at the time of the plan; at their last where it names none.

    Args:
        record: of the run.
        design: of the run.
        wells: those whose diameters count.
        films: those that count.
        span_s: when treatment began, and how far the run came.
        plan: in force.
    """
    treated_from_s, until_s = span_s
    seen = wells[wells["log_diameter"].notna()]
    before = seen["hours"] * 3600 <= treated_from_s
    earlier, later = (
        list(zip(own["round"].astype(int), own["well"], strict=True))
        for own in (seen[before], seen[~before])
    )
    starts_s, cut_off = rounds_of(record, until_s)
    rounds_s = max(starts_s.values(), default=0.0) if plan.at_h is None else 3600 * plan.at_h
    moment = at_time(later, record.plan.wells, starts_s, rounds_s, cut_off)
    mass = None
    if moment.number is not None:
        baseline = fullest(earlier, record.plan.wells, cut_off)
        mass = diameter_readings(wells, (baseline, moment.number), moment.why_not)
    films_s = _last_film_s(record) if plan.at_h is None else 3600 * plan.at_h
    return Compared(mass, film_readings(design, films, treated_from_s, films_s))


def _last_film_s(record: Record) -> float:
    """When the last film of the plan is due; the end of the run without any."""
    due_s = [
        entry.offset_s
        for entry in record.plan.timeline
        if isinstance(entry, Film) and not entry.assay
    ]
    return max(due_s, default=record.plan.forecast.duration_s)


def rounds_of(record: Record, until_s: float) -> tuple[Mapping[int, float], set[int]]:
    """When each round began, and those that the end of the run cut short."""
    starts_s: dict[int, float] = {}
    cut_off: set[int] = set()
    for entry in record.plan.timeline:
        if isinstance(entry, Frame):
            starts_s[entry.round] = min(starts_s.get(entry.round, entry.offset_s), entry.offset_s)
            if entry.offset_s > until_s:
                cut_off.add(entry.round)
    return starts_s, cut_off
