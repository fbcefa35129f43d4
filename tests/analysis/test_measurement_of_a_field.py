"""`measure`: planes in, tables out, on a drawn field whose numbers are known."""

import cv2
import numpy as np
import pytest

from labrig_analysis.ground import Ground
from labrig_analysis.measurement import measure, measure_labels
from labrig_analysis.object_shapes import measure_shapes
from labrig_analysis.pyknosis import PyknosisRule, find_pyknotic
from labrig_analysis.settings import MeasureSettings

PIXEL_UM = 0.65
INSIDE, OUTSIDE = [(120, 100), (200, 100), (300, 100)], [(80, 220), (260, 260), (420, 300)]


def noisy(image, seed):
    image = cv2.GaussianBlur(image.astype(np.float32), (0, 0), 1.2)
    noise = np.random.default_rng(seed).normal(0, 1, image.shape)
    return np.clip(image + noise, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def planes():
    """A straight tube 40 px wide with three nuclei in it; three nuclei outside; 480 x 400 px."""
    tube = np.full((400, 480), 12, np.uint8)
    cv2.rectangle(tube, (50, 80), (430, 119), 140, -1)
    nuclei = np.full((400, 480), 10, np.uint8)
    for x, y in INSIDE + OUTSIDE:
        cv2.ellipse(nuclei, (x, y), (14, 10), 25, 0, 360, 120, -1)
    return noisy(tube, 1), noisy(nuclei, 2)


@pytest.fixture(scope="module")
def measured(planes):
    return measure(planes, PIXEL_UM, ["tubes", "nuclei"])


def test_one_row_a_thing(measured):
    assert (len(measured.field), len(measured.tubes), len(measured.nuclei)) == (1, 1, 6)
    assert measured.flags == ()


def test_width_and_counts(measured):
    tube, field = measured.tubes.iloc[0], measured.field.iloc[0]
    assert tube["diameter_mean_um"] == pytest.approx(40 * PIXEL_UM, rel=0.02)
    assert (tube["nuclei"], field["nuclei"], field["tubes"]) == (3, 6, 1)
    assert field["fusion_index"] == pytest.approx(0.5)
    assert field["fusion_index_low"] < 0.5 < field["fusion_index_high"]
    assert field["definition"] == "in>=2|overlap_50|mature>=5"
    assert tube["nuclear_domain_um2"] == pytest.approx(tube["area_um2"] / 3)
    assert field["tube_area_fraction"] == pytest.approx(381 * 40 / (400 * 480), rel=0.15)


def test_every_definition_is_a_column(measured):
    field = measured.field.iloc[0]
    by_centroid = [field[f"fusion_index_ge{k}_centroid"] for k in (1, 2, 3)]
    assert by_centroid == pytest.approx([0.5, 0.5, 0.5])
    assert {f"fusion_index_ge{k}_overlap_{p}" for k in (1, 2, 3) for p in (25, 50, 75)} <= set(
        measured.field
    )


def test_centroids_are_where_they_were_drawn(measured):
    found = measured.nuclei[["x_px", "y_px"]].to_numpy()
    for centre in INSIDE + OUTSIDE:
        assert np.hypot(*(found - centre).T).min() < 1


def test_a_stack_and_a_list_of_planes_are_the_same(planes, measured):
    again = measure(np.stack(planes), PIXEL_UM, ["tubes", "nuclei"])
    assert again.field.equals(measured.field)


def test_labels_measured_again_give_the_same_tables(planes, measured):
    by_name = dict(zip(["tubes", "nuclei"], planes, strict=True))
    again = measure_labels(by_name, measured.labels, PIXEL_UM)
    assert again.tubes.equals(measured.tubes)
    assert again.nuclei.equals(measured.nuclei)


def test_labels_that_are_not_of_the_planes_are_refused(planes, measured):
    by_name = dict(zip(["tubes", "nuclei"], planes, strict=True))
    cropped = {name: image[:-5] for name, image in measured.labels.items()}
    with pytest.raises(ValueError, match="planes and labels of one field must have one size"):
        measure_labels(by_name, cropped, PIXEL_UM)
    mask = {**measured.labels, "nuclei": measured.labels["nuclei"] > 0}
    with pytest.raises(TypeError, match="nuclei labels are bool"):
        measure_labels(by_name, mask, PIXEL_UM)


@pytest.mark.parametrize("channel", ["tubes", "nuclei"])
def test_one_channel_alone_gives_its_own_tables(planes, channel):
    plane = planes[["tubes", "nuclei"].index(channel)]
    found = measure([plane], PIXEL_UM, [channel])
    assert list(found.labels) == [channel]
    assert "fusion_index" not in found.field


def test_phase_gives_tube_like_objects(planes):
    found = measure([150 - planes[0] // 2], PIXEL_UM, ["phase"])
    assert found.field.iloc[0]["kind"] == "tube-like object"
    assert found.tubes["diameter_mean_um"].to_numpy() == pytest.approx(40 * PIXEL_UM, rel=0.1)


def test_a_stain_goes_before_phase(planes, measured):
    found = measure([150 - planes[0] // 2, *planes], PIXEL_UM, ["phase", "tubes", "nuclei"])
    assert found.field.equals(measured.field)
    assert set(found.tubes["kind"]) == {"tube"}


def test_an_empty_field_is_zeros_and_a_reason(planes):
    black = np.zeros_like(planes[0])
    found = measure([black, planes[1]], PIXEL_UM, ["tubes", "nuclei"])
    field = found.field.iloc[0]
    assert (field["tubes"], field["nuclei"], field["fusion_index"]) == (0, 6, 0)
    assert any("black" in reason for reason in found.flags)
    both = measure([black, black], PIXEL_UM, ["tubes", "nuclei"])
    assert np.isnan(both.field.iloc[0]["fusion_index"])


MEANINGLESS = {
    "no calibration": (None, ["tubes", "nuclei"], "calibration"),
    "no size": (0, ["tubes", "nuclei"], "calibration"),
    "unknown channel": (PIXEL_UM, ["tubes", "dapi"], "say tubes, nuclei, phase"),
    "one twice": (PIXEL_UM, ["tubes", "tubes"], "twice"),
    "too few names": (PIXEL_UM, ["tubes"], "name each plane"),
}


@pytest.mark.parametrize(("size", "names", "why"), MEANINGLESS.values(), ids=MEANINGLESS.keys())
def test_calls_that_cannot_be_meant(planes, size, names, why):
    with pytest.raises(ValueError, match=why):
        measure(planes, size, names)


def test_planes_of_two_sizes_are_refused(planes):
    with pytest.raises(ValueError, match="one size"):
        measure([planes[0], planes[1][:-1]], PIXEL_UM, ["tubes", "nuclei"])


def test_settings_are_frozen():
    with pytest.raises(AttributeError):
        MeasureSettings().fusion = None


def test_pyknotic_is_small_and_bright_and_compact():
    image = np.full((200, 400), 10, np.uint8)
    labels = np.zeros(image.shape, np.int32)
    looks = [(14, 14, 60)] * 6 + [(8, 8, 140), (8, 8, 60), (14, 14, 140), (16, 3, 140)]
    for label, (a, b, light) in enumerate(looks, start=1):
        at = (40 * label - 20, 100)
        cv2.ellipse(labels, at, (a, b), 0, 0, 360, label, -1)
        image[labels == label] = light
    found = find_pyknotic(measure_shapes(labels, image), 10, PyknosisRule())
    assert np.flatnonzero(found).tolist() == [6]


def test_one_pixel_that_is_no_number_changes_no_pyknotic_nucleus(planes):
    tube, nuclei = planes[0], planes[1].astype(np.float32)
    for x, y in ((150, 300), (350, 200)):
        cv2.circle(nuclei, (x, y), 7, 250, -1)
    whole = measure([tube, nuclei], PIXEL_UM, ["tubes", "nuclei"])
    nuclei[0, 0] = np.nan  # where the background is looked at
    nuclei[220, 80] = np.nan  # in a nucleus
    holed = measure([tube, nuclei], PIXEL_UM, ["tubes", "nuclei"])
    assert whole.field["pyknotic_nuclei"].tolist() == [2]
    assert holed.field["pyknotic_nuclei"].tolist() == [2]
    assert holed.nuclei["mean_intensity"].notna().all()


def test_the_ground_is_known_at_any_number_of_places():
    ground = Ground(np.full((4, 4), 7, np.float32), (40, 40))
    assert (ground.at(np.zeros((40_000, 2))) == 7).all()


def test_the_library_gives_what_one_begins_with(planes):
    import labrig_analysis

    found = labrig_analysis.measure(planes, PIXEL_UM, ["tubes", "nuclei"])
    assert isinstance(found, labrig_analysis.Measurement)
    assert labrig_analysis.MeasureSettings is MeasureSettings
    with pytest.raises(AttributeError, match="measures"):
        labrig_analysis.measures  # noqa: B018
