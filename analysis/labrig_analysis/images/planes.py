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
# From this share on a stained plane shows no object: what is bright is more than half of it.
WASHED_OUT_SHARE = 0.5
# A camera's own noise alone spans more levels than this.
_FEWEST_LEVELS = 3


class Plane(NamedTuple):
    """A plane that OpenCV can work on."""

    pixels: GreyImage
    """(y, x) uint8, uint16 or float32, C-ordered, finite."""
    reasons: tuple[str, ...]
    """What is wrong with the picture; empty when nothing is."""
    is_blank: bool
    """All pixels are alike: nothing can be found."""
    top_share: float
    """Part of the pixels that are at the top of the scale; 0 when blank."""
    is_nearly_blank: bool = False
    """It has fewer grey levels than a camera's own noise spans."""

    @property
    def is_saturated(self) -> bool:
        """So much is at the top of the scale that edges of bright objects are cut off."""
        return self.top_share > SATURATED_SHARE

    @property
    def is_washed_out(self) -> bool:
        """So much is at the top of the scale that bright objects cannot be told from background."""
        return self.top_share > WASHED_OUT_SHARE


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
    reasons: list[str] = []
    plane = _taken(image, name, reasons)
    darkest, brightest = plane.min(), plane.max()
    if darkest == brightest:
        what = "all black" if brightest == 0 else f"all pixels are {brightest:g}"
        return Plane(plane, (*reasons, f"{name} is blank: {what}"), True, 0.0)
    share = float(np.count_nonzero(plane == brightest)) / plane.size
    seen = Plane(plane, (), False, share)
    if plane.dtype.kind == "u" and int(brightest) - int(darkest) < _FEWEST_LEVELS:
        reasons.append(f"{name} is nearly blank: its grey levels run from {darkest} to {brightest}")
        seen = seen._replace(is_nearly_blank=True)
    elif seen.is_saturated:
        reasons.append(
            f"{name} is saturated: {share:.0%} of the pixels are at the top of the scale"
        )
    return seen._replace(reasons=tuple(reasons))


def grey_pixels(image: npt.NDArray[Any], name: str = "image") -> GreyImage:
    """The pixels of `grey_plane`, where nobody asks what is wrong with the picture.

    Raises:
        TypeError, ValueError: as there.
    """
    return _taken(image, name, [])


def is_blank(pixels: GreyImage) -> bool:
    """Whether all pixels are alike."""
    return bool(pixels.min() == pixels.max())


def _taken(image: npt.NDArray[Any], name: str, reasons: list[str]) -> GreyImage:
    """The pixels in a type that OpenCV takes; what had to be filled is added to the reasons."""
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
    if plane.dtype.kind == "f":
        plane = _filled(plane, name, reasons)
    elif plane.dtype == bool:
        plane = plane.view(np.uint8)
    elif plane.dtype not in (np.uint8, np.uint16):
        plane = plane.astype(np.float32)
    return np.ascontiguousarray(plane)


def _filled(plane: npt.NDArray[Any], name: str, reasons: list[str]) -> npt.NDArray[Any]:
    finite = np.isfinite(plane)
    with np.errstate(over="ignore"):
        plane = plane.astype(np.float32)
    finite &= np.isfinite(plane)
    holes = plane.size - int(np.count_nonzero(finite))
    if holes == plane.size:
        reasons.append(f"{name}: no pixel is a finite number")
        plane[:] = 0
    elif holes:
        reasons.append(f"{name}: {holes} pixels are not finite numbers; filled with the median")
        plane[~finite] = np.median(plane[finite])
    return plane
