"""Sums over runs of labels are the sums over their pixels."""

import numpy as np
import pytest

from labrig_analysis.labels import run_lengths
from labrig_analysis.labels.moments import label_moments
from labrig_analysis.labels.run_lengths import encode_all_runs

KINDS = {
    "blocks": lambda rng: np.kron(rng.integers(0, 4, (6, 9)), np.ones((3, 5), int)),
    "single pixels": lambda rng: rng.integers(0, 3, (40, 31)),
    "background": lambda rng: np.zeros((7, 5), int),
    "one object": lambda rng: np.full((7, 5), 2),
    "strided": lambda rng: np.asfortranarray(rng.integers(0, 3, (40, 62)))[::2, ::-2],
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("band_px", [1, 100, 10**6])
def test_sums_are_those_over_pixels(kind, band_px, monkeypatch):
    monkeypatch.setattr(run_lengths, "_BAND_PX", band_px)
    labels = KINDS[kind](np.random.default_rng(3)).astype(np.uint16)
    y, x = np.indices(labels.shape)
    weights = (np.ones(labels.shape), x, y, x * x, y * y, x * y)
    expected = [np.bincount(labels.ravel(), w.ravel(), minlength=5) for w in weights]
    found = encode_all_runs(labels).sums(4)
    assert found[:, 1:].tolist() == np.array(expected)[:, 1:].tolist()
    assert not found[:, 0].any()


def test_pixels_of_runs_are_those_of_labels():
    labels = np.random.default_rng(4).integers(0, 3, (20, 33)).astype(np.int32)
    runs = encode_all_runs(labels)
    pixels, run = runs.pixels(33)
    assert pixels.tolist() == np.flatnonzero(labels).tolist()
    assert runs.label[run].tolist() == labels.ravel()[pixels].tolist()


def test_what_is_below_0_is_background():
    labels = np.array([[-1, 1, 1, 3], [0, 3, 3, 3]], np.int32)
    assert label_moments(labels).area_px.tolist() == [2, 4]


def test_a_plane_without_rows_has_no_runs():
    assert len(encode_all_runs(np.zeros((0, 7), np.uint16)).label) == 0


def test_a_small_object_beside_a_large_one_has_its_own_shape():
    labels = np.zeros((400, 400), np.uint16)
    labels[:, 100:] = 1
    labels[10:13, 20:26] = 2
    small = 1
    moments = label_moments(labels)
    assert moments.area_px.tolist() == [120_000, 18]
    assert moments.elongation[small] == pytest.approx(2)
    assert moments.orientation_deg[small] == pytest.approx(0)
