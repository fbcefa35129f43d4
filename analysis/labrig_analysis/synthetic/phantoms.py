"""Single geometric tubes, painted analytically: their widths are exact, not rastered.

A tube is a straight piece or a piece of a circle with a width. Its picture is the ideal shape
blurred by a Gaussian, computed from the distance to the centreline, so no sampling grid enters
the truth.

    >>> phantom = paint([Straight(width_px=20.0, angle_deg=30.0)], shape=(200, 200))
    >>> phantom.image.shape, float(phantom.image.max().round())
    ((200, 200), 120.0)
    >>> phantom.truth[0].width_px
    20.0
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import cv2
import numpy as np
from scipy.special import erf

from labrig_analysis.arrays import FloatImage, LabelImage, Mask


@dataclass(frozen=True)
class Straight:
    """A straight tube with round ends; tapers from `width_px` to `end_width_px` if that is set."""

    width_px: float
    angle_deg: float = 0.0
    """Direction, counted from +x towards +y (downwards on screen)."""
    length_px: float = 10_000.0
    """The default runs through any field."""
    centre: tuple[float, float] | None = None
    """(x, y) in px; None is the middle of the field."""
    end_width_px: float | None = None


@dataclass(frozen=True)
class Arc:
    """A tube along a circle of `radius_px` whose arc passes the middle of the field."""

    width_px: float
    radius_px: float
    angle_deg: float = 0.0
    """Direction of the tube at the middle of its arc."""
    sweep_deg: float = 360.0
    centre: tuple[float, float] | None = None
    """(x, y) of the middle of the arc in px; None is the middle of the field."""


@dataclass(frozen=True)
class Look:
    """How the field was photographed. Grey levels are counts on the camera."""

    background: float = 20.0
    core: float = 120.0
    blur_px: float = 1.0
    """SD of the Gaussian point spread: raise it for defocus."""
    noise_sd: float = 0.0
    bleached: float = 0.0
    """Part of the light above the background that is gone, 0 to 1."""
    uneven: float = 0.0
    """The light falls by this part from one corner of the field to the other."""
    rounded: bool = False
    """Brightness follows the thickness of a round cross-section instead of a flat top."""
    debris: int = 0
    """Number of bright round specks, 6 to 14 px wide, twice as bright as a tube."""
    seed: int = 0


class TubeTruth(NamedTuple):
    """What a perfect measurement of one painted tube says."""

    label: int
    width_px: float
    """Mean over the length in the field (a tapered tube's middle width)."""
    shape: Straight | Arc


@dataclass(frozen=True, eq=False)
class Phantom:
    """A picture and its truth."""

    image: FloatImage
    """(y, x) float32."""
    labels: LabelImage
    """(y, x) int32; where tubes cross, the later one."""
    crossing: Mask
    """(y, x) bool: pixels that lie in more than one tube."""
    truth: tuple[TubeTruth, ...] = field(default=())


def paint(
    tubes: Sequence[Straight | Arc],
    shape: tuple[int, int] = (256, 256),
    look: Look | None = None,
) -> Phantom:
    """Paint tubes over a field; an empty sequence gives an empty field.

    Args:
        tubes: crossing tubes add no light to each other (the brighter one is seen).
        shape: (height, width) in px.
        look: light, blur and noise; None is `Look()`.
    """
    look = look or Look()
    light = np.zeros(shape, np.float64)
    labels = np.zeros(shape, np.int32)
    covered = np.zeros(shape, np.int32)
    truth = []
    for label, tube in enumerate(tubes, start=1):
        distance, half = _distance_and_half_width(tube, shape)
        light = np.maximum(light, _profile(distance, half, look))
        labels[distance < half] = label
        covered += distance < half
        truth.append(TubeTruth(label, _mean_width(tube), tube))
    random = np.random.default_rng(look.seed)
    light = np.maximum(light, _debris(shape, look, random))
    height, width = shape
    rows, columns = np.mgrid[0:height, 0:width]
    shade = 1 - look.uneven * (rows / max(height - 1, 1) + columns / max(width - 1, 1)) / 2
    image = look.background + light * (look.core - look.background) * (1 - look.bleached)
    image = image * shade + random.normal(0, 1, shape) * look.noise_sd
    return Phantom(image.astype(np.float32), labels, covered > 1, tuple(truth))


def branching(width_px: float, shape: tuple[int, int] = (256, 256)) -> list[Straight]:
    """A stem that parts into two arms at the middle of the field (60 degrees between them)."""
    middle = ((shape[1] - 1) / 2, (shape[0] - 1) / 2)
    length = float(max(shape))
    arms = []
    for angle in (180.0, 30.0, -30.0):
        turn = math.radians(angle)
        x = middle[0] + math.cos(turn) * length / 2
        y = middle[1] + math.sin(turn) * length / 2
        arms.append(Straight(width_px, angle, length, (x, y)))
    return arms


def _distance_and_half_width(
    tube: Straight | Arc, shape: tuple[int, int]
) -> tuple[FloatImage, FloatImage]:
    """Distance of each pixel to the centreline, and the half width at its nearest point."""
    height, width = shape
    x0, y0 = tube.centre or ((width - 1) / 2, (height - 1) / 2)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    turn = math.radians(tube.angle_deg)
    along = (columns - x0) * math.cos(turn) + (rows - y0) * math.sin(turn)
    across = -(columns - x0) * math.sin(turn) + (rows - y0) * math.cos(turn)
    if isinstance(tube, Straight):
        nearest = np.clip(along, -tube.length_px / 2, tube.length_px / 2)
        distance = np.hypot(along - nearest, across)
        end = tube.width_px if tube.end_width_px is None else tube.end_width_px
        part = nearest / tube.length_px + 0.5
        return distance, (tube.width_px + (end - tube.width_px) * part) / 2
    from_centre = across - tube.radius_px
    at = np.arctan2(along, -from_centre)
    limit = math.radians(tube.sweep_deg) / 2
    nearest = np.clip(at, -limit, limit)
    distance = np.hypot(
        along - tube.radius_px * np.sin(nearest), from_centre + tube.radius_px * np.cos(nearest)
    )
    return distance, np.full(shape, tube.width_px / 2)


def _profile(distance: FloatImage, half: FloatImage, look: Look) -> FloatImage:
    """Light of a tube, 0 to 1: a flat top blurred analytically, or a round one blurred after."""
    if look.rounded:
        sharp = np.sqrt(np.clip(1 - (distance / half) ** 2, 0, None))
        return cv2.GaussianBlur(sharp, (0, 0), max(look.blur_px, 0.3))
    spread = math.sqrt(2) * max(look.blur_px, 1e-3)
    return (erf((half - distance) / spread) + erf((half + distance) / spread)) / 2


def _debris(shape: tuple[int, int], look: Look, random: np.random.Generator) -> FloatImage:
    light = np.zeros(shape, np.float64)
    for _ in range(look.debris):
        centre = (int(random.integers(shape[1])), int(random.integers(shape[0])))
        cv2.circle(light, centre, int(random.integers(3, 8)), 2.0, -1)
    return cv2.GaussianBlur(light, (0, 0), max(look.blur_px, 0.3)) if look.debris else light


def _mean_width(tube: Straight | Arc) -> float:
    if isinstance(tube, Straight) and tube.end_width_px is not None:
        return (tube.width_px + tube.end_width_px) / 2
    return tube.width_px
