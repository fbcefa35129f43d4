"""What a run was planned to be, as screens need it: read once from its folder, then kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path

from labrig.display.legend import Legend, legend_of, zero_of
from labrig.night.telling import arms_told
from labrig.places import Place
from labrig.plan.plan import Plan, WellPlan
from labrig.plan.store import PlanFormatError, read_plan
from labrig.plan.timeline import Dose, FlowLevel, Reading, levels_with_ends
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

    def planned_ul(self, pump: str, until_s: float) -> float:
        """How much a pump was to have moved by a moment of the run, µL a line."""
        moved = 0.0
        for level, end_s in levels_with_ends(self.plan.timeline, self.plan.forecast.duration_s):
            if isinstance(level, FlowLevel) and level.instrument == pump:
                moved += level.rate_ul_min * max(0.0, min(end_s, until_s) - level.offset_s) / 60.0
        return moved + sum(
            entry.volume_ul
            for entry in self.plan.timeline
            if isinstance(entry, Dose) and entry.instrument == pump and entry.offset_s <= until_s
        )

    def carriers(self, well: str) -> dict[str, str]:
        """By factor, the pump that brings it into a well."""
        chamber = next((c for c in self.plan.chambers if c.well == well), None)
        found = {}
        for inlet in chamber.inlets if chamber is not None else ():
            for factor, ng_ml in inlet.contents_ng_ml:
                if ng_ml > 0:
                    found[factor] = inlet.pump
        return found


def night_of(folder: RunFolder) -> Night | None:
    """The plan of a run; None where it cannot be read."""
    try:
        changed_ns = folder.plan.stat().st_mtime_ns
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
