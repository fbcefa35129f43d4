"""Scale bars and text that a program burned into a picture."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import GreyImage, Mask

# What is burned in has the brightest or the darkest level there is, up to this part of the span
# (JPEG rings by so much), and ends within so many pixels.
_TOLERANCE, _EDGE_PX = 0.12, 3
# Beyond its edge the picture is this part of the span away, along this share of the edge.
_STEP, _SHARP_SHARE = 0.25, 0.75
# A bar: so long for its thickness, and of this part of the picture's sides.
_BAR_ASPECT, _BAR_FILL = 5.0, 0.9
_BAR_LENGTH, _BAR_THICKNESS = (0.02, 0.6), 0.04
_LEAST_PX = 3
# What more of the picture than this has is its ground, and following its edges costs the most.
_MOST_SHARE = 0.5
# Of its rows these are full, beside them is nearly nothing but caps, and its ends are square.
_LEAST_CORE_PX, _BESIDE_CORE, _END_PX = 2, 0.6, 2
# Text is no farther from the bar than so many of its thicknesses or so many pixels, in parts of at
# least so many.
_NEAR_THICKNESSES, _NEAR_PX, _PART_PX = 4, 40, 5
# Text alone is a line of at least so many letters: of one height, thin strokes, close together.
_LETTERS, _LETTER_PX, _STROKE, _CLOSE = 4, (7, 80), 0.2, 1.2
# What is left out reaches this far beyond it.
_MARGIN_PX = 4


View = tuple[slice, slice]
"""Rows and columns."""


class Box(NamedTuple):
    """A rectangle of pixels."""

    left: int
    top: int
    width: int
    height: int


class Extreme(NamedTuple):
    """The brightest or the darkest that there is in a plane."""

    mask: Mask
    """(y, x) where the plane has that level."""
    is_far: Callable[[View], Mask]
    """Where a part of the plane is far from that level."""


def annotation_boxes(plane: GreyImage) -> list[Box]:
    """Where a scale bar or text lies in a plane, bright or dark.

    A bar is a full, axis-parallel rectangle of the extreme level with sharp edges and corners,
    apart from the border; its text is what has that level beside it. Text without a bar is a line
    of letters of one height. Not seen: slanted bars, a single letter, soft or half-transparent
    ones, text on a box of its own, dark ones in a picture of which more than half is as dark.

    Args:
        plane: (y, x) uint8, uint16 or float32, finite.
    """
    low, high = float(plane.min()), float(plane.max())
    if not high > low:
        return []
    reach, step = _TOLERANCE * (high - low), _STEP * (high - low)
    least, most = high - reach, low + reach
    if plane.dtype.kind == "u":
        # Compared with whole numbers a plane of integers stays what it is.
        least, most = math.ceil(least), math.floor(most)
    bright = Extreme(plane >= least, lambda view: plane[view] < high - step)
    dark = Extreme(plane <= most, lambda view: plane[view] > low + step)
    return [*_burned_in(bright), *_burned_in(dark)]


def without_annotations(plane: GreyImage, boxes: list[Box]) -> GreyImage:
    """The plane with boxes filled from their surroundings; the plane itself where there is none.

    Args:
        plane: (y, x) uint8, uint16 or float32.
        boxes: from `annotation_boxes`, of this plane or another of the same field.
    """
    if not boxes:
        return plane
    filled = plane.copy()
    for box in boxes:
        rows = slice(max(0, box.top), box.top + box.height)
        columns = slice(max(0, box.left), box.left + box.width)
        around = np.zeros(plane.shape, np.bool_)
        outer = 2 * _MARGIN_PX
        around[
            max(0, box.top - outer) : box.top + box.height + outer,
            max(0, box.left - outer) : box.left + box.width + outer,
        ] = True
        around[rows, columns] = False
        filled[rows, columns] = np.median(plane[around] if around.any() else plane)
    return filled


def _burned_in(extreme: Extreme) -> Iterator[Box]:
    if np.count_nonzero(extreme.mask) > _MOST_SHARE * extreme.mask.size:
        return
    contours, _ = cv2.findContours(
        extreme.mask.view(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE
    )
    pieces = [Box(*cv2.boundingRect(contour)) for contour in contours]
    bars = [piece for piece in pieces if _is_bar(piece, extreme)]
    for bar in bars:
        reach = max(_NEAR_THICKNESSES * min(bar.width, bar.height), _NEAR_PX)
        large = [p for p in pieces if p != bar and max(p.width, p.height) >= _PART_PX]
        beside = [p for p in large if _lies_within(p, bar, reach)]
        yield from map(_with_margin, [bar, *(p for p in beside if _is_sharp(p, extreme))])
    letters = sorted(p for p in pieces if p not in bars and _is_letter(p, extreme))
    for line in _lines(letters):
        yield from map(_with_margin, line)


def _is_bar(piece: Box, extreme: Extreme) -> bool:
    mask = extreme.mask
    height, width = mask.shape
    long, thick = max(piece.width, piece.height), min(piece.width, piece.height)
    side = width if piece.width > piece.height else height
    if thick < _LEAST_PX or long < _BAR_ASPECT * thick or thick > _BAR_THICKNESS * min(mask.shape):
        return False
    if not _BAR_LENGTH[0] * side <= long <= _BAR_LENGTH[1] * side or _at_border(piece, mask):
        return False
    inside = mask[piece.top : piece.top + piece.height, piece.left : piece.left + piece.width]
    return _is_straight(inside if piece.width > piece.height else inside.T) and _is_sharp(
        piece, extreme
    )


def _is_straight(inside: Mask) -> bool:
    """Rows full from end to end, and nothing but caps at the ends beside them."""
    length = inside.shape[1]
    middle = inside[:, length // 10 : length - length // 10].mean(axis=1)
    full = middle > _BAR_FILL
    if full.sum() < _LEAST_CORE_PX or (middle[~full] > _BESIDE_CORE).any():
        return False
    rows = inside[full]
    # Ends are square: those of a tube are round.
    return bool(min(rows[:, :_END_PX].mean(), rows[:, -_END_PX:].mean()) > _BAR_FILL)


def _is_sharp(piece: Box, extreme: Extreme) -> bool:
    """Whether the picture is far from the extreme level all around, a few pixels off the piece."""
    top, left = max(0, piece.top - _EDGE_PX - 1), max(0, piece.left - _EDGE_PX - 1)
    view = (
        slice(top, piece.top + piece.height + _EDGE_PX + 1),
        slice(left, piece.left + piece.width + _EDGE_PX + 1),
    )
    here = extreme.mask[view].view(np.uint8)
    inner, outer = (np.ones((2 * k + 1,) * 2, np.uint8) for k in (_EDGE_PX - 1, _EDGE_PX))
    ring = (cv2.dilate(here, outer) > 0) & (cv2.dilate(here, inner) == 0)
    return bool(ring.any() and extreme.is_far(view)[ring].mean() >= _SHARP_SHARE)


def _is_letter(piece: Box, extreme: Extreme) -> bool:
    mask = extreme.mask
    if not _LETTER_PX[0] <= piece.height <= _LETTER_PX[1] or piece.width > 1.3 * piece.height:
        return False
    if _at_border(piece, mask):
        return False
    inside = mask[piece.top : piece.top + piece.height, piece.left : piece.left + piece.width]
    padded = cv2.copyMakeBorder(inside.astype(np.uint8), 1, 1, 1, 1, cv2.BORDER_CONSTANT)
    stroke = float(cv2.distanceTransform(padded, cv2.DIST_L2, 3).max())
    return stroke <= _STROKE * piece.height and _is_sharp(piece, extreme)


def _lines(letters: list[Box]) -> Iterator[list[Box]]:
    """Rows of letters of one height on one base line, each close to the one before."""
    left = list(letters)
    while left:
        line = [left.pop(0)]
        for piece in list(left):
            last = line[-1]
            level = abs(piece.top + piece.height - last.top - last.height) <= 0.15 * last.height
            alike = abs(piece.height - last.height) <= 0.15 * last.height
            gap = piece.left - last.left - last.width
            if level and alike and -1 <= gap <= _CLOSE * last.height:
                line.append(piece)
                left.remove(piece)
        if len(line) >= _LETTERS:
            yield line


def _at_border(piece: Box, mask: Mask) -> bool:
    bottom, right = piece.top + piece.height, piece.left + piece.width
    return not (piece.left > 0 and piece.top > 0 and right < mask.shape[1] and bottom < len(mask))


def _lies_within(piece: Box, bar: Box, reach: int) -> bool:
    return (
        piece.left >= bar.left - reach
        and piece.top >= bar.top - reach
        and piece.left + piece.width <= bar.left + bar.width + reach
        and piece.top + piece.height <= bar.top + bar.height + reach
    )


def _with_margin(piece: Box) -> Box:
    left, top = max(0, piece.left - _MARGIN_PX), max(0, piece.top - _MARGIN_PX)
    right, bottom = (
        piece.left + piece.width + _MARGIN_PX,
        piece.top + piece.height + _MARGIN_PX,
    )
    return Box(left, top, right - left, bottom - top)
