"""Check a grey plane before anything is measured on it, and say what is wrong with the picture.

A call that cannot be meant (three colour channels, text) is refused; a picture that is merely bad
(black, over-exposed, with holes) is measured as far as it goes, and the reasons are returned.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage

# From this share of pixels at the top of the scale on, edges of bright tubes are cut off flat.
SATURATED_SHARE = 0.05


class Plane(NamedTuple):
    """A plane that OpenCV can work on."""

    pixels: GreyImage
    """(y, x) uint8, uint16 or float32, C-ordered, finite."""
    reasons: tuple[str, ...]
    """What is wrong with the picture; empty when nothing is."""
    is_blank: bool
    """All pixels are alike: nothing can be found."""


def grey_plane(image: npt.NDArray[Any], name: str = "image") -> Plane:
    """Bring any 2-D integer, boolean or floating array to a type that OpenCV takes.

    8 and 16 bits are kept (12-bit cameras deliver 16), all others become float32.

    Args:
        image: (y, x), any strides.
        name: what the caller calls it; used in messages.

    Raises:
        TypeError: the elements are not real numbers.
        ValueError: not two axes (a colour picture, a stack), or no pixels.
    """
    plane = np.asarray(image)
    if plane.dtype.kind not in "buif":
        raise TypeError(f"{name}: elements are {plane.dtype}; give real numbers")
    if plane.ndim != 2:
        raise ValueError(
            f"{name}: shape {plane.shape} has {plane.ndim} axes, but one grey plane (y, x) is "
            "needed; of a colour picture give one channel, e.g. image[..., 0] for red"
        )
    if plane.size == 0:
        raise ValueError(f"{name}: shape {plane.shape} holds no pixels")
    reasons: list[str] = []
    if plane.dtype.kind == "f":
        plane = _filled(plane, reasons)
    elif plane.dtype == bool:
        plane = plane.view(np.uint8)
    elif plane.dtype not in (np.uint8, np.uint16):
        plane = plane.astype(np.float32)
    plane = np.ascontiguousarray(plane)
    darkest, brightest = plane.min(), plane.max()
    if darkest == brightest:
        what = "all black" if brightest == 0 else f"all pixels are {brightest:g}"
        return Plane(plane, (*reasons, f"{name} is blank: {what}"), True)
    share = float(np.count_nonzero(plane == brightest)) / plane.size
    if share > SATURATED_SHARE:
        reasons.append(
            f"{name} is saturated: {share:.0%} of the pixels are at the top of the scale"
        )
    return Plane(plane, tuple(reasons), False)


def _filled(plane: npt.NDArray[Any], reasons: list[str]) -> npt.NDArray[Any]:
    finite = np.isfinite(plane)
    with np.errstate(over="ignore"):
        plane = plane.astype(np.float32)
    finite &= np.isfinite(plane)
    holes = plane.size - int(np.count_nonzero(finite))
    if holes:
        reasons.append(f"{holes} pixels are not finite numbers; filled with the median")
        plane[~finite] = np.median(plane[finite]) if holes < plane.size else 0.0
    return plane
