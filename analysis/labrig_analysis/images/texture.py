"""Does a plane show lines or round spots, and is what is common in it dark or bright?"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage
from labrig_analysis.images.downsampling import downsampled

# Lines are sought on a plane of this pixel, so long that no nucleus holds one.
_LINE_PIXEL_UM, _LINE_UM, _DIRECTIONS = 4.0, 60.0, 8
# Spots are sought on a plane of this pixel, smoothed to the size of a nucleus.
_SPOT_PIXEL_UM, _SPOT_SD_UM = 2.0, 3.0
# Only so much of the strongest curvature counts: the edges of nuclei and tubes and what is on them.
_STRONG_PERCENT = 90.0
# Uneven light is taken off with a window of this SD, on a plane of this pixel.
_WINDOW_UM, _LIGHT_PIXEL_UM = 200.0, 16.0
_ENDS_PERCENT = (0.5, 99.5)
_MOST_VALUES = 50_000
# Of a large field the middle is looked at; smaller fields than the least say nothing.
_LARGEST_UM, _SMALLEST_UM = 1200.0, 150.0


class Texture(NamedTuple):
    """What kind of thing is bright in a plane."""

    lines: float
    """Share of what is narrower than 60 µm that is longer than 60 µm in some direction: 0 for
    nuclei, 1 for tubes (opening by line segments: Soille 2003, Morphological Image Analysis,
    ch. 4)."""
    roundness: float
    """Mean ratio of the two curvatures at bright crests, -1 to 1: 0 on a ridge, 1 on a round spot
    (of the Hessian: Frangi et al. 1998, MICCAI, LNCS 1496:130)."""
    above_mode: float
    """How far the span of grey levels reaches above the most common level, 0 to 1: near 1 where
    bright things lie on a dark background, near 0 where dark ones lie on a bright one (half-sample
    mode: Robertson & Cryer 1974, J Am Stat Assoc 69:1012)."""


def texture(plane: GreyImage, pixel_size_um: float) -> Texture | None:
    """Lines, round spots and the usual level of a plane; None where the field is too small to tell.

    Args:
        plane: (y, x) uint8, uint16 or float32, finite.
        pixel_size_um: width of a pixel in the specimen.
    """
    if min(plane.shape) * pixel_size_um < _SMALLEST_UM:
        return None
    middle = _middle(plane, int(_LARGEST_UM / pixel_size_um))
    fine = _resampled(middle, pixel_size_um, _SPOT_PIXEL_UM)
    coarse = _resampled(fine, _SPOT_PIXEL_UM, _LINE_PIXEL_UM)
    return Texture(_line_share(coarse), _roundness(fine), _above_mode(fine))


def _middle(plane: GreyImage, side: int) -> GreyImage:
    top, left = (max(0, (length - side) // 2) for length in plane.shape)
    return plane[top : top + side, left : left + side]


def _resampled(plane: GreyImage, pixel_um: float, wanted_um: float) -> FloatImage:
    height, width = (max(1, round(side * pixel_um / wanted_um)) for side in plane.shape)
    # Whole blocks first, which cost a fraction of cut ones, down to twice what is wanted.
    blocks = downsampled(plane, max(1, int(wanted_um / pixel_um / 2)))
    return np.asarray(cv2.resize(blocks, (width, height), interpolation=cv2.INTER_AREA))


def _line_share(plane: FloatImage) -> float:
    smooth = cv2.GaussianBlur(plane, (0, 0), 0.7)
    side = round(_LINE_UM / _LINE_PIXEL_UM)
    broad = _opened(smooth, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))
    long = broad
    for number in range(_DIRECTIONS):
        long = np.maximum(long, _opened(smooth, _segment(side, np.pi * number / _DIRECTIONS)))
    narrow = float((smooth - broad).sum(dtype=np.float64))
    return float((long - broad).sum(dtype=np.float64)) / narrow if narrow > 0 else 0.0


def _opened(plane: FloatImage, shape: FloatImage) -> FloatImage:
    return cv2.morphologyEx(plane, cv2.MORPH_OPEN, shape, borderType=cv2.BORDER_REFLECT)


def _segment(side: int, angle: float) -> FloatImage:
    """A line through the middle of a square, as a structuring element."""
    element = np.zeros((side, side), np.uint8)
    middle = side // 2
    dx, dy = round(middle * np.cos(angle)), round(middle * np.sin(angle))
    cv2.line(element, (middle - dx, middle - dy), (middle + dx, middle + dy), 1)
    return element


def _roundness(plane: FloatImage) -> float:
    smooth = cv2.GaussianBlur(plane, (0, 0), _SPOT_SD_UM / _SPOT_PIXEL_UM)
    xx, yy, xy = (cv2.Sobel(smooth, cv2.CV_32F, *d, ksize=3) for d in ((2, 0), (0, 2), (1, 1)))
    mean, spread = (xx + yy) / 2, cv2.magnitude((xx - yy) / 2, xy)
    strong = np.maximum(spread - mean, 0)
    least = np.percentile(strong.ravel()[:: max(1, strong.size // _MOST_VALUES)], _STRONG_PERCENT)
    weight = np.where(strong > least, strong, 0)
    ratio = np.clip(-(mean + spread) / np.maximum(strong, 1e-9), -1, 1)
    total = float(weight.sum(dtype=np.float64))
    return float((weight * ratio).sum(dtype=np.float64)) / total if total > 0 else 0.0


def _above_mode(plane: FloatImage) -> float:
    coarse = _resampled(plane, _SPOT_PIXEL_UM, _LIGHT_PIXEL_UM)
    sd = _WINDOW_UM / _LIGHT_PIXEL_UM
    light = cv2.GaussianBlur(coarse, (0, 0), sd, borderType=cv2.BORDER_REFLECT)
    levels = cv2.GaussianBlur(plane, (0, 0), 1.0) - cv2.resize(light, plane.shape[::-1])
    values = levels.ravel()[:: max(1, levels.size // _MOST_VALUES)]
    low, high = np.percentile(values, _ENDS_PERCENT).tolist()
    return (high - _half_sample_mode(values)) / (high - low) if high > low else 0.5


def _half_sample_mode(values: FloatImage) -> float:
    ordered = np.sort(values)
    while len(ordered) > 2:
        half = (len(ordered) + 1) // 2
        first = int(np.argmin(ordered[half - 1 :] - ordered[: len(ordered) - half + 1]))
        ordered = ordered[first : first + half]
    return float(ordered.mean())
