"""Acetylcholine receptor clusters and nerve terminals: small bright spots on or beside tubes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, FloatImage, GreyImage, LabelImage, Mask
from labrig_analysis.labels.region_properties import measure_regions
from labrig_analysis.labels.relabelling import label_areas
from labrig_analysis.setting_limits import check_limits
from labrig_analysis.stains.readout import Readout, not_known
from labrig_analysis.stains.stain_light import light_above_background, why_noise_unseen

_FIELD = ("clusters", "clusters_per_mm2", "cluster_area_median_um2", "cluster_area_um2")
_ON_TUBES = ("clusters_on_tubes", "clusters_per_tube", "clusters_per_tube_mm")
_PARTED = ("fragmentation_index",)
# A spot is seen as one from so many pixels on.
_LEAST_PX = 4
# A pixel wider than this part of the smallest cluster's side would hide whether there is one.
_COARSEST_UM = 2.0
# So far beyond a tube the light of its diffuse stain can reach (blur of 1.5 µm SD).
_GLARE_UM = 4.0


@dataclass(frozen=True)
class ClusterSettings:
    """What counts as a cluster. Lengths are in µm; no grey level is fixed."""

    sds_above: float = 6.0
    """A cluster's brightest part stands so many SDs of the unstained part above it [P]."""
    rise: float = 0.5
    """And by this part of the diffuse stain around it above that: 1.5 times as bright [P]."""
    edge_fraction: float = 0.5
    """Its edge lies at this part of its brightness above the background: half height."""
    min_area_um2: float = 1.0
    """Smaller spots are noise or single vesicles [P]; never less than four pixels."""
    max_area_um2: float = 500.0
    """Larger things are debris, cells or tubes that nobody labelled [P]."""
    background_um: float = 8.0
    """SD of the window that follows the diffuse stain of a tube; wider than a cluster's half."""
    one_plaque_um: float = 5.0
    """Clusters with gaps up to this are fragments of one plaque [P]."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            {
                "sds_above": (2, 100),
                "rise": (0, 100),
                "edge_fraction": (0.05, 0.95),
                "min_area_um2": (0.01, 1000),
                "max_area_um2": (1, math.inf),
                "background_um": (1, 200),
                "one_plaque_um": (0, 100),
            },
        )

    def least_area_um2(self, pixel_size_um: float) -> float:
        """The smallest cluster at this pixel size."""
        return max(self.min_area_um2, _LEAST_PX * pixel_size_um**2)

    def definition(self, pixel_size_um: float) -> str:
        """One cell for a results table, e.g. ``spot>=6sd&1.5x|edge=0.5|area=1.69-500um2|...``."""
        return (
            f"spot>={self.sds_above:g}sd&{1 + self.rise:g}x|edge={self.edge_fraction:g}|"
            f"area={self.least_area_um2(pixel_size_um):.3g}-{self.max_area_um2:g}um2|"
            f"background={self.background_um:g}um|gap>{self.one_plaque_um:g}um"
        )


class Clusters(NamedTuple):
    """The spots of one plane."""

    labels: LabelImage
    """(y, x) int32: 0 is background, 1..n are clusters without gaps."""
    table: Columns
    """One row per cluster: ``cluster``, ``x_px``, ``y_px``, ``area_um2``, ``contrast`` (grey levels
    above the local background, mean), ``tube`` (the one that holds most of it; 0: none holds half),
    ``plaque`` (clusters of one number are fragments of one)."""
    contrast: FloatImage
    """(y, x) float32: the stain above its local background, grey levels."""
    level: float
    """Grey levels above the local background that a cluster's brightest part reaches at least,
    median over the field."""
    why_not: str
    """Why nothing is known; "" where it is, also of a plane without any cluster."""
    seen: Mask
    """(y, x) bool: the field, which the wall of the well is no part of."""


def find_clusters(
    plane: GreyImage,
    pixel_size_um: float,
    tubes: LabelImage | None = None,
    settings: ClusterSettings | None = None,
    name: str = "clusters",
    wall: Mask | None = None,
) -> Clusters:
    """Bright spots above the diffuse stain around them.

    A spot reaches `sds_above` and ends where its light has fallen to half of the brightest near
    it, so that neither exposure nor blur moves its edge.

    Known bias: spots less than about two blurs wide read too large (the picture of a point has
    the size of the blur); a spot beside one that is more than twice as bright loses what lies
    within 2 µm of it. Without tubes, the rim of a tube with much diffuse stain can pass for spots.

    Args:
        plane: (y, x), e.g. alpha-bungarotoxin or synaptophysin.
        pixel_size_um: width of a pixel in the specimen.
        tubes: (y, x) labels; None where none were looked for.
        settings: None is `ClusterSettings()`.
        name: what the plane is called; used in reasons.
        wall: (y, x) where the wall of the well was filled; nothing is looked for there.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    settings = settings or ClusterSettings()
    seen = np.ones(np.shape(plane), bool) if wall is None else ~wall
    why = why_noise_unseen(plane, name)
    if not why and pixel_size_um > _COARSEST_UM:
        why = f"a pixel of {pixel_size_um:g} µm is too coarse: clusters need {_COARSEST_UM:g} µm"
    if why:
        dark = np.zeros(np.shape(plane), np.float32)
        return Clusters(dark.astype(np.int32), _table(), dark, np.nan, why, seen)
    light = light_above_background(plane, tubes, settings.background_um, pixel_size_um)
    # Beside a tube lies the glare of its diffuse stain: what is no spot in it is none there.
    reach = 2 * max(1, round(_GLARE_UM / pixel_size_um)) + 1
    diffuse = cv2.dilate(light.diffuse, np.ones((reach, reach), np.uint8))
    level = np.maximum(settings.sds_above * light.noise, settings.rise * diffuse)
    side = 2 * max(1, round(_COARSEST_UM / pixel_size_um)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    brightest = cv2.dilate(light.contrast, disc)
    # From a spot's own brightest part outwards to its edge, and no further than the noise.
    least = np.maximum(settings.edge_fraction * np.maximum(brightest, level), level / 2)
    labels = _grown((light.contrast > least) & seen, light.contrast > level)
    px_per_um2 = pixel_size_um**-2
    least_um2 = settings.least_area_um2(pixel_size_um)
    labels = _of_size(labels, least_um2 * px_per_um2, settings.max_area_um2 * px_per_um2)
    table = _table(labels, light.contrast, tubes, pixel_size_um, settings)
    return Clusters(labels, table, light.contrast, float(np.median(level)), "", seen)


def cluster_readouts(
    found: Clusters,
    stain: str,
    pixel_size_um: float,
    settings: ClusterSettings,
    tubes: Columns | None,
) -> tuple[list[Readout], Columns]:
    """Read-outs of the field, and columns for its tubes.

    *Fragmentation index* is 1 - plaques / clusters: 0 where every plaque is whole (Jones et al.
    2016, Open Biol 6:160240, who give 1 - 1 / clusters for one endplate).

    Args:
        found: the clusters.
        stain: the channel.
        pixel_size_um: width of a pixel in the specimen.
        settings: that they were found with.
        tubes: table with ``length_um``, one row per label of the tubes that were given; None where
            no tubes were looked for or they cannot be seen.
    """
    definition, level = settings.definition(pixel_size_um), found.level
    if found.why_not:
        all_names = _FIELD + _ON_TUBES + _PARTED
        unknown = np.full(0 if tubes is None else len(tubes["tube"]), np.nan)
        columns = {} if tubes is None else dict.fromkeys(_tube_names(stain), unknown)
        return not_known(stain, all_names, definition, found.why_not), columns
    count, area = len(found.table["cluster"]), found.table["area_um2"]
    field_mm2 = np.count_nonzero(found.seen) * (pixel_size_um / 1000) ** 2
    values = {
        "clusters": count,
        "clusters_per_mm2": count / field_mm2,
        "cluster_area_median_um2": float(np.median(area)) if count else np.nan,
        "cluster_area_um2": float(area.sum()),
    }
    rows = [_row(stain, name, value, definition, level) for name, value in values.items()]
    plaques = len(np.unique(found.table["plaque"]))
    index = 1 - plaques / count if count else np.nan
    rows.append(_row(stain, "fragmentation_index", index, definition, level))
    if tubes is None:
        return rows + not_known(stain, _ON_TUBES, definition, "no tubes are known"), {}
    number, length_mm = len(tubes["tube"]), float(np.nansum(tubes["length_um"])) / 1000
    per_tube = np.bincount(found.table["tube"], minlength=number + 1)[1:]
    area_per_tube = np.bincount(found.table["tube"], area, number + 1)[1:]
    of_tubes = {
        "clusters_on_tubes": per_tube.sum(),
        "clusters_per_tube": per_tube.mean() if number else np.nan,
        "clusters_per_tube_mm": per_tube.sum() / length_mm if length_mm else np.nan,
    }
    why = "" if number else "the field holds no tube"
    rows += [_row(stain, name, value, definition, level, why) for name, value in of_tubes.items()]
    length = np.where(tubes["length_um"] > 0, tubes["length_um"], np.nan)
    values_of_tubes = (per_tube, area_per_tube, per_tube / length * 1000)
    return rows, dict(zip(_tube_names(stain), values_of_tubes, strict=True))


def _tube_names(stain: str) -> tuple[str, str, str]:
    return stain, f"{stain}_area_um2", f"{stain}_per_mm"


def _row(
    stain: str, name: str, value: float, definition: str, level: float, why: str = ""
) -> Readout:
    unknown = value != value
    reason = (why or "there is no cluster") if unknown else ""
    return Readout(stain, name, float(value), definition, level=level, why_not=reason)


def _grown(mask: Mask, seeds: Mask) -> LabelImage:
    """Connected parts of a mask that hold a seed, numbered 1..n."""
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    seeded = np.zeros(count, bool)
    seeded[labels[seeds & mask]] = True
    seeded[0] = False
    return _kept(labels, seeded)


def _of_size(labels: LabelImage, least_px: float, most_px: float) -> LabelImage:
    areas = label_areas(labels)
    fitting = (areas >= least_px) & (areas <= most_px)
    fitting[0] = False
    return _kept(labels, fitting)


def _kept(labels: LabelImage, chosen: npt.NDArray[np.bool_]) -> LabelImage:
    number = np.cumsum(chosen, dtype=np.int32)
    number[~chosen] = 0
    return np.asarray(number[labels], np.int32)


def _table(
    labels: LabelImage | None = None,
    contrast: GreyImage | None = None,
    tubes: LabelImage | None = None,
    pixel_size_um: float = 1.0,
    settings: ClusterSettings | None = None,
) -> Columns:
    if labels is None or contrast is None or settings is None:
        whole, real = np.zeros(0, np.int64), np.zeros(0)
        names = ("cluster", "x_px", "y_px", "area_um2", "contrast", "tube", "plaque")
        return {n: whole if n in ("cluster", "tube", "plaque") else real for n in names}
    shapes = measure_regions(labels, contrast)
    count = len(shapes.areas_px)
    return {
        "cluster": np.arange(1, count + 1),
        "x_px": shapes.centroids_yx[:, 1],
        "y_px": shapes.centroids_yx[:, 0],
        "area_um2": shapes.areas_px * pixel_size_um**2,
        "contrast": shapes.mean_intensities,
        "tube": _tube_of(labels, count, tubes),
        "plaque": _plaques(labels, count, settings.one_plaque_um / pixel_size_um),
    }


def _tube_of(labels: LabelImage, count: int, tubes: LabelImage | None) -> npt.NDArray[np.int64]:
    """By cluster, the tube that holds at least half of it."""
    if tubes is None or not count:
        return np.zeros(count, np.int64)
    here = labels > 0
    cluster, tube = labels[here].astype(np.int64), tubes[here].astype(np.int64)
    width = int(tubes.max()) + 1
    pairs, pixels = np.unique(cluster * width + tube, return_counts=True)
    area = np.bincount(cluster, minlength=count + 1)
    owner = np.zeros(count + 1, np.int64)
    mostly = 2 * pixels >= area[pairs // width]
    owner[pairs[mostly] // width] = pairs[mostly] % width
    return owner[1:]


def _plaques(labels: LabelImage, count: int, gap_px: float) -> npt.NDArray[np.int64]:
    """By cluster the number of its plaque: clusters closer than a gap share one."""
    apart = cv2.distanceTransform((labels == 0).astype(np.uint8), cv2.DIST_L2, 5)
    _, groups = cv2.connectedComponents((apart <= gap_px / 2).astype(np.uint8), connectivity=8)
    plaque = np.zeros(count + 1, np.int64)
    plaque[labels] = groups
    return np.unique(plaque[1:], return_inverse=True)[1] + 1 if count else plaque[1:]
