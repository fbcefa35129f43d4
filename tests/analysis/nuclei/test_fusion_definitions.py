"""Fusion index by every rule, on cases small enough to count by hand."""

import numpy as np
import pytest

from labrig_analysis.nuclei.fusion import (
    FusionSettings,
    assign_tubes,
    fusion_index,
    nuclei_per_tube,
    overlap_nuclei,
    wilson_interval,
)


@pytest.fixture
def laid_over():
    """Tube 1 is columns 0-49, tube 2 columns 60-99; four nuclei of 10 x 10 px."""
    tubes = np.zeros((100, 100), np.int32)
    tubes[:, :50], tubes[:, 60:] = 1, 2
    nuclei = np.zeros_like(tubes)
    for label, left in enumerate((10, 43, 48, 56), start=1):
        nuclei[20 * label - 20 : 20 * label - 10, left : left + 10] = label
    centres = np.array([[np.nonzero(nuclei == k)[a].mean() for a in (0, 1)] for k in (1, 2, 3, 4)])
    return overlap_nuclei(nuclei, tubes, centres)


RULES = {  # nucleus 1 inside tube 1; 2 by 70 % in tube 1; 3 by 20 %; 4 by 60 % in tube 2
    "centroid": [1, 1, 0, 2],
    "overlap_25": [1, 1, 0, 2],
    "overlap_50": [1, 1, 0, 2],
    "overlap_75": [1, 0, 0, 0],
}


@pytest.mark.parametrize(("rule", "tubes"), RULES.items(), ids=RULES.keys())
def test_rules(laid_over, rule, tubes):
    assert assign_tubes(laid_over, rule).tolist() == tubes


def test_shares(laid_over):
    assert laid_over.share.tolist() == pytest.approx([1.0, 0.7, 0.2, 0.6])


@pytest.mark.parametrize(("least", "share"), [(1, 0.75), (2, 0.5), (3, 0.0)])
def test_index(laid_over, least, share):
    assert fusion_index(assign_tubes(laid_over, "centroid"), 2, least).value == share


def test_a_nucleus_over_two_tubes_goes_to_the_one_that_covers_more():
    tubes = np.zeros((10, 10), np.int32)
    tubes[:, :6], tubes[:, 6:] = 1, 2
    nuclei = np.zeros_like(tubes)
    nuclei[2:6, 2:9] = 1
    found = overlap_nuclei(nuclei, tubes, np.array([[3.5, 5.5]]))
    assert (found.tube.tolist(), found.share.tolist()) == ([1], [4 / 7])


def test_an_empty_field_has_no_index():
    nothing = np.empty(0, np.int32)
    assert np.isnan(fusion_index(nothing, 0, 2)).all()
    assert nuclei_per_tube(nothing, 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("successes", "trials", "low", "high"),
    # Newcombe 1998, Stat Med 17:857, table I, method 3 (score).
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611),
     (1, 29, 0.0061, 0.1718)],
)  # fmt: skip
def test_wilson_interval_of_the_literature(successes, trials, low, high):
    found = wilson_interval(successes, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_the_definition_names_every_choice():
    settings = FusionSettings(inside_rule="overlap_50", min_nuclei=3, mature_nuclei=6)
    assert settings.definition == "in>=3|overlap_50|mature>=6"


def test_label_images_of_two_fields_are_refused():
    with pytest.raises(ValueError, match="one shape"):
        overlap_nuclei(np.zeros((4, 4), int), np.zeros((4, 5), int), np.empty((0, 2)))
