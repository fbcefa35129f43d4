"""What a person sees to before a start, line by line, made from the plan. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from labrig.plan.consumables import Loading
from labrig.plan.disk_room import START_SHARE, need_bytes
from labrig.plan.plan import Plan
from labrig.plan.timeline import PersonStep, Reading, StimulationLevel
from labrig.rig.graph import selector_of
from labrig.rig.models import Rig

Group = Literal["Fill", "Prime", "Plate", "Air", "Computer"]


@dataclass(frozen=True, slots=True)
class CheckLine:
    """One line to tick.

    Attributes:
        id: the same for the same plan.
        text: what is to be so.
        detail: what helps to see to it; may be empty.
        solution: whose lot is asked for with this line; "" for none.
        lot: of it, as the protocol names it.
        trouble: what this computer itself sees against it; empty for nothing.
    """

    id: str
    group: Group
    text: str
    detail: str = ""
    solution: str = ""
    lot: str = ""
    trouble: str = ""


def checklist(plan: Plan, rig: Rig, free_bytes: int) -> tuple[CheckLine, ...]:
    """All lines, in the order in which one walks around the bench.

    Args:
        plan: of the run.
        rig: its bench.
        free_bytes: on the disk of the folder of runs.
    """
    return (
        *_fill(plan.loading),
        *_ready(plan),
        *_prime(plan, rig),
        *_plate(plan, rig),
        *_air(plan),
        *_computer(plan, free_bytes),
    )


def _fill(loading: Iterable[Loading]) -> Iterator[CheckLine]:
    """Solution by solution, as one draws them up; the lot is asked for once of each."""
    by_solution: dict[str, list[Loading]] = {}
    for row in loading:
        by_solution.setdefault(row.solution, []).append(row)
    for solution, rows in by_solution.items():
        for index, row in enumerate(rows):
            contents = f"{row.contents}. " if row.contents else ""
            yield CheckLine(
                f"fill:{row.reservoir}",
                "Fill",
                f"{row.reservoir}: {row.volume_ml:.1f} mL of {solution}",
                f"{contents}Feeds {', '.join(row.lines)}" if row.lines else row.contents,
                solution if index == 0 else "",
                row.lot,
            )


def _ready(plan: Plan) -> Iterator[CheckLine]:
    """Bottles for which others are changed during the run."""
    for step in plan.timeline:
        if isinstance(step, PersonStep):
            for name, volume_ml in step.bottles:
                yield CheckLine(
                    f"ready:{step.key}:{name}",
                    "Fill",
                    f"Ready for {step.step} at {step.offset_s / 3600:g} h: {volume_ml:.1f} mL of "
                    f"{step.medium}, in place of what is in {name}",
                )


def _prime(plan: Plan, rig: Rig) -> Iterator[CheckLine]:
    """By solution, as one primes: all lines of one bottle or of one kind of syringe."""
    by_solution: dict[str, list[str]] = {}
    for row in plan.loading:
        filled = [n for n in row.lines if selector_of(rig, n) is None or n in row.fills]
        by_solution.setdefault(row.solution, []).extend(filled)
    for solution, lines in by_solution.items():
        primed = [name for name in lines if rig.lines[name].primed]
        dry = [name for name in lines if not rig.lines[name].primed]
        if primed:
            yield CheckLine(
                f"prime:{solution}",
                "Prime",
                f"Lines of {solution} are filled to their tips, without bubbles",
                ", ".join(primed),
            )
        if dry:
            yield CheckLine(
                f"dry:{solution}",
                "Prime",
                f"Lines of {solution} that begin empty, as the rig says, are empty",
                ", ".join(dry),
            )
    for chamber in plan.chambers:
        for inlet in chamber.inlets:
            if inlet.source is not None:
                yield CheckLine(
                    f"effluent:{inlet.line}",
                    "Prime",
                    f"Line {inlet.line} is filled with medium, begins in {inlet.source.well} at "
                    f"the height of its outflow, and ends in {chamber.well}",
                    f"{inlet.pump} turns from {inlet.source.well} towards {chamber.well}",
                )
    if rig.outflow is not None:
        yield CheckLine(
            "waste",
            "Prime",
            f"The waste bottle is empty: room for {rig.outflow.waste_ml / 1000:g} L",
        )


def _plate(plan: Plan, rig: Rig) -> Iterator[CheckLine]:
    yield CheckLine(
        "plate",
        "Plate",
        f"The {plan.plate} plate is on the stage, A1 where the map has it, lid on",
        f"{len(plan.wells)} wells hold cells",
    )
    donors: dict[str, list[str]] = {}
    for well in plan.wells:
        donors.setdefault(well.donor, []).append(well.well)
    for donor, wells in donors.items():
        if len(donors) > 1:
            yield CheckLine(
                f"donor:{donor}", "Plate", f"Cells of donor {donor} are in", ", ".join(wells)
            )
    channels = {
        (entry.instrument, train.channel)
        for entry in plan.timeline
        if isinstance(entry, StimulationLevel)
        for train in entry.trains
    }
    for name, pair in rig.electrodes.items():
        if (pair.stimulator, pair.channel) in channels:
            yield CheckLine(
                f"electrodes:{name}",
                "Plate",
                f"Electrodes {name} are in and wired to channel {pair.channel} of "
                f"{pair.stimulator}",
                ", ".join(pair.wells),
            )


def _air(plan: Plan) -> Iterator[CheckLine]:
    if not any(isinstance(entry, Reading) for entry in plan.timeline):
        return
    rules = plan.rules
    yield CheckLine(
        "air",
        "Air",
        f"The incubator shows {rules.co2_percent:g} ± {rules.warn_co2_percent:g} % CO2 and "
        f"{rules.temperature_c:g} ± {rules.warn_temperature_c:g} °C, and its door is closed",
    )


def _computer(plan: Plan, free_bytes: int) -> Iterator[CheckLine]:
    needed = need_bytes(plan) * START_SHARE
    text = f"{free_bytes / 1e9:.1f} GB are free; {needed / 1e9:.1f} GB are asked for"
    yield CheckLine(
        "disk",
        "Computer",
        text,
        trouble="" if free_bytes >= needed else "that is not enough: make room first",
    )
    yield CheckLine(
        "sleep",
        "Computer",
        "This computer does not go to sleep and restarts for no update tonight; it is on mains",
    )
