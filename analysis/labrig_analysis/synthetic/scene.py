"""Where the tubes and nuclei of one synthetic field are: fixed for a seed, well and field.

Numbers: tube width log-normal, sigma 0.4, median 16 um (human primary tubes 12-25 um, C2C12
10-27 um); nuclear domain about one nucleus per 35 um of tube; nuclei 400 per mm2. They are
plausible, commonly seen values, not measurements of a donor [K].
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.synthetic.culture import CultureState

Floats = npt.NDArray[np.float64]

_POINTS = 33
_MARGIN_UM = 60.0
"""Cells exist this far beyond the field, so that drift brings new ones in."""
_NUCLEAR_SPACING_UM = 35.0
_MOST_FUSED = 0.8
_ONSET_SPREAD = 0.06
_GRID_UM = 6.0
THRESHOLD_LOG_SD = 0.15
"""Of the amplitudes that the tubes of a scene need, as they are drawn."""
_MOST_NUCLEI = 1.5
_TIP_WIDTHS = 2.0
"""A tube tapers over this many of its widths at each end."""


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """The fixed geometry of one field. Lengths in um; points are (x, y) from the top left.

    Shapes: T tubes, P points along each, N nuclei, D pieces of debris. ``*_rank`` values are
    uniform in 0..1 and say in which order things happen: rank below ``detached_fraction`` is
    detached, and so on.
    """

    seed: int
    height_um: float
    width_um: float
    tube_points_um: Floats  # (T, P, 2)
    tube_profile: Floats  # (T, P), local width over base width, mean 1
    tube_width_um: Floats  # (T,), fully grown
    tube_length_um: Floats  # (T,)
    tube_onset: Floats  # (T,), fused_fraction at which it appears
    tube_full: Floats  # (T,), fused_fraction at which it is fully grown
    tube_brightness: Floats  # (T,)
    tube_fibrils: Floats  # (T, F, 2): place across the tube -1..1, strength
    tube_threshold: Floats  # (T,), over the culture's median threshold
    tube_detach_rank: Floats  # (T,)
    tube_patch: Floats  # (T,), lost when coverage falls below
    nucleus_tube: npt.NDArray[np.int64]  # (N,), -1: never fuses
    nucleus_along: Floats  # (N,), 0..1 along its tube
    nucleus_across: Floats  # (N,), -1..1 across its tube
    nucleus_joins: npt.NDArray[np.int64]  # (N,), the tube that may take up a free one; -1: none
    nucleus_joins_rank: Floats  # (N,), 0..1, in which order
    nucleus_joins_along: Floats  # (N,), 0..1 along that tube
    nucleus_free_um: Floats  # (N, 2), before fusion
    nucleus_angle: Floats  # (N,), radians, while free
    nucleus_axes_um: Floats  # (N, 2), half axes
    nucleus_brightness: Floats  # (N,)
    nucleus_rank: Floats  # (N,), 0..1.5, present while below nuclei_factor
    nucleus_pyknosis_rank: Floats  # (N,)
    nucleus_patch: Floats  # (N,)
    cell_length_um: Floats  # (N,), spindle of the mononucleated cell
    debris_um: Floats  # (D, 3): x, y, radius
    texture_um: Floats  # (2,), where on the endless carpet of small structures the field lies


class GrownTubes(NamedTuple):
    """The tubes there at one state. Shapes: K tubes numbered ``which`` in the scene, P points."""

    which: npt.NDArray[np.int64]  # (K,)
    growth: Floats  # (K,), share of its full length
    points_um: Floats  # (K, P, 2)
    normals: Floats  # (K, P, 2)
    width_um: Floats  # (K, P), tapered at the tips
    body: npt.NDArray[np.bool_]  # (K, P), away from the tips
    length_um: Floats  # (K,)


class Nuclei(NamedTuple):
    """The nuclei there at one state (M of them)."""

    which: npt.NDArray[np.int64]  # (M,), in the scene
    tube: npt.NDArray[np.int64]  # (M,), in the scene; -1 when free
    centre_um: Floats  # (M, 2)
    angle: Floats  # (M,)
    axes_um: Floats  # (M, 2)
    pyknotic: npt.NDArray[np.bool_]  # (M,)


def make_scene(
    seed: int,
    well: str,
    field: int,
    *,
    height_um: float,
    width_um: float,
    nuclei_per_mm2: float = 400.0,
    median_width_um: float = 16.0,
    width_log_sd: float = 0.4,
) -> Scene:
    """Draw the geometry of one field; the same arguments always give the same field.

    Args:
        seed: Of the experiment.
        well: Name of the well, e.g. ``"B3"``.
        field: Number of the field in the well.
        height_um: Height of the field seen, um.
        width_um: Width of the field seen, um.
        nuclei_per_mm2: Nominal density of nuclei.
        median_width_um: Median over tubes of the fully grown width, um.
        width_log_sd: SD of the natural logarithm of that width.

    Raises:
        ValueError: A size or density is not positive.
    """
    if min(height_um, width_um, nuclei_per_mm2, median_width_um) <= 0:
        raise ValueError(
            f"a scene of {height_um} x {width_um} um, {nuclei_per_mm2} nuclei/mm2, width "
            f"{median_width_um} um cannot be drawn: give positive numbers"
        )
    rng = np.random.default_rng([seed, zlib.crc32(well.encode()), field])
    size_um = np.array([width_um + 2 * _MARGIN_UM, height_um + 2 * _MARGIN_UM])
    nominal = round(nuclei_per_mm2 * size_um[0] * size_um[1] / 1e6)
    direction = rng.uniform(0, np.pi)
    points, widths, lengths, members = _place_tubes(
        rng, size_um, direction, round(_MOST_FUSED * nominal), median_width_um, width_log_sd
    )
    tubes = len(points)
    before = np.concatenate([[0.0], np.cumsum(members)])[:-1] / max(nominal, 1)
    patches = _patch_map(rng)
    in_tubes = int(members.sum())
    free = nominal - in_tubes + round((_MOST_NUCLEI - 1) * nominal)
    nucleus_tube = np.concatenate([np.repeat(np.arange(tubes), members), np.full(free, -1)])
    along = np.concatenate([_spread(rng, n) for n in members] + [np.zeros(free)])
    across = rng.uniform(-0.35, 0.35, len(nucleus_tube))
    free_um = rng.uniform(-_MARGIN_UM, size_um - _MARGIN_UM, (len(nucleus_tube), 2))
    if in_tubes:
        at = np.rint(along[:in_tubes] * (_POINTS - 1)).astype(int)
        free_um[:in_tubes] = points[nucleus_tube[:in_tubes], at] + rng.normal(
            0, 14.0, (in_tubes, 2)
        )
    present_rank = rng.uniform(0, 1, len(nucleus_tube))
    extra = round((_MOST_NUCLEI - 1) * nominal)
    if extra:
        present_rank[-extra:] = rng.uniform(1, _MOST_NUCLEI, extra)
    half_axes = rng.normal([6.5, 4.6], [0.7, 0.5], (len(nucleus_tube), 2)).clip(3.0, 9.0)
    debris = round(120 * size_um.prod() / 1e6)
    # Drawn apart, so that a field stays the one it was without them.
    taken_up = np.random.default_rng([seed, zlib.crc32(well.encode()), field, 1])
    count = len(nucleus_tube)
    return Scene(
        seed=seed,
        height_um=height_um,
        width_um=width_um,
        tube_points_um=points,
        tube_profile=_profiles(rng, tubes),
        tube_width_um=widths,
        tube_length_um=lengths,
        tube_onset=(before - _ONSET_SPREAD).clip(0.0),
        tube_full=before + members / max(nominal, 1) + _ONSET_SPREAD,
        tube_brightness=rng.lognormal(-0.1, 0.3, tubes).clip(0.35, 1.6),
        tube_fibrils=np.stack(
            [rng.uniform(-0.85, 0.85, (tubes, 6)), rng.uniform(0.7, 1.25, (tubes, 6))], axis=2
        ),
        tube_threshold=rng.lognormal(0.0, THRESHOLD_LOG_SD, tubes),
        tube_detach_rank=rng.uniform(0, 1, tubes),
        tube_patch=_patch_at(patches, points[:, _POINTS // 2], size_um),
        nucleus_tube=nucleus_tube,
        nucleus_along=along,
        nucleus_across=across,
        nucleus_joins=(
            taken_up.choice(tubes, count, p=lengths / lengths.sum())
            if tubes
            else np.full(count, -1)
        ),
        nucleus_joins_rank=taken_up.uniform(0, 1, count),
        nucleus_joins_along=taken_up.uniform(0.03, 0.97, count),
        nucleus_free_um=free_um,
        nucleus_angle=direction + rng.normal(0, 0.5, len(nucleus_tube)),
        nucleus_axes_um=half_axes,
        nucleus_brightness=rng.uniform(0.55, 1.0, len(nucleus_tube)),
        nucleus_rank=present_rank,
        nucleus_pyknosis_rank=rng.uniform(0, 1, len(nucleus_tube)),
        nucleus_patch=_patch_at(patches, free_um, size_um),
        cell_length_um=rng.lognormal(np.log(65.0), 0.3, len(nucleus_tube)),
        debris_um=np.column_stack(
            [
                rng.uniform(-_MARGIN_UM, size_um - _MARGIN_UM, (debris, 2)),
                rng.lognormal(np.log(1.3), 0.4, debris),
            ]
        ),
        texture_um=rng.uniform(0, 2000, 2),
    )


def grown_tubes(scene: Scene, state: CultureState) -> GrownTubes:
    """The tubes that are there at this state, each as long and wide as it now is."""
    span = scene.tube_full - scene.tube_onset
    ramp = ((state.fused_fraction - scene.tube_onset) / span).clip(0, 1)
    growth = ramp * ramp * (3 - 2 * ramp)
    there = (
        (growth > 0.02)
        & (scene.tube_detach_rank >= state.detached_fraction)
        & (scene.tube_patch <= state.coverage)
        & (state.diameter_factor > 0)
    )
    index = np.flatnonzero(there)
    growth = growth[index]
    place = _places(growth) * (_POINTS - 1)
    low = np.minimum(place.astype(np.int64), _POINTS - 2)
    part = (place - low)[..., None]
    row = index[:, None]
    path, profile = scene.tube_points_um, scene.tube_profile
    points = path[row, low] * (1 - part) + path[row, low + 1] * part
    steps = np.gradient(points, axis=1)
    steps /= np.linalg.norm(steps, axis=2, keepdims=True)
    normals = np.stack([-steps[..., 1], steps[..., 0]], axis=2)
    shape = profile[row, low] * (1 - part[..., 0]) + profile[row, low + 1] * part[..., 0]
    base = scene.tube_width_um[index] * state.diameter_factor * (0.6 + 0.4 * growth)
    base = base * np.exp(_tail_log(scene, state)[index])
    length = scene.tube_length_um[index] * growth
    to_tip = np.minimum(place - place[:, :1], place[:, -1:] - place)
    to_tip *= scene.tube_length_um[index][:, None] / (_POINTS - 1)
    # The fully grown width sets the tip, so that a thinning tube keeps its shape.
    tip = np.minimum(_TIP_WIDTHS * scene.tube_width_um[index], 0.4 * length)[:, None]
    taper = (to_tip / tip).clip(0.02, 1.0) ** 0.75
    return GrownTubes(
        which=index,
        growth=growth,
        points_um=points,
        normals=normals,
        width_um=base[:, None] * shape * taper,
        body=to_tip >= tip,
        length_um=length,
    )


def present_nuclei(scene: Scene, state: CultureState, tubes: GrownTubes) -> Nuclei:
    """The nuclei that are there; those that the grown part of a tube has reached are in it."""
    growth = np.zeros(len(scene.tube_width_um) + 1)  # the last entry answers for tube -1
    growth[tubes.which] = tubes.growth
    tube, along = _members(scene, state, growth)
    wanted = tube >= 0
    reached = wanted & (np.abs(2 * along - 1) <= 0.96 * growth[tube])
    gone_with_tube = wanted & (
        (scene.tube_detach_rank[tube] < state.detached_fraction)
        if len(scene.tube_width_um)
        else False
    )
    there = (scene.nucleus_rank < state.nuclei_factor) & ~gone_with_tube
    there &= reached | (scene.nucleus_patch <= state.coverage)
    index = np.flatnonzero(there)
    reached = reached[index]
    centre = scene.nucleus_free_um[index].copy()
    angle = scene.nucleus_angle[index].copy()
    row_of = np.full(len(scene.tube_width_um) + 1, -1)
    row_of[tubes.which] = np.arange(len(tubes.which))
    fused = index[reached]
    if len(fused):
        rows = row_of[tube[fused]]
        first = (1 - tubes.growth[rows]) / 2
        at = (along[fused] - first) / tubes.growth[rows] * (_POINTS - 1)
        low = at.astype(np.int64).clip(0, _POINTS - 2)
        part = (at - low)[:, None]
        spine = tubes.points_um[rows, low] * (1 - part) + tubes.points_um[rows, low + 1] * part
        normal = tubes.normals[rows, low]
        aside = scene.nucleus_across[fused] * tubes.width_um[rows, low] / 2
        centre[reached] = spine + normal * aside[:, None]
        angle[reached] = np.arctan2(-normal[:, 0], normal[:, 1])
    pyknotic = scene.nucleus_pyknosis_rank[index] < state.pyknotic_fraction
    axes = scene.nucleus_axes_um[index].copy()
    axes[pyknotic] = axes[pyknotic].min(axis=1, keepdims=True) * 0.55
    return Nuclei(index, np.where(reached, tube[index], -1), centre, angle, axes, pyknotic)


def _tail_log(scene: Scene, state: CultureState) -> Floats:
    """(T,) what the fast add to the widest tubes and the slow to the thinnest: log of the width."""
    count = len(scene.tube_width_um)
    if not count or (state.fast_log == 0.0 and state.slow_log == 0.0):
        return np.zeros(count)
    place = scene.tube_width_um.argsort().argsort() / max(count - 1, 1)
    tail: Floats = state.fast_log * (2 * place - 1).clip(0) + state.slow_log * (1 - 2 * place).clip(
        0
    )
    return tail


def _members(
    scene: Scene, state: CultureState, growth: Floats
) -> tuple[npt.NDArray[np.int64], Floats]:
    """(N,) the tube of each nucleus and its place along it, those that tubes took up with them."""
    tube, along = scene.nucleus_tube, scene.nucleus_along
    if state.nuclei_per_tube <= 1.0 or not len(scene.tube_width_um):
        return tube, along
    there = scene.nucleus_rank < state.nuclei_factor
    inside = there & (tube >= 0) & (np.abs(2 * along - 1) <= 0.96 * growth[tube])
    free = there & (tube < 0) & (growth[scene.nucleus_joins] > 0.5)
    wanted = (state.nuclei_per_tube - 1.0) * inside.sum() / max(free.sum(), 1)
    joins = free & (scene.nucleus_joins_rank < wanted)
    return (
        np.where(joins, scene.nucleus_joins, tube),
        np.where(joins, scene.nucleus_joins_along, along),
    )


def _places(growth: Floats) -> Floats:
    """(K, P) places 0..1 on the full path: a tube grows from its middle to both ends."""
    unit: Floats = np.linspace(-0.5, 0.5, _POINTS)
    return (0.5 + growth[:, None] * unit).clip(0.0, 1.0)


def _spread(rng: np.random.Generator, count: int) -> Floats:
    """Places along a tube: even, with scatter, so nuclei touch now and then."""
    even = (np.arange(count) + 0.5) / count
    scattered: Floats = (even + rng.normal(0, 0.28 / count, count)).clip(0.03, 0.97)
    return scattered


def _place_tubes(
    rng: np.random.Generator,
    size_um: Floats,
    direction: float,
    nuclei_to_house: int,
    median_width_um: float,
    width_log_sd: float,
) -> tuple[Floats, Floats, Floats, npt.NDArray[np.int64]]:
    """Throw tubes where there is room; some crossing is let through, as in a real culture."""
    grid = np.zeros(np.ceil(size_um[::-1] / _GRID_UM).astype(int), np.uint8)
    paths: list[Floats] = []
    widths: list[float] = []
    lengths: list[float] = []
    members: list[int] = []
    misses = 0
    while sum(members) < nuclei_to_house and misses < 60:
        length = float(np.clip(rng.lognormal(np.log(300.0), 0.35), 110.0, 800.0))
        width = float(rng.lognormal(np.log(median_width_um), width_log_sd))
        path = _curve(rng, rng.uniform(0, 1, 2) * size_um, direction, length)
        cells = np.floor(path / _GRID_UM).astype(int)
        inside = np.all((cells >= 0) & (cells < grid.shape[::-1]), axis=1)
        crowded = grid[cells[inside, 1], cells[inside, 0]] > 0
        if inside.sum() < 6 or crowded.mean() > 0.12:
            misses += 1
            continue
        misses = 0
        thickness = max(1, round((width + 14.0) / _GRID_UM))
        cv2.polylines(grid, [cells.astype(np.int32)], False, 255, thickness)
        paths.append(path - _MARGIN_UM)
        widths.append(width)
        lengths.append(length)
        members.append(max(2, int(rng.poisson(length / _NUCLEAR_SPACING_UM))))
    return (
        np.array(paths).reshape(-1, _POINTS, 2),
        np.array(widths),
        np.array(lengths),
        np.array(members, dtype=np.int64),
    )


def _curve(rng: np.random.Generator, middle: Floats, direction: float, length: float) -> Floats:
    along = np.linspace(-0.5, 0.5, _POINTS)
    heading = direction + rng.normal(0, 0.24) + rng.normal(0, 0.35) * along
    heading = heading + 0.12 * np.sin(2 * np.pi * (along * rng.uniform(0.8, 1.6) + rng.uniform()))
    step = np.column_stack([np.cos(heading), np.sin(heading)]) * (length / (_POINTS - 1))
    path = np.cumsum(step, axis=0)
    curve: Floats = path - path[_POINTS // 2] + middle
    return curve


def _profiles(rng: np.random.Generator, tubes: int) -> Floats:
    along = np.linspace(0, 1, _POINTS)
    wave = np.ones((tubes, _POINTS))
    for periods in (1, 2, 3):
        swing = rng.normal(0, 0.09 / periods, (tubes, 1))
        wave += swing * np.cos(2 * np.pi * (periods * along + rng.uniform(0, 1, (tubes, 1))))
    profiles: Floats = wave / wave.mean(axis=1, keepdims=True)
    return profiles


def _patch_map(rng: np.random.Generator) -> Floats:
    """A smooth map of uniform ranks: neighbours are lost together."""
    rough = cv2.GaussianBlur(rng.standard_normal((48, 48)), (0, 0), 5.0)
    ranks: Floats = rough.ravel().argsort().argsort().reshape(48, 48) / (48 * 48 - 1)
    return ranks


def _patch_at(patches: Floats, points_um: Floats, size_um: Floats) -> Floats:
    place = ((points_um + _MARGIN_UM) / size_um * 48).astype(int).clip(0, 47)
    values: Floats = patches[place[:, 1], place[:, 0]]
    return values
