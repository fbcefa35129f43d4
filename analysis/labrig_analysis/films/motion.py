"""How far points of a film have moved from rest.

Points on a grid are followed with pyramidal Lucas-Kanade (Bouguet 2001, in OpenCV) from the
mean picture at rest to each frame, never from frame to frame, so nothing adds up over the
film. Dense DIS flow at the same cost read narrow tubes 5 to 20 % low.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import GreyImage, Mask
from labrig_analysis.films.baseline import LEAST_BASELINE_FRAMES

Floats = npt.NDArray[Any]

WORKING_PIXEL_UM = 1.3
_WINDOW = 15
_STEP = 4
_LEVELS = 2
"""The window (20 um wide), the least spacing of points and the pyramid, in working pixels: with
two halvings a movement of some 30 um is found."""
_MOST_POINTS = 400
_MOST_POINTS_UNMASKED = 800
_STILL_POINTS = 80
_LEAST_STILL = 20
_MOST_SAMPLED = 120
_COARSE_PX = 96
_DWELT_SHARE = 0.15
"""Rest is looked for among so many frames, at this size, as the state that is nearest to this share
of them [P]."""
_LEAST_TEXTURE = 0.02
"""Smaller eigenvalue of the gradient tensor, over that of the field's most textured places [P]."""
_UNSURE_WORKING_PX, _UNSURE_PX = 0.12, 0.25
"""A point that wanders further at rest has nothing to hold on to, and is dropped. Noise lives in
pixels: the bound is one in working pixels, which averages calm, or one in the camera's own."""


@dataclass(frozen=True, slots=True, eq=False)
class Motion:
    """Displacement of points from rest; movement common to the whole field is taken out.

    Attributes:
        at_px: (p, 2) places (x, y) of the points at rest, frame pixels.
        right_um: (t, p) displacement along x, um.
        down_um: (t, p) along y, um.
        steadied: Whether there was enough still background to take common movement out.
    """

    at_px: Floats
    right_um: Floats
    down_um: Floats
    steadied: bool

    def size_um(self) -> Floats:
        """(t, p) length of the displacement, um."""
        return np.hypot(self.right_um, self.down_um)


@dataclass(frozen=True, slots=True, eq=False)
class DownsampledFilm:
    """A film at the size that is worked at, so that it can be looked at more than once.

    Attributes:
        frames: (y, x) each, unsigned integers or float32.
        shape: (height, width) of the frames as they were.
        scale: Pixels of theirs per working pixel.
        working_um: Side of a working pixel.
    """

    frames: list[npt.NDArray[Any]]
    shape: tuple[int, ...]
    scale: int
    working_um: float


def downsampled_film(frames: Iterable[GreyImage], pixel_size_um: float) -> DownsampledFilm:
    """Average frames down to about `WORKING_PIXEL_UM`.

    Args:
        frames: 2-D frames (y, x) of one shape, unsigned integers or floats; may be a
            generator, frames are shrunk as they come.
        pixel_size_um: Side of a pixel.

    Raises:
        ValueError: Fewer than two frames, or frames that are not 2-D, not finite or not of one
            shape.
    """
    scale = max(1, round(WORKING_PIXEL_UM / pixel_size_um))
    small, shape = _shrunk(frames, scale)
    return DownsampledFilm(small, shape, scale, scale * pixel_size_um)


def measure_motion(
    film: DownsampledFilm, *, rest: Sequence[int] = (), mask: Mask | None = None
) -> Motion:
    """Displacement of points from rest, in every frame.

    Args:
        film: From `shrink`.
        rest: Frames (by index) that show the culture at rest; those beyond the film are left
            out. With fewer than 3, the state is taken that the film dwells in.
        mask: (y, x) nonzero where points are wanted; None: all over the field.

    Returns:
        The motion. Common movement (stage, vibration) is the median over points outside the
        mask, or over all points without a mask: then more than half must be still.

    Raises:
        ValueError: A mask of another shape.
    """
    small, shape, scale = film.frames, film.shape, film.scale
    if mask is not None and mask.shape != shape:
        raise ValueError(f"the mask has shape {mask.shape}, the frames {shape}: give one of theirs")
    inside, still = _places(small[0].shape, mask)
    resting = np.array([number for number in rest if number < len(small)], dtype=np.intp)
    picture = _at_rest(small, resting)
    still = _textured(picture, still)
    if mask is None:
        inside = _textured(picture, inside)
    moved = _followed(small, picture, np.concatenate([inside, still]))
    moved *= np.float32(film.working_um)
    wanted, background = moved[:, : len(inside)], moved[:, len(inside) :]
    if mask is None:
        background = wanted
    steadied = background.shape[1] >= _LEAST_STILL
    if steadied:
        wanted = wanted - np.median(background, axis=1, keepdims=True)
    unsure_px = max(_UNSURE_WORKING_PX * scale, _UNSURE_PX)
    sure = _sure(wanted, resting, unsure_px * film.working_um / scale)
    at_px = (inside[sure] + 0.5) * scale - 0.5
    return Motion(at_px, wanted[:, sure, 0], wanted[:, sure, 1], steadied)


def _shrunk(
    frames: Iterable[GreyImage], scale: int
) -> tuple[list[npt.NDArray[Any]], tuple[int, ...]]:
    small: list[npt.NDArray[Any]] = []
    shape: tuple[int, ...] = ()
    for number, frame in enumerate(frames):
        if frame.ndim != 2:
            raise ValueError(
                f"frame {number} has shape {frame.shape}: give grey frames (y, x); turn colour "
                "into grey first"
            )
        if number and frame.shape != shape:
            raise ValueError(f"frame {number} has shape {frame.shape}, those before it {shape}")
        shape = frame.shape
        if frame.dtype.kind == "f" and not np.isfinite(frame).all():
            raise ValueError(f"frame {number} holds NaN or infinity: give numbers in every pixel")
        kept = frame if frame.dtype in (np.uint8, np.uint16) else frame.astype(np.float32)
        size = (max(1, shape[1] // scale), max(1, shape[0] // scale))
        small.append(cv2.resize(kept, size, interpolation=cv2.INTER_AREA))
    if not small:
        raise ValueError("the film has no frames")
    if len(small) == 1:
        raise ValueError("the film has one frame, a picture: movement needs a film of many")
    return small, shape


def _places(shape: tuple[int, ...], mask: Mask | None) -> tuple[Floats, Floats]:
    """Points wanted and points of still background, (p, 2) each as (x, y) in working pixels."""
    everywhere = np.ones(shape, np.bool_)
    if mask is None:
        return _grid(everywhere, _MOST_POINTS_UNMASKED), np.zeros((0, 2), np.float32)
    size = (shape[1], shape[0])
    wanted = cv2.resize((mask > 0).astype(np.uint8) * 255, size, interpolation=cv2.INTER_AREA) > 127
    near = cv2.dilate(wanted.astype(np.uint8), np.ones((2 * _WINDOW, 2 * _WINDOW), np.uint8))
    return _grid(wanted, _MOST_POINTS), _grid(near == 0, _STILL_POINTS)


def _grid(where: Mask, most: int) -> Floats:
    """The densest even grid, at least `_STEP` apart, that has no more than ``most`` points."""
    for step in count(_STEP, 2):
        rows = np.arange(step // 2, where.shape[0], step)
        columns = np.arange(step // 2, where.shape[1], step)
        y, x = np.nonzero(where[np.ix_(rows, columns)])
        if len(y) <= most:
            break
    return np.column_stack([columns[x], rows[y]]).astype(np.float32).reshape(-1, 2)


def _textured(rest: Floats, points: Floats) -> Floats:
    """The points that have something to hold on to; bare background would give any movement."""
    if not len(points):
        return points
    hold = cv2.cornerMinEigenVal(rest, _WINDOW)[
        points[:, 1].astype(np.intp), points[:, 0].astype(np.intp)
    ]
    held: Floats = points[hold > _LEAST_TEXTURE * np.percentile(hold, 95)]
    return held


def _at_rest(small: list[npt.NDArray[Any]], resting: npt.NDArray[np.intp]) -> Floats:
    if len(resting) >= LEAST_BASELINE_FRAMES:
        return np.asarray(np.mean([small[i] for i in resting], axis=0, dtype=np.float32))
    return np.asarray(np.mean([small[i] for i in _most_alike(small)], axis=0, dtype=np.float32))


def _most_alike(small: list[npt.NDArray[Any]]) -> npt.NDArray[np.intp]:
    """The frames, by index, of the state that the film dwells in: rest, or a held contraction.

    Not those that differ least from their next: so do the frames about each turning point.
    """
    sampled = np.unique(np.linspace(0, len(small) - 1, _MOST_SAMPLED).round().astype(np.intp))
    height, width = small[0].shape
    shrink_to = min(1.0, _COARSE_PX / max(height, width))
    size = (max(1, round(width * shrink_to)), max(1, round(height * shrink_to)))
    coarse = np.stack(
        [cv2.resize(small[i], size, interpolation=cv2.INTER_AREA).ravel() for i in sampled]
    ).astype(np.float32)
    apart = np.stack([np.abs(coarse - frame).mean(axis=1) for frame in coarse])
    order = np.argsort(apart, axis=1)[
        :, : max(LEAST_BASELINE_FRAMES, round(_DWELT_SHARE * len(sampled)))
    ]
    middle = int(np.argmin(np.take_along_axis(apart, order, axis=1).mean(axis=1)))
    return np.asarray(sampled[order[middle]])


def _followed(small: list[npt.NDArray[Any]], rest: Floats, points: Floats) -> Floats:
    """(t, p, 2) displacement in working pixels."""
    if not len(points):
        return np.zeros((len(small), 0, 2), np.float32)
    low, high = np.percentile(rest, [0.1, 99.9])
    gain = 255.0 / max(float(high - low), 1e-6)

    def grey(image: npt.NDArray[Any]) -> npt.NDArray[np.uint8]:
        # The tracker takes 8 bits. Deeper frames are stretched; what saturates is 0.2 % of the
        # picture at rest.
        if image.dtype == np.uint8:
            return image
        stretched = image * np.float32(gain) - np.float32(low * gain)
        return np.clip(stretched, 0, 255, out=stretched).astype(np.uint8)

    window = (_WINDOW, _WINDOW)
    eight_bits = small[0].dtype == np.uint8
    still = np.rint(rest).astype(np.uint8) if eight_bits else grey(rest)
    start = points[:, None]
    stop = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 10, 0.005)
    moved = np.empty((len(small), len(points), 2), np.float32)
    for number, frame in enumerate(small):
        ends, _, _ = cv2.calcOpticalFlowPyrLK(  # type: ignore[call-overload]
            still,
            grey(frame),
            start,
            None,
            winSize=window,
            maxLevel=_LEVELS,
            criteria=stop,
            minEigThreshold=1e-6,
        )
        moved[number] = (ends - start)[:, 0]
    return moved


def _sure(moved: Floats, resting: npt.NDArray[np.intp], unsure_um: float) -> Mask:
    """Which points stay where they are while nothing moves."""
    wander = np.hypot(moved[..., 0], moved[..., 1])
    at_rest = wander[resting] if len(resting) >= LEAST_BASELINE_FRAMES else wander
    return np.asarray(np.percentile(at_rest, 25, axis=0) < unsure_um)
