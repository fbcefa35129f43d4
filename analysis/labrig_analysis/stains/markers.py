"""Nuclear markers (Pax7, MyoD, EdU, ...): which nuclei carry a third stain."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, GreyImage, LabelImage, Mask
from labrig_analysis.images.planes import grey_pixels
from labrig_analysis.labels.run_lengths import encode_runs
from labrig_analysis.nuclei.fusion import wilson_interval
from labrig_analysis.setting_limits import check_limits
from labrig_analysis.stains.readout import Readout, not_known
from labrig_analysis.stains.stain_light import why_unseen

SHARES = ("positive_share", "positive_share_in_tubes", "positive_share_outside")
GIVEN, GROUPS, NOISE = "given", "two groups", "noise"
# Two halves of one group, cut where Otsu's rule does, lie 2.7 (normal) to 3.5 (even) of their SDs
# apart; see `_apart`.
_APART = 4.0
_FEWEST = 10
# SD of the average over neighbouring pixels before a median is taken.
_CALM_PX = 2.0
_BRIGHTEST_TUBES = 95.0
_SIDES: tuple[Literal["left", "right"], ...] = ("left", "right")


@dataclass(frozen=True)
class MarkerSettings:
    """What counts as positive."""

    level: float | None = None
    """Grey levels above the local background from which a nucleus is positive, e.g. the 99th
    percentile of a control without the primary antibody; None: found in the field itself."""
    sds_above: float = 5.0
    """A positive nucleus stands so many SDs out of what the same plane shows in places without a
    nucleus, averaged over as many pixels [P]."""
    ring_um: float = 6.0
    """The local background is read up to this distance around a nucleus."""
    gap_um: float = 1.5
    """And from this one on: nearer lies the blur of the nucleus."""

    most_in_one_group: float = 0.5
    """Where more than this share of the nuclei stands out and all form one group, nothing says
    whether they are positive or stained unspecifically; 1: they are positive."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            {
                "most_in_one_group": (0, 1),
                "level": (0, math.inf),
                "sds_above": (1, 100),
                "ring_um": (1, 100),
                "gap_um": (0, 20),
            },
        )

    @property
    def definition(self) -> str:
        """One cell for a results table, e.g. ``mean>=5sd|ring=1.5-6um``."""
        rule = f"mean>={self.sds_above:g}sd" if self.level is None else f"mean>={self.level:g}"
        return f"{rule}|ring={self.gap_um:g}-{self.ring_um:g}um"


class MarkedNuclei(NamedTuple):
    """Which nuclei carry a marker."""

    contrast: npt.NDArray[np.float64]
    """(n,) mean of each nucleus less the median around it, grey levels; NaN where not known."""
    positive: npt.NDArray[np.bool_]
    """(n,) False too where it is not known."""
    level: float
    """Grey levels above the local background."""
    chosen_by: str
    """`GIVEN`; `GROUPS`: the parting of two groups of nuclei; `NOISE`: what stands out of places
    without a nucleus."""
    why_not: str
    """Why nothing is known; "" where it is."""


def find_marked(
    plane: GreyImage,
    nuclei: LabelImage,
    pixel_size_um: float,
    tubes: LabelImage | None = None,
    settings: MarkerSettings | None = None,
    name: str = "marker",
) -> MarkedNuclei:
    """Tell nuclei with a marker from those without.

    The level is, where none is given, the highest one of three: what stands out of places without
    a nucleus; how much tubes differ from what is beside them; and, where the nuclei fall into two
    groups, the parting of these (Otsu 1979, IEEE Trans SMC 9:62, on an inverse hyperbolic sine of
    SDs). Where most nuclei stand out and all form one group, they are all positive or all stained
    unspecifically, or another colour shines through: nothing in the picture tells which, and no
    share is given.

    Known bias: with a marker in a few per cent of the nuclei and a dim unspecific stain of all of
    them, the few need to stand out by about four SDs of the rest.

    Args:
        plane: (y, x), bright where the marker is.
        nuclei: (y, x) labels 1..n without gaps.
        pixel_size_um: width of a pixel in the specimen.
        tubes: (y, x) labels, which take up some of every stain: the background of a nucleus in one
            is read in a tube, and outside for one outside. None where they are not known.
        settings: None is `MarkerSettings()`.
        name: what the plane is called; used in reasons.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    settings = settings or MarkerSettings()
    count = int(nuclei.max(initial=0))
    nothing = np.full(count, np.nan), np.zeros(count, bool)
    if why := why_unseen(plane, name):
        return MarkedNuclei(*nothing, np.nan, "", why)
    if not count:
        return MarkedNuclei(*nothing, np.nan, "", "there is no nucleus")
    pixels = grey_pixels(plane).astype(np.float32)
    in_tube = np.zeros(nuclei.shape, np.uint8) if tubes is None else (tubes > 0).view(np.uint8)
    contrast = _contrasts(pixels, nuclei, in_tube, settings, pixel_size_um)
    if settings.level is not None:
        return MarkedNuclei(contrast, contrast >= settings.level, settings.level, GIVEN, "")
    noise, of_tubes = _without_nuclei(pixels, nuclei, in_tube, settings.ring_um / pixel_size_um)
    noise_level = max(settings.sds_above * noise, of_tubes)
    parting = _parting(contrast / noise) * noise
    if parting == parting:
        level = max(parting, noise_level)
        chosen_by = GROUPS if parting >= noise_level else NOISE
        return MarkedNuclei(contrast, contrast >= level, level, chosen_by, "")
    positive = contrast >= noise_level
    if positive.mean() > settings.most_in_one_group:
        why = (
            f"{positive.mean():.0%} of the nuclei stand out in one group: all positive, or an "
            "unspecific stain or another colour; give the level of a control (markers: level)"
        )
        return MarkedNuclei(contrast, nothing[1], noise_level, "", why)
    return MarkedNuclei(contrast, positive, noise_level, NOISE, "")


def marker_readouts(
    found: MarkedNuclei,
    stain: str,
    counted: npt.NDArray[np.bool_],
    tube_of_nucleus: npt.NDArray[np.int64] | None,
    settings: MarkerSettings,
) -> list[Readout]:
    """Share of positive nuclei, of all, inside and outside of tubes.

    Args:
        found: the nuclei.
        stain: the channel.
        counted: (n,) nuclei that take part; pyknotic ones do not.
        tube_of_nucleus: (n,) the tube that each lies in by the rule in force, 0 for none; None
            where tubes are not known.
        settings: that they were found with.
    """
    definition = f"{settings.definition}|level by {found.chosen_by or 'nothing'}"
    if found.why_not:
        return not_known(stain, SHARES, definition, found.why_not)
    groups = {SHARES[0]: counted}
    if tube_of_nucleus is not None:
        groups[SHARES[1]] = counted & (tube_of_nucleus > 0)
        groups[SHARES[2]] = counted & (tube_of_nucleus == 0)
    rows = []
    for name, chosen in groups.items():
        share = wilson_interval(int(found.positive[chosen].sum()), int(chosen.sum()))
        why = "" if chosen.any() else "there is no such nucleus"
        row = Readout(stain, name, *share[:1], definition, *share[1:], int(chosen.sum()))
        rows.append(row._replace(level=found.level, why_not=why))
    if tube_of_nucleus is None:
        rows += not_known(stain, SHARES[1:], definition, "no tubes are known")
    return rows


def _contrasts(
    pixels: FloatImage,
    nuclei: LabelImage,
    in_tube: LabelImage,
    settings: MarkerSettings,
    pixel_size_um: float,
) -> npt.NDArray[np.float64]:
    """(n,) mean of each nucleus less the median of the ring around it that is nearest to it."""
    count = int(nuclei.max())
    away, place = cv2.distanceTransformWithLabels(
        (nuclei == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    inside = nuclei > 0
    number = np.zeros(int(place.max()) + 1, np.int64)
    number[place[inside]] = nuclei[inside]
    away_um = away * pixel_size_um
    ring = np.flatnonzero((away_um > settings.gap_um) & (away_um <= settings.ring_um))
    owner = number[place.ravel()[ring]]
    mostly_in_tube = np.append(0, _means(in_tube, nuclei, count)) >= 0.5
    alike = mostly_in_tube[owner] == in_tube.ravel()[ring]
    # A nucleus that fills its tube has nothing of it around.
    alike |= ~np.isin(owner, owner[alike])
    owner, light = owner[alike], _calm(pixels, ~inside).ravel()[ring[alike]]
    order = np.lexsort((light, owner))
    owner, light = owner[order], light[order]
    first, after = (np.searchsorted(owner, np.arange(1, count + 1), side) for side in _SIDES)
    around = np.full(count, np.median(pixels[~inside]) if not inside.all() else np.nan)
    # A nucleus that others close in has no ring of its own.
    has_ring = after > first
    around[has_ring] = light[((first + after - 1) // 2)[has_ring]]
    return np.asarray(_means(pixels, nuclei, count) - around, float)


def _calm(pixels: FloatImage, there: Mask) -> FloatImage:
    """(y, x) the plane averaged over a few pixels, of those that are there alone.

    Of a few grey levels or photons the median of single pixels is a whole number beside the mean.
    """
    weight = there.astype(np.float32)
    light, known = (cv2.GaussianBlur(v, (0, 0), _CALM_PX) for v in (pixels * weight, weight))
    return light / np.maximum(known, 1e-6)


def _means(pixels: FloatImage, labels: LabelImage, count: int) -> npt.NDArray[np.float64]:
    light, area = np.zeros(count + 1), np.zeros(count + 1)
    for runs in encode_runs(labels):
        at, run = runs.pixels(labels.shape[1])
        light += np.bincount(runs.label[run], pixels.ravel()[at], count + 1)
        area += np.bincount(runs.label, runs.length, count + 1)
    return light[1:] / np.maximum(area[1:], 1)


def _without_nuclei(
    pixels: FloatImage, nuclei: LabelImage, in_tube: LabelImage, ring_px: float
) -> tuple[float, float]:
    """What patches of a nucleus's size show where there is none.

    Returns:
        The SD of their means against what is around them; and how much brighter the brightest
        tubes are than what is beside tubes, by which a nucleus on the rim of one can differ from
        its surroundings without any marker.
    """
    empty = (nuclei == 0).astype(np.float32)
    side = max(1, round(math.sqrt(np.count_nonzero(nuclei) / int(nuclei.max()))))
    wide = side + 2 * max(1, round(ring_px))
    step = max(1, side // 2)
    means, against = [], []
    for part in (empty * in_tube, empty * (1 - in_tube)):
        whole = cv2.blur(part, (side, side))[::step, ::step] > 1 - 1e-4
        mean = cv2.blur(pixels * part, (side, side))[::step, ::step]
        around = cv2.blur(pixels * part, (wide, wide)) / np.maximum(
            cv2.blur(part, (wide, wide)), 1e-6
        )
        means.append(mean[whole])
        against.append((mean - around[::step, ::step])[whole])
    found, (inside, beside) = np.concatenate(against), means
    brighter = 0.0
    if inside.size and beside.size:
        brighter = float(np.percentile(inside, _BRIGHTEST_TUBES) - np.median(beside))
    least = 12**-0.5 / side
    if found.size < _FEWEST:
        return max(float(pixels.std()) / side, least), brighter
    low, middle, high = np.percentile(found, (15.87, 50, 84.13))
    return max(float(middle - low), float(high - middle), least), brighter


def _parting(sds: npt.NDArray[np.float64]) -> float:
    """Where two groups of nuclei part, in noise SDs; NaN where they are one group."""
    values = np.sort(np.arcsinh(sds[np.isfinite(sds)]))
    if len(values) < _FEWEST:
        return np.nan
    lower = np.arange(1, len(values))
    sums = np.cumsum(values)
    means = sums[:-1] / lower, (sums[-1] - sums[:-1]) / (len(values) - lower)
    between = lower * (len(values) - lower) * (means[1] - means[0]) ** 2
    cut = int(np.argmax(between)) + 1
    if _apart(values[:cut], values[cut:]) < _APART:
        return np.nan
    return float(np.sinh((values[cut - 1] + values[cut]) / 2))


def _apart(low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]) -> float:
    """Distance of two groups in their own SDs (Ashman, Bird & Zepf 1994, AJ 108:2348)."""
    spread = math.sqrt((low.var() + high.var()) / 2)
    return float((high.mean() - low.mean()) / spread) if spread else math.inf
