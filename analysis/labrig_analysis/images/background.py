"""The uneven background under bright objects."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, GreyImage, Mask
from labrig_analysis.images.interpolation import REMAP_ROWS

# The background is smooth: it is estimated on a plane downsampled to this many pixels per SD of its
# window.
_WINDOW_PX = 8
_ROUNDS = 4
# Pixels this many SDs above the background are objects and have no say in it.
_OBJECT_SDS = 2.5
# What lies below a lowest background is noise up to this many SDs; more is slope, still to be
# found.
_MOST_NOISE_SDS = 3.0
# Share of the pixels of a crowded field that a lower envelope lets lie below it (an expectile).
_ENVELOPE_SHARE = 0.02
_ENVELOPE_ROUNDS = 30
# What lies below it by more than this part of the picture's span is no background, e.g. a margin.
_HUBER_PART = 0.01
_UPPER_REACHES = 10.0
_OBJECT_REACHES = 0.5
# The least of a few hundred smoothed pixels of pure noise lies about so many SDs below their mean.
_LEAST_OF_NOISE_SDS = 2.0
# A patch whose mean and least differ by less than so many noise SDs shows background alone.
_EVEN_PATCH_SDS = 4.0
# If patches hide so much of the span from background to bright objects, no patch shows background
# alone.
_HIDDEN_PART = 0.06
# How strongly the envelope holds where no background is near: one pixel of background in view
# outweighs it.
_HOLD = 0.002
# A flat dark part is a margin or a mask, and no background, if it covers less than this and lies so
# far below all else: in noise SDs, and in parts of the span of the rest.
_MOST_PADDING = 0.5
_PADDING_STEP_SDS, _PADDING_STEP_PART = 10.0, 0.02
# Pixels a side that are looked at in a patch.
_PATCH_SIDE = 8
# Noise is read from the quietest part of tiles of this side, after what is coarser was taken off.
_TILE_PX = 12
_FINE_PX = 3.0
_QUIET_PERCENT = 20.0


@dataclass(frozen=True, eq=False)
class Background:
    """A smooth background, kept small."""

    plane: FloatImage
    """Reduced plane, grey levels."""
    shape: tuple[int, int]
    """(height, width) of the image it belongs to."""

    def full(self) -> FloatImage:
        """(y, x) float32 at the image's own size."""
        return cv2.resize(self.plane, self.shape[::-1], interpolation=cv2.INTER_LINEAR)

    def at(self, xy: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Grey level of the background at points (n, 2) in px of the image."""
        height, width = self.plane.shape
        x = (xy[:, 0] + 0.5) * (width / self.shape[1]) - 0.5
        y = (xy[:, 1] + 0.5) * (height / self.shape[0]) - 0.5
        column, row = (v.astype(np.float32).reshape(-1, 1) for v in (x, y))
        if not len(xy):
            return np.empty(0)
        found = [
            cv2.remap(
                self.plane, column[i : i + REMAP_ROWS], row[i : i + REMAP_ROWS], cv2.INTER_LINEAR,
                borderMode=cv2.BORDER_REPLICATE,
            )
            for i in range(0, len(xy), REMAP_ROWS)
        ]  # fmt: skip
        return np.concatenate(found)[:, 0].astype(np.float64)


def estimate_background(image: FloatImage, window_px: float) -> Background:
    """A smooth background that bright objects do not lift.

    A Gaussian average over the pixels that are no objects; which those are is found in a few
    rounds from the spread *below* the background, where objects cannot reach.

    Args:
        image: (y, x) uint8, uint16 or float32, bright objects on a darker background.
        window_px: SD of the averaging window in px; wider than any object.
    """
    height, width = image.shape
    step = max(1.0, window_px / _WINDOW_PX)
    size = (max(4, round(width / step)), max(4, round(height / step)))
    # Sixteen pixels a downsampled one say enough about so smooth a background.
    thin = max(1, int(step) // 4)
    sample = np.ascontiguousarray(image[::thin, ::thin])
    small = cv2.resize(sample, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    background: FloatImage = np.full_like(small, np.median(small))
    for _ in range(_ROUNDS):
        residual = small - background
        weight = (residual < _OBJECT_SDS * spread_below(residual)).astype(np.float32)
        weight += np.float32(1e-3)
        background = _blur(small * weight) / _blur(weight)
    return Background(background, (height, width))


def estimate_background_at_any_cover(
    image: GreyImage, window_px: float, noise: float | None = None
) -> Background:
    """A smooth background under bright objects that may cover nearly all of it.

    A lower envelope of second order (asymmetric least squares: Newey & Powell 1987, Econometrica
    55:819) is fitted first, to the means of patches or, where every patch holds objects, to their
    least pixels; from there the background is followed as in `estimate_background`. Where no
    background is in reach of the window the envelope holds.

    Known bias: at a cover above about 0.9 the blurred flanks of objects lift it by a few percent of
    their height; where nothing of the background is seen, it lies in the darkest valleys.

    Args:
        image: (y, x) uint8, uint16 or float32, bright objects on a darker background.
        window_px: SD of the averaging window in px; wider than any object.
        noise: SD of the pixels of an even part; None: as `estimate_noise_sd` finds it.
    """
    height, width = image.shape
    step = max(1.0, window_px / _WINDOW_PX)
    size = (max(4, round(width / step)), max(4, round(height / step)))
    thin = max(1, int(step) // _PATCH_SIDE)
    sample = np.ascontiguousarray(image[::thin, ::thin])
    if noise is None:
        noise = estimate_noise_sd(sample.astype(np.float32, copy=False))
    patches = cv2.resize(sample, size, interpolation=cv2.INTER_AREA).astype(np.float32)
    side = max(3, round(step / thin) | 1)
    least = cv2.resize(
        cv2.erode(sample, np.ones((side, side), np.uint8)), size, interpolation=cv2.INTER_NEAREST
    ).astype(np.float32)
    least += np.float32(_LEAST_OF_NOISE_SDS * noise)
    lowest = np.where(patches - least < _EVEN_PATCH_SDS * noise, patches, least)
    low, high = np.percentile(patches, (5, 98)).tolist()
    reach = max(_OBJECT_SDS * noise, _HUBER_PART * (high - low), 1e-6)
    seen = _without_padding(sample, noise, size)
    envelope, under = (_lower_envelope(part, seen, reach) for part in (patches, lowest))
    span = float(np.percentile(sample[::2, ::2], 98)) - float(np.median(under))
    if float(np.median(envelope - under)) > _HIDDEN_PART * span:
        envelope = under
    # What is averaged is the rest above the envelope: an average of the plane would level slopes.
    above = patches - envelope
    lift: FloatImage = np.zeros_like(above)
    for _ in range(_ROUNDS):
        residual = above - lift
        spread = min(spread_below(residual), _MOST_NOISE_SDS * noise)
        is_ground = seen & (residual < max(_OBJECT_SDS * spread, _OBJECT_REACHES * reach))
        weight = (is_ground * _pull(residual, reach)).astype(np.float32)
        lift = _blur(above * weight) / (_blur(weight) + _HOLD)
    return Background(envelope + lift, (height, width))


def background_beside_tubes(image: GreyImage, window_px: float) -> Background:
    """The background for reading widths: `estimate_background`, unless tubes crowd the field.

    Beside few tubes the typical background is what a tube stands out of; where tubes crowd, the
    typical grey level is a tube's, and `estimate_background_at_any_cover` is taken.
    """
    typical = estimate_background(image, window_px)
    lowest = estimate_background_at_any_cover(image, window_px)
    low = float(np.median(lowest.plane))
    step = max(1, min(image.shape) // 256)
    span = float(np.percentile(image[::step, ::step], 98)) - low
    return lowest if float(np.median(typical.plane)) - low > _HIDDEN_PART * span else typical


def estimate_noise_sd(image: FloatImage) -> float:
    """SD of the fine noise in the quietest fifth of a plane, in grey levels.

    However much of the plane objects cover, their texture does not count as noise; 0 where the
    quiet parts are clipped to one level.

    Args:
        image: (y, x) float32, as the noise is wanted: smoothed, if the plane was smoothed.
    """
    fine = cv2.GaussianBlur(image, (0, 0), _FINE_PX)
    cv2.subtract(image, fine, dst=fine)
    height, width = fine.shape
    size = (max(1, width // _TILE_PX), max(1, height // _TILE_PX))
    power = cv2.resize(cv2.multiply(fine, fine, dst=fine), size, interpolation=cv2.INTER_AREA)
    return float(np.sqrt(np.percentile(power, _QUIET_PERCENT)))


def _without_padding(image: GreyImage, noise: float, size: tuple[int, int]) -> Mask:
    """Where the camera saw something, and no margin or mask of one dark level.

    Args:
        image: (y, x).
        noise: SD of its pixels.
        size: (width, height) of the patches that are asked about.
    """
    around = np.ones((3, 3), np.uint8)
    darkest = image.min()
    flat = (image == darkest) & (cv2.dilate(image, around) == darkest)
    if 0 < np.mean(flat) < _MOST_PADDING:
        low, high = np.percentile(image[~flat], (2, 98)).tolist()
        if low - float(darkest) > max(_PADDING_STEP_SDS * noise, _PADDING_STEP_PART * (high - low)):
            seen = cv2.erode((~flat).astype(np.float32), around)
            return np.asarray(cv2.resize(seen, size, interpolation=cv2.INTER_AREA) > 0.999)
    return np.ones(size[::-1], np.bool_)


def _lower_envelope(patches: FloatImage, seen: Mask, reach: float) -> FloatImage:
    """The second-order surface that `_ENVELOPE_SHARE` weighs against all that lies above it."""
    height, width = patches.shape
    y, x = (v.ravel() for v in np.mgrid[-1 : 1 : height * 1j, -1 : 1 : width * 1j])
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])
    values = patches.ravel().astype(np.float64)
    # Sums over pixels for the normal equations: each round then weighs them and no more.
    one, other = np.triu_indices(len(terms))
    products, moments = terms[one] * terms[other], terms * values
    part = np.zeros(len(terms))
    part[0] = np.percentile(values[seen.ravel()], 5)
    # A trifle of stiffness, so that a plane of four patches has a surface too.
    stiff = 1e-9 * len(values) * np.eye(len(terms))
    square = np.empty_like(stiff)
    span = max(float(np.ptp(values)), reach)
    # From far to near, as the surface comes to lie on the background and tubes are left behind.
    for upper in np.geomspace(span, min(_UPPER_REACHES * reach, span), _ENVELOPE_ROUNDS):
        residual = values - part @ terms
        # Objects above lose their pull, sooner than background that is not reached yet.
        above = _ENVELOPE_SHARE * (upper / np.maximum(residual, upper)) ** 2
        below = (1 - _ENVELOPE_SHARE) * _pull(residual, reach)
        weight = np.where(residual < 0, below, above) * seen.ravel()
        square[one, other] = square[other, one] = products @ weight
        part = np.linalg.solve(square + stiff, moments @ weight)
    surface: FloatImage = (part @ terms).reshape(height, width).astype(np.float32)
    return surface


def _pull(residual: npt.NDArray[Any], reach: float) -> npt.NDArray[Any]:
    """1, less for what lies further below than `reach`: a margin pulls no harder than noise does.

    Huber 1964, Ann Math Stat 35:73.
    """
    return np.asarray(reach / np.maximum(-residual, reach))


def spread_below(residual: FloatImage) -> float:
    """SD of what lies below zero, taken as the noise of a background at zero."""
    below = residual[residual < 0]
    return float(np.sqrt(np.mean(below**2))) if below.size else 0.0


def _blur(plane: FloatImage) -> FloatImage:
    return cv2.GaussianBlur(plane, (0, 0), _WINDOW_PX, borderType=cv2.BORDER_REFLECT)
