"""Neurites: how much of them there is, and how much of it touches tubes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import Columns, FloatImage, GreyImage, LabelImage, Mask
from labrig_analysis.images.background import estimate_noise_sd
from labrig_analysis.images.line_length import line_length_px
from labrig_analysis.images.planes import grey_pixels
from labrig_analysis.nuclei.fusion import wilson_interval
from labrig_analysis.setting_limits import check_limits
from labrig_analysis.stains.readout import Readout, not_known
from labrig_analysis.stains.stain_light import StainLight, light_above_background, why_noise_unseen
from labrig_analysis.tubes.skeleton import prune

_FIELD = ("neurite_length_um", "neurite_length_mm_per_mm2")
_CONTACT = ("contact_length_um", "contact_share", "contact_by_chance", "tubes_contacted_share")
_COARSEST_UM = 2.0
_LEAST_SIGMA_PX = 1.2
# SD of the second derivative of a Gaussian-smoothed plane of white noise of SD 1, times sigma^3:
# the root of 3 / (16 pi).
_RIDGE_OF_NOISE = 0.2443
# A line goes on from its bright parts through dimmer ones down to this part of the level.
_GOES_ON = 0.5
# A ridge beside a stronger one is its flank below this part of it.
_FLANK = 0.3
# Light above the local background, in noise SDs: a ridge in the dark is no neurite.
_LIT_SDS = 2.0
# And this part of the diffuse stain around it: where tubes cross, their edges are ridges.
_RISE = 0.5
# Flanks of a cell body reach so far beyond it.
_BODY_RIM_UM, _BODY_RIM_PX = 2.0, 3.0


@dataclass(frozen=True)
class NeuriteSettings:
    """What counts as a neurite and as contact. Lengths are in µm; no grey level is fixed."""

    width_um: float = 1.5
    """Neurites of about this width stand out best; from half to three times it are seen."""
    ridge_sds: float = 6.0
    """Ridges stand so many noise SDs out [P]."""
    min_length_um: float = 15.0
    """Shorter pieces are debris or vesicles [P]."""
    body_um: float = 6.0
    """What is wider is a cell body and has no length."""
    contact_um: float = 2.0
    """A neurite touches a tube up to this distance from its outline [P]."""
    background_um: float = 12.0
    """SD of the window that follows the diffuse stain."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            {
                "width_um": (0.2, 20),
                "ridge_sds": (2, 100),
                "min_length_um": (0, math.inf),
                "body_um": (1, 100),
                "contact_um": (0, 50),
                "background_um": (1, 200),
            },
        )

    @property
    def definition(self) -> str:
        """One cell for a results table, e.g. ``ridge>=6sd|width~1.5um|length>=15um|...``."""
        return (
            f"ridge>={self.ridge_sds:g}sd|width~{self.width_um:g}um|"
            f"length>={self.min_length_um:g}um|body>{self.body_um:g}um|"
            f"contact<={self.contact_um:g}um"
        )


class Neurites(NamedTuple):
    """The neurites of one plane."""

    lines: Mask
    """(y, x) bool, one pixel wide."""
    level: float
    """Ridge strength, in grey levels, from which a line counts."""
    why_not: str
    """Why nothing is known; "" where it is, also of a plane without any neurite."""
    seen: Mask
    """(y, x) bool: the field, which the wall of the well is no part of."""


def find_neurites(
    plane: GreyImage,
    pixel_size_um: float,
    tubes: LabelImage | None = None,
    settings: NeuriteSettings | None = None,
    name: str = "neurites",
    wall: Mask | None = None,
) -> Neurites:
    """Bright thin lines, as their centrelines.

    Ridges of the plane (the second derivative across, Lindeberg 1998, Int J Comput Vis 30:117, at
    one scale) that stand out of the noise, thinned and freed of twigs.

    Known bias: bundles count once, and neurites that cross within their width are one line there.

    Args:
        plane: (y, x), e.g. neurofilament or beta-III tubulin.
        pixel_size_um: width of a pixel in the specimen.
        tubes: (y, x) labels, whose diffuse stain is taken off; None where they are not known.
        settings: None is `NeuriteSettings()`.
        name: what the plane is called; used in reasons.
        wall: (y, x) where the wall of the well was filled; nothing is looked for there.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    settings = settings or NeuriteSettings()
    seen = np.ones(np.shape(plane), bool) if wall is None else ~wall
    why = why_noise_unseen(plane, name)
    if not why and pixel_size_um > _COARSEST_UM:
        why = f"a pixel of {pixel_size_um:g} µm is too coarse: neurites need {_COARSEST_UM:g} µm"
    if why:
        return Neurites(np.zeros(np.shape(plane), bool), np.nan, why, seen)
    pixels = grey_pixels(plane).astype(np.float32)
    sigma = max(settings.width_um / 2 / pixel_size_um, _LEAST_SIGMA_PX)
    ridge = _ridges(pixels, sigma)
    middle, low = np.percentile(ridge, (50, 15.87))
    of_noise = _RIDGE_OF_NOISE / sigma * estimate_noise_sd(pixels)
    level = float(middle) + settings.ridge_sds * max(float(middle - low), of_noise, 1e-6)
    light = light_above_background(plane, tubes, settings.background_um, pixel_size_um)
    lit = light.contrast > np.maximum(_LIT_SDS * light.noise, _RISE * light.diffuse)
    lit &= seen & ~_bodies(light, settings, pixel_size_um)
    # Beside a bright line the tails of its blur are ridges too, and no lines.
    flank = _FLANK * cv2.dilate(ridge, _disc(settings.width_um / pixel_size_um))
    mask = _seeded((ridge > np.maximum(_GOES_ON * level, flank)) & lit, (ridge > level) & lit)
    return Neurites(_lines(mask, settings.min_length_um / pixel_size_um), level, "", seen)


def neurite_readouts(
    found: Neurites,
    stain: str,
    pixel_size_um: float,
    settings: NeuriteSettings,
    tubes: LabelImage | None,
) -> tuple[list[Readout], Columns]:
    """Length of the field's neurites and contact with its tubes; a column for the tubes.

    ``contact_by_chance`` is the share of the field within contact distance of a tube: the
    ``contact_share`` of neurites that know nothing of tubes.

    Args:
        found: the neurites.
        stain: the channel.
        pixel_size_um: width of a pixel in the specimen.
        settings: that they were found with.
        tubes: (y, x) labels 1..n; None where they are not known.
    """
    definition, column = settings.definition, f"{stain}_contact_um"
    count = 0 if tubes is None else int(tubes.max(initial=0))
    if found.why_not:
        columns = {} if tubes is None else {column: np.full(count, np.nan)}
        return not_known(stain, _FIELD + _CONTACT, definition, found.why_not), columns
    length_px = line_length_px(found.lines)
    field_mm2 = np.count_nonzero(found.seen) * (pixel_size_um / 1000) ** 2
    length_um = length_px * pixel_size_um
    values = (length_um, length_um / 1000 / field_mm2)
    rows = [
        Readout(stain, name, value, definition, level=found.level)
        for name, value in zip(_FIELD, values, strict=True)
    ]
    if tubes is None:
        return rows + not_known(stain, _CONTACT, definition, "no tubes are known"), {}
    if not count:
        why = "the field holds no tube"
        return rows + not_known(stain, _CONTACT, definition, why), {column: np.zeros(0)}
    away, nearest = _nearest_tube(tubes)
    near = away * pixel_size_um <= settings.contact_um
    # A step from near to far is half of each.
    inner, outer = line_length_px(found.lines & near), line_length_px(found.lines & ~near)
    contact_um = (inner + length_px - outer) / 2 * pixel_size_um
    pixels = np.bincount(nearest[found.lines & near], minlength=count + 1)[1:]
    per_tube = contact_um * pixels / max(1, pixels.sum())
    touched, low, high = wilson_interval(int(np.count_nonzero(pixels)), count)
    share = contact_um / length_um if length_um else np.nan
    why = "" if length_um else "there is no neurite"
    of_contact = (contact_um, share, float(near[found.seen].mean()))
    rows += [
        Readout(
            stain, name, value, definition, level=found.level, why_not=why if value != value else ""
        )
        for name, value in zip(_CONTACT[:3], of_contact, strict=True)
    ]
    rows.append(Readout(stain, _CONTACT[3], touched, definition, low, high, count, found.level))
    return rows, {column: per_tube}


def _ridges(pixels: FloatImage, sigma: float) -> FloatImage:
    """(y, x) how strongly the plane bends downwards across its sharpest direction, at least 0."""
    smooth = cv2.GaussianBlur(pixels, (0, 0), sigma)
    xx, yy, xy = (
        cv2.Sobel(smooth, cv2.CV_32F, dx, dy, ksize=3, scale=scale)
        for dx, dy, scale in ((2, 0, 1 / 4), (0, 2, 1 / 4), (1, 1, 1 / 4))
    )
    across = (xx + yy) / 2 - np.sqrt(((xx - yy) / 2) ** 2 + xy**2)
    return np.maximum(-across * np.float32(sigma**2), 0)


def _bodies(light: StainLight, settings: NeuriteSettings, pixel_size_um: float) -> Mask:
    """(y, x) cell bodies with their rims: what a disc wider than any neurite fits into."""
    radius_px = settings.body_um / 2 / pixel_size_um
    # At half height, or the blur of crossing neurites would make them one body.
    half = cv2.dilate(light.contrast, _disc(radius_px)) / 2
    bright = light.contrast > np.maximum(half, settings.ridge_sds * light.noise)
    bodies = cv2.morphologyEx(bright.astype(np.uint8), cv2.MORPH_OPEN, _disc(radius_px))
    return np.asarray(
        cv2.dilate(bodies, _disc(max(_BODY_RIM_UM / pixel_size_um, _BODY_RIM_PX))) > 0
    )


def _disc(radius_px: float) -> Mask:
    side = 2 * max(1, round(radius_px)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))


def _seeded(mask: Mask, seeds: Mask) -> Mask:
    count, labels = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
    kept = np.zeros(count, bool)
    kept[labels[seeds]] = True
    kept[0] = False
    return np.asarray(kept[labels])


def _lines(mask: Mask, least_px: float) -> Mask:
    """Centrelines of a mask that are at least so long."""
    from skimage.morphology import skeletonize  # slow to import

    thin: Mask = np.asarray(skeletonize(mask), dtype=bool)  # type: ignore[no-untyped-call]
    thin = prune(thin, cv2.distanceTransform(mask.astype(np.uint8), cv2.DIST_L2, 5))
    count, pieces = cv2.connectedComponents(thin.astype(np.uint8), connectivity=8)
    long_enough = np.bincount(pieces.ravel(), minlength=count) >= least_px
    long_enough[0] = False
    return np.asarray(long_enough[pieces])


def _nearest_tube(tubes: LabelImage) -> tuple[FloatImage, LabelImage]:
    """(y, x) distance to the nearest tube in px, 0 inside; and its label."""
    away, place = cv2.distanceTransformWithLabels(
        (tubes == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    number = np.zeros(int(place.max()) + 1, np.int64)
    inside = tubes > 0
    number[place[inside]] = tubes[inside]
    return away, number[place]
