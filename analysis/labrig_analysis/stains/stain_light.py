"""The light of a stain above what lies around it, inside and outside of tubes apart."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage, LabelImage, Mask
from labrig_analysis.images.background import estimate_noise_sd, spread_below
from labrig_analysis.images.planes import grey_pixels, grey_plane

SMOOTHING_PX = 1.0
"""SD of the Gaussian that takes out the noise of single pixels."""
_ROUNDS = 4
# Pixels so many SDs above the background are stained things and have no say in it.
_OBJECT_SDS = 2.5
_SMALLEST_WEIGHT, _IN_REACH = 1e-3, 1e-6
# SD of the window in pixels of a downsampled plane.
_WINDOW_PX = 8.0
# The blur of a tube's own stain reaches so far beyond its outline, and so far into it.
_RIM_UM, _RIM_PX = 1.5, 3.5
_RIMS_OF_THICK = 2.2
# One SD below the median of a normal distribution.
_SD_BELOW_PERCENT = 15.87
_DARKEST_PERCENT = 5.0
_FEWEST_PX = 1000
_MOST_CUT_OFF = 0.5
# A hot pixel stands out so many SDs, and so many times as far as the brightest one beside it.
_HOT_SDS, _HOT_TIMES = 10.0, 4.0
# The step between two grey levels hides noise that is smaller.
_STEP_SD = 12**-0.5


class StainLight(NamedTuple):
    """A stain above its local background, in grey levels."""

    contrast: FloatImage
    """(y, x) float32, smoothed by `SMOOTHING_PX`; the local background at 0."""
    noise: FloatImage
    """(y, x) float32: SD of what is not stained, in the part of the field that a pixel lies in."""
    diffuse: FloatImage
    """(y, x) float32: the local background above that of the darkest parts of the field."""


def why_unseen(plane: GreyImage, name: str) -> str:
    """Why nothing can be said of a stain in this plane; "" where it can.

    A plane of few grey levels or one that is cut off at the top tells neither a stain nor that
    there is none.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    seen = grey_plane(plane, f"{name} plane")
    cannot = seen.is_blank or seen.is_saturated or seen.is_nearly_blank
    return "; ".join(seen.reasons) if cannot else ""


def why_noise_unseen(plane: GreyImage, name: str) -> str:
    """Why nothing tells spots and lines of this plane from noise; "" where something does.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    if why := why_unseen(plane, name):
        return why
    pixels = grey_pixels(plane)
    share = float((pixels == pixels.min()).mean())
    if share <= _MOST_CUT_OFF:
        return ""
    return (
        f"{name} plane is cut off at black: {share:.0%} of the pixels are at its lowest level, so "
        "its noise cannot be read; take it with a higher offset or longer exposure"
    )


def light_above_background(
    plane: GreyImage, tubes: LabelImage | None, window_um: float, pixel_size_um: float
) -> StainLight:
    """A stain less its local background, which is followed inside and outside of tubes apart.

    A tube takes up some of every stain; beside it the ground is darker. One background for both
    would turn the rim of every tube into something stained.

    Args:
        plane: (y, x), bright where stained.
        tubes: (y, x) labels; None: one background for all.
        window_um: SD of the Gaussian average; wider than what is looked for.
        pixel_size_um: width of a pixel in the specimen.
    """
    window_px = window_um / pixel_size_um
    pixels = grey_pixels(plane)
    least = _STEP_SD if pixels.dtype.kind == "u" else 0.0
    calm = _without_hot_pixels(pixels.astype(np.float32))
    smooth = cv2.GaussianBlur(calm, (0, 0), SMOOTHING_PX)
    # What no part tells of is its own background.
    background, noise = smooth.copy(), np.full_like(smooth, smooth.std())
    parts = _parts(tubes, smooth.shape, max(_RIM_UM / pixel_size_um, _RIM_PX))
    of_largest = 0.0
    for part in sorted(parts, key=lambda part: -np.count_nonzero(part.plain)):
        if part.plain.any():
            found = _background(smooth, part, window_px)
            known = part.whole & np.isfinite(found)
            background[known] = found[known]
            residual = (smooth - background)[part.plain]
            middle, low = np.percentile(residual, (50, _SD_BELOW_PERCENT))
            own = max(float(middle - low), least)
            of_largest = of_largest or own
            # A few pixels are all but their own background, and their noise looks like none.
            is_small = np.count_nonzero(part.plain) < _FEWEST_PX
            noise[part.whole] = max(own, of_largest) if is_small else own
    darkest = np.percentile(background[::4, ::4], _DARKEST_PERCENT)
    diffuse = np.maximum(background - np.float32(darkest), 0)
    return StainLight(smooth - background, noise, diffuse)


def _without_hot_pixels(pixels: FloatImage) -> FloatImage:
    """(y, x) single bright pixels, of the camera and of no stain, as the median around them."""
    middle = cv2.medianBlur(pixels, 3)
    above = pixels - middle
    around = np.ones((3, 3), np.uint8)
    around[1, 1] = 0
    neighbours = cv2.dilate(pixels, around) - middle
    hot = (above > _HOT_SDS * estimate_noise_sd(pixels)) & (above > _HOT_TIMES * neighbours)
    return np.where(hot, middle, pixels)


class _Part(NamedTuple):
    whole: Mask
    """Where its background holds."""
    plain: Mask
    """Where it is read: away from the rims of tubes."""


def _parts(tubes: LabelImage | None, shape: tuple[int, ...], rim_px: float) -> tuple[_Part, ...]:
    """Parts of the field with a background each: tubes with their rim, and all else."""
    if tubes is None or not tubes.any():
        everywhere = np.ones(shape, bool)
        return (_Part(everywhere, everywhere),)
    beyond = cv2.distanceTransform((tubes == 0).astype(np.uint8), cv2.DIST_L2, 3)
    within = cv2.distanceTransform((tubes > 0).astype(np.uint8), cv2.DIST_L2, 3)
    inside = beyond <= rim_px
    core = within > rim_px
    # Thin tubes and tips are nothing but rim: they are compared with each other.
    to_core = cv2.distanceTransform((~core).astype(np.uint8), cv2.DIST_L2, 3)
    thick = inside & (to_core <= _RIMS_OF_THICK * rim_px)
    thin = inside & ~thick
    return _Part(thick, core), _Part(thin, thin & (tubes > 0)), _Part(~inside, ~inside)


def _background(smooth: FloatImage, part: _Part, window_px: float) -> FloatImage:
    """(y, x) average over pixels of one part that are not stained, found in a few rounds."""
    height, width = smooth.shape
    scale = max(1.0, window_px / _WINDOW_PX)
    thin = max(1, int(scale) // 2)
    if not part.plain[::thin, ::thin].any():
        thin = 1
    sample, plain = smooth[::thin, ::thin], part.plain[::thin, ::thin]
    size = (max(4, round(width / scale)), max(4, round(height / scale)))
    sd = window_px / scale
    back: FloatImage = np.full(sample.shape, np.median(sample[plain]), np.float32)
    for _ in range(_ROUNDS):
        residual = sample - back
        bare = residual < _OBJECT_SDS * spread_below(residual[plain])
        weight = ((bare & plain) + np.float32(_SMALLEST_WEIGHT) * plain).astype(np.float32)
        light, there = (
            cv2.GaussianBlur(cv2.resize(image, size, interpolation=cv2.INTER_AREA), (0, 0), sd)
            for image in (sample * weight, weight)
        )
        # Where no such place is within reach, every pixel is its own background.
        small = light / np.where(there > _IN_REACH, there, np.nan)
        back = cv2.resize(small, sample.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
