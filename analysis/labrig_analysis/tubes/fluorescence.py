"""Find myotubes stained for myosin heavy chain or desmin: bright, long, on a darker background."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, GreyImage, LabelImage
from labrig_analysis.calibration import check_pixel_size
from labrig_analysis.images.background import estimate_background_at_any_cover, estimate_noise_sd
from labrig_analysis.images.downsampling import downsampled
from labrig_analysis.images.planes import grey_plane
from labrig_analysis.tubes.crossings import split_crossings
from labrig_analysis.tubes.shape_filter import label_long_objects, labels_at_full_size
from labrig_analysis.tubes.tube_labels import TubeLabels, TubeSettings, no_tubes

KIND = "tube"
_SMOOTHING_PX = 1.0
# A rule for the level and the range it was seen to hold in, see `mask_level`.
_OTSU_WEIGHT, _BRIGHT_WEIGHT, _WHITE_WEIGHT = 0.6, 0.2, 0.2
_LEVEL_PART = 0.385
_KNEE_PART = 0.031
_BRIGHT_PERCENT = 98.0
_LEAST_PART_OF_OTSU = 0.4
# White is at most so many times the brightness of the brightest 0.05 %, for the sake of hot pixels.
_WHITE_TO_PEAK = 5.0
# An image whose brightest 0.05 % stand out less than this many noise SDs holds no tube.
_PEAK_PERCENT = 99.95
_PEAK_TO_NOISE = 6.0
# Brightness of the background counts up to this part of the parting: more is a dark rim of the
# picture.
_MOST_LIFT = 0.5
# Where tubes cover more than half, the level that suits a field of dark background is too high.
_CROWDED_POWER = 0.5
# There, too, the outline lies at this part of the brightest spot within reach of a point.
_SHOULDER, _REACH_UM = 0.2, 6.0
# A crowded field of which less than this share is darker than half the level shows no background.
_LEAST_BACKGROUND = 0.02
# A field of which more than this is bright, though nothing in it is tube-shaped, is not empty.
_MOST_BRIGHT = 0.2
# Statistics are read from at most about this many pixels.
_SAMPLE_SIDE = 512


def segment_tubes(
    image: npt.NDArray[Any], pixel_size_um: float, settings: TubeSettings | None = None
) -> TubeLabels:
    """Label the tubes of one stained plane.

    The background is followed under the tubes, whatever part of the field they cover. The image is
    parted in two classes on a logarithmic scale, and objects that are small, short or round are
    dropped. The mask follows the visible outline of a tube and is meant for *where* it is; its
    width is measured on the grey profile (`diameter`).

    Known bias: the mask holds light that the optics spread beyond a tube, 1 to 2.5 px per side
    where that blur has an SD of 1 to 2 px, and more around very bright tubes, as one level serves
    the whole field.

    Args:
        image: (y, x), any integer or floating type.
        pixel_size_um: width of a pixel in the specimen.
        settings: None is `TubeSettings()`.

    Raises:
        TypeError, ValueError: the call cannot be meant (colour picture, no calibration). A picture
            that is merely bad gives a result with `reasons`.
    """
    settings = settings or TubeSettings()
    pixel_size_um = check_pixel_size(pixel_size_um)
    plane = grey_plane(image, "tube image")
    if plane.is_blank or plane.is_washed_out:
        return no_tubes(plane.pixels.shape, plane.reasons, KIND, is_seen=False)
    shape = plane.pixels.shape
    downsampling = working_downsampling(pixel_size_um, settings)
    working_um = pixel_size_um * downsampling
    small = cv2.GaussianBlur(downsampled(plane.pixels, downsampling), (0, 0), _SMOOTHING_PX)
    darkest = float(_sampled(small).min())
    noise = estimate_noise_sd(small)
    background = estimate_background_at_any_cover(small, settings.ground_um / working_um, noise)
    contrast = cv2.subtract(small, background.full(), dst=small)
    sample = _sampled(contrast)
    bright, peak = np.percentile(sample, (_BRIGHT_PERCENT, _PEAK_PERCENT)).tolist()
    if not peak > _PEAK_TO_NOISE * noise:
        why = f"empty field: nothing stands {_PEAK_TO_NOISE:g} noise SDs out of the background"
        return no_tubes(shape, (*plane.reasons, why), KIND, is_seen=True)
    lift = max(0.0, float(np.median(background.plane)) - darkest)
    white = min(float(plane.pixels.max()) - darkest, _WHITE_TO_PEAK * (lift + peak))
    level = mask_level(sample, bright, lift, white) * settings.level_factor
    typical = float(np.median(sample))
    if typical > level:
        level *= (level / typical) ** _CROWDED_POWER
        if np.mean(sample < level / 2) < _LEAST_BACKGROUND:
            why = "cannot see: tubes or haze fill the field, no background is left to tell them by"
            return no_tubes(shape, (*plane.reasons, why), KIND, is_seen=False)
        contrast *= _towards_shoulders(contrast, level, working_um)
    level = max(level, settings.min_contrast_to_noise * noise)
    bright_part = contrast > level
    parted = split_crossings(label_long_objects(bright_part, working_um, settings))
    if len(parted.clusters) > 1:
        labels = labels_at_full_size(parted.labels, contrast, level, shape, downsampling)
        return TubeLabels(labels, parted.clusters, plane.reasons, KIND, level)
    if bright_part.mean() > _MOST_BRIGHT:
        why = "cannot see: much of the field is bright, but nothing in it is tube-shaped"
        return no_tubes(shape, (*plane.reasons, why), KIND, is_seen=False)
    why = "empty field: no object is tube-shaped"
    return no_tubes(shape, (*plane.reasons, why), KIND, is_seen=True)._replace(level=level)


def _towards_shoulders(contrast: FloatImage, level: float, pixel_um: float) -> FloatImage:
    """(y, x) factors, at most 1, that bring the outline of bright tubes to `_SHOULDER` of them."""
    side = round(_REACH_UM / pixel_um) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    near = cv2.GaussianBlur(cv2.dilate(contrast, disc), (0, 0), side / 2)
    return np.asarray(level / np.maximum(level, _SHOULDER * near), np.float32)


def working_downsampling(pixel_size_um: float, settings: TubeSettings) -> int:
    """By what whole factor the image is averaged down before tubes are looked for."""
    return max(1, round(settings.working_pixel_um / pixel_size_um))


def mask_level(contrast: FloatImage, bright: float, background: float, white: float) -> float:
    """The contrast at which the outline of tubes is seen.

    As brightness above the darkest place, the outline is a weighted geometric mean of the parting
    of tubes and background (Otsu 1979, IEEE Trans SMC 9:62, on a logarithmic scale, because on
    plain grey levels it loses the dim tubes of a field with bright ones), the bright tubes, and
    white: on a given display the eye puts the outline higher, but less than in proportion, the
        brighter
    tubes and display are; and by brightness, not by contrast, so that a bright background lowers
    the contrast (Weber's law). It scales with the image: no grey level is fixed.

    Where tubes cover more than half of a field it is too high; `segment_tubes` lowers it there.

    The form of the rule and its constants saw all 78 published fields of human tubes that they are
    scored on. Three constants refitted on one donor and scored on the other, at a quarter of the
    resolution, gave Dice 0.872, 10th percentile 0.777; refitted on seven eighths of the fields and
    scored on the rest, 0.870 and 0.777 (benchmarks/accuracy_tubes.py).

    Args:
        contrast: (y, x) float32, background at 0; a sample of the pixels will do.
        bright: contrast of the bright tubes, its 98th percentile.
        background: grey levels from the darkest place to the typical background; it counts up to
            half of the parting, as a dark rim of a picture says nothing of its display.
        white: span of the grey levels shown, from black to white.

    Returns:
        A level in the units of `contrast`; 0 when nothing lies above the background.
    """
    top = float(contrast.max())
    if white <= 0 or top <= 0:
        return 0.0
    knee = _KNEE_PART * white
    scaled = np.log1p(np.maximum(contrast, 0) / np.float32(knee))
    unit = 255 / np.log1p(top / knee)
    eight_bits: LabelImage = (scaled * np.float32(unit) + np.float32(0.5)).astype(np.uint8)
    otsu, _ = cv2.threshold(eight_bits, 0, 255, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    parting = knee * float(np.expm1((otsu + 0.5) / unit))
    background = min(background, _MOST_LIFT * parting)
    outline = (
        _LEVEL_PART
        * (background + parting) ** _OTSU_WEIGHT
        * (background + max(bright, 0.0)) ** _BRIGHT_WEIGHT
        * white**_WHITE_WEIGHT
    )
    return float(max(outline - background, _LEAST_PART_OF_OTSU * parting))


def _sampled(plane: GreyImage) -> GreyImage:
    step = max(1, min(plane.shape) // _SAMPLE_SIDE)
    return plane[::step, ::step]
