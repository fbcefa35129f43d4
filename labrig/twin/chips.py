"""Chips of the simulated bench: which wells are linked, and what passes through the link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labrig.twin.culture import Activity, Culture
from labrig.twin.culture.junction import Junction
from labrig.twin.culture.signals import Signals
from labrig.twin.spec import LightSpec, WellSpec

Numbers = Mapping[str, Mapping[str, float]]


@dataclass(slots=True)
class Chip:
    """Nerve and muscle of one chip."""

    nerve: str
    muscle: str
    junction: Junction


def chips_of(wells: tuple[WellSpec, ...]) -> dict[str, Chip]:
    """By name, every chip that has both sides."""
    sides: dict[str, dict[str, str]] = {}
    for well in wells:
        if well.chip:
            sides.setdefault(well.chip, {})[well.compartment] = well.well
    return {
        name: Chip(found["nerve"], found["muscle"], Junction())
        for name, found in sides.items()
        if {"nerve", "muscle"} <= found.keys()
    }


def grow_chips(
    chips: Mapping[str, Chip],
    hours: float,
    said: Mapping[str, Signals],
    cultures: Mapping[str, Culture],
    activity: Mapping[str, Activity],
    numbers: Numbers,
) -> None:
    """Let the two sides of every chip act on each other for so long."""
    synapse = numbers["synapse"]
    for chip in chips.values():
        muscle = cultures[chip.muscle]
        chip.junction.step(
            hours,
            said[chip.nerve],
            said[chip.muscle],
            muscle.log_clusters,
            muscle.size.log_diameter,
            synapse,
        )
        fires_hz = activity[chip.nerve].tonic_hz + activity[chip.nerve].phasic_hz
        level = min(1.0, fires_hz / numbers["activity"]["full_at_hz"])
        muscle.trophic = chip.junction.trophic(level, synapse)
        muscle.log_agrin = chip.junction.log_agrin()


def lit_share(light: LightSpec, volts: float, threshold_mw_mm2: float) -> float:
    """The share of the neurons that pulses of a light move: half at the threshold."""
    mw_mm2 = _irradiance(light.calibration, volts)
    if mw_mm2 <= 0.0:
        return 0.0
    return mw_mm2**4 / (mw_mm2**4 + threshold_mw_mm2**4)


def _irradiance(points: tuple[tuple[float, float], ...], volts: float) -> float:
    """Linear between what was measured, held beyond it."""
    below = [p for p in points if p[0] <= volts]
    above = [p for p in points if p[0] >= volts]
    if not below:
        return 0.0
    if not above:
        return below[-1][1]
    (v0, e0), (v1, e1) = below[-1], above[0]
    return e0 if v1 == v0 else e0 + (volts - v0) / (v1 - v0) * (e1 - e0)
