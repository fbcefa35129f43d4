"""Where a picture without a stain shows a sheet of cells, told by a small network.

A sheet's rim is dark, long and narrow, and no level tells it from a tube; that a sheet lies on one
side of it does. The network sees a few hundred µm around: a U-Net of 462,000 weights, grey picture
at 2 µm per pixel in; ground, tube and sheet at 4 µm out. It was trained on drawn cultures alone
(`training/train_cell_sheets.py`), and no published outlines were at hand to validate it with.
"""

from __future__ import annotations

import math
import threading
from importlib import resources

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, Mask

PIXEL_UM = 2.0
"""Of what the network sees, as in training."""
GROUND_PX = 60.0
"""SD of the window that takes uneven light off, in those pixels; as in training."""
_SHRUNK = 8
_BRIGHTEST = 5.0
_STRIDE = 16
"""The network halves four times: sides are multiples of this."""
_TILE, _MARGIN = 768, 96
"""[P] So that a large picture takes no more memory than a small one."""
LEAST_SHARE = 0.5
"""[P] From this probability on a pixel is sheet."""
WIDE_UM = 50.0
"""[P] A sheet is at least this wide somewhere; a tube never is."""

_loaded = threading.local()


def evened(picture: FloatImage) -> FloatImage:
    """Without uneven light, in SDs of the whole picture, as the network was trained on."""
    height, width = picture.shape
    shrunk = (max(1, width // _SHRUNK), max(1, height // _SHRUNK))
    small = cv2.resize(picture, shrunk, interpolation=cv2.INTER_AREA)
    ground = cv2.GaussianBlur(small, (0, 0), GROUND_PX / _SHRUNK, borderType=cv2.BORDER_REFLECT)
    even = picture - cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(np.clip(even / (even.std() + 1e-6), -_BRIGHTEST, _BRIGHTEST))


def sheet_mask(image: FloatImage, pixel_um: float) -> Mask:
    """Which pixels show a sheet of cells, rims included.

    Args:
        image: (y, x) grey levels, phase contrast or brightfield.
        pixel_um: width of its pixels in the specimen.

    Known bias: clumps are often taken for sheets; strands wider than 50 µm are, if they are as
    rough as a sheet. Not validated on real cultures.
    """
    height, width = image.shape
    size = (
        max(_STRIDE, round(width * pixel_um / PIXEL_UM)),
        max(_STRIDE, round(height * pixel_um / PIXEL_UM)),
    )
    shrinks = size[0] < width
    seen = cv2.resize(
        np.asarray(image, np.float32),
        size,
        interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR,
    )
    found = _wide(_sheet_share(evened(seen)) > LEAST_SHARE)
    mask: Mask = cv2.resize(
        found.astype(np.uint8), (width, height), interpolation=cv2.INTER_NEAREST
    ).astype(bool)
    return mask


def _sheet_share(even: FloatImage) -> FloatImage:
    """Probability of sheet of every pixel, found in tiles that overlap."""
    share = np.empty(even.shape, np.float32)
    padded = cv2.copyMakeBorder(
        even, _MARGIN, _MARGIN + _STRIDE, _MARGIN, _MARGIN + _STRIDE, cv2.BORDER_REFLECT
    )
    for top in range(0, even.shape[0], _TILE):
        for left in range(0, even.shape[1], _TILE):
            rows = min(_TILE, even.shape[0] - top)
            columns = min(_TILE, even.shape[1] - left)
            high, wide = (math.ceil((n + 2 * _MARGIN) / _STRIDE) * _STRIDE for n in (rows, columns))
            tile = padded[top : top + high, left : left + wide]
            told = _answer(tile)
            share[top : top + rows, left : left + columns] = told[
                _MARGIN : _MARGIN + rows, _MARGIN : _MARGIN + columns
            ]
    return share


def _answer(tile: FloatImage) -> FloatImage:
    if not hasattr(_loaded, "network"):
        weights = resources.files("labrig_analysis").joinpath("weights/cell_sheets.onnx")
        # One a thread: a network of OpenCV keeps what it was given last.
        _loaded.network = cv2.dnn.readNetFromONNX(np.frombuffer(weights.read_bytes(), np.uint8))
    high, wide = tile.shape
    _loaded.network.setInput(
        np.ascontiguousarray(
            np.pad(tile, ((0, -high % _STRIDE), (0, -wide % _STRIDE)), mode="edge")[None, None]
        )
    )
    sheet = _loaded.network.forward()[0, 2]
    up = cv2.resize(sheet, None, fx=2, fy=2, interpolation=cv2.INTER_LINEAR)
    return np.asarray(up[:high, :wide])


def _wide(sheet: Mask) -> Mask:
    """Without regions that are nowhere as wide as a sheet."""
    border = round(WIDE_UM / PIXEL_UM)
    side = border | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    padded = cv2.copyMakeBorder(
        sheet.astype(np.uint8), border, border, border, border, cv2.BORDER_REPLICATE
    )
    core = cv2.morphologyEx(padded, cv2.MORPH_OPEN, disc) > 0
    count, regions = cv2.connectedComponents(padded)
    kept = np.zeros(count, bool)
    kept[np.unique(regions[core])] = True
    kept[0] = False
    return np.asarray(kept[regions][border:-border, border:-border])
