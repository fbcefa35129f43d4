"""What the plumbing and wiring of a rig say: who shares what, and where pictures are taken."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from labrig.places import Place

if TYPE_CHECKING:
    from labrig.protocol.models import Protocol
    from labrig.rig.models import Line, Rig

_GOLDEN_ANGLE = math.pi * (3.0 - math.sqrt(5.0))


def dead_volume_ul(line: Line) -> float:
    """What a line holds: π d² L / 4, in µL (mm³).

    0.5 mm × 1 m holds 196.35 µL.
    """
    return math.pi * line.inner_diameter_mm**2 * line.length_mm / 4.0


def source_words(line: Line) -> str:
    """Where the liquid of a line comes from: lines with the same words share it."""
    if line.from_chamber:
        return f"chamber {line.from_chamber}"
    return f"reservoir {line.reservoir}"


def selector_of(rig: Rig, line: str) -> str | None:
    """Name of the selector that a line is behind, if any."""
    return next((name for name, s in rig.selectors.items() if line in s.lines), None)


def tube_volume_ul(rig: Rig, line: str) -> float:
    """What lies between the selector of a line and its tip, µL."""
    name = selector_of(rig, line)
    said = None if name is None else rig.selectors[name].dead_volume_ul
    return dead_volume_ul(rig.lines[line]) if said is None else said


def dosing_lines(rig: Rig, well: str) -> tuple[str, ...]:
    """Names of the lines that bring additives to a well, in the rig's order."""
    return tuple(n for n, ln in rig.lines.items() if well in ln.wells and ln.carries == "additive")


def electrode_of(rig: Rig, well: str) -> str | None:
    """Name of the electrode entry that stimulates a well, if any."""
    for name, electrodes in rig.electrodes.items():
        if well in electrodes.wells:
            return name
    return None


def wells_by_dosing_lines(
    rig: Rig, wells: Iterable[str], roles: Iterable[str]
) -> Mapping[str, tuple[str, ...]]:
    """Each well's experimental unit for factors: the wells that share every dosing line with it.

    Args:
        rig: the bench.
        wells: those in use, in plate order.
        roles: roles of the lines that carry something in this experiment.

    Returns:
        Well -> the wells of its unit, in the given order. A well without such a line is its own.
    """
    used = set(roles)
    groups: dict[tuple[str, ...], list[str]] = {}
    key_of = {}
    for well in wells:
        lines = tuple(name for name in dosing_lines(rig, well) if rig.lines[name].role in used)
        key = lines or (well,)
        key_of[well] = key
        groups.setdefault(key, []).append(well)
    return {well: tuple(groups[key]) for well, key in key_of.items()}


def well_centre_um(rig: Rig, well: str) -> tuple[float, float]:
    """Stage position (x, y) of the middle of a well of the plate as it lies, turned about A1."""
    place = Place.of(well)
    stage = rig.stage
    along_um, across_um = place.column * stage.pitch_x_um, place.row * stage.pitch_y_um
    turned = math.radians(stage.rotation_deg)
    return (
        stage.a1_x_um + along_um * math.cos(turned) - across_um * math.sin(turned),
        stage.a1_y_um + along_um * math.sin(turned) + across_um * math.cos(turned),
    )


def field_radius_um(rig: Rig, protocol: Protocol) -> float:
    """How far from the middle of a well a field's centre may lie.

    The well's radius less the protocol's distance from the wall and half a field's diagonal;
    0 or less means that the field does not fit.
    """
    half_diagonal_um = max(
        math.hypot(o.width_px, o.height_px) * o.pixel_size_um / 2.0 for o in rig.optics.values()
    )
    radius_mm = rig.stage.well_diameter_mm / 2.0 - protocol.imaging.min_wall_distance_mm
    return radius_mm * 1000.0 - half_diagonal_um


def field_position_um(rig: Rig, well: str, field: int, protocol: Protocol) -> tuple[float, float]:
    """Stage position (x, y) of field ``field`` (from 0) of a well.

    Systematic sampling with a random start: fixed offsets on a sunflower spiral (equal area a
    field; Vogel 1979), turned by an angle drawn for each well from the protocol's seed. Drawn
    before the run, never hand-picked.

    Raises:
        ValueError: a field does not fit into the well.
    """
    radius_um = field_radius_um(rig, protocol)
    if radius_um <= 0:
        raise ValueError(
            f"a field does not fit {protocol.imaging.min_wall_distance_mm:g} mm from the wall of a "
            f"{rig.stage.well_diameter_mm:g} mm well: lower imaging.wall_distance or use a "
            "stronger objective"
        )
    # random() is the one generator method that Python promises to keep the same for a seed
    start = random.Random(f"fields:{protocol.randomisation.seed}:{well}").random()
    angle = 2.0 * math.pi * start + field * _GOLDEN_ANGLE
    distance_um = radius_um * math.sqrt((field + 0.5) / protocol.imaging.sites)
    x_um, y_um = well_centre_um(rig, well)
    return (
        round(x_um + distance_um * math.cos(angle), 1),
        round(y_um + distance_um * math.sin(angle), 1),
    )
