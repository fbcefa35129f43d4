"""Hills, the passes between them, and the size of blobs, on scenes that can be checked by eye."""

import cv2
import numpy as np
import pytest

from labrig_analysis.basins import climb, find_passes, join
from labrig_analysis.blob_scale import typical_blob_diameter_px

# Two tops, 9 and 7, with a pass of 4 between them.
RIDGE = np.array([[1, 5, 9, 4, 6, 7, 2]], np.float32)


def test_each_pixel_climbs_to_its_top():
    hills = climb(RIDGE, RIDGE > 1.5)
    assert hills.labels.tolist() == [[0, 1, 1, 1, 2, 2, 2]]
    assert hills.peaks.tolist() == [0, 9, 7]


def test_pixels_outside_the_mask_are_not_climbed_through():
    mask = np.array([[True, True, True, False, True, True, True]])
    assert climb(RIDGE, mask).labels.tolist() == [[1, 1, 1, 0, 2, 2, 2]]


def test_a_plateau_is_one_hill():
    flat = np.ones((20, 30), np.float32)
    hills = climb(flat, flat > 0)
    assert hills.labels.min() == hills.labels.max() == 1


def test_hills_of_noise_cover_the_mask_and_hold_one_top_each():
    heights = np.random.default_rng(5).random((60, 80)).astype(np.float32)
    mask = heights > 0.2
    hills = climb(heights, mask)
    assert np.array_equal(hills.labels > 0, mask)
    for label in range(1, len(hills.peaks)):
        assert heights[hills.labels == label].max() == hills.peaks[label]


def test_the_highest_crossing_counts_in_every_image():
    labels = np.array([[1, 2], [1, 2]], np.int32)
    heights = np.array([[5, 3], [8, 6]], np.float32)
    passes = find_passes(labels, heights, 10 - heights)
    assert (passes.first.tolist(), passes.second.tolist()) == ([1], [2])
    # 8-6 and 5-6 cross at 6 and 5; two straight pairs and two diagonal ones.
    assert passes.heights.tolist() == [[6, 5]]
    assert passes.lengths.tolist() == [4]


def test_borders_do_not_wrap_round_the_image():
    labels = np.array([[1, 0, 2], [1, 0, 2]], np.int32)
    assert len(find_passes(labels, labels.astype(np.float32)).first) == 0


@pytest.mark.parametrize(("depth", "joined"), [(2.9, [0, 1, 2]), (3.1, [0, 1, 1])])
def test_hills_are_joined_over_shallow_passes(depth, joined):
    hills = climb(RIDGE, RIDGE > 1.5)
    passes = find_passes(hills.labels, RIDGE)
    owner, peaks = join(hills.peaks, passes, lambda crossing, peak: peak - crossing < depth)
    assert owner.tolist() == joined
    assert peaks[2] == (9 if joined[2] == 1 else 7)


@pytest.mark.parametrize("diameter", [8, 14, 25, 50])
def test_size_of_blobs(diameter):
    image = np.zeros((400, 400), np.float32)
    for x, y in np.random.default_rng(2).integers(0, 400, (12, 2)).tolist():
        cv2.circle(image, (x, y), diameter // 2, 100, -1)
    image += np.random.default_rng(3).normal(0, 3, image.shape).astype(np.float32)
    assert typical_blob_diameter_px(image) == pytest.approx(diameter, rel=0.35)


@pytest.mark.parametrize("image", [np.zeros((200, 200)), np.eye(8)], ids=["empty", "tiny"])
def test_nothing_has_no_size(image):
    assert typical_blob_diameter_px(image) == 0
