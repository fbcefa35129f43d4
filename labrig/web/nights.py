"""What a run was planned to be, as screens need it: read once from its folder, then kept."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from itertools import pairwise
from pathlib import Path

from labrig.display.legend import Legend, legend_of, zero_of
from labrig.night.telling import arms_told
from labrig.places import Place
from labrig.plan.plan import Plan, WellPlan
from labrig.plan.store import PlanFormatError, read_plan
from labrig.plan.timeline import (
    Dose,
    FlowLevel,
    Frame,
    Reading,
    TimelineEntry,
    levels_with_ends,
)
from labrig.protocol.plates import PLATES
from labrig.record.rows import JournalError
from labrig.run_folder import RunFolder
from labrig.web.look import Look
from labrig.web.site import Site

LETTERS = "abcdefgh"


@dataclass(frozen=True)
class Night:
    """The plan of one run.

    Attributes:
        legend: without the time of day, which a look at the run knows.
    """

    plan: Plan
    legend: Legend

    @cached_property
    def wells(self) -> Mapping[str, WellPlan]:
        """By name."""
        return {well.well: well for well in self.plan.wells}

    @cached_property
    def arms(self) -> Mapping[str, str]:
        """A letter for each arm, in the plan's order; none while arms must not be told."""
        named = dict.fromkeys(well.arm for well in self.plan.wells if not self.legend.blind)
        return {arm: LETTERS[index % len(LETTERS)] for index, arm in enumerate(named)}

    @cached_property
    def rows(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """Names of the plate's wells, a row of the plate each, with its letter."""
        plate = PLATES.get(self.plan.plate)
        names = plate.wells() if plate is not None else tuple(self.wells)
        by_row: dict[str, list[str]] = {}
        for name in names:
            by_row.setdefault(Place.of(name).row_name, []).append(name)
        return tuple((row, tuple(wells)) for row, wells in by_row.items())

    @cached_property
    def reading_every_s(self) -> Mapping[str, float]:
        """By probe, how long from one reading to the next."""
        times: dict[str, list[float]] = {}
        for entry in self.plan.timeline:
            if isinstance(entry, Reading):
                times.setdefault(entry.instrument, []).append(entry.offset_s)
        return {name: at[1] - at[0] for name, at in times.items() if len(at) > 1}

    @cached_property
    def round_s(self) -> float:
        """From one picture of a well to its next, s; a day where there is none."""
        frames = [entry for entry in self.plan.timeline if isinstance(entry, Frame)]
        times = sorted({entry.offset_s for entry in frames if entry.well == frames[0].well})
        return min((b - a for a, b in pairwise(times)), default=86400.0)

    @cached_property
    def _flows(self) -> Mapping[str, list[tuple[FlowLevel, float]]]:
        found: dict[str, list[tuple[FlowLevel, float]]] = {}
        for level, end_s in levels_with_ends(self.plan.timeline, self.plan.forecast.duration_s):
            if isinstance(level, FlowLevel):
                found.setdefault(level.instrument, []).append((level, end_s))
        return found

    @cached_property
    def _doses(self) -> Mapping[str, list[Dose]]:
        found: dict[str, list[Dose]] = {}
        for entry in self.plan.timeline:
            if isinstance(entry, Dose):
                found.setdefault(entry.instrument, []).append(entry)
        return found

    @cached_property
    def _offsets(self) -> list[float]:
        return [entry.offset_s for entry in self.plan.timeline]

    def between(self, after_s: float, until_s: float) -> Sequence[TimelineEntry]:
        """Entries of the timeline after one moment of the run and up to another."""
        first, last = (bisect_right(self._offsets, at) for at in (after_s, until_s))
        return self.plan.timeline[first:last]

    def planned_ul(self, pump: str, until_s: float) -> float:
        """How much a pump was to have moved by a moment of the run, µL a line."""
        moved = sum(
            level.rate_ul_min * max(0.0, min(end_s, until_s) - level.offset_s) / 60.0
            for level, end_s in self._flows.get(pump, ())
        )
        doses = self._doses.get(pump, ())
        return moved + sum(dose.volume_ul for dose in doses if dose.offset_s <= until_s)

    @cached_property
    def pumps_by_well(self) -> Mapping[str, tuple[str, ...]]:
        """By well, the pump of each of its lines."""
        chambers = self.plan.chambers
        return {c.well: tuple(dict.fromkeys(i.pump for i in c.inlets)) for c in chambers}

    @cached_property
    def carriers_by_well(self) -> Mapping[str, Mapping[str, str]]:
        """By well and factor, the pump that brings it."""
        return {
            chamber.well: {
                factor: inlet.pump
                for inlet in chamber.inlets
                for factor, ng_ml in inlet.contents_ng_ml
                if ng_ml > 0
            }
            for chamber in self.plan.chambers
        }


def night_of(folder: RunFolder) -> Night | None:
    """The plan of a run; None where it cannot be read."""
    try:
        changed_ns = folder.plan_in_force.stat().st_mtime_ns
        night = _night(folder.root, changed_ns, told=False)
        if night.legend.blind and arms_told(folder):
            return _night(folder.root, changed_ns, told=True)
    except (OSError, PlanFormatError, JournalError):
        return None
    return night


@lru_cache(maxsize=8)
def _night(root: Path, changed_ns: int, *, told: bool) -> Night:
    plan = read_plan(RunFolder(root))
    return Night(plan, legend_of(plan, arms_told=told))


def legend_for(look: Look, site: Site) -> Legend:
    """What wells, instruments and times of a run are called now."""
    night = night_of(look.run.folder)
    legend = night.legend if night is not None else Legend()
    zero = None
    if look.status.get("utc"):
        zero = zero_of(str(look.status["utc"]), float(look.status["now_s"]))
    return replace(legend, zone=site.zone, zero=zero)
