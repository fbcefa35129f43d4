"""Sheets of cells and tubes drawn by another hand than the training: grey levels painted directly.

Cells of a sheet are cobblestones, its rim a dark stripe of even width, tubes are flat bands.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
SIDE, PIXEL_UM = 640, 0.65


class Field(NamedTuple):
    """A picture, and what in it is tube and what a sheet's rim."""

    picture: Array
    tubes: Array
    rims: Array


def draw(
    seed: int, cover: float = 0.0, sheet: bool = False, look: Literal["phase", "bright"] = "phase"
) -> Field:
    """One field of 416 µm; ``cover``: of its tubes."""
    rng = np.random.default_rng([5, seed])
    grey = np.full((SIDE, SIDE), 128, np.float32)
    tubes, rims = np.zeros((2, SIDE, SIDE), bool)
    if sheet:
        rims |= _paint_sheet(rng, grey, look)
    if cover:
        edge, along = _stripes(rng, cover, rng.uniform(12, 28))
        tubes |= edge < 0
        dark = rng.uniform(28, 45) * np.clip(-edge / 2, 0, 1)
        body = 128 - dark + 5 * _noise(rng, 1.5) + 4 * np.sin(along / 1.3)
        grey[tubes] = body[tubes]
        halo_um, bright = (5.0, 35.0) if look == "phase" else (2.5, 25.0)
        around = (edge >= 0) & (edge < halo_um)
        grey[around] += bright * (1 - edge[around] / halo_um if look == "phase" else 1)
    if rng.random() < 0.6:
        for _ in range(30):
            at, shade = rng.uniform(0, SIDE, 2).astype(int).tolist(), rng.choice([60, 190])
            cv2.circle(grey, at, int(rng.uniform(2, 7)), float(shade), -1, cv2.LINE_AA)
    grey = cv2.GaussianBlur(grey, (0, 0), rng.uniform(1, 2))
    grey += rng.uniform(2, 6) * _noise(rng, rng.uniform(1.5, 3)) + rng.normal(0, 2, grey.shape)
    return Field(np.clip(grey, 0, 255).astype(np.uint8), tubes, rims & ~tubes)


def _noise(rng: np.random.Generator, sd_px: float) -> Array:
    smooth = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)).astype(np.float32), (0, 0), sd_px)
    return np.asarray(smooth / smooth.std())


def _stripes(rng: np.random.Generator, cover: float, width_um: float) -> tuple[Array, Array]:
    """How far outside the next tube, µm, and how far along it."""
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32) * PIXEL_UM
    angle = rng.uniform(0, np.pi)
    across, along = (
        -xx * np.sin(angle) + yy * np.cos(angle),
        xx * np.cos(angle) + yy * np.sin(angle),
    )
    across += 14 * np.sin(along / rng.uniform(50, 120) + rng.uniform(0, 6)) + 8 * np.sin(
        across / 90
    )
    pitch_um = width_um / cover
    number = np.floor(across / pitch_um).astype(int)
    shift = rng.uniform(-0.5, 0.5, 4096)[number % 4096] * (pitch_um - width_um)
    width = width_um * rng.uniform(0.7, 1.2, 4096)[number % 4096]
    return np.abs(across - (number + 0.5) * pitch_um - shift) - width / 2, along


def _paint_sheet(rng: np.random.Generator, grey: Array, look: str) -> Array:
    """Paint one with holes; where its rim is."""
    cells = cv2.Subdiv2D((0, 0, SIDE, SIDE))
    for point in rng.uniform(0, SIDE, (int((SIDE * PIXEL_UM) ** 2 / 300), 2)):
        cells.insert((float(point[0]), float(point[1])))
    stones = np.zeros((SIDE, SIDE), np.float32)
    outlines = [np.rint(f).astype(np.int32) for f in cells.getVoronoiFacetList([])[0]]
    for outline in outlines:
        cv2.fillConvexPoly(stones, outline, float(rng.normal(0, 1)))
    line = 2.0 if look == "phase" else -2.0
    cv2.polylines(stones, outlines, True, line, 2, cv2.LINE_AA)
    stones = cv2.GaussianBlur(stones, (0, 0), 1.2)
    form = np.zeros((SIDE, SIDE), np.uint8)
    for _ in range(rng.integers(2, 5)):
        at = rng.uniform(-0.1 * SIDE, 1.1 * SIDE, 2).astype(int).tolist()
        cv2.circle(form, at, int(rng.uniform(0.25, 0.55) * SIDE), 1, -1)
    for _ in range(rng.integers(0, 6)):
        hole = rng.uniform(0, SIDE, 2).astype(int).tolist()
        cv2.circle(form, hole, int(rng.uniform(20, 90)), 0, -1)
    smooth = cv2.GaussianBlur(form.astype(np.float32), (0, 0), 8)
    on = smooth + 0.03 * _noise(rng, 12) > 0.5
    padded = cv2.copyMakeBorder(on.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth_um = cv2.distanceTransform(padded, cv2.DIST_L2, 5)[1:-1, 1:-1] * PIXEL_UM
    width_um = rng.uniform(6, 20)
    rim = np.exp(-(((depth_um - width_um / 2) / (width_um / 2)) ** 2))
    rim *= (1 + 0.35 * _noise(rng, 25)).clip(0.2, 1.8)
    layer = -rng.uniform(3, 12) + rng.uniform(4, 9) * stones - rng.uniform(25, 50) * rim
    grey[on] += layer[on]
    if look == "phase":
        out_um = cv2.distanceTransform((~on).astype(np.uint8), cv2.DIST_L2, 5) * PIXEL_UM
        grey[~on] += 25 * np.exp(-out_um[~on] / 4)
    return on & (depth_um < width_um * 1.3)
