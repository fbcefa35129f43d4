"""Read an image at points between pixels, and quantiles of what was read."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage

# cv2.remap takes at most 32767 rows at once.
REMAP_ROWS = 30_000
_EDGE = cv2.BORDER_REPLICATE


def sample_plane(
    plane: GreyImage, x: npt.NDArray[np.float32], y: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Bicubic values at (x, y) px, both (n, m); beyond the border the nearest pixel's.

    Bicubic, because bilinear reading blurs: a tube 6 px wide comes out 0.04 px wider. Integer
    planes are converted first: OpenCV would round their values to whole grey levels.
    """
    if not x.size:
        return np.zeros(x.shape, np.float32)
    plane = plane.astype(np.float32, copy=False)
    blocks = [
        cv2.remap(plane, x[i : i + REMAP_ROWS], y[i : i + REMAP_ROWS], cv2.INTER_CUBIC, None, _EDGE)
        for i in range(0, len(x), REMAP_ROWS)
    ]
    return np.concatenate(blocks)


def quantile_in_rows(values: npt.NDArray[Any], part: float) -> npt.NDArray[np.float64]:
    """Quantile over the last axis with NaN left out; NaN where a row holds nothing else.

    `np.nanquantile` does the same at about a millisecond a row.
    """
    ordered = np.sort(values, axis=-1)
    last = np.maximum(np.isfinite(values).sum(axis=-1) - 1, 0)
    low = (last * part).astype(np.intp)
    high = np.minimum(low + 1, last)
    a, b = (np.take_along_axis(ordered, i[..., None], -1)[..., 0] for i in (low, high))
    return np.asarray(a + (b - a) * (last * part - low), dtype=np.float64)
