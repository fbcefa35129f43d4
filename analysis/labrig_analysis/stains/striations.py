"""Striations: the share of tube area in which sarcomeres are seen along the tube, and how long."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, FloatImage, GreyImage, LabelImage, Mask
from labrig_analysis.images.planes import grey_pixels
from labrig_analysis.labels.relabelling import label_areas
from labrig_analysis.setting_limits import check_limits
from labrig_analysis.stains.readout import Readout, not_known
from labrig_analysis.stains.stain_light import why_unseen

_NAMES = ("striated_area_share", "striated_tubes_share", "sarcomere_length_um", "examined_share")
# Two pixels a period are the least that tell it from any other (Nyquist).
_PX_PER_PERIOD = 2.0
# A patch holds so many of the longest periods, and the next begins half a patch further on.
_PERIODS = 5.0
# Less tube than this part of a patch tells nothing.
_LEAST_INSIDE = 0.35
# What is broader than so many of the longest periods is no striation.
_COARSE_PERIODS = 0.5
# The direction of a tube is read from its outline over about so much.
_OUTLINE_UM, _DIRECTION_UM = 2.0, 10.0
# Patches at a time: their spectra take some megabytes.
_AT_ONCE = 512
_STRIATED_TUBE = 0.5
# Periods of neighbouring patches differ by no more than this factor.
_ALIKE = 1.25


@dataclass(frozen=True)
class StriationSettings:
    """What counts as striated. Lengths are in µm."""

    shortest_um: float = 1.6
    """Shortest and longest distance of neighbouring sarcomeres: 1.6 to 2.8 µm."""
    longest_um: float = 2.8
    within_deg: float = 30.0
    """Sarcomeres follow each other along the tube to within this angle [P]."""
    peak: float = 14.0
    """A period stands out when its power is so many times the mean of that of all directions at
    the same fineness: of pure noise about one patch in 10,000 reaches it [P]."""

    def __post_init__(self) -> None:
        check_limits(
            self,
            {
                "shortest_um": (0.5, 10),
                "longest_um": (0.5, 10),
                "within_deg": (5, 90),
                "peak": (3, 1000),
            },
        )
        if self.longest_um <= self.shortest_um:
            raise ValueError(
                f"StriationSettings.longest_um is {self.longest_um}; give more than shortest_um, "
                f"{self.shortest_um}"
            )

    @property
    def definition(self) -> str:
        """One cell for a results table, e.g. ``period=1.6-2.8um|along+-30deg|peak>=14x``."""
        return (
            f"period={self.shortest_um:g}-{self.longest_um:g}um|along+-{self.within_deg:g}deg|"
            f"peak>={self.peak:g}x"
        )


class Striations(NamedTuple):
    """Where tubes are striated."""

    striated: Mask
    """(y, x) bool, inside tubes."""
    examined: Mask
    """(y, x) bool, inside tubes: enough of a tube around to tell."""
    period_um: npt.NDArray[np.float64]
    """(m,) of each striated patch."""
    why_not: str
    """Why nothing is known; "" where it is."""


def find_striations(
    plane: GreyImage,
    tubes: LabelImage,
    pixel_size_um: float,
    settings: StriationSettings | None = None,
    name: str = "striations",
) -> Striations:
    """Look for a period along the tube in patches of five sarcomeres.

    The power spectrum of a patch of tube has a peak at the sarcomere's period when it is striated.
    It must lie in the direction of the tube (fibrils and outlines make peaks across it), stand out
    of what the patch shows at the same fineness in all directions (texture does not), and be a
    maximum in the band (the flank of something coarser is none). A patch beside it must show
    the same period: chance strikes single patches.

    Known bias: the resolution is half a patch, about 7 µm; the rim of a striated region counts
    with whichever side fills more of the patch. Misaligned sarcomeres within a patch weaken its
    peak.

    Args:
        plane: (y, x), e.g. sarcomeric alpha-actinin, titin, or myosin heavy chain.
        tubes: (y, x) labels 1..n.
        pixel_size_um: width of a pixel in the specimen.
        settings: None is `StriationSettings()`.
        name: what the plane is called; used in reasons.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    settings = settings or StriationSettings()
    nowhere = np.zeros(tubes.shape, bool)
    why = why_unseen(plane, name)
    coarsest_um = settings.shortest_um / _PX_PER_PERIOD
    if not why and pixel_size_um > coarsest_um:
        why = (
            f"a pixel of {pixel_size_um:g} µm is too coarse: a period of {settings.shortest_um:g} "
            f"µm needs {coarsest_um:g} µm or less (Nyquist)"
        )
    if not why and not tubes.any():
        why = "the field holds no tube"
    if why:
        return Striations(nowhere, nowhere, np.zeros(0), why)
    inside = tubes > 0
    fine = _without_what_is_coarse(grey_pixels(plane), inside, settings, pixel_size_um)
    direction = _directions(tubes, pixel_size_um)
    side = 2 * math.ceil(_PERIODS * settings.longest_um / pixel_size_um / 2)
    patches = _patches(inside, side)
    spectrum = _Spectrum.of(side, pixel_size_um, settings)
    periods = np.zeros(len(patches))
    for begin in range(0, len(patches), _AT_ONCE):
        chosen = patches[begin : begin + _AT_ONCE]
        middle = np.minimum(chosen + side // 2, np.array(tubes.shape) - 1)
        along = direction[middle[:, 0], middle[:, 1]]
        periods[begin : begin + _AT_ONCE] = spectrum.periods(_cut(fine, chosen, side), along)
    confirmed = _confirmed(patches // (side // 2), periods)
    striated, examined = _painted(patches, confirmed, side, inside)
    return Striations(striated, examined, periods[confirmed], "")


def striation_readouts(
    found: Striations,
    stain: str,
    tubes: LabelImage | None,
    settings: StriationSettings,
) -> tuple[list[Readout], Columns]:
    """Read-outs of the field, and a column for its tubes.

    * ``striated_area_share``: striated tube area / examined tube area.
    * ``striated_tubes_share``: tubes striated on at least half of what was examined / tubes.
    * ``sarcomere_length_um``: median period over striated patches.
    * ``examined_share``: examined tube area / tube area.

    Args:
        found: the striations.
        stain: the channel.
        tubes: (y, x) labels 1..n; None where they are not known.
        settings: that they were found with.
    """
    definition, column = settings.definition, f"{stain}_striated_share"
    count = 0 if tubes is None else int(tubes.max(initial=0))
    if tubes is None or found.why_not:
        why = found.why_not or "no tubes are known"
        columns = {} if tubes is None else {column: np.full(count, np.nan)}
        return not_known(stain, _NAMES, definition, why), columns
    seen, area = (
        np.bincount(tubes[part], minlength=count + 1)[1:].astype(float)
        for part in (found.examined, found.striated)
    )
    per_tube = np.divide(area, seen, out=np.full(count, np.nan), where=seen > 0)
    known = np.isfinite(per_tube)
    total, whole = float(seen.sum()), float(label_areas(tubes)[1:].sum())
    values = (
        float(area.sum()) / total if total else np.nan,
        float((per_tube[known] >= _STRIATED_TUBE).mean()) if known.any() else np.nan,
        float(np.median(found.period_um)) if len(found.period_um) else np.nan,
        total / whole if whole else np.nan,
    )
    reasons = (
        "no tube is wide enough",
        "no tube is wide enough",
        "nothing is striated",
        "the field holds no tube",
    )
    rows = [
        Readout(stain, name, value, definition, why_not=why if value != value else "")
        for name, value, why in zip(_NAMES, values, reasons, strict=True)
    ]
    return rows, {column: per_tube}


class _Spectrum(NamedTuple):
    """Where in the power spectrum of a patch what lies."""

    window: FloatImage
    per_um: npt.NDArray[np.float64]
    """(side, side // 2 + 1) radial frequency, periods per µm."""
    angle: npt.NDArray[np.float64]
    """Direction of the wave, radians from +x towards +y."""
    lowest: float
    highest: float
    settings: StriationSettings

    @classmethod
    def of(cls, side: int, pixel_um: float, settings: StriationSettings) -> _Spectrum:
        y = np.fft.fftfreq(side, pixel_um)[:, None]
        x = np.fft.rfftfreq(side, pixel_um)[None]
        hann = np.hanning(side + 2)[1:-1].astype(np.float32)
        return cls(
            np.outer(hann, hann),
            np.hypot(x, y),
            np.arctan2(y, np.broadcast_to(x, (side, x.size))),
            1 / settings.longest_um,
            1 / settings.shortest_um,
            settings,
        )

    def periods(self, patches: FloatImage, along: FloatImage) -> npt.NDArray[np.float64]:
        """(n,) period in µm of each patch; 0 where none stands out.

        Args:
            patches: (n, side, side).
            along: (n,) direction of the tube, radians.
        """
        power = np.abs(np.fft.rfft2(patches * self.window)) ** 2
        step = self.per_um[1, 0]
        band = (self.per_um >= self.lowest) & (self.per_um <= self.highest)
        wider = (self.per_um >= self.lowest - 1.5 * step) & (
            self.per_um <= self.highest + 1.5 * step
        )
        angle = self.angle[wider]
        aside = np.abs((angle[None] - along[:, None] + np.pi / 2) % np.pi - np.pi / 2)
        in_sector = aside <= math.radians(self.settings.within_deg)
        found = power[:, wider]
        best = np.where(in_sector, found, 0).argmax(axis=1)
        row = np.arange(len(found))
        frequency = self.per_um[wider][best]
        # Power at the same fineness, whichever way: the peak and its neighbours aside.
        far = aside > math.radians(self.settings.within_deg)
        here = band[wider][None] & far
        level = (found * here).sum(axis=1) / np.maximum(here.sum(axis=1), 1)
        strong = found[row, best] >= self.settings.peak * np.maximum(level, 1e-12)
        in_band = (frequency >= self.lowest) & (frequency <= self.highest)
        return np.where(strong & in_band & in_sector.any(axis=1), 1 / frequency, 0.0)


def _without_what_is_coarse(
    pixels: GreyImage, inside: Mask, settings: StriationSettings, pixel_size_um: float
) -> FloatImage:
    """(y, x) the plane inside tubes less its surroundings there; 0 outside, and no step between."""
    sigma = _COARSE_PERIODS * settings.longest_um / pixel_size_um
    weight = inside.astype(np.float32)
    light = pixels.astype(np.float32) * weight
    smooth = cv2.GaussianBlur(light, (0, 0), sigma) / np.maximum(
        cv2.GaussianBlur(weight, (0, 0), sigma), 1e-3
    )
    return (light - smooth * weight) * weight


def _directions(tubes: LabelImage, pixel_size_um: float) -> FloatImage:
    """(y, x) radians from +x: the direction of the nearest outlines, by the structure tensor."""
    outline = (tubes > 0).astype(np.float32)
    # Where tubes lie side by side there is an outline too.
    outline[:, :-1][(tubes[:, :-1] != tubes[:, 1:]) & (tubes[:, 1:] > 0)] = 0
    outline[:-1][(tubes[:-1] != tubes[1:]) & (tubes[1:] > 0)] = 0
    step = max(1, round(_OUTLINE_UM / 2 / pixel_size_um))
    height, width = outline.shape
    size = (max(8, width // step), max(8, height // step))
    small = cv2.resize(outline, size, interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), _OUTLINE_UM / (step * pixel_size_um))
    dx, dy = (cv2.Sobel(small, cv2.CV_32F, *order) for order in ((1, 0), (0, 1)))
    sigma = _DIRECTION_UM / (step * pixel_size_um)
    xx, yy, xy = (cv2.GaussianBlur(v, (0, 0), sigma) for v in (dx * dx, dy * dy, dx * dy))
    across = np.arctan2(2 * xy, xx - yy) / 2
    doubled = [
        cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)
        for part in (np.cos(2 * across), np.sin(2 * across))
    ]
    return np.asarray(np.arctan2(doubled[1], doubled[0]) / 2 + np.float32(np.pi / 2))


def _patches(inside: Mask, side: int) -> npt.NDArray[np.int64]:
    """(n, 2) top left corners of patches, half a patch apart, that hold enough of a tube."""
    step = side // 2
    share = cv2.boxFilter(
        inside.astype(np.float32), -1, (side, side), anchor=(0, 0), borderType=cv2.BORDER_CONSTANT
    )
    rows, columns = (np.arange(0, max(1, n - side + 1), step) for n in inside.shape)
    found = share[np.ix_(rows, columns)] >= _LEAST_INSIDE
    chosen = np.argwhere(found)
    return np.column_stack([rows[chosen[:, 0]], columns[chosen[:, 1]]])


def _cut(plane: FloatImage, corners: npt.NDArray[np.int64], side: int) -> FloatImage:
    height, width = plane.shape
    padded = plane
    if height < side or width < side:
        padded = np.pad(plane, ((0, max(0, side - height)), (0, max(0, side - width))))
    views = np.lib.stride_tricks.sliding_window_view(padded, (side, side))
    return views[corners[:, 0], corners[:, 1]]


def _confirmed(
    places: npt.NDArray[np.int64], periods: npt.NDArray[np.float64]
) -> npt.NDArray[np.bool_]:
    """(n,) patches with a period like that of one of the eight beside them.

    Args:
        places: (n, 2) row and column of each patch.
        periods: (n,) 0 for none.
    """
    if not len(places):
        return np.zeros(0, bool)
    grid = np.zeros(places.max(axis=0) + 3)
    row, column = places[:, 0] + 1, places[:, 1] + 1
    grid[row, column] = periods
    around = ((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dy or dx)
    alike = np.zeros(len(places), bool)
    for dy, dx in around:
        other = grid[row + dy, column + dx]
        alike |= (other < periods * _ALIKE) & (periods < other * _ALIKE)
    return alike


def _painted(
    patches: npt.NDArray[np.int64], striated: npt.NDArray[np.bool_], side: int, inside: Mask
) -> tuple[Mask, Mask]:
    """(y, x) where most of the patches over a place are striated, and where there is one."""
    votes = np.zeros((2, *inside.shape), np.float32)
    # A patch is seen through a window: its middle half speaks for it.
    quarter = side // 4
    for (top, left), is_striated in zip(patches.tolist(), striated.tolist(), strict=True):
        middle = (slice(top + quarter, top + side - quarter),
                  slice(left + quarter, left + side - quarter))  # fmt: skip
        votes[0][middle] += 1
        votes[1][middle] += is_striated
    examined = (votes[0] > 0) & inside
    return examined & (2 * votes[1] > votes[0]), examined
