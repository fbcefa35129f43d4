"""Find tube-like objects without a stain: in phase contrast or brightfield.

Without a stain a myotube cannot be told from another long cell, so the class is called *tube-like
object*. In positive phase contrast and in slightly defocused brightfield a thick body is darker
than the background; thin single cells are darker by less.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, Mask
from labrig_analysis.calibration import check_pixel_size
from labrig_analysis.images.background import estimate_background
from labrig_analysis.images.downsampling import downsampled
from labrig_analysis.images.planes import Plane, grey_plane
from labrig_analysis.images.wide_blur import wide_blur
from labrig_analysis.tubes.crossings import split_crossings
from labrig_analysis.tubes.fluorescence import working_downsampling
from labrig_analysis.tubes.shape_filter import label_long_objects, labels_at_full_size
from labrig_analysis.tubes.sheets import sheet_mask
from labrig_analysis.tubes.tube_labels import TubeLabels, TubeSettings, no_tubes

KIND = "tube-like object"
_CROWDED = "crowded field without a stain: parted by grey level, not validated on real cultures"
_SHEETS = (
    "taken for sheets of cells and left out, by a network trained on drawings: not validated on "
    "real cultures"
)
_SMOOTHING_UM = 1.5
# Nuclei and granules in a body may be bright; gaps up to this long are closed.
_CLOSING_UM = 6.0
# A field whose darkest 0.5 % stand out less than this many SDs of the background holds no body.
# Seen in drawn fields in focus and evenly lit, 512 px of 0.65 µm: without cells 2 to 4, with tubes
# above 4.6 but for one of 560; in smaller fields a few without cells pass.
_PEAK_PERCENT = 99.5
_PEAK_TO_NOISE = 4.3
# The lower quartile of |x| of a normal distribution, in SDs.
_QUARTILE_SDS = 0.3186
# Parted in two by Otsu's level, grey levels whose parts explain more than this of their variance
# have two humps, and so many of them being dark are more than few bodies on a background. A normal
# distribution gives 0.64; drawn fields without cells 0.47 to 0.62, drawn ones that bodies cover to
# 0.5 to 0.9 gave 0.75 to 0.88, and a packed culture 0.70.
_TWO_HUMPS, _CROWDED_SHARE = 0.67, 0.3
# Where a camera saw nothing (a mask, padding) a plane is flat and tells of no noise; unless so
# little of it is not flat that there is nothing else to go by.
_LEAST_SEEN = 0.1
# Emptiness is seen where the picture is even: between the scale of noise and that of uneven light,
# grey levels spread (quartiles, as SDs) by less than this part of their mean. Drawn fields without
# cells: 0.02 to 0.035, noise alone 0.01 to 0.05; drawn packed ones in which no body was told 0.09
# to 0.21.
_EVEN, _EVEN_SD_UM = 0.06, 2.0
_QUARTILES_SD = 1.349
# So many values of a field, evenly taken, say how its grey levels lie.
_MOST_VALUES = 500_000


def find_sheets(
    image: npt.NDArray[Any], pixel_size_um: float, settings: TubeSettings | None = None
) -> Mask:
    """What `segment_tube_like_objects` takes for sheets of cells at the mask ``learned``.

    It does not depend on the level, so that whoever tries several finds it once.

    Args:
        image: (y, x), any integer or floating type.
        pixel_size_um: width of a pixel in the specimen.
        settings: None is `TubeSettings()`.

    Returns:
        (y, x) of the pixels that tubes are looked for in, which may be coarser than the image's.

    Raises:
        TypeError, ValueError: the call cannot be meant (colour picture, no calibration).
    """
    pixel_size_um = check_pixel_size(pixel_size_um)
    downsampling = working_downsampling(pixel_size_um, settings or TubeSettings())
    small = downsampled(grey_plane(image, "phase image").pixels, downsampling)
    return sheet_mask(small, pixel_size_um * downsampling)


def segment_tube_like_objects(
    image: npt.NDArray[Any],
    pixel_size_um: float,
    settings: TubeSettings | None = None,
    sheets: Mask | None = None,
) -> TubeLabels:
    """Label long bodies that are darker than the background.

    The background is flattened, and bodies are parted from it and from thin cells by Otsu's level
    (1979, IEEE Trans SMC 9:62) on how much darker than the background a pixel is. Where bodies
    crowd, so that the typical grey level is theirs, the picture is parted in two without a
    background. Where nothing stands out and yet grey levels vary all over the picture, nothing can
    be seen.

    Known bias: the bright halo of phase contrast eats into a body's edge, by about 1 µm a side.
    Fields of 200 µm or less with corners darker by 15 % and more can be called empty.
    Checked on synthetic fields only (`synthetic.render`, and drawn bands), as no published set with
    truth was at hand: not validated on real cultures. Do not use it for absolute widths.

    Args:
        image: (y, x), any integer or floating type.
        pixel_size_um: width of a pixel in the specimen.
        settings: None is `TubeSettings()`.
        sheets: of this image, as `find_sheets` found them; None: found here where they are
            asked for.

    Raises:
        TypeError, ValueError: the call cannot be meant (colour picture, no calibration).
    """
    settings = settings or TubeSettings()
    pixel_size_um = check_pixel_size(pixel_size_um)
    plane = grey_plane(image, "phase image")
    shape = plane.pixels.shape
    if plane.is_blank:
        return no_tubes(shape, plane.reasons, KIND, is_seen=False)
    downsampling = working_downsampling(pixel_size_um, settings)
    working_um = pixel_size_um * downsampling
    small = downsampled(plane.pixels, downsampling)
    field = _Field(plane, small, working_um, downsampling, sheets)
    smooth = cv2.GaussianBlur(small, (0, 0), max(_SMOOTHING_UM / working_um, 0.5))
    not_flat = _not_flat(small)
    darkness = wide_blur(smooth, settings.ground_um / working_um) - smooth
    crowded_level = _crowded_level(darkness[not_flat])
    if crowded_level is not None:
        level = crowded_level * settings.level_factor
        return _bodies(darkness, level, field, settings, (_CROWDED,))
    darkness = _darkness(smooth, working_um, settings)
    seen = darkness[not_flat]
    if not np.percentile(seen, _PEAK_PERCENT) > _PEAK_TO_NOISE * _background_noise(seen):
        is_even = _unevenness(small, working_um, settings) < _EVEN
        why = f"empty field: nothing is {_PEAK_TO_NOISE:g} noise SDs darker than the background"
        if not is_even:
            why = "cannot see: grey levels vary all over the field; no background to tell bodies by"
        return no_tubes(shape, (*plane.reasons, why), KIND, is_seen=is_even)
    level = settings.level_factor * _parting_level(darkness)
    return _bodies(darkness, level, field, settings)


class _Field(NamedTuple):
    """A plane, and the same averaged down to the pixels that bodies are looked for in."""

    plane: Plane
    small: FloatImage
    working_um: float
    downsampling: int
    sheets: Mask | None
    """None: not looked for yet."""


def _bodies(
    darkness: FloatImage,
    level: float,
    field: _Field,
    settings: TubeSettings,
    doubts: tuple[str, ...] = (),
) -> TubeLabels:
    """Label what is darker than `level` and long, and not part of a sheet if that is asked for."""
    plane, small, working_um, downsampling, sheets = field
    mask = darkness > level
    if not doubts:
        # In a crowded field the gaps between bodies are no wider than those in them.
        side = max(1, round(_CLOSING_UM / working_um)) | 1
        disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
        mask = cv2.morphologyEx(mask.astype(np.uint8), cv2.MORPH_CLOSE, disc) > 0
    if settings.phase_mask == "learned":
        sheets = sheet_mask(small, working_um) if sheets is None else sheets
        if (mask & sheets).any():
            # What is crowded stays a doubt; that a sheet was cut out is one more.
            told = (f"{sheets.mean():.0%} of the field {_SHEETS}",)
            plane = plane._replace(reasons=(*plane.reasons, *told))
            mask = mask & ~sheets
    parted = split_crossings(label_long_objects(mask, working_um, settings))
    if len(parted.clusters) > 1:
        size = plane.pixels.shape
        labels = labels_at_full_size(
            parted.labels, mask.astype(np.float32), 0.5, size, downsampling
        )
        return TubeLabels(labels, parted.clusters, (*plane.reasons, *doubts), KIND, level)
    if doubts:
        why = "cannot see: the field is crowded, but nothing in it is tube-shaped"
    else:
        why = "empty field: no object is tube-shaped"
    nothing = no_tubes(plane.pixels.shape, (*plane.reasons, why), KIND, is_seen=not doubts)
    return nothing._replace(level=level)


def _crowded_level(darkness: FloatImage) -> float | None:
    """The level that parts bodies from gaps, if bodies crowd; else None.

    Args:
        darkness: (n,) against the mean around, where the picture shows anything.
    """
    seen = darkness[:: max(1, darkness.size // _MOST_VALUES)]
    low, high = float(seen.min()), float(seen.max())
    if not high > low:
        return None
    unit = 65535 / (high - low)
    levels = np.rint((seen - low) * unit).astype(np.uint16)
    otsu, _ = cv2.threshold(levels, 0, 65535, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    level = low + float(otsu) / unit
    dark = seen > level
    share = float(dark.mean())
    if not _CROWDED_SHARE < share < 1:
        return None
    # In double precision: planes may hold numbers of any size.
    apart = seen[dark].mean(dtype=np.float64) - seen[~dark].mean(dtype=np.float64)
    if share * (1 - share) * apart**2 < _TWO_HUMPS * seen.var(dtype=np.float64):
        return None
    return level


def _darkness(smooth: FloatImage, pixel_um: float, settings: TubeSettings) -> FloatImage:
    """How much darker than the background, in grey levels; negative where brighter."""
    background = estimate_background(-smooth, settings.ground_um / pixel_um).full()
    return np.asarray(-smooth - background)


def _unevenness(image: FloatImage, pixel_um: float, settings: TubeSettings) -> float:
    """Robust SD of grey levels, without noise and uneven light, in parts of their mean."""
    smooth = cv2.GaussianBlur(image, (0, 0), _EVEN_SD_UM / pixel_um)
    level = wide_blur(smooth, settings.ground_um / pixel_um)
    seen = _not_flat(image)
    spread = float(np.subtract(*np.percentile((smooth - level)[seen], (75, 25)))) / _QUARTILES_SD
    mean = float(level[seen].mean(dtype=np.float64)) - min(0.0, float(image.min()))
    return spread / mean if mean > 0 else 0.0


def _not_flat(image: FloatImage) -> Mask:
    around = np.ones((3, 3), np.uint8)
    rough: Mask = cv2.dilate(image, around) > cv2.erode(image, around)
    return rough if rough.mean() > _LEAST_SEEN else np.ones_like(rough)


def _background_noise(darkness: FloatImage) -> float:
    """SD of the background, from the least of what is brighter than it.

    In a field full of tubes most of what is brighter than the background is halo, not noise.
    """
    brighter = -darkness[darkness < 0]
    return float(np.percentile(brighter, 25)) / _QUARTILE_SDS if brighter.size else 0.0


def _parting_level(darkness: FloatImage) -> float:
    above = np.maximum(darkness, 0)
    unit = 65535 / float(above.max())
    otsu, _ = cv2.threshold(
        np.rint(above * unit).astype(np.uint16), 0, 65535, cv2.THRESH_BINARY + cv2.THRESH_OTSU
    )
    return float(otsu) / unit
