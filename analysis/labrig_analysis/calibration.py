"""The width of a pixel in the specimen, without which nothing is in µm."""

from __future__ import annotations

import numpy as np


def check_pixel_size(pixel_size_um: float) -> float:
    """Refuse a missing or impossible calibration.

    Raises:
        TypeError: no number at all.
        ValueError: not a positive finite number.
    """
    if isinstance(pixel_size_um, str) or np.ndim(pixel_size_um) > 0:
        raise TypeError(
            f"pixel_size_um is {type(pixel_size_um).__name__}; give one number, the width of a "
            "pixel in the specimen in µm, e.g. pixel_size_um=0.65"
        )
    if pixel_size_um is None or not np.isfinite(pixel_size_um) or pixel_size_um <= 0:
        raise ValueError(
            f"pixel_size_um is {pixel_size_um}; µm need the objective's calibration: give the "
            "width of a pixel in the specimen, e.g. pixel_size_um=0.65 (camera pixel in µm "
            "divided by the magnification)"
        )
    return float(pixel_size_um)
