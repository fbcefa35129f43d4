"""Fields of drawn nuclei that touch and overlap, with exact labels, to train and test on.

Light of overlapping nuclei adds up (widefield) or the brighter wins (confocal), with chromatin
texture, a halo of out-of-focus light, haze of stained cytoplasm, uneven background and noise; some
fields hold bent nuclei, some small and bright condensed ones. Every number of the look is drawn
from a range, so that none is learned.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

SIZE_PX = 320
_TRIES_PER_NUCLEUS = 3
_MOST_OVERLAP = 0.25

Plane = npt.NDArray[np.float32]
Grid = tuple[Plane, Plane]


@dataclass(frozen=True)
class _Look:
    """What the nuclei of one field have in common."""

    diameter_px: float
    count: int
    clustering: float
    light_adds: bool
    brightness_spread: float
    size_spread: float
    bend_spread: float
    condensed_share: float
    texture: Plane


@dataclass(frozen=True)
class _Nucleus:
    inside: npt.NDArray[np.bool_]
    light: Plane
    centre: tuple[float, float]


def draw_field(seed: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]:
    """One field of 320 x 320 px.

    Args:
        seed: the same seed, the same field.

    Returns:
        The image (y, x), and its labels: where two nuclei overlap, each has the half on its side.
    """
    rng = np.random.default_rng(seed)
    look = _draw_look(rng)
    light = np.zeros((SIZE_PX, SIZE_PX), np.float32)
    labels = np.zeros((SIZE_PX, SIZE_PX), np.int32)
    y, x = np.mgrid[0:SIZE_PX, 0:SIZE_PX].astype(np.float32)
    centres: list[tuple[float, float]] = []
    for _ in range(look.count * _TRIES_PER_NUCLEUS):
        if len(centres) == look.count:
            break
        nucleus = _draw_nucleus(rng, look, centres, (x, y))
        if not nucleus.inside.any() or (labels[nucleus.inside] > 0).mean() > _MOST_OVERLAP:
            continue
        centres.append(nucleus.centre)
        _claim(labels, nucleus, centres, (x, y))
        added = np.where(nucleus.inside, nucleus.light, 0)
        light = light + added if look.light_adds else np.maximum(light, added)
    return _photograph(rng, light, look.diameter_px), labels


def _draw_look(rng: np.random.Generator) -> _Look:
    diameter = rng.uniform(9, 40)
    covered = rng.uniform(0.15, 0.55)
    count = int(np.clip(covered * SIZE_PX**2 / (np.pi / 4 * diameter**2), 4, 160))
    grain = rng.normal(size=(SIZE_PX, SIZE_PX)).astype(np.float32)
    texture = cv2.GaussianBlur(grain, (0, 0), diameter * rng.uniform(0.06, 0.15))
    return _Look(
        diameter_px=diameter,
        count=count,
        clustering=rng.uniform(0, 1),
        light_adds=bool(rng.random() < 0.6),
        brightness_spread=rng.uniform(0.05, 0.5),
        size_spread=rng.uniform(0.08, 0.3),
        bend_spread=float(rng.choice([0.06, 0.15, 0.5], p=[0.6, 0.25, 0.15])),
        condensed_share=rng.uniform(0, 0.55) ** 2,
        texture=texture / texture.std() * np.float32(rng.uniform(0, 0.25)),
    )


def _draw_nucleus(
    rng: np.random.Generator, look: _Look, centres: list[tuple[float, float]], grid: Grid
) -> _Nucleus:
    """A bent ellipse, brighter in the middle; beside an earlier one as often as `clustering`."""
    if centres and rng.random() < look.clustering:
        beside = centres[int(rng.integers(len(centres)))]
        way, apart = rng.uniform(0, 2 * np.pi), look.diameter_px * rng.uniform(0.55, 1.2)
        cx, cy = beside[0] + apart * np.cos(way), beside[1] + apart * np.sin(way)
    else:
        cx, cy = rng.uniform(-0.1 * look.diameter_px, SIZE_PX + 0.1 * look.diameter_px, 2)
    half = look.diameter_px / 2 * np.exp(rng.normal(0, look.size_spread))
    stretch, turn = np.exp(rng.uniform(0, 0.38)), rng.uniform(0, np.pi)
    bend = rng.normal(0, look.bend_spread)
    brightness = np.exp(rng.normal(0, look.brightness_spread))
    if rng.random() < look.condensed_share:
        half, brightness = half * rng.uniform(0.4, 0.75), brightness * rng.uniform(1.5, 4)
    dx, dy = grid[0] - cx, grid[1] - cy
    u = (dx * np.cos(turn) + dy * np.sin(turn)) / (half * stretch)
    v = (dy * np.cos(turn) - dx * np.sin(turn)) / (half / stretch)
    dome = np.clip(1.3 - 0.5 * (u * u + v * v), 0.5, 1.2)
    return _Nucleus(
        inside=u * u + (v + bend * u * u) ** 2 < 1,
        light=(brightness * (1 + look.texture) * dome).astype(np.float32),
        centre=(float(cx), float(cy)),
    )


def _claim(
    labels: npt.NDArray[np.int32],
    nucleus: _Nucleus,
    centres: list[tuple[float, float]],
    grid: Grid,
) -> None:
    """Label the newest nucleus; an overlap is halved between the nearer centres."""
    label = len(centres)
    distance = np.hypot(grid[0] - nucleus.centre[0], grid[1] - nucleus.centre[1])
    for older in np.unique(labels[nucleus.inside]):
        if older:
            ox, oy = centres[older - 1]
            nearer = distance < np.hypot(grid[0] - ox, grid[1] - oy)
            labels[nucleus.inside & (labels == older) & nearer] = label
    labels[nucleus.inside & (labels == 0)] = label


def _photograph(
    rng: np.random.Generator, light: Plane, diameter_px: float
) -> npt.NDArray[np.uint8]:
    sharp = cv2.GaussianBlur(light, (0, 0), diameter_px * rng.uniform(0.02, 0.07))
    halo = cv2.GaussianBlur(sharp, (0, 0), diameter_px * rng.uniform(0.3, 0.7))
    uneven = _smooth_noise(rng, SIZE_PX / 3)
    background = np.abs(rng.uniform(0.02, 0.2) * (1 + 0.5 * uneven))
    haze = _draw_haze(rng, diameter_px)
    light = sharp + rng.uniform(0, 0.7) ** 1.5 * halo + haze + background
    counts = light * rng.uniform(40, 160)
    noisy = counts + rng.normal(size=light.shape) * rng.uniform(0.5, 3)
    photograph: npt.NDArray[np.uint8] = np.clip(noisy, 0, 255).astype(np.uint8)
    return photograph


def _draw_haze(rng: np.random.Generator, diameter_px: float) -> Plane:
    """Dim grained clouds wider than nuclei, in three fields of ten."""
    if rng.random() > 0.3:
        return np.zeros((SIZE_PX, SIZE_PX), np.float32)
    cloud = _smooth_noise(rng, rng.uniform(2, 5) * diameter_px)
    grain = _smooth_noise(rng, rng.uniform(0.3, 0.8) * diameter_px)
    shape = np.clip(cloud / cloud.std() - 0.5, 0, 1)
    haze = shape * (1 + rng.uniform(0, 0.4) * grain / grain.std()) * rng.uniform(0.1, 0.45)
    clouds: Plane = np.maximum(haze, 0).astype(np.float32)
    return clouds


def _smooth_noise(rng: np.random.Generator, grain_px: float) -> Plane:
    cells = max(3, round(SIZE_PX / grain_px))
    coarse = rng.normal(size=(cells, cells)).astype(np.float32)
    smooth = cv2.resize(coarse, (SIZE_PX, SIZE_PX), interpolation=cv2.INTER_CUBIC)
    return smooth.astype(np.float32)
