"""Labels of a downsampled plane at the size of the image."""

import numpy as np
import pytest

from labrig_analysis.labels.upsampling import upsampled_labels


def test_the_outline_decides_where_and_the_labels_which():
    labels = np.array([[0, 1, 0, 0, 2, 0]], np.int32)
    inside = np.zeros((2, 12), np.uint8)
    inside[:, 1:5] = 1  # half a small pixel beyond the label on both sides
    inside[0, 8:10] = 1
    assert upsampled_labels(labels, inside, (2, 12)).tolist() == [
        [0, 1, 1, 1, 1, 0, 0, 0, 2, 2, 0, 0],
        [0, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0],
    ]


@pytest.mark.parametrize("factor", [1, 2, 3, 7])
def test_every_small_pixel_is_a_block(factor):
    labels = np.random.default_rng(1).integers(1, 9, (50, 40))
    inside = np.ones((50 * factor, 40 * factor), np.uint8)
    shape = (50 * factor - factor + 1, 40 * factor)
    blocks = labels.repeat(factor, axis=0).repeat(factor, axis=1)
    assert upsampled_labels(labels, inside, shape).tolist() == blocks[: shape[0]].tolist()


def test_more_labels_than_uint16_holds():
    labels = np.array([[70_000, 1]])
    large = upsampled_labels(labels, np.ones((2, 4), np.uint8), (2, 4))
    assert large.dtype == np.int32
    assert large[0].tolist() == [70_000, 70_000, 1, 1]
