"""Planes made smaller: means, not rounded, and alike in one band and in many."""

import numpy as np
import pytest

from labrig_analysis.images import downsampling
from labrig_analysis.images.downsampling import downsampled
from labrig_analysis.tubes import fluorescence, phase
from labrig_analysis.tubes.fluorescence import segment_tubes


def test_means_are_not_rounded():
    plane = np.array([[0, 1, 7, 8], [0, 0, 8, 8]], np.uint8)
    assert downsampled(plane, 2).tolist() == [[0.25, 7.75]]


def test_the_last_blocks_repeat_the_edge():
    plane = np.array([[1, 1, 5], [1, 1, 5], [3, 3, 9]], np.uint16)
    assert downsampled(plane, 2).tolist() == [[1, 5], [3, 9]]


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_bands_do_not_show(factor, monkeypatch):
    plane = np.random.default_rng(1).integers(0, 4000, (151, 203)).astype(np.uint16)
    whole = downsampled(plane, factor)
    monkeypatch.setattr(downsampling, "_BAND_PX", 3000)
    np.testing.assert_array_equal(downsampled(plane, factor), whole)
    assert whole.dtype == np.float32


@pytest.mark.parametrize("odd", [0, 1, 3, 6])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tubes_lie_where_they_are_whatever_the_last_block_holds(odd, dtype):
    # sides that are no multiple of the downsampling, here 7: labels must not be stretched over them
    height, width = 1204 + odd, 1106 + odd
    rows = np.arange(height)[:, None]
    plane = np.full((height, width), 10.0)
    for middle in (200, 600, 1000):
        plane += 150.0 * np.exp(-(((rows - middle) / 40.0) ** 2))
    plane += np.random.default_rng(3).normal(0.0, 2.0, plane.shape)
    found = segment_tubes(plane.clip(0, 250).astype(dtype), 0.1)
    middles = [
        float(np.nonzero(found.labels == number)[0].mean())
        for number in range(1, int(found.labels.max()) + 1)
    ]
    assert sorted(middles) == pytest.approx([200, 600, 1000], abs=1.0)


def test_there_is_one_way_to_make_a_plane_smaller():
    assert fluorescence.downsampled is downsampled
    assert phase.downsampled is downsampled
