"""What is drawn over an image, and the file it goes into."""

from __future__ import annotations

from types import SimpleNamespace

import cv2
import numpy as np
import pandas as pd
import pytest

from labrig_analysis import overlays
from labrig_analysis.overlays import NUCLEUS_IN, NUCLEUS_OUT, OUTLINE, PYKNOTIC, draw_overlay
from labrig_measure.quick_png import quick_png


@pytest.mark.parametrize("shape", [(1, 1), (1, 7), (260, 301), (40, 3)])
def test_other_programs_read_the_png_as_it_was_drawn(shape):
    picture = np.random.default_rng(1).integers(0, 256, (*shape, 3), np.uint8)
    file = np.frombuffer(quick_png(picture), np.uint8)
    assert (cv2.imdecode(file, cv2.IMREAD_UNCHANGED) == picture).all()


def measured(labels, **nuclei):
    numbers = [n for n in np.unique(labels) if n]
    table = {"nucleus": numbers, "pyknotic": [False] * len(numbers)} | nuclei
    return SimpleNamespace(
        labels={"nuclei": labels}, points=(), nuclei=pd.DataFrame(table).iloc[: len(numbers)]
    )


def nuclei_drawn(labels, **nuclei):
    grey = np.zeros(labels.shape, np.uint8)
    return draw_overlay({"nuclei": grey}, measured(labels, **nuclei), "centroid")


def test_neighbours_have_each_its_own_whole_outline():
    labels = np.zeros((40, 60), np.int32)
    labels[10:30, 10:30], labels[10:30, 30:50] = 1, 2
    drawn = nuclei_drawn(labels, tube_centroid=[7, 0])
    assert (drawn[15:25, 29] == NUCLEUS_IN).all()
    assert (drawn[15:25, 30] == NUCLEUS_OUT).all()
    assert (drawn[15:25, [20, 40, 5]] == 0).all()
    dying = nuclei_drawn(labels, pyknotic=[False, True])
    assert (dying[15:25, 30] == PYKNOTIC).all()


def test_numbers_may_be_missing_or_large_and_what_is_no_nucleus_is_left_alone():
    labels = np.zeros((40, 60), np.int32)
    labels[10:30, 10:30], labels[10:30, 35:50] = 3, 70_000
    assert (nuclei_drawn(labels)[10, [12, 40]] == NUCLEUS_OUT).all()
    only_first = measured(labels)
    only_first.nuclei = only_first.nuclei.iloc[:1]
    drawn = draw_overlay({"nuclei": np.zeros(labels.shape, np.uint8)}, only_first, "centroid")
    assert (drawn[10, 12] == NUCLEUS_OUT).all()
    assert (drawn[10, 40] == 0).all()


def test_tubes_side_by_side_are_told_apart():
    labels = np.zeros((40, 60), np.int32)
    labels[5:20], labels[20:35] = 1, 2
    seen = SimpleNamespace(labels={"tubes": labels}, points=(), nuclei=())
    drawn = draw_overlay({"tubes": np.zeros(labels.shape, np.uint8)}, seen, "centroid")
    assert (drawn[[5, 19, 20, 34]] == OUTLINE).all()
    assert (drawn[[10, 27]] == 0).all()


@pytest.mark.parametrize("kind", [np.uint8, np.uint16, np.int16, ">u2"])
def test_a_plane_is_shown_alike_whatever_holds_it(kind):
    plane = np.random.default_rng(2).integers(0, 256, (64, 81)).astype(kind)
    expected = overlays._stretched(plane.astype(np.float32))
    assert (overlays._stretched(plane) == expected).all()
    # One colour of a picture lies between the others.
    assert (overlays._stretched(np.dstack([plane] * 3)[..., 1]) == expected).all()
    assert expected.max() == 200
