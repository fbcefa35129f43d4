"""Crossing tubes are parted where four arms make two straight lines, and nowhere else."""

import numpy as np
import pytest

from labrig_analysis.synthetic.phantoms import Look, Straight, branching, paint
from labrig_analysis.tubes.crossings import split_crossings
from labrig_analysis.tubes.fluorescence import segment_tubes
from labrig_analysis.widths.diameter import measure_diameters

FIELD = (320, 320)


@pytest.mark.parametrize("angle_deg", [45.0, 60.0, 90.0, 120.0])
@pytest.mark.parametrize("widths_px", [(20.0, 20.0), (14.0, 30.0)])
def test_crossing_tubes_get_their_own_labels_and_widths(angle_deg, widths_px):
    tubes = [Straight(widths_px[0], 0.0, 280), Straight(widths_px[1], angle_deg, 280)]
    image = paint(tubes, FIELD, Look(noise_sd=2)).image
    found = segment_tubes(image, 1.0)
    assert found.clusters.tolist() == [0, 1, 1]
    measured = measure_diameters(found.labels, image, 1.0).tubes["diameter_mean_um"]
    assert sorted(measured) == pytest.approx(sorted(widths_px), abs=0.15)


def test_no_chord_is_taken_across_the_crossing():
    tubes = [Straight(20.0, 0.0, 280), Straight(20.0, 60.0, 280)]
    phantom = paint(tubes, FIELD)
    found = segment_tubes(phantom.image, 1.0)
    points = measure_diameters(found.labels, phantom.image, 1.0).points
    used = points[points["use"]]
    x, y = used["x_px"].round().astype(int), used["y_px"].round().astype(int)
    assert not phantom.crossing[y, x].any()
    assert used["width_um"].between(19.0, 21.5).all()


def test_a_branched_tube_stays_one():
    found = segment_tubes(paint(branching(20.0, FIELD), FIELD).image, 1.0)
    assert found.clusters.tolist() == [0, 1]


def test_a_crossing_too_slanted_to_tell_stays_one_cluster():
    image = paint([Straight(20.0, 0.0, 280), Straight(20.0, 15.0, 280)], FIELD).image
    assert segment_tubes(image, 1.0).n_tubes == 1


def test_labels_without_crossings_come_back_as_they_were():
    labels = np.zeros((60, 200), np.int32)
    labels[10:20, 5:195] = 1
    labels[40:50, 5:195] = 2
    parted = split_crossings(labels)
    assert np.array_equal(parted.labels, labels)
    assert parted.clusters.tolist() == [0, 1, 2]


def test_a_label_that_fills_the_whole_field_has_a_width_of_its_size():
    from labrig_analysis.tubes.crossings import split_crossings

    full = np.ones((80, 120), np.int32)
    parted = split_crossings(full)
    assert parted.labels.max() == 1
