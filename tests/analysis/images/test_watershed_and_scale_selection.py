"""Watershed regions, saddles between them, sizes of blobs, on scenes to be checked by eye."""

import cv2
import numpy as np
import pytest

from labrig_analysis.images.scale_selection import typical_blob_diameter_px
from labrig_analysis.images.watershed import find_saddles, merge_regions, watershed

# Two tops, 9 and 7, with a pass of 4 between them.
RIDGE = np.array([[1, 5, 9, 4, 6, 7, 2]], np.float32)


def test_each_pixel_climbs_to_its_top():
    regions = watershed(RIDGE, RIDGE > 1.5)
    assert regions.labels.tolist() == [[0, 1, 1, 1, 2, 2, 2]]
    assert regions.peaks.tolist() == [0, 9, 7]


def test_pixels_outside_the_mask_are_not_climbed_through():
    mask = np.array([[True, True, True, False, True, True, True]])
    assert watershed(RIDGE, mask).labels.tolist() == [[1, 1, 1, 0, 2, 2, 2]]


def test_a_plateau_is_one_hill():
    flat = np.ones((20, 30), np.float32)
    regions = watershed(flat, flat > 0)
    assert regions.labels.min() == regions.labels.max() == 1


def test_hills_of_noise_cover_the_mask_and_hold_one_top_each():
    heights = np.random.default_rng(5).random((60, 80)).astype(np.float32)
    mask = heights > 0.2
    regions = watershed(heights, mask)
    assert np.array_equal(regions.labels > 0, mask)
    for label in range(1, len(regions.peaks)):
        assert heights[regions.labels == label].max() == regions.peaks[label]


def test_the_highest_crossing_counts_in_every_image():
    labels = np.array([[1, 2], [1, 2]], np.int32)
    heights = np.array([[5, 3], [8, 6]], np.float32)
    saddles = find_saddles(labels, heights, 10 - heights)
    assert (saddles.first.tolist(), saddles.second.tolist()) == ([1], [2])
    # 8-6 and 5-6 cross at 6 and 5; two straight pairs and two diagonal ones.
    assert saddles.heights.tolist() == [[6, 5]]
    assert saddles.lengths.tolist() == [4]


def test_borders_do_not_wrap_round_the_image():
    labels = np.array([[1, 0, 2], [1, 0, 2]], np.int32)
    assert len(find_saddles(labels, labels.astype(np.float32)).first) == 0


@pytest.mark.parametrize(("depth", "merged"), [(2.9, [0, 1, 2]), (3.1, [0, 1, 1])])
def test_hills_are_joined_over_shallow_passes(depth, merged):
    regions = watershed(RIDGE, RIDGE > 1.5)
    saddles = find_saddles(regions.labels, RIDGE)
    owner, peaks = merge_regions(
        regions.peaks, saddles, lambda crossing, peak: peak - crossing < depth
    )
    assert owner.tolist() == merged
    assert peaks[2] == (9 if merged[2] == 1 else 7)


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
