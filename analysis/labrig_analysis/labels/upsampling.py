"""Bring labels that were found on a downsampled plane to the size of the image."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import LabelImage
from labrig_analysis.labels.relabelling import narrowed

# Rows of labels at a time: what becomes of them stays in the processor's cache.
_BAND_ROWS = 32


def upsampled_labels(labels: LabelImage, inside: LabelImage, shape: tuple[int, ...]) -> LabelImage:
    """The nearest label wherever a finer outline says that there is an object.

    Args:
        labels: (y, x) on the downsampled plane.
        inside: (y, x) uint8, 1 inside objects and 0 outside, at full size: a whole multiple of
            the size of `labels`, and not less than `shape`.
        shape: (y, x) of the result.

    Returns:
        uint16, int32 from 65,536 labels on.
    """
    grown = _grown(labels)
    height, width = shape
    full = np.empty((height, width), grown.dtype)
    factor = len(inside) // len(labels)
    for top in range(0, len(labels), _BAND_ROWS):
        band = grown[top : top + _BAND_ROWS]
        size = (inside.shape[1], len(band) * factor)
        wide = cv2.resize(band, size, interpolation=cv2.INTER_NEAREST)
        part = full[top * factor : top * factor + len(wide)]
        seen = inside[top * factor : top * factor + len(part), :width]
        np.multiply(wide[: len(part), :width], seen, out=part)
    return full


def _grown(labels: LabelImage) -> LabelImage:
    """Labels a pixel wider: interpolated outlines bulge that far over the coarse ones."""
    narrow = narrowed(labels)
    # OpenCV dilates no integers as large as int32.
    fit = narrow if narrow.dtype == np.uint16 else narrow.astype(np.float32)
    wide = cv2.dilate(fit, np.ones((3, 3), np.uint8))
    cv2.copyTo(fit, (fit > 0).view(np.uint8), wide)
    return wide.astype(narrow.dtype, copy=False)
