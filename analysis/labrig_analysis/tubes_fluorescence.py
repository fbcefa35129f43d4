"""Find myotubes stained for myosin heavy chain or desmin: bright, long, on a darker ground."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import FloatImage, Mask
from labrig_analysis.ground import estimate_ground, spread_below
from labrig_analysis.planes import grey_plane
from labrig_analysis.tube_objects import label_long_objects
from labrig_analysis.tubes import TubeLabels, TubeSettings, check_pixel_size, no_tubes

KIND = "tube"
# Below this part of the brightest tubes' contrast, grey levels are compared by difference, above
# it by ratio: tubes of one field differ tenfold in brightness.
_LINEAR_PART = 0.1
_BRIGHTEST = 99.9
_SMOOTHING_PX = 1.6


def segment_tubes(
    image: npt.NDArray[Any], pixel_size_um: float, settings: TubeSettings | None = None
) -> TubeLabels:
    """Label the tubes of one stained plane.

    Illumination is flattened, the image is parted in two classes on a logarithmic scale, and
    objects that are small, short or round are dropped. The mask follows the visible outline of a
    tube and is meant for *where* it is; its width is measured on the grey profile (`diameter`).

    Known bias: one level for the whole field takes in 1-2 px of haze around very bright tubes.

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
    if plane.is_blank:
        return no_tubes(plane.pixels.shape, plane.reasons, KIND)
    shape = plane.pixels.shape
    reduction = working_reduction(pixel_size_um, settings)
    small = cv2.GaussianBlur(reduced(plane.pixels, reduction), (0, 0), _SMOOTHING_PX)
    ground = estimate_ground(small, settings.background_um / (pixel_size_um * reduction))
    contrast = small - ground.full()
    level = mask_level(contrast) * settings.level_factor
    if not level > settings.min_contrast_to_noise * spread_below(contrast):
        why = f"empty field: nothing stands {settings.min_contrast_to_noise:g} noise SD out"
        return no_tubes(shape, (*plane.reasons, why), KIND)
    working_um = pixel_size_um * reduction
    objects = label_long_objects(contrast > level, working_um, settings)
    labels = _at_full_size(objects, contrast, level, shape)
    count = int(objects.max(initial=0))
    reasons = plane.reasons if count else (*plane.reasons, "empty field: no object is tube-shaped")
    return TubeLabels(labels, np.arange(count + 1, dtype=np.int32), reasons, KIND, level)


def working_reduction(pixel_size_um: float, settings: TubeSettings) -> int:
    """By what whole factor the image is averaged down before tubes are looked for."""
    return max(1, round(settings.working_pixel_um / pixel_size_um))


def reduced(pixels: npt.NDArray[Any], reduction: int) -> FloatImage:
    """(y, x) float32, averaged over `reduction` x `reduction` px."""
    if reduction > 1:
        height, width = pixels.shape
        size = (max(1, width // reduction), max(1, height // reduction))
        pixels = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return pixels.astype(np.float32, copy=False)


def mask_level(contrast: FloatImage) -> float:
    """The contrast that best parts tubes from ground: Otsu's criterion on a logarithmic scale.

    Otsu (1979, IEEE Trans SMC 9:62) on plain grey levels loses the dim tubes of a field with
    bright ones. The logarithm flattens out below a tenth of the brightest contrast, where it would
    spread noise.

    Args:
        contrast: (y, x) float32, ground at 0.

    Returns:
        A level in the units of `contrast`; 0 when nothing lies above the ground.
    """
    thin = max(1, min(contrast.shape) // 512)
    sample = np.maximum(contrast[::thin, ::thin], 0)
    knee = _LINEAR_PART * float(np.percentile(sample, _BRIGHTEST))
    if knee <= 0:
        return 0.0
    scaled = np.log1p(sample / knee)
    top = float(scaled.max())
    grey = np.rint(scaled * (65535 / top)).astype(np.uint16)
    otsu, _ = cv2.threshold(grey, 0, 65535, cv2.THRESH_BINARY + cv2.THRESH_OTSU)
    return knee * float(np.expm1(otsu / 65535 * top))


def _at_full_size(
    objects: npt.NDArray[np.int32], contrast: FloatImage, level: float, shape: tuple[int, ...]
) -> npt.NDArray[np.int32]:
    """Labels at the image's own size, their outline interpolated instead of in steps."""
    if objects.shape == shape:
        return objects
    size = (shape[1], shape[0])
    # Interpolated outlines bulge up to a pixel over the coarse labels: widen those first.
    wide = cv2.dilate(objects.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    wide = np.where(objects > 0, objects, wide)
    labels = cv2.resize(wide.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    inside: Mask = cv2.resize(contrast, size, interpolation=cv2.INTER_LINEAR) > level
    return (labels * inside).astype(np.int32)
