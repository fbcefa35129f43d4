"""Planes made smaller: means, not rounded, and alike in one band and in many."""

import numpy as np
import pytest

from labrig_analysis import reducing
from labrig_analysis.reducing import reduced


def test_means_are_not_rounded():
    plane = np.array([[0, 1, 7, 8], [0, 0, 8, 8]], np.uint8)
    assert reduced(plane, 2).tolist() == [[0.25, 7.75]]


def test_the_last_blocks_repeat_the_edge():
    plane = np.array([[1, 1, 5], [1, 1, 5], [3, 3, 9]], np.uint16)
    assert reduced(plane, 2).tolist() == [[1, 5], [3, 9]]


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_bands_do_not_show(factor, monkeypatch):
    plane = np.random.default_rng(1).integers(0, 4000, (151, 203)).astype(np.uint16)
    whole = reduced(plane, factor)
    monkeypatch.setattr(reducing, "_BAND_PX", 3000)
    np.testing.assert_array_equal(reduced(plane, factor), whole)
    assert whole.dtype == np.float32
