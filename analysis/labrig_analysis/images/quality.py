"""Is this frame fit to be measured? Flags with reasons; a bad frame is flagged, never dropped.

Every score is compared with the same field's own first hour, so a sparse field is not called
blurred. Nothing here is told which arm, well or treatment a frame belongs to: the gate is
blind. What a treatment may do (thinner tubes, fewer cells, an empty field) must not raise a
flag, or the damage would be excluded as bad pictures; the tests hold it to that.

Not told apart: turbidity by contamination, and blur below about 5 um of defocus at 10x.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from labrig_analysis.arrays import GreyImage

FOCUS_LOW = 0.5
"""Focus score over the reference below which a frame is called out of focus [P]."""
MOST_SATURATED = 0.01
DARK_SHARE = 0.5
BRIGHT_SHARE = 1.6
STRAY_SHARE = 0.005
"""Share of the picture in broad blots of unusual grey: a bubble, a hair out of focus [P]."""
_BLOT_SHARE = 20
"""A blot is at least this part of the picture's side across, broader than any tube."""
_BLANK_SPREAD = 1e-3


@dataclass(frozen=True, slots=True)
class FrameScores:
    """Numbers of one frame, on its own.

    Attributes:
        focus: Variance of the Laplacian (Pech-Pacheco et al. 2000) over the variance of the
            coarse picture, after a 3x3 median so that hot pixels do not look sharp, less what
            noise alone gives. Blur lowers the first long before the second; losing cells or
            contrast lowers both, so a field that empties is not called blurred.
        level: Mean grey level over full scale, 0..1.
        saturated: Share of pixels at full scale.
        stray: Share of the picture in blots, broader than a tube, whose grey level is beyond 3
            times the usual range around the median.
        spread: SD of the smoothed grey level over full scale; 0 in a blank frame.
    """

    focus: float
    level: float
    saturated: float
    stray: float
    spread: float


@dataclass(frozen=True, slots=True)
class Quality:
    """Verdict on one frame: its scores, its focus over the field's own, and why it is bad."""

    scores: FrameScores
    focus_ratio: float
    reasons: tuple[str, ...]

    @property
    def good(self) -> bool:
        """Whether no flag was raised."""
        return not self.reasons


def score_frame(frame: GreyImage, full_scale: float | None = None) -> FrameScores:
    """Score one grey frame.

    Args:
        frame: (y, x) of unsigned integers, or floats with ``full_scale`` given.
        full_scale: Largest value the camera gives, e.g. 4095 for 12 bits in uint16; None: the
            type's own.

    Raises:
        ValueError: Not grey, or no full scale known.
    """
    if frame.ndim != 2 or not frame.size:
        raise ValueError(f"a frame of shape {frame.shape} is not a grey picture (y, x)")
    if full_scale is None:
        if frame.dtype.kind != "u":
            raise ValueError(
                f"a frame of {frame.dtype} has no full scale of its own: give full_scale"
            )
        full_scale = float(np.iinfo(frame.dtype).max)
    picture = frame if frame.dtype in (np.uint8, np.uint16) else frame.astype(np.float32)
    calm = cv2.medianBlur(picture, 3).astype(np.float32) * np.float32(1 / full_scale)
    level = float(calm.mean())
    laplacian = cv2.Laplacian(calm, cv2.CV_32F)
    # Noise is the part of the Laplacian that the quietest tenth of the picture has too.
    tiles = _tile_variances(laplacian)
    sharp = max(float(laplacian.var()) - float(np.percentile(tiles, 10)), 0.0)
    smooth = cv2.resize(calm, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    quarter, middle, three_quarters = np.percentile(smooth, [25, 50, 75])
    reach = 3 * max(float(three_quarters - quarter), 0.02)
    odd = (np.abs(smooth - middle) > reach).astype(np.uint8)
    side = max(3, min(smooth.shape) // _BLOT_SHARE)
    blots = cv2.morphologyEx(odd, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    return FrameScores(
        focus=sharp / max(float(smooth.var()), 1e-9),
        level=level,
        saturated=float((frame >= full_scale).mean()),
        stray=float(blots.mean()),
        spread=float(smooth.std()),
    )


def judge_frame(scores: FrameScores, first_hour: Sequence[FrameScores]) -> Quality:
    """Compare a frame with its own field's first hour.

    Args:
        scores: Of the frame.
        first_hour: Scores of the same field and channel in its first hour; their medians are
            the reference. Empty: only what can be said without a reference is said, and the
            focus ratio is NaN.

    Returns:
        The verdict; each reason names the measure, its value and the limit.
    """
    reasons = []
    if scores.spread < _BLANK_SPREAD:
        reasons.append(f"blank: spread of grey levels {scores.spread:.4f} below {_BLANK_SPREAD}")
    if scores.saturated > MOST_SATURATED:
        reasons.append(f"saturated: {scores.saturated:.1%} of pixels, limit {MOST_SATURATED:.0%}")
    if not first_hour:
        return Quality(scores, float("nan"), tuple(reasons))
    usual_focus = float(np.median([s.focus for s in first_hour]))
    usual_level = float(np.median([s.level for s in first_hour]))
    usual_stray = float(np.median([s.stray for s in first_hour]))
    ratio = scores.focus / usual_focus if usual_focus > 0 else float("nan")
    light = scores.level / usual_level if usual_level > 0 else float("nan")
    if ratio < FOCUS_LOW:
        reasons.append(f"out of focus: score {ratio:.2f} of the first hour's, limit {FOCUS_LOW}")
    if light < DARK_SHARE:
        reasons.append(f"dark: light {light:.2f} of the first hour's, limit {DARK_SHARE}")
    if light > BRIGHT_SHARE:
        reasons.append(f"bright: light {light:.2f} of the first hour's, limit {BRIGHT_SHARE}")
    if scores.stray > usual_stray + STRAY_SHARE:
        reasons.append(
            f"bubble or foreign body: {scores.stray:.1%} of the picture in blots of unusual "
            f"grey, first hour {usual_stray:.1%}, limit +{STRAY_SHARE:.1%}"
        )
    return Quality(scores, ratio, tuple(reasons))


def _tile_variances(laplacian: GreyImage) -> GreyImage:
    height, width = (max(1, side // 16) for side in laplacian.shape)
    squares = cv2.resize(laplacian * laplacian, (width, height), interpolation=cv2.INTER_AREA)
    means = cv2.resize(laplacian, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(squares - means * means)
