"""Nuclei: found, parted, counted alike at any scale, exposure and bit depth."""

from functools import cache
from pathlib import Path

import cv2
import numpy as np
import pytest

from labrig_analysis.nuclei.segmentation import NucleusSettings, segment_nuclei
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.synthetic.crowded_nuclei import draw_field

IMAGES = Path(__file__).parents[3] / "shared" / "images"
UNSEEN_SEEDS = (1, 2, 3, 5, 8, 13)  # the classifier was trained on seeds from 1000 on


crowded_field = cache(draw_field)


def f1_at_half(found, truth):
    n, m = int(found.max()) + 1, int(truth.max()) + 1
    joint = np.bincount((found.astype(int) * m + truth).ravel(), minlength=n * m).reshape(n, m)
    iou = joint / (joint.sum(1)[:, None] + joint.sum(0)[None] - joint).clip(1)
    hits = int((iou[1:, 1:] > 0.5).sum())
    return 2 * hits / max(1, n - 1 + int((joint.sum(0)[1:] > 0).sum()))


def ellipses(shape, parts, light=120, background=10, blur=1.5):
    image = np.full(shape, background, np.float32)
    for x, y, a, b, angle in parts:
        cv2.ellipse(image, (x, y), (a, b), angle, 0, 360, light, -1)
    noise = np.random.default_rng(7).normal(0, 1, shape)
    return np.clip(cv2.GaussianBlur(image, (0, 0), blur) + noise, 0, 255).astype(np.uint8)


LONE = [(60, 60, 18, 13, 20), (200, 70, 17, 14, 80), (70, 200, 18, 12, 140), (220, 210, 17, 13, 0)]


@pytest.mark.parametrize(("parting", "least"), [("trained", 0.8), ("plain", 0.6)])
def test_crowded_fields_are_parted(parting, least):
    scores = []
    for seed in UNSEEN_SEEDS:
        image, truth = crowded_field(seed)
        found = segment_nuclei(image, NucleusSettings(parting=parting)).labels
        scores.append(f1_at_half(found, truth))
    assert np.mean(scores) > least, dict(zip(UNSEEN_SEEDS, scores, strict=True))


def test_the_trained_judge_beats_the_plain_rule_on_fields_it_has_not_seen():
    gain = []
    for seed in UNSEEN_SEEDS:
        image, truth = crowded_field(seed)
        trained, plain = (
            f1_at_half(segment_nuclei(image, NucleusSettings(parting=who)).labels, truth)
            for who in ("trained", "plain")
        )
        gain.append(trained - plain)
    assert np.mean(gain) > 0, dict(zip(UNSEEN_SEEDS, gain, strict=True))


@pytest.mark.parametrize("apart", [24, 28, 34])
def test_two_that_touch_are_two(apart):
    pair = [(130, 130, 18, 13, 90), (130 + apart, 130, 18, 13, 90)]
    assert segment_nuclei(ellipses((270, 290), LONE + pair)).labels.max() == 6


def test_one_long_nucleus_is_one():
    assert segment_nuclei(ellipses((270, 290), [*LONE, (140, 140, 24, 11, 30)])).labels.max() == 5


def test_a_dim_nucleus_beside_a_bright_one_has_its_own_edge():
    image = ellipses((270, 290), LONE).astype(int)
    image += ellipses((270, 290), [(140, 140, 18, 13, 0)], light=50, background=0).astype(int)
    labels = segment_nuclei(np.clip(image, 0, 255).astype(np.uint8)).labels
    area = np.count_nonzero(labels == labels[140, 140])
    assert labels[140, 140] > 0
    assert area == pytest.approx(np.pi * 18 * 13, rel=0.35)


def test_grain_of_a_dim_cloud_is_no_nucleus():
    image = ellipses((420, 420), LONE).astype(np.float32)
    grain = cv2.GaussianBlur(np.random.default_rng(4).normal(0, 1, image.shape), (0, 0), 6)
    cloud = np.zeros(image.shape, np.float32)
    cv2.circle(cloud, (330, 330), 90, 45, -1)
    image += cv2.GaussianBlur(cloud, (0, 0), 12) * (1 + 0.08 * grain / grain.std())
    unguarded = NucleusSettings(least_curvature=0)
    assert segment_nuclei(image, unguarded).labels.max() > 10
    assert segment_nuclei(image).labels.max() == 4


@pytest.mark.parametrize("zoom", [0.5, 2, 3])
def test_magnification_does_not_change_the_count(zoom):
    image = ellipses((270, 290), LONE)
    other = cv2.resize(image, None, fx=zoom, fy=zoom, interpolation=cv2.INTER_AREA)
    found = segment_nuclei(other)
    assert found.labels.max() == 4
    assert found.typical_diameter_px == pytest.approx(31 * zoom, rel=0.2)


@pytest.mark.parametrize(
    "kind", [np.uint16, np.int32, np.uint32, np.float32, np.float64], ids=lambda k: k.__name__
)
def test_type_and_exposure_do_not_change_the_labels(kind):
    image = ellipses((270, 290), LONE)
    scaled = image.astype(kind) * kind(16) + kind(100)
    np.testing.assert_array_equal(
        segment_nuclei(scaled).labels > 0, segment_nuclei(image).labels > 0
    )


def test_strides_do_not_matter():
    image = ellipses((270, 290), LONE)
    wide = np.repeat(image, 3, axis=1)[:, ::3]
    assert not wide.flags.c_contiguous
    np.testing.assert_array_equal(segment_nuclei(wide).labels, segment_nuclei(image).labels)


EMPTY = {
    "all black": np.zeros((128, 128), np.uint8),
    "all saturated": np.full((128, 128), 65535, np.uint16),
    "noise only": np.random.default_rng(3).normal(100, 5, (256, 256)).astype(np.float32),
    "smaller than a nucleus": np.eye(9, dtype=np.uint8),
}


@pytest.mark.parametrize("image", EMPTY.values(), ids=EMPTY.keys())
def test_a_field_without_nuclei_gives_none_and_says_so(image):
    found = segment_nuclei(image)
    assert found.labels.shape == image.shape
    assert found.labels.max() == 0
    assert found.reasons


def test_holes_in_a_floating_image_are_named():
    image = ellipses((270, 290), LONE).astype(np.float32)
    image[5, 5] = np.nan
    found = segment_nuclei(image)
    assert found.labels.max() == 4
    assert "not finite" in found.reasons[0]


def test_a_colour_image_is_refused():
    with pytest.raises(ValueError, match="one channel"):
        segment_nuclei(np.zeros((64, 64, 3), np.uint8))


def test_labels_have_no_gaps():
    labels = segment_nuclei(draw_field(4)[0]).labels
    assert np.array_equal(np.unique(labels), np.arange(labels.max() + 1))


@pytest.mark.skipif(not (IMAGES / "skmc").is_dir(), reason="needs ../shared/images/skmc")
def test_myotube_cultures():
    hits = found_count = true_count = 0
    for path in sorted((IMAGES / "skmc").glob("*_dapi.png"))[5::16]:
        image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
        labels = segment_nuclei(image, MeasureSettings().nuclei).labels
        truth = cv2.imread(str(path).replace("_dapi", "_gt_nuccenter"), cv2.IMREAD_GRAYSCALE)
        centres = cv2.connectedComponentsWithStats((truth > 128).astype(np.uint8))[3][1:]
        pixels = np.flatnonzero(labels)
        owner = labels.ravel()[pixels]
        area = np.bincount(owner)[1:]
        found = np.stack(
            [np.bincount(owner, axis)[1:] / area for axis in divmod(pixels, labels.shape[1])[::-1]],
            axis=1,
        )
        hits += _matched(found, centres, 16)
        found_count, true_count = found_count + len(found), true_count + len(centres)
    assert 2 * hits / (found_count + true_count) > 0.94
    assert found_count == pytest.approx(true_count, rel=0.03)


def _matched(found, truth, radius):
    from scipy.optimize import linear_sum_assignment

    distance = np.hypot(*(found[:, None] - truth[None]).transpose(2, 0, 1))
    cost = np.where(distance <= radius, distance, 1e6)
    rows, columns = linear_sum_assignment(cost)
    return int((cost[rows, columns] <= radius).sum())
