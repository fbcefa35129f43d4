"""Find nuclei in a DAPI or Hoechst plane and part those that touch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage, LabelImage, Mask
from labrig_analysis.basins import climb, find_passes, join
from labrig_analysis.blob_scale import typical_blob_diameter_px
from labrig_analysis.planes import grey_plane

# Nuclei are looked for at the reduction that makes them about this wide: all later lengths are
# parts of a nucleus, so a field at 60x costs no more a nucleus than one at 10x.
_WORKING_DIAMETER_PX = 18


@dataclass(frozen=True)
class NucleusSettings:
    """What a nucleus is; every length is a part of the typical nucleus, no grey level is fixed.

    The defaults were set on 60 published fields (DSB2018, CC0) and 79 fields of human myotubes.
    """

    diameter_px: float | None = None
    """Typical diameter in px; None asks the image (`typical_blob_diameter_px`)."""
    edge_level: float = 0.3
    """Edge at this part of the way from background to the nucleus's own brightness. Annotators
    draw outside the half-maximum: 0.3 matched them better than 0.5 did."""
    faintest: float = 0.2
    """A nucleus is at least this part as bright as the bright ones (80th percentile of peaks)."""
    noise_factor: float = 6.0
    """... and stands this many noise SD above the background."""
    shoulder: float = 0.9
    """A hill whose pass is higher than this part of its own peak is a shoulder of its neighbour."""
    shape_weight: float = 0.6
    """Weight of the distance to the edge, against brightness, when touching nuclei are parted."""
    depth: float = 0.08
    """Two hills are parted when the pass between them is this much lower than the lower one."""
    smallest_area: float = 0.12
    """Least area, as part of a disc of the typical diameter."""


class NucleusSegmentation(NamedTuple):
    """Nuclei of one plane."""

    labels: LabelImage
    """(y, x) int32, 1..n without gaps."""
    typical_diameter_px: float
    """As asked of the image or given by the settings; 0 when nothing was found."""
    reasons: tuple[str, ...] = ()
    """Why a reader should doubt the result; empty when nothing is wrong."""


class _Scene(NamedTuple):
    """A plane at working size: light above the background, and how noisy it is."""

    light: FloatImage
    noise: float
    reduction: int
    diameter: float


def segment_nuclei(
    image: GreyImage, settings: NucleusSettings | None = None
) -> NucleusSegmentation:
    """Label the nuclei of one fluorescence plane.

    Steps: light above a local background; hills of that light; an edge at `edge_level` of each
    hill's own peak (so bright and dim nuclei each get their own threshold); hills of a mixed
    landscape, brightness + distance to the edge, joined where the pass between them is shallow.

    Known bias: a nucleus under another one is lost; out-of-focus halos are drawn large when the
    halo is brighter than `edge_level` of the nucleus.

    Args:
        image: (y, x), nuclei bright, any integer or floating type.
        settings: defaults are for any magnification between nuclei of 7 and 80 px.

    Raises:
        TypeError, ValueError: the array is no grey plane (`planes.grey_plane`). A picture that is
            merely bad gives a result with `reasons`.
    """
    chosen = settings or NucleusSettings()
    plane = grey_plane(image, "nucleus image")
    light = plane.pixels.astype(np.float32, copy=False)
    blank = NucleusSegmentation(np.zeros(light.shape, np.int32), 0.0, plane.reasons)
    if plane.is_blank:
        return blank
    diameter = chosen.diameter_px or typical_blob_diameter_px(light)
    if diameter == 0:
        return blank._replace(reasons=(*plane.reasons, "empty field: no blob at any scale"))
    scene = _prepare(light, diameter, _grey_step(plane.pixels))
    peaks, mask = _foreground(scene, chosen)
    if not mask.any():
        return blank._replace(reasons=(*plane.reasons, "empty field: nothing stands out as nuclei"))
    labels = _part(scene, peaks, mask, chosen)
    full = _to_full_size(labels, scene.reduction, light.shape)
    return NucleusSegmentation(full, diameter, plane.reasons)


def _grey_step(image: GreyImage) -> float:
    """The usual step between occupied grey levels: a stretched 8-bit image can have steps of 7."""
    levels = np.unique(image[::3, ::3])
    return float(np.median(np.diff(levels.astype(np.float64)))) if len(levels) > 1 else 1.0


def _prepare(plane: FloatImage, diameter: float, grey_step: float) -> _Scene:
    reduction = max(1, round(diameter / _WORKING_DIAMETER_PX))
    small = plane
    if reduction > 1:
        size = (-(-plane.shape[1] // reduction), -(-plane.shape[0] // reduction))
        small = cv2.resize(plane, size, interpolation=cv2.INTER_AREA)
    width = diameter / reduction
    smooth = cv2.GaussianBlur(small, (0, 0), max(0.6, 0.06 * width))
    curvature = small[:, 2:] - 2 * small[:, 1:-1] + small[:, :-2]
    # The MAD of second differences of white noise is sqrt(6) * 0.6745 of its SD.
    noise = 1.4826 * float(np.median(np.abs(curvature[::2, ::2]))) / 6**0.5
    light = smooth - _background(smooth, width)
    return _Scene(light, max(noise, 0.3 * grey_step), reduction, width)


def _background(smooth: FloatImage, diameter: float) -> FloatImage:
    """Grey opening over six nuclei, on a coarse grid (4 px a nucleus), then smoothed."""
    grid = max(1.0, diameter / 4)
    size = (max(1, round(smooth.shape[1] / grid)), max(1, round(smooth.shape[0] / grid)))
    coarse = cv2.resize(smooth, size, interpolation=cv2.INTER_AREA)
    window = np.ones((25, 25), np.uint8)
    opened = cv2.morphologyEx(coarse, cv2.MORPH_OPEN, window, borderType=cv2.BORDER_REFLECT)
    low = cv2.GaussianBlur(opened, (0, 0), 6)
    return cv2.resize(low, smooth.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _foreground(scene: _Scene, settings: NucleusSettings) -> tuple[FloatImage, Mask]:
    """(y, x) brightness of the hill each pixel belongs to, and the pixels above its edge level."""
    light = scene.light
    hills = climb(light, light > 3 * scene.noise)
    passes = find_passes(hills.labels, light)
    _, top = join(hills.peaks, passes, lambda crossing, peak: crossing > settings.shoulder * peak)
    real = top > settings.noise_factor * scene.noise
    if not real.any():
        return light, np.zeros(light.shape, bool)
    real &= top > settings.faintest * _usual_peak(light, top, hills.labels, real)
    peaks = top[hills.labels]
    mask = real[hills.labels] & (light > settings.edge_level * peaks)
    opener = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, opener)
    return peaks, opened.view(bool)


def _usual_peak(light: FloatImage, top: FloatImage, hills: LabelImage, real: Mask) -> float:
    """The peak that half of all light lies under: many faint hills of texture do not lower it."""
    total = np.bincount(hills.ravel(), light.ravel(), minlength=len(top)) * real
    order = np.argsort(top)
    cumulative = np.cumsum(total[order])
    return float(top[order][np.searchsorted(cumulative, cumulative[-1] / 2)])


def _part(scene: _Scene, peaks: FloatImage, mask: Mask, settings: NucleusSettings) -> LabelImage:
    """Touching nuclei, parted by brightness and by shape together."""
    from_edge = cv2.distanceTransform(mask.view(np.uint8), cv2.DIST_L2, 5)
    brightness = np.where(mask, np.minimum(scene.light / np.maximum(peaks, 1e-6), 1), 0)
    roundness = np.minimum(from_edge / (scene.diameter / 2), 1.2)
    landscape = (brightness + settings.shape_weight * roundness).astype(np.float32)
    landscape = cv2.GaussianBlur(landscape, (0, 0), 0.05 * scene.diameter)
    hills = climb(landscape, mask)
    passes = find_passes(hills.labels, landscape)
    owner, _ = join(hills.peaks, passes, lambda crossing, peak: peak - crossing < settings.depth)
    owner[0] = 0
    labels = owner[hills.labels]
    areas = np.bincount(labels.ravel(), minlength=len(owner))
    keep = areas >= settings.smallest_area * np.pi / 4 * scene.diameter**2
    keep[0] = False
    renumber = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return renumber[labels]


def _to_full_size(labels: LabelImage, reduction: int, shape: tuple[int, ...]) -> LabelImage:
    """Labels at the size of the original, with the outline interpolated and not in steps."""
    if reduction == 1:
        return labels
    size = shape[::-1]
    grown = labels.astype(np.float32)
    grown = np.where(labels > 0, grown, cv2.dilate(grown, np.ones((3, 3), np.uint8)))
    full = cv2.resize(grown, size, interpolation=cv2.INTER_NEAREST)
    inside = cv2.resize((labels > 0).astype(np.float32), size, interpolation=cv2.INTER_LINEAR)
    full[inside < 0.5] = 0
    return full.astype(np.int32)
