"""Bring labels that were found on a downsampled plane to the size of the image."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import LabelImage
from labrig_analysis.labels.relabelling import narrowed

# Rows of the large image written at once: what they need stays in the processor's cache.
_BAND_ROWS = 64


def upsampled_labels(labels: LabelImage, inside: LabelImage, shape: tuple[int, ...]) -> LabelImage:
    """The nearest label wherever a finer outline says that there is an object.

    Args:
        labels: (y, x) on the downsampled plane.
        inside: (y, x) uint8, 1 inside objects and 0 outside, at full size; it may reach beyond
            `shape`, but over just what `labels` cover.
        shape: (y, x) of the result.

    Returns:
        uint16, int32 from 65,536 labels on.
    """
    grown = _grown(labels)
    # NumPy's indexing: OpenCV's nearest neighbour takes more than twice as long.
    rows, columns = (
        np.arange(wanted) * small // full
        for wanted, small, full in zip(shape, labels.shape, inside.shape, strict=True)
    )
    inside = inside[: shape[0], : shape[1]]
    full = np.empty(shape, grown.dtype)
    for top in range(0, shape[0], _BAND_ROWS):
        band = slice(top, top + _BAND_ROWS)
        row = rows[band]
        wide = np.take(grown[row[0] : row[-1] + 1], columns, axis=1)
        np.multiply(wide[row - row[0]], inside[band], out=full[band])
    return full


def _grown(labels: LabelImage) -> LabelImage:
    """Labels a pixel wider: interpolated outlines bulge that far over the coarse ones."""
    narrow = narrowed(labels)
    # OpenCV dilates no integers as large as int32.
    fit = narrow if narrow.dtype == np.uint16 else narrow.astype(np.float32)
    wide = cv2.dilate(fit, np.ones((3, 3), np.uint8))
    cv2.copyTo(fit, (fit > 0).view(np.uint8), wide)
    return wide.astype(narrow.dtype, copy=False)
