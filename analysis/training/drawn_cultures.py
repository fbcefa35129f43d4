"""Drawn cultures without a stain, and what is a tube and what a sheet in them.

Phase contrast and brightfield looks of thickness ("delay") and absorption. Drawn at 1 µm per pixel,
given at 2 µm: 512 µm a side. Every width, contrast and share is our choice [P], wide on purpose:
what is real is meant to lie within, not to be matched.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.synthetic.well_wall import Wall, with_wall

Array = npt.NDArray[Any]
Rng = np.random.Generator

SIDE = 512
SHAPE = (SIDE, SIDE)
GROUND, TUBE, UNSURE, SHEET = 0, 1, 2, 3
"""Classes of a pixel; of what is unsure nothing is learned."""
SHARES = {
    "tubes": 0.13, "packed": 0.14, "sheet": 0.33, "cells": 0.07, "strands": 0.11, "thin": 0.15,
    "spindles": 0.07,
}  # fmt: skip
_CARPETED = {
    "tubes": 0.7, "packed": 0.75, "sheet": 0.25, "cells": 1.0, "strands": 0.3, "thin": 0.35,
    "spindles": 1.0,
}  # fmt: skip


class Drawn(NamedTuple):
    """One culture at 2 µm per pixel."""

    picture: Array
    classes: Array
    kind: str


@dataclass
class _Canvas:
    delay: Array
    absorbed: Array
    tube: Array
    unsure: Array
    sheet: Array
    on: Array


class _Bands(NamedTuple):
    """Bodies side by side along a bent flow: how thick (0 to 1), which, where in it."""

    thick: Array
    number: Array
    across: Array
    along: Array
    inside: Array
    width: Array


def draw(seed: int, only: str | None = None) -> Drawn:
    """One culture; ``only``: of this kind (`SHARES`)."""
    rng = np.random.default_rng([77, seed])
    canvas = _Canvas(
        np.zeros(SHAPE, np.float32), np.zeros(SHAPE, np.float32), np.zeros(SHAPE, bool),
        np.zeros(SHAPE, bool), np.zeros(SHAPE, bool), np.zeros(SHAPE, bool),
    )  # fmt: skip
    kind = only or str(rng.choice(list(SHARES), p=list(SHARES.values())))
    direction = rng.uniform(0, np.pi)
    if rng.random() < _CARPETED[kind]:
        _carpet(rng, canvas, kind, direction)
    if kind == "cells" or rng.random() < (0.6 if kind == "thin" else 0.15):
        _stars(rng, canvas)
    if kind == "sheet" or rng.random() < 0.08:
        _sheets(rng, canvas)
    many = kind in ("tubes", "packed", "strands", "thin")
    if many or (kind == "sheet" and rng.random() < 0.5):
        layers = 1 if kind == "packed" or rng.random() < 0.6 else 2
        for _ in range(layers):
            _tubes(rng, canvas, kind, direction, layers)
    _litter(rng, canvas)
    return _finished(rng, canvas, _seen(rng, canvas), kind)


def _noise(rng: Rng, shape: tuple[int, int], sd_x: float, sd_y: float | None = None) -> Array:
    sd_x = float(sd_x)
    sd_y = sd_x if sd_y is None else sd_y
    step = max(1, int(min(sd_x, sd_y) / 2))
    high, wide = -(-shape[0] // step) + 2, -(-shape[1] // step) + 2
    white = rng.standard_normal((high, wide)).astype(np.float32)
    sds = max(sd_x / step, 0.3), max(sd_y / step, 0.3)
    smooth = cv2.GaussianBlur(white, (0, 0), sds[0], sigmaY=sds[1])
    smooth = (smooth - smooth.mean()) / (smooth.std() + 1e-6)
    large = cv2.resize(smooth, (wide * step, high * step), interpolation=cv2.INTER_CUBIC)
    return np.asarray(large[: shape[0], : shape[1]])


def _bands(
    rng: Rng, direction: float, median_um: float, log_sd: float, gap_um: float, length_um: float,
    end_gap_um: float, taper_um: float, wobble_um: float,
) -> _Bands:  # fmt: skip
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    c, s = np.cos(direction), np.sin(direction)
    u = -xx * s + yy * c + wobble_um * _noise(rng, SHAPE, rng.uniform(60, 160))
    v = xx * c + yy * s
    at, end = float(u.min()) - 60, float(u.max()) + 60
    found: list[tuple[float, float]] = []
    at -= rng.uniform(0, 60)
    while at < end:
        width = float(np.clip(rng.lognormal(np.log(median_um), log_sd), 5, 55))
        found.append((at, width))
        at += width + float(rng.exponential(gap_um)) + 0.3
    starts, widths = np.array(found).T
    i = np.clip(np.searchsorted(starts, u.ravel()) - 1, 0, len(starts) - 1).reshape(u.shape)
    w, middle = widths[i].astype(np.float32), (starts + widths / 2)[i].astype(np.float32)
    period = (length_um * rng.uniform(0.6, 1.6, len(starts)) + end_gap_um)[i].astype(np.float32)
    turn = v / period + rng.uniform(0, 1, len(starts))[i].astype(np.float32)
    piece = np.floor(turn)
    along = (turn - piece) * period
    scatter = (np.abs(np.sin(i * 12.9 + piece * 78.2)) * 43758) % 1
    length = period - end_gap_um * (0.3 + 1.4 * scatter).astype(np.float32)
    to_end = np.minimum(along, length - along)
    taper = np.clip(to_end / taper_um, 0, 1) ** 0.6
    here = w * taper * (1 + 0.15 * np.sin(v / 35 + i * 2.3)).clip(0.7, 1.05)
    radius = np.abs(u - middle) / np.maximum(here / 2, 0.1)
    inside = (radius < 1) & (to_end > 0)
    thick = np.where(inside, np.sqrt(np.clip(1 - radius**2, 0, 1)), 0).astype(np.float32)
    return _Bands(thick, (i * 97 + piece.astype(int) * 31) % 4096, u, v, inside, here)


def _texture(rng: Rng, u: Array, v: Array, across: float, along: float) -> Array:
    flat = _noise(rng, SHAPE, along, across)
    u, v = (u % (SIDE - 1)).astype(np.float32), (v % (SIDE - 1)).astype(np.float32)
    return np.asarray(cv2.remap(flat, v, u, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP))


def _carpet(rng: Rng, canvas: _Canvas, kind: str, direction: float) -> None:
    """Spindle-shaped single cells."""
    for _ in range(rng.integers(1, 3)):
        bands = _bands(
            rng, direction + rng.normal(0, 0.35), rng.uniform(7, 12), 0.25,
            rng.choice([2, 15, 60]), rng.uniform(40, 80), rng.uniform(8, 80), 25,
            rng.uniform(8, 40),
        )  # fmt: skip
        own = rng.uniform(0.4, 1.2, 4096)[bands.number].astype(np.float32)
        strength = rng.uniform(0.4, 0.95) if kind == "spindles" else rng.uniform(0.15, 0.45)
        rough = 1 + 0.3 * _texture(rng, bands.across, bands.along, 1.5, 4)
        canvas.delay = np.maximum(canvas.delay, strength * bands.thick * own * rough)


def _stars(rng: Rng, canvas: _Canvas) -> None:
    """Star-shaped single cells."""
    stars = np.zeros(SHAPE, np.float32)
    for _ in range(rng.integers(5, 40)):
        centre, grey = rng.uniform(0, SIDE, 2), rng.uniform(0.3, 0.9)
        axes = int(rng.uniform(9, 16)), int(rng.uniform(6, 10))
        _ellipse(stars, centre, axes, rng.uniform(0, 180), grey)
        for _ in range(rng.integers(1, 5)):
            angle, length = rng.uniform(0, 2 * np.pi), rng.uniform(15, 45)
            tip = centre + length * np.array([np.cos(angle), np.sin(angle)])
            side = np.array([-np.sin(angle), np.cos(angle)]) * rng.uniform(2, 5)
            arm = np.rint(np.array([centre + side, tip, centre - side]) * 16).astype(np.int32)
            cv2.fillPoly(stars, [arm], float(grey * 0.8), cv2.LINE_AA, 4)
    canvas.delay = np.maximum(canvas.delay, 0.6 * cv2.GaussianBlur(stars, (0, 0), 1.5))


def _sheets(rng: Rng, canvas: _Canvas) -> None:
    """Sheets with holes and rims; what is narrower than 60 µm between them is unsure."""
    form = _noise(rng, SHAPE, rng.uniform(40, 120))
    if rng.random() < 0.5:
        angle = rng.uniform(0, 2 * np.pi)
        yy, xx = np.mgrid[:SIDE, :SIDE]
        slope = ((xx - 256) * np.cos(angle) + (yy - 256) * np.sin(angle)).astype(np.float32)
        form = form * 0.5 + slope / rng.uniform(60, 150)
    sheet = form > rng.uniform(-0.8, 0.9)
    if rng.random() < 0.6:
        holes = np.zeros(SHAPE, np.uint8)
        for _ in range(rng.integers(1, 14)):
            centre = rng.uniform(0, SIDE, 2)
            axes = rng.uniform(12, 75) * rng.uniform(0.7, 1.3, 2)
            cv2.ellipse(holes, _at(centre), _at(axes), rng.uniform(0, 180), 0, 360, 1, -1)
        sheet &= holes == 0
    solid = cv2.morphologyEx(sheet.astype(np.uint8), cv2.MORPH_OPEN, _disc(7))
    edged = cv2.copyMakeBorder(solid, 1, 1, 1, 1, cv2.BORDER_REPLICATE)
    depth = cv2.distanceTransform(edged, cv2.DIST_L2, 5)[1:-1, 1:-1]
    on = canvas.on = solid > 0
    edged = cv2.copyMakeBorder(solid, 60, 60, 60, 60, cv2.BORDER_REPLICATE)
    core = cv2.morphologyEx(edged, cv2.MORPH_OPEN, _disc(61))[60:-60, 60:-60]
    neck = on & (core == 0) & (cv2.dilate(core, np.ones((15, 15), np.uint8)) == 0)
    base = rng.uniform(0.05, 0.4) * rng.choice([1, 2])
    rim_um, rim = rng.uniform(3, 20), rng.uniform(0.1, 1.5)
    wave = 1 + 0.5 * _noise(rng, SHAPE, rng.uniform(15, 60))
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    flow = _texture(rng, yy, xx, rng.uniform(1, 2.5), rng.uniform(2, 9))
    grain = _noise(rng, SHAPE, rng.uniform(1, 2.5))
    layer = base * (1 + rng.uniform(0.2, 0.9) * (flow + grain) / 1.4)
    layer += rim * wave.clip(0, 2) * np.exp(-depth / rim_um) * np.clip(depth / 2, 0, 1)
    layer += base * rng.uniform(0, 0.6) * _noise(rng, SHAPE, rng.uniform(12, 30))
    layer = np.where(on, layer, 0)
    canvas.delay = np.where(on, np.maximum(canvas.delay * 0.3, 0) + layer, canvas.delay)
    canvas.absorbed += np.where(on, rng.uniform(0.2, 1) * layer, 0)
    canvas.unsure |= neck
    canvas.sheet |= (cv2.dilate(solid, _disc(11)) > 0) & ~neck


def _tubes(rng: Rng, canvas: _Canvas, kind: str, direction: float, layers: int) -> None:
    thin = kind == "thin" or rng.random() < 0.1
    median_um = rng.uniform(6, 13) if thin else rng.uniform(9, 28)
    gaps_um = {
        "tubes": rng.uniform(25, 150), "packed": median_um * rng.choice([0.05, 0.15, 0.4, 0.8]),
        "strands": rng.uniform(120, 260), "sheet": rng.uniform(90, 250),
        "thin": rng.uniform(40, 300),
    }  # fmt: skip
    short = kind in ("strands", "thin")
    length_um = rng.uniform(90, 400) if short else rng.uniform(150, 700)
    bands = _bands(
        rng, direction + rng.normal(0, 0.3 if layers == 1 else 0.9), median_um,
        rng.uniform(0.2, 0.5), gaps_um[kind], length_um,
        rng.uniform(5, 60) if kind == "packed" else rng.uniform(20, 300), rng.uniform(15, 70),
        rng.uniform(5, 45),
    )  # fmt: skip
    inside, w = bands.inside, bands.width
    if kind == "sheet" and rng.random() < 0.5:
        inside = inside & ~canvas.on
    seen = rng.uniform(0.35, 1.15, 4096)[bands.number].astype(np.float32)
    flat = np.where(inside, bands.thick, 0) ** rng.uniform(0.5, 1.4)
    strength = rng.uniform(0.45, 1.2)
    body = strength * flat * seen * (w / 16).clip(0.5, 2) ** 0.4
    fibres = rng.uniform(0.05, 0.45) * _texture(
        rng, bands.across, bands.along, rng.uniform(0.8, 2), rng.uniform(5, 30)
    )
    body *= 1 + fibres + rng.uniform(0, 0.3) * _noise(rng, SHAPE, rng.uniform(1, 2))
    if rng.random() < 0.4:
        depth = rng.uniform(0.05, 0.3)
        body *= 1 + depth * np.sin(2 * np.pi * bands.along / rng.uniform(2.2, 5))
    _nuclei(rng, body, inside, int(inside.mean() * rng.uniform(20, 200)), 0.3 * strength)
    canvas.delay = np.where(inside, np.maximum(body, canvas.delay * 0.3), canvas.delay)
    canvas.absorbed += np.where(inside, rng.uniform(0.1, 0.9) * body, 0)
    canvas.tube |= inside & (w > 4.5)
    if kind == "strands" and rng.random() < 0.7:
        places = rng.permutation(np.argwhere(inside[::8, ::8]) * 8)[: rng.integers(0, 4)]
        for y, x in places:
            lump: Array = np.zeros(SHAPE, np.float32)
            axes = rng.uniform(10, 26, 2)
            _ellipse(lump, np.array([x, y]), _at(axes), rng.uniform(0, 180), 1.0)
            lump = cv2.GaussianBlur(lump, (0, 0), 3)
            canvas.delay = np.maximum(canvas.delay, lump * rng.uniform(0.6, 1.6))
            canvas.absorbed += lump * rng.uniform(0.2, 1)
            canvas.unsure |= (lump > 0.3) & ~inside


def _nuclei(rng: Rng, body: Array, inside: Array, count: int, strength: float) -> None:
    ys, xs = np.nonzero(inside[::4, ::4])
    if not len(ys):
        return
    for k in rng.integers(0, len(ys), count):
        axes = int(rng.uniform(5, 8)), int(rng.uniform(3, 5))
        grey = strength * rng.choice([-1, 1]) * rng.uniform(0.3, 1)
        at, angle = (int(xs[k] * 4), int(ys[k] * 4)), rng.uniform(0, 180)
        edge = 1 if rng.random() < 0.5 else -1
        cv2.ellipse(body, at, axes, angle, 0, 360, float(grey), edge, cv2.LINE_AA)


def _litter(rng: Rng, canvas: _Canvas) -> None:
    """Dots and clumps."""
    for _ in range(int(rng.exponential(25))):
        radius, at = float(rng.lognormal(np.log(2.2), 0.5)), _at(rng.uniform(0, SIDE, 2))
        grey = float(rng.uniform(0.3, 1.6))
        cv2.circle(canvas.delay, at, max(1, int(radius)), grey, -1, cv2.LINE_AA)
    for _ in range(int(rng.exponential(1.6))):
        lump: Array = np.zeros(SHAPE, np.float32)
        centre, radius = rng.uniform(0, SIDE, 2), rng.uniform(8, 28)
        axes = int(radius), int(radius * rng.uniform(0.5, 1))
        _ellipse(lump, centre, axes, rng.uniform(0, 180), 1.0)
        lump = cv2.GaussianBlur(lump, (0, 0), 1.5) * (1 + 0.3 * _noise(rng, SHAPE, 2.5))
        canvas.delay = np.maximum(canvas.delay, lump * rng.uniform(0.5, 1.6))
        canvas.absorbed += lump * rng.uniform(0.2, 1.2)
        canvas.tube &= lump < 0.5


def _seen(rng: Rng, canvas: _Canvas) -> Array:
    """The look of it, with floating cells and what is far out of focus."""
    bright = np.zeros(SHAPE, np.float32)
    for _ in range(int(rng.exponential(5))):
        at, radius = _at(rng.uniform(0, SIDE, 2)), int(rng.uniform(5, 10))
        grey, edge = float(rng.uniform(0.3, 1.2)), 2 if rng.random() < 0.5 else -1
        cv2.circle(bright, at, radius, grey, edge, cv2.LINE_AA)
    discs = np.zeros(SHAPE, np.float32)
    for _ in range(int(rng.exponential(1.2))):
        at, radius = _at(rng.uniform(0, SIDE, 2)), int(rng.uniform(8, 25))
        cv2.circle(discs, at, radius, float(rng.uniform(-0.25, 0.25)), -1)
    look = _look(rng, canvas.delay.astype(np.float32), canvas.absorbed.astype(np.float32))
    return look + 0.3 * _blurred(bright, 1) + 0.6 * _blurred(discs, 6)


def _look(rng: Rng, delay: Array, absorbed: Array) -> Array:
    """Positive phase contrast with its halo, or brightfield a little out of focus."""
    focus = rng.choice([0.8, 1.2, 2, 3.5], p=[0.4, 0.3, 0.2, 0.1])
    d = _blurred(delay, focus)
    if rng.random() < 0.55:
        k = rng.uniform(0.12, 0.45)
        im = 0.5 - k * d + k * rng.uniform(0.2, 1.1) * _blurred(d, rng.uniform(5, 14))
        im += k * rng.uniform(0, 1) * (_blurred(d, rng.uniform(1.5, 3.5)) - d * 0.4)
        if rng.random() < 0.4:
            gx, gy = cv2.Sobel(d, cv2.CV_32F, 1, 0), cv2.Sobel(d, cv2.CV_32F, 0, 1)
            around = np.clip(_blurred(d, rng.uniform(2.5, 5)) - d, 0, None)
            im += rng.uniform(0.3, 1.5) * around + rng.uniform(0, 0.05) * np.hypot(gx, gy)
    else:
        s = rng.uniform(1.0, 3.0)
        curved = _blurred(d, s) - _blurred(d, s * 1.6)
        im = 0.6 - rng.choice([-1, 1], p=[0.3, 0.7]) * rng.uniform(0.3, 1.5) * curved
        im -= rng.uniform(0.05, 0.35) * _blurred(absorbed, max(focus, 1))
    im = im + rng.uniform(0.002, 0.02) * _noise(rng, SHAPE, rng.uniform(1.2, 4))
    im += rng.uniform(0, 0.02) * _noise(rng, SHAPE, rng.uniform(15, 50))
    return np.asarray(im, np.float32)


def _finished(rng: Rng, canvas: _Canvas, image: Array, kind: str) -> Drawn:
    """Uneven light, the wall of a well, half the pixels, the camera's noise."""
    yy, xx = np.mgrid[:SIDE, :SIDE].astype(np.float32) / SIDE - 0.5
    image *= (
        1 + rng.normal(0, 0.12) * xx + rng.normal(0, 0.12) * yy
        - rng.uniform(0, 0.5) * (xx**2 + yy**2)
    )  # fmt: skip
    if rng.random() < 0.12:
        tone = float(rng.choice([0.04, 0.2, 1.8]))
        wall = Wall(
            reach_um=float(rng.uniform(60, 230)), direction_deg=float(rng.uniform(0, 360)),
            radius_um=float(rng.choice([3200, 7800])), tone=tone,
            meniscus=float(rng.uniform(0, 0.4)),
        )  # fmt: skip
        image, hidden = with_wall(np.maximum(image, 0).astype(np.float32), 1.0, wall)
        canvas.tube &= ~hidden
        canvas.sheet &= ~hidden
    half = SIDE // 2, SIDE // 2
    small: Array = cv2.resize(image.astype(np.float32), half, interpolation=cv2.INTER_AREA)
    small += rng.uniform(0.002, 0.03) * rng.standard_normal(small.shape).astype(np.float32)
    if rng.random() < 0.3:
        angle = rng.uniform(0, np.pi)
        gy, gx = np.mgrid[: half[0], : half[1]]
        strength = rng.uniform(0.003, 0.02)
        ripple = (gx * np.cos(angle) + gy * np.sin(angle)) * 2 * np.pi / rng.uniform(2.5, 5)
        small += strength * np.sin(ripple).astype(np.float32)
    tube = cv2.resize(canvas.tube.astype(np.uint8) * 255, half, interpolation=cv2.INTER_AREA) > 127
    unsure, sheet = (
        cv2.resize(part.astype(np.uint8), half, interpolation=cv2.INTER_NEAREST) > 0
        for part in (canvas.unsure, canvas.sheet)
    )
    classes = np.where(tube, TUBE, np.where(unsure, UNSURE, np.where(sheet, SHEET, GROUND)))
    return Drawn(small, classes.astype(np.uint8), kind)


def _blurred(image: Array, sd: float) -> Array:
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sd))


def _disc(side: int) -> Array:
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


def _at(point: Array) -> tuple[int, int]:
    return int(point[0]), int(point[1])


def _ellipse(
    canvas: Array, centre: Array, axes: tuple[int, int], angle: float, grey: float
) -> None:
    cv2.ellipse(canvas, _at(centre), axes, angle, 0, 360, float(grey), -1, cv2.LINE_AA)
