"""Whether chips and lights of a rig are made of what it has."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import TYPE_CHECKING

from labrig.problems import KeyPath, Mistake

if TYPE_CHECKING:
    from labrig.rig.models import Rig


def chip_mistakes(rig: Rig) -> Iterator[Mistake]:
    """Every well of a chip is a chamber, and one side of one chip."""
    owner: dict[str, str] = {}
    for name, chip in rig.chips.items():
        for side, well in chip.wells.items():
            path: KeyPath = ("chips", name, side)
            if well not in rig.chambers.wells:
                yield Mistake(
                    path,
                    f"well {well} is not among the rig's chambers",
                    "Add it to chambers.wells, or name one of those.",
                    well,
                )
            if well in owner:
                also = "both sides of it" if owner[well] == name else f"chip '{owner[well]}' too"
                yield Mistake(
                    path, f"well {well} is {also}", "A well is one side of one chip.", well
                )
            owner.setdefault(well, name)
    if rig.chips and (alone := [well for well in rig.chambers.wells if well not in owner]):
        yield Mistake(
            ("chips",),
            f"the rig has chips, and {', '.join(alone)} belong{'s' * (len(alone) == 1)} to none",
            "Put every well of chambers.wells into a chip, or take it out of chambers.wells.",
        )


def light_mistakes(rig: Rig) -> Iterator[Mistake]:
    """Channels drive one thing, wells are lit by one light, calibrations rise."""
    driven = {(e.stimulator, e.channel): f"electrodes '{n}'" for n, e in rig.electrodes.items()}
    lit: dict[str, str] = {}
    for name, light in rig.lights.items():
        path: KeyPath = ("lights", name)
        other = driven.setdefault((light.stimulator, light.channel), f"light '{name}'")
        if other != f"light '{name}'":
            yield Mistake(
                (*path, "channel"),
                f"channel {light.channel} of '{light.stimulator}' already drives {other}",
                "Give the light a channel of its own.",
                light.channel,
            )
        for index, well in enumerate(light.wells):
            first = lit.setdefault(well, name)
            if first != name:
                yield Mistake(
                    (*path, "wells", index),
                    f"well {well} already has the light '{first}'",
                    "A well has one light.",
                    well,
                )
        for index, (low, high) in enumerate(pairwise(light.calibration), start=1):
            if high.volts <= low.volts or high.irradiance_mw_mm2 <= low.irradiance_mw_mm2:
                yield Mistake(
                    (*path, "calibration", index),
                    f"{high.volts:g} V gives {high.irradiance_mw_mm2:g} mW/mm², after "
                    f"{low.volts:g} V with {low.irradiance_mw_mm2:g} mW/mm²",
                    "List the points by rising volts; the irradiance must rise with them, else one "
                    "irradiance would have two voltages.",
                )
