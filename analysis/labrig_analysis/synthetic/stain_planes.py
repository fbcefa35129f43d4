"""Planes of stains beside tubes and nuclei, drawn over a field, with what is in them exactly."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, LabelImage, Mask

Floats = npt.NDArray[np.float64]
_FINE = 4
_SHIFT = 4
_TRIES = 200
_ROOM_UM = 3.0
_CIRCLE = np.exp(1j * np.linspace(0, 2 * np.pi, 36, endpoint=False))


@dataclass(frozen=True)
class StainLook:
    """How a stain was photographed. Grey levels are counts of a 12-bit camera."""

    background: float = 200.0
    diffuse: float = 250.0
    """That a tube adds, by which tube it is from 0.7 to 1.3 times."""
    light: float = 600.0
    """That what is stained adds at least half of, at most one and a half."""
    noise_sd: float = 20.0
    """At the background; it grows with the root of light."""
    blur_um: float = 0.35
    seed: int = 0


class DrawnSpots(NamedTuple):
    """Clusters or terminals."""

    plane: LabelImage
    """(y, x) uint16."""
    centres_um: Floats
    """(n, 2) x, y."""
    areas_um2: Floats


class DrawnNeurites(NamedTuple):
    """Neurites."""

    plane: LabelImage
    """(y, x) uint16."""
    points_um: Floats
    """(m, 2) x, y, dense along all neurites, inside the field."""
    steps_um: Floats
    """(m,) length that each point stands for."""


class DrawnStriations(NamedTuple):
    """Tubes side by side, striated in parts."""

    plane: LabelImage
    """(y, x) uint16."""
    tubes: LabelImage
    """(y, x) int32."""
    striated: Mask


def draw_spots(
    tubes: LabelImage,
    pixel_size_um: float,
    count: int,
    look: StainLook | None = None,
    beside_um: Floats | None = None,
    *,
    scale: float = 1.0,
) -> DrawnSpots:
    """Elliptic spots on tubes, 3 µm and more apart: axes 2.4 to 8 and 1.6 to 3.6 µm.

    Args:
        tubes: (y, x) labels.
        pixel_size_um: width of a pixel in the specimen.
        count: spots wanted; fewer where there is no room.
        look: None is `StainLook()`.
        beside_um: (m, 2) centres to draw spots on first; None draws all at random.
        scale: of the axes over those.
    """
    look = look or StainLook()
    rng = np.random.default_rng(look.seed)
    height, width = tubes.shape
    places = np.argwhere(tubes > 0)[:, ::-1] * pixel_size_um
    given = [] if beside_um is None else list(beside_um)
    canvas = np.zeros((height * _FINE, width * _FINE), np.float32)
    fine_um = pixel_size_um / _FINE
    centres: list[Floats] = []
    axes: list[Floats] = []
    for _ in range(count * _TRIES):
        if len(centres) >= count or (not given and not len(places)):
            break
        at = given.pop(0) if given else places[rng.integers(len(places))]
        own = scale * rng.uniform([1.2, 0.8], [4.0, 1.8])
        limits = np.array([width, height]) * pixel_size_um
        apart = [
            np.hypot(*(at - other)) > own[0] + its[0] + _ROOM_UM
            for other, its in zip(centres, axes, strict=True)
        ]
        if not all(apart) or (at < 5).any() or (at > limits - 5).any():
            continue
        centres.append(at)
        axes.append(own)
        turn = np.exp(1j * rng.uniform(0, np.pi))
        ring = turn * (own[0] * _CIRCLE.real + 1j * own[1] * _CIRCLE.imag)
        outline = (at + np.column_stack([ring.real, ring.imag])) / fine_um * 2**_SHIFT
        value = float(rng.uniform(0.5, 1.5))
        cv2.fillPoly(canvas, [np.rint(outline).astype(np.int32)], value, cv2.LINE_8, _SHIFT)
    size = np.array(axes).reshape(-1, 2)
    plane = _photographed(_down(canvas, tubes.shape), tubes, pixel_size_um, look)
    return DrawnSpots(plane, np.array(centres).reshape(-1, 2), np.pi * size.prod(axis=1))


def draw_neurites(
    tubes: LabelImage,
    pixel_size_um: float,
    count: int,
    look: StainLook | None = None,
    bodies: int = 0,
) -> DrawnNeurites:
    """Winding neurites of 1.2 µm, 60 to 250 µm long, anywhere; and cell bodies of 16 µm.

    Args:
        tubes: (y, x) labels.
        pixel_size_um: width of a pixel in the specimen.
        count: neurites.
        look: None is `StainLook()`.
        bodies: cell bodies, which have no length.
    """
    look = look or StainLook()
    rng = np.random.default_rng(look.seed)
    size_um = np.array(tubes.shape[::-1]) * pixel_size_um
    fine_um = pixel_size_um / _FINE
    canvas = np.zeros((tubes.shape[0] * _FINE, tubes.shape[1] * _FINE), np.float32)
    points, steps = [], []
    for _ in range(count):
        length, turns = rng.uniform(60, 250), rng.normal(0, 0.08, 80)
        heading = rng.uniform(0, 2 * np.pi) + np.cumsum(turns)
        path = np.cumsum(np.column_stack([np.cos(heading), np.sin(heading)]), axis=0) * length / 80
        path += rng.uniform(0, size_um) - path.mean(axis=0)
        fixed = np.rint((path / fine_um - 0.5) * 2**_SHIFT).astype(np.int32)
        thick = max(1, round(1.2 / fine_um))
        value = float(rng.uniform(0.5, 1.5))
        cv2.polylines(canvas, [fixed], False, value, thick, cv2.LINE_AA, _SHIFT)
        dense = np.column_stack(
            [np.interp(np.linspace(0, 79, 4000), np.arange(80), path[:, i]) for i in (0, 1)]
        )
        middle = (dense[:-1] + dense[1:]) / 2
        inside = ((middle >= 0) & (middle < size_um)).all(axis=1)
        points.append(middle[inside])
        steps.append(np.hypot(*np.diff(dense, axis=0).T)[inside])
    for _ in range(bodies):
        at = rng.uniform(0, size_um) / fine_um
        cv2.circle(canvas, (round(at[0]), round(at[1])), round(8 / fine_um), 2.0, -1)
    plane = _photographed(_down(canvas, tubes.shape), tubes, pixel_size_um, look)
    return DrawnNeurites(plane, np.concatenate([*points, np.zeros((0, 2))]),
                         np.concatenate([*steps, np.zeros(0)]))  # fmt: skip


def draw_striations(
    shape: tuple[int, int],
    pixel_size_um: float,
    share: float,
    contrast: float = 0.4,
    period_um: float = 2.2,
    fibrils: float = 0.0,
    look: StainLook | None = None,
) -> DrawnStriations:
    """Curved tubes of 24 µm side by side, striated along a share of each, with texture.

    Args:
        shape: (height, width) in px.
        pixel_size_um: width of a pixel in the specimen.
        share: of each tube's length that is striated, 0 to 1.
        contrast: of the striations, 0 to 1.
        period_um: of the striations.
        fibrils: contrast of threads along the tubes, 1.9 µm apart.
        look: None is `StainLook()`; its light is a tube's.
    """
    look = look or StainLook()
    rng = np.random.default_rng(look.seed)
    fine = max(1, round(pixel_size_um / 0.1))
    y, x = (np.mgrid[0 : shape[0] * fine, 0 : shape[1] * fine] + 0.5) * (pixel_size_um / fine)
    turn, bend = rng.uniform(0, np.pi), rng.uniform(-0.001, 0.001)
    along = x * np.cos(turn) + y * np.sin(turn)
    across = -x * np.sin(turn) + y * np.cos(turn)
    across += bend * (along - along.mean()) ** 2
    number = np.floor(across / 34)
    tubes = np.where(across - 34 * number < 24, number - number.min() + 1, 0).astype(np.int32)
    aside = 0.6 * np.sin(across / 3.1 + number) + 0.4 * np.sin(across / 1.7)
    striated = (np.sin(along / 15 + 2 * number) >= np.cos(np.pi * share)) & (tubes > 0)
    if share <= 0:
        striated[:] = False
    body = 1 + striated * contrast * np.cos(2 * np.pi * (along + aside) / period_um)
    body += fibrils * np.cos(2 * np.pi * across / 1.9)
    grain = cv2.GaussianBlur(rng.normal(0, 1, tubes.shape), (0, 0), 0.6 * fine / pixel_size_um)
    body *= 1 + 0.06 * grain / grain.std()
    light = cv2.resize(
        np.where(tubes > 0, body, 0.0).astype(np.float32), shape[::-1],
        interpolation=cv2.INTER_AREA,
    )  # fmt: skip
    middle = (slice(fine // 2, None, fine),) * 2
    seen = np.ascontiguousarray(tubes[middle])
    plane = _photographed(light, np.zeros_like(seen), pixel_size_um, look)
    return DrawnStriations(plane, seen, striated[middle])


def draw_marker(
    nuclei: LabelImage,
    positive: npt.NDArray[np.bool_],
    tubes: LabelImage,
    pixel_size_um: float,
    look: StainLook | None = None,
    unspecific: float = 0.0,
) -> LabelImage:
    """A nuclear stain in chosen nuclei: (y, x) uint16.

    Args:
        nuclei: (y, x) labels 1..n.
        positive: (n,) which carry it.
        tubes: (y, x) labels.
        pixel_size_um: width of a pixel in the specimen.
        look: None is `StainLook()`.
        unspecific: light that every nucleus shows, as a part of that of a positive one.
    """
    look = look or StainLook()
    rng = np.random.default_rng(look.seed)
    light = positive * rng.uniform(0.5, 1.5, len(positive))
    light = light + unspecific * rng.lognormal(0, 0.25, len(positive))
    ideal = np.append(0, light)[nuclei].astype(np.float32)
    return _photographed(ideal, tubes, pixel_size_um, look)


def _down(canvas: FloatImage, shape: tuple[int, ...]) -> FloatImage:
    return cv2.resize(canvas, (shape[1], shape[0]), interpolation=cv2.INTER_AREA)


def _photographed(
    ideal: FloatImage, tubes: LabelImage, pixel_size_um: float, look: StainLook
) -> LabelImage:
    """(y, x) uint16: light of the stain and of the tubes, blurred, with shot noise."""
    rng = np.random.default_rng([look.seed, 1])
    taken_up = np.where(tubes > 0, 0.7 + 0.1 * (tubes % 7), 0).astype(np.float32)
    light = look.light * ideal + look.diffuse * taken_up
    blurred = cv2.GaussianBlur(light, (0, 0), max(look.blur_um / pixel_size_um, 0.3))
    light = blurred + look.background
    spread = look.noise_sd * np.sqrt(light / look.background)
    light = light + spread * rng.standard_normal(light.shape, np.float32)
    return np.asarray(np.clip(np.rint(light), 0, 4095), np.uint16)
