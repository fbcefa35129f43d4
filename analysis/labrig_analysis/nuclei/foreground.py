"""What in a DAPI or Hoechst plane is nucleus at all, before any are told apart."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage, LabelImage, Mask
from labrig_analysis.images.downsampling import downsampled
from labrig_analysis.images.watershed import find_saddles, merge_regions, watershed
from labrig_analysis.labels.region_properties import measure_regions
from labrig_analysis.setting_limits import check_limits

# Nuclei are looked for at the downsampling that makes them about this wide: all later lengths are
# parts of a nucleus, so a field at 60x costs no more a nucleus than one at 10x.
_WORKING_DIAMETER_PX = 11
# A connected object is one nucleus when it is this close to an ellipse, not too long, and whole.
_LONE_FILL, _LONE_ASPECT, _FEWEST_LONE = 0.95, 2.0, 4
_LIMITS = {
    "edge_level": (0.01, 0.99),
    "edge_pull": (0.0, 1.0),
    "faintest": (0.0, 1.0),
    "noise_factor": (0.0, math.inf),
    "shoulder": (0.0, 1.0),
}


@dataclass(frozen=True)
class EdgeSettings:
    """Where a nucleus ends, and what is too faint to be one. No grey level is fixed."""

    edge_level: float = 0.24
    """Edge at this part of the way from background to the nucleus's own brightness. Annotators
    draw outside the half-maximum."""
    edge_pull: float = 0.4
    """How much a bright nucleus lowers its own level and a dim one raises it, as a power of its
    brightness over the usual one: eyes classifier the whole picture at one contrast."""
    faintest: float = 0.2
    """A nucleus is at least this part as bright as the usual one."""
    noise_factor: float = 12.0
    """... and stands this many noise SD above the background."""
    shoulder: float = 0.9
    """A region whose saddle is higher than this part of its own peak is a neighbour's shoulder."""

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)


_LEAST_LEVEL, _GREATEST_LEVEL = 0.15, 0.5
_USUAL_QUANTILE = 0.75


@dataclass(frozen=True)
class Scene:
    """A plane at working size: light above the background, and how noisy it is."""

    light: FloatImage
    noise_sd: float
    downsampling: int
    diameter_px: float
    """Of a typical nucleus, at this size."""


@dataclass(frozen=True)
class Foreground:
    """Pixels of nuclei, and how bright the nucleus is that each belongs to."""

    mask: Mask
    peaks: FloatImage
    """(y, x): brightest light of the region that the pixel belongs to."""


def prepare(plane: GreyImage, diameter_px: float) -> Scene:
    """Reduce a plane to working size and take its background off.

    Args:
        plane: (y, x), uint8, uint16 or float32.
        diameter_px: of a typical nucleus, about.
    """
    downsampling = max(1, round(diameter_px / _WORKING_DIAMETER_PX))
    small = downsampled(plane, downsampling)
    width = diameter_px / downsampling
    smooth = cv2.GaussianBlur(small, (0, 0), max(0.6, 0.06 * width))
    sample = small[::2]
    curvature = sample[:, 4::2] - 2 * sample[:, 3:-1:2] + sample[:, 2:-2:2]
    # The MAD of second differences of white noise is sqrt(6) * 0.6745 of its SD.
    noise = 1.4826 * float(np.median(np.abs(curvature))) / 6**0.5
    light = smooth - _background(smooth, width)
    return Scene(light, max(noise, 0.3 * _grey_step(plane)), downsampling, width)


def find_foreground(scene: Scene, settings: EdgeSettings) -> Foreground:
    """Regions of light that are bright enough, down to each one's own edge level."""
    light = scene.light
    # Below this no edge can lie; the fewer pixels watershed, the quicker.
    floor = _LEAST_LEVEL * settings.faintest * float(np.percentile(light[::4, ::4], 99))
    regions = watershed(light, light > max(3 * scene.noise_sd, floor))
    saddles = find_saddles(regions.labels, light)
    _, top = merge_regions(
        regions.peaks, saddles, lambda crossing, peak: crossing > settings.shoulder * peak
    )
    real = top > settings.noise_factor * scene.noise_sd
    if not real.any():
        return Foreground(np.zeros(light.shape, bool), light)
    usual = _usual_peak(light, top, regions.labels, real)
    real &= top > settings.faintest * usual
    level = settings.edge_level * (np.maximum(top, 1e-6) / usual) ** -settings.edge_pull
    edge = np.where(real, np.clip(level, _LEAST_LEVEL, _GREATEST_LEVEL) * top, np.inf)
    mask = light > edge.astype(np.float32)[regions.labels]
    opener = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
    opened = cv2.morphologyEx(mask.view(np.uint8), cv2.MORPH_OPEN, opener)
    return Foreground(opened.view(bool), top.astype(np.float32)[regions.labels])


def isolated_diameter_px(scene: Scene, foreground: Foreground) -> float:
    """Diameter of the nuclei that stand alone; that of the scene where these are too few.

    Objects close to an ellipse are single nuclei, and what a single one measures says which of the
    others are several.
    """
    _, labels = cv2.connectedComponents(foreground.mask.view(np.uint8), connectivity=4)
    shapes = measure_regions(labels, scene.light)
    ellipse = np.pi / 4 * shapes.major_px * np.maximum(shapes.minor_px, 1e-6)
    lone = (
        (shapes.areas_px > _LONE_FILL * ellipse)
        & (shapes.major_px < _LONE_ASPECT * shapes.minor_px)
        & (shapes.areas_px > 0.1 * np.pi / 4 * scene.diameter_px**2)
        & ~shapes.touches_border
    )
    if np.count_nonzero(lone) < _FEWEST_LONE:
        return scene.diameter_px
    return float(np.sqrt(4 / np.pi * np.median(shapes.areas_px[lone])))


def _grey_step(plane: GreyImage) -> float:
    """The usual step between occupied grey levels: a stretched 8-bit image can have steps of 7."""
    levels = np.unique(plane[::5, ::5])
    return float(np.median(np.diff(levels.astype(np.float64)))) if len(levels) > 1 else 1.0


def _background(smooth: FloatImage, diameter_px: float) -> FloatImage:
    """Grey opening over six nuclei, on a coarse grid (4 px per nucleus), then smoothed."""
    grid = max(1.0, diameter_px / 4)
    size = (max(1, round(smooth.shape[1] / grid)), max(1, round(smooth.shape[0] / grid)))
    coarse = cv2.resize(smooth, size, interpolation=cv2.INTER_AREA)
    window = np.ones((25, 25), np.uint8)
    opened = cv2.morphologyEx(coarse, cv2.MORPH_OPEN, window, borderType=cv2.BORDER_REFLECT)
    low = cv2.GaussianBlur(opened, (0, 0), 6)
    return cv2.resize(low, smooth.shape[::-1], interpolation=cv2.INTER_LINEAR)


def _usual_peak(light: FloatImage, top: FloatImage, regions: LabelImage, real: Mask) -> float:
    """The peak above which a quarter of all light lies: faint texture does not lower it."""
    some = np.s_[::2, ::2]
    total = np.bincount(regions[some].ravel(), light[some].ravel(), minlength=len(top)) * real
    if not total.any():
        return float(top[real].max())
    order = np.argsort(top)
    cumulative = np.cumsum(total[order])
    return float(top[order][np.searchsorted(cumulative, _USUAL_QUANTILE * cumulative[-1])])
