"""A wide average on reduced planes is the one that OpenCV makes on all pixels."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from labrig_analysis.images.wide_blur import wide_blur


@pytest.mark.parametrize("shape", [(700, 700), (300, 1111), (40, 900)])
@pytest.mark.parametrize("sd_px", [3.0, 16.0, 61.3, 138.0])
def test_it_is_the_gaussian_average(shape, sd_px):
    rng = np.random.default_rng(1)
    rough = rng.normal(100, 40, shape).astype(np.float32)
    plane = cv2.GaussianBlur(rough, (0, 0), 3) + np.linspace(0, 50, shape[1], dtype=np.float32)
    wanted = cv2.GaussianBlur(plane, (0, 0), sd_px)
    found = wide_blur(plane, sd_px)
    assert found.shape == plane.shape
    assert found.dtype == np.float32
    # of a plane that spreads by 14 grey levels
    assert np.abs(found - wanted).max() < 0.8


def test_a_plane_of_a_few_pixels_keeps_its_level():
    assert np.allclose(wide_blur(np.full((3, 5), 7, np.float32), 200.0), 7)
