"""Find nuclei in a DAPI or Hoechst plane and part those that touch."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage, LabelImage
from labrig_analysis.images.planes import grey_plane
from labrig_analysis.images.scale_selection import typical_blob_diameter_px
from labrig_analysis.images.watershed import watershed
from labrig_analysis.labels.relabelling import narrowed
from labrig_analysis.labels.upsampling import upsampled_labels
from labrig_analysis.nuclei.foreground import (
    EdgeSettings,
    Foreground,
    Scene,
    find_foreground,
    isolated_diameter_px,
    prepare,
)
from labrig_analysis.nuclei.fragments import Borders, Fragments, describe_fragments
from labrig_analysis.nuclei.merging import (
    Classifier,
    merge_fragments,
    plain_classifier,
    trained_classifier,
)
from labrig_analysis.setting_limits import check_limits

# The landscape in which touching nuclei are cut: curvature of the logarithm of light, as a
# difference of Gaussians of this part of a nucleus and of `_SIGMA_RATIO` times it (Marr & Hildreth
# 1980, Proc R Soc B 207:187). Where light of two nuclei adds up brightness has no valley between
# them, and in a halo distance to the edge has none; curvature has one in both.
_FINE_SIGMA, _SIGMA_RATIO = 0.17, 1.6
# Keeps the logarithm from magnifying noise: part of the usual peak that is added to all light.
_LOG_FLOOR = 0.05
# The core of a nucleus is above this part of the brightest light within this part of a diameter.
_CORE_LEVEL, _CORE_REACH = 0.6, 0.7
_LIMITS = {
    "diameter_px": (3.0, math.inf),
    "plain_depth": (0.0, 1.0),
    "smallest_area": (0.0, math.inf),
    "smallest_at_border": (0.0, math.inf),
    "least_curvature": (0.0, math.inf),
}


@dataclass(frozen=True)
class NucleusSettings:
    """What a nucleus is; every length is a part of the typical nucleus, no grey level is fixed."""

    diameter_px: float | None = None
    """Typical diameter in px; None asks the image (`typical_blob_diameter_px`)."""
    edges: EdgeSettings = field(default_factory=EdgeSettings)
    parting: Literal["trained", "plain"] = "trained"
    """Who judges whether two touching fragments are one nucleus (`nuclei.merging`)."""
    plain_depth: float = 0.12
    """For the plain classifier: two fragments are two nuclei when their saddle is this deep."""
    smallest_area: float = 0.12
    """Least area, as part of a typical nucleus; smaller ones are debris."""
    smallest_at_border: float = 0.15
    """... of nuclei that the border of the image cuts."""
    least_curvature: float = 0.15
    """A nucleus is a blob: somewhere in it the difference of Gaussians of the logarithm of light is
    this high. Grain of cytoplasm or yolk is flatter, and 1 % of published nuclei are."""

    def __post_init__(self) -> None:
        if self.parting not in ("trained", "plain"):
            raise ValueError(f"parting is {self.parting!r}; choose trained or plain")
        check_limits(self, _LIMITS)


class NucleusSegmentation(NamedTuple):
    """Nuclei of one plane."""

    labels: LabelImage
    """(y, x) uint16, int32 from 65,536 nuclei on: 1..n without gaps."""
    typical_diameter_px: float
    """Of nuclei that stand alone, or as given by the settings; 0 when nothing was found."""
    reasons: tuple[str, ...] = ()
    """Why a reader should doubt the result; empty when nothing is wrong."""


class OverSegmentation(NamedTuple):
    """Nuclei cut too finely, with what it takes to merge the fragments again."""

    labels: LabelImage
    """(y, x) int32 at working size, fragments 1..n."""
    fragments: Fragments
    borders: Borders
    typical_area_px: float
    downsampling: int


def segment_nuclei(
    image: GreyImage, settings: NucleusSettings | None = None
) -> NucleusSegmentation:
    """Label the nuclei of one fluorescence plane.

    Steps: light above a local background; regions of that light; an edge at a part of each region's
    own peak, so bright and dim nuclei each get their own threshold; fragments that are the regions
    of curvature of the logarithm of light; fragments merged where a classifier says that they are
    one nucleus.

    Known bias: a nucleus under another one is lost; out-of-focus halos are drawn large when the
    halo is brighter than the edge level; slivers of nuclei at the border of the image are left out.

    Args:
        image: (y, x), nuclei bright, any integer or floating type.
        settings: defaults are for any magnification between nuclei of 7 and 80 px.

    Raises:
        TypeError, ValueError: the array is no grey plane (`images.planes.grey_plane`). A picture
        that is
            merely bad gives a result with `reasons`.
    """
    chosen = settings or NucleusSettings()
    plane = grey_plane(image, "nucleus image")
    shape = plane.pixels.shape
    nothing = NucleusSegmentation(np.zeros(shape, np.uint16), 0.0, plane.reasons)
    if plane.is_blank or plane.is_washed_out:
        return nothing
    cut = over_segment(plane.pixels, chosen)
    if cut is None:
        return nothing._replace(reasons=(*plane.reasons, "empty field: nothing is like a nucleus"))
    classifier = (
        trained_classifier()
        if chosen.parting == "trained"
        else plain_classifier(chosen.plain_depth)
    )
    labels = merged_labels(cut, classifier, chosen)
    diameter = 2 * np.sqrt(cut.typical_area_px / np.pi) * cut.downsampling
    return NucleusSegmentation(
        full_size(labels, cut.downsampling, shape), float(diameter), plane.reasons
    )


def over_segment(plane: GreyImage, settings: NucleusSettings) -> OverSegmentation | None:
    """Everything before judgement; None when nothing in the plane is like a nucleus.

    Args:
        plane: (y, x), uint8, uint16 or float32, finite.
        settings: `diameter_px` and `edges` are used.
    """
    diameter = settings.diameter_px or typical_blob_diameter_px(plane)
    if diameter == 0:
        return None
    scene = prepare(plane, diameter)
    foreground = find_foreground(scene, settings.edges)
    if not foreground.mask.any():
        return None
    width = scene.diameter_px if settings.diameter_px else isolated_diameter_px(scene, foreground)
    labels, fragments, borders = _cut(scene, foreground, width)
    return OverSegmentation(labels, fragments, borders, np.pi / 4 * width**2, scene.downsampling)


def merged_labels(
    cut: OverSegmentation, classifier: Classifier, settings: NucleusSettings
) -> LabelImage:
    """(y, x) int32 at working size: fragments merged by a classifier, debris left out, no gaps.

    `cut.fragments` are merged in place: a cut serves once.
    """
    fragments = cut.fragments
    owner = merge_fragments(fragments, cut.borders, cut.typical_area_px, classifier)
    areas = fragments.moments[:, 0]
    least = np.full(len(owner), settings.smallest_area * cut.typical_area_px)
    for edge in (cut.labels[0], cut.labels[-1], cut.labels[:, 0], cut.labels[:, -1]):
        least[owner[edge]] = settings.smallest_at_border * cut.typical_area_px
    keep = (areas >= least) & (areas > 0) & (fragments.tops >= settings.least_curvature)
    keep &= owner == np.arange(len(owner))
    keep[0] = False
    number = np.where(keep, np.cumsum(keep), 0).astype(np.int32)
    return number[owner][cut.labels]


def _cut(
    scene: Scene, foreground: Foreground, diameter_px: float
) -> tuple[LabelImage, Fragments, Borders]:
    light = scene.light
    landscape = _landscape(foreground, light, diameter_px)
    reach = np.ones((2 * round(_CORE_REACH * diameter_px / 2) + 1,) * 2, np.uint8)
    near_peak = np.minimum(cv2.dilate(light, reach), foreground.peaks)
    core = foreground.mask & (light > _CORE_LEVEL * near_peak)
    labels = watershed(landscape, foreground.mask).labels
    return labels, *describe_fragments(labels, landscape, light, core)


def _landscape(foreground: Foreground, light: FloatImage, diameter_px: float) -> FloatImage:
    floor = _LOG_FLOOR * float(np.median(foreground.peaks[foreground.mask]))
    logarithm = np.log(np.maximum(light, 0) + np.float32(floor))
    fine = _FINE_SIGMA * diameter_px
    return cv2.GaussianBlur(logarithm, (0, 0), fine) - cv2.GaussianBlur(
        logarithm, (0, 0), fine * _SIGMA_RATIO
    )


def full_size(labels: LabelImage, downsampling: int, shape: tuple[int, ...]) -> LabelImage:
    """Labels at the size of the original, with the outline interpolated and not in steps.

    Args:
        labels: (y, x) int32 at working size.
        downsampling: whole, see `images.downsampling.downsampled`.
        shape: (y, x) of the original.

    Returns:
        uint16, int32 from 65,536 labels on.
    """
    if downsampling == 1:
        return narrowed(labels)
    share = (labels > 0).view(np.uint8) * np.uint8(200)
    size = (labels.shape[1] * downsampling, labels.shape[0] * downsampling)
    inside = cv2.resize(share, size, interpolation=cv2.INTER_LINEAR)
    cv2.threshold(inside, 99, 1, cv2.THRESH_BINARY, dst=inside)
    return upsampled_labels(labels, inside, shape)
