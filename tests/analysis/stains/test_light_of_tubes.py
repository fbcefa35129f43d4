"""Brightness of tubes above what is beside them."""

import numpy as np

from labrig_analysis.stains.tube_light import tube_light


def test_each_tube_has_its_mean_less_the_background_beside_it():
    rng = np.random.default_rng(3)
    tubes = np.zeros((1200, 900), np.uint16)
    tubes[5:900, 10:40], tubes[7:600, 40:90], tubes[1000:1200, 800:900] = 1, 2, 3
    plane = rng.integers(0, 4000, tubes.shape).astype(np.uint16)
    points = {"tube": np.array([1, 1, 2]), "background": np.array([100.0, 300.0, np.nan])}
    light = tube_light(plane, tubes, points)
    assert light[0] == plane[tubes == 1].mean() - 200
    assert np.isnan(light[1:]).all()


def test_a_blank_plane_and_a_field_without_tubes_have_none():
    tubes = np.ones((30, 30), np.uint16)
    points = {"tube": np.array([1]), "background": np.array([0.0])}
    assert np.isnan(tube_light(np.zeros((30, 30), np.uint8), tubes, points)).all()
    assert len(tube_light(np.eye(30, dtype=np.uint8) * 9, tubes * 0, {
        "tube": np.zeros(0, int), "background": np.zeros(0)})) == 0  # fmt: skip
