"""`measure`: planes in, tables out, on a drawn field whose numbers are known."""

import cv2
import numpy as np
import pytest

from labrig_analysis.images.background import Background
from labrig_analysis.labels.region_properties import measure_regions
from labrig_analysis.measurement import measure, measure_labels
from labrig_analysis.nuclei.foreground import EdgeSettings
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.nuclei.pyknosis import PyknosisRule, find_pyknotic
from labrig_analysis.nuclei.segmentation import NucleusSettings
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.widths.diameter import DiameterSettings

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


def blinded(plane, how):
    """The plane as it comes from a camera that saw nothing."""
    return {
        "black": np.zeros_like(plane),
        "no numbers": np.full(plane.shape, np.nan, np.float32),
        "over-exposed": np.where(np.indices(plane.shape)[1] % 480 < 400, 255, plane // 8),
    }[how].astype(np.float32 if how == "no numbers" else np.uint8)


OF_TUBES = ["tubes", "tube_area_fraction", "myotubes", "maturation_index", "fusion_index"]


def test_a_field_without_tubes_has_none(planes):
    dark = noisy(np.full_like(planes[0], 12), 3)
    found = measure([dark, planes[1]], PIXEL_UM, ["tubes", "nuclei"])
    field = found.field.iloc[0]
    assert (field["tubes"], field["nuclei"], field["fusion_index"]) == (0, 6, 0)
    assert any("empty field" in reason for reason in found.flags)


@pytest.mark.parametrize("how", ["black", "no numbers", "over-exposed"])
def test_of_tubes_that_could_not_be_seen_nothing_is_known(planes, how):
    found = measure([blinded(planes[0], how), planes[1]], PIXEL_UM, ["tubes", "nuclei"])
    field = found.field.iloc[0]
    assert field["nuclei"] == 6
    assert field[OF_TUBES].isna().all()
    assert field[["fusion_index_ge1_centroid", "fusion_index_ge1_centroid_high"]].isna().all()
    assert found.nuclei[["tube_centroid", "tube_overlap_50", "overlap_share"]].isna().all(axis=None)
    assert field["definition"] == "in>=2|overlap_50|mature>=5"
    assert any(reason.startswith("tube image") for reason in found.flags)


@pytest.mark.parametrize("how", ["black", "no numbers", "over-exposed"])
def test_of_nuclei_that_could_not_be_seen_nothing_is_known(planes, how):
    found = measure([planes[0], blinded(planes[1], how)], PIXEL_UM, ["tubes", "nuclei"])
    field, tube = found.field.iloc[0], found.tubes.iloc[0]
    assert field["tubes"] == 1
    assert tube["diameter_mean_um"] == pytest.approx(40 * PIXEL_UM, rel=0.02)
    assert field[["nuclei", "pyknotic_nuclei", "fusion_index", "myotubes"]].isna().all()
    assert tube[["nuclei", "nuclear_domain_um2", "myotube", "mature"]].isna().all()
    assert any(reason.startswith("nucleus image") for reason in found.flags)


def test_a_person_who_finds_no_tube_in_a_plane_that_shows_nothing_knows_no_more(planes, measured):
    black = {"tubes": np.zeros_like(planes[0]), "nuclei": planes[1]}
    labels = {"tubes": np.zeros_like(measured.labels["tubes"]), "nuclei": measured.labels["nuclei"]}
    found = measure_labels(black, labels, PIXEL_UM)
    assert np.isnan(found.field.iloc[0]["fusion_index"])
    assert found.flags == ("tubes plane is blank: all black",)


def test_objects_keep_the_numbers_that_a_person_gave_them(planes, measured):
    """Tube 1 becomes 40, nuclei count 1, 2, 9, 12, 15, 18."""
    by_name = dict(zip(["tubes", "nuclei"], planes, strict=True))
    numbers = np.array([0, 1, 2, 9, 12, 15, 18])
    edited = {
        "tubes": measured.labels["tubes"].astype(np.uint64) * 40,
        "nuclei": numbers[measured.labels["nuclei"]],
    }
    found = measure_labels(by_name, edited, PIXEL_UM)
    assert found.tubes["tube"].tolist() == [40]
    assert set(found.points["tube"]) == {40}
    assert found.nuclei["nucleus"].tolist() == [1, 2, 9, 12, 15, 18]
    assert sorted(found.nuclei["tube_overlap_50"]) == [0, 0, 0, 40, 40, 40]
    assert found.field.equals(measured.field.drop(columns="nucleus_search_diameter_px"))
    assert (found.labels["nuclei"] == edited["nuclei"]).all()


UNFIT_LABELS = {
    "negative": ({"tubes": -1}, ValueError, "run from -1 to 0"),
    "huge numbers": ({"tubes": 2**24}, ValueError, "relabel_sequential"),
    "another name": ({"tube": 0}, ValueError, "labels 'tube' are unknown: say tubes or nuclei"),
    "halves": ({"nuclei": 0.5}, TypeError, "nuclei labels are float64; give integers"),
}


@pytest.mark.parametrize(("labels", "error", "why"), UNFIT_LABELS.values(), ids=UNFIT_LABELS.keys())
def test_labels_that_cannot_be_meant(planes, labels, error, why):
    by_name = dict(zip(["tubes", "nuclei"], planes, strict=True))
    images = {name: np.zeros(planes[0].shape, np.array(v).dtype) for name, v in labels.items()}
    for name, value in labels.items():
        images[name][3, 3] = value
    with pytest.raises(error, match=why):
        measure_labels(by_name, images, PIXEL_UM)


def test_labels_need_their_plane(planes, measured):
    with pytest.raises(ValueError, match=r"nuclei labels need the plane .* given: tubes"):
        measure_labels({"tubes": planes[0]}, measured.labels, PIXEL_UM)


def test_definitions_stand_in_every_table(measured):
    assert set(measured.nuclei["definition"]) == {"in>=2|overlap_50|mature>=5"}
    assert set(measured.tubes["definition"]) == {"in>=2|overlap_50|mature>=5"}
    pyknosis = "area<=0.5|light>=1.5|minor/major>=0.5"
    assert set(measured.nuclei["pyknosis_definition"]) == {pyknosis}
    field = measured.field.iloc[0]
    assert field["pyknosis_definition"] == pyknosis
    assert field["diameter_definition"] == "chord|edge=0.5|points>=3"


def test_every_fusion_index_has_its_interval(measured):
    field = measured.field.iloc[0]
    for rule in ("centroid", "overlap_25", "overlap_50", "overlap_75"):
        for least in (1, 2, 3):
            name = f"fusion_index_ge{least}_{rule}"
            # Wilson's for 3 of 6.
            assert field[f"{name}_low"] == pytest.approx(0.1876, abs=1e-4)
            assert field[f"{name}_high"] == pytest.approx(0.8124, abs=1e-4)


OUT_OF_RANGE = {
    "no nucleus": (lambda: FusionSettings(min_nuclei=-1), "min_nuclei is -1; give 1 or more"),
    "mature from none": (lambda: FusionSettings(mature_nuclei=0), "give 1 or more"),
    "rule": (lambda: FusionSettings(inside_rule="half"), "choose centroid, overlap_25"),
    "negative area": (lambda: PyknosisRule(largest_area=-5), "largest_area is -5; give 0 or more"),
    "no window": (lambda: DiameterSettings(ground_um=0), "ground_um is 0; give 1 or more"),
    "tips": (lambda: DiameterSettings(tip_half_widths=-3), "give 0 or more"),
    "points": (lambda: DiameterSettings(min_points=0), "give 1 or more"),
    "edge": (lambda: DiameterSettings(edge_fraction=1), "give 0.01 to 0.99"),
    "not a number": (lambda: DiameterSettings(edge_fraction=np.nan), "edge_fraction is nan"),
    "tiny nuclei": (lambda: NucleusSettings(diameter_px=0), "diameter_px is 0; give 3 or more"),
    "nobody judges": (lambda: NucleusSettings(parting="guess"), "choose trained or plain"),
    "shoulder": (lambda: EdgeSettings(shoulder=2), "shoulder is 2; give 0 to 1"),
}


@pytest.mark.parametrize(("make", "why"), OUT_OF_RANGE.values(), ids=OUT_OF_RANGE.keys())
def test_settings_without_a_meaning_are_refused(make, why):
    with pytest.raises(ValueError, match=why):
        make()


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


UNFIT_STACKS = {
    "one plane": (np.zeros((60, 80)), ["tubes"], r"one plane is given as \[plane\]"),
    "a text": (np.zeros((1, 60, 80)), "tubes", r"a list, e.g. \['tubes'\]"),
    "a colour picture": (np.zeros((60, 80, 3)), ["tubes", "nuclei"], "as of a colour picture"),
    "a film of fields": (np.zeros((9, 2, 60, 80)), ["tubes", "nuclei"], "planes of one field"),
    "nothing": ([], [], "holds no plane"),
}


@pytest.mark.parametrize(("stack", "names", "why"), UNFIT_STACKS.values(), ids=UNFIT_STACKS.keys())
def test_stacks_that_cannot_be_meant(stack, names, why):
    with pytest.raises(ValueError, match=why):
        measure(stack, PIXEL_UM, names)


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
    found = find_pyknotic(measure_regions(labels, image), 10, PyknosisRule())
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
    background = Background(np.full((4, 4), 7, np.float32), (40, 40))
    assert (background.at(np.zeros((40_000, 2))) == 7).all()


def test_the_library_gives_what_one_begins_with(planes):
    import labrig_analysis

    found = labrig_analysis.measure(planes, PIXEL_UM, ["tubes", "nuclei"])
    assert isinstance(found, labrig_analysis.Measurement)
    assert labrig_analysis.MeasureSettings is MeasureSettings
    with pytest.raises(AttributeError, match="measures"):
        labrig_analysis.measures  # noqa: B018


@pytest.mark.parametrize("pixel_size_um", [0.065, 6.5])
def test_an_impossible_pixel_size_is_doubted(planes, pixel_size_um):
    found = measure(planes, pixel_size_um, ["tubes", "nuclei"])
    assert any("pixel size or channel looks wrong" in flag for flag in found.flags)


def test_one_picture_given_twice_is_doubted(planes):
    found = measure([planes[1], planes[1].copy()], PIXEL_UM, ["tubes", "nuclei"])
    assert any("same picture" in flag for flag in found.flags)


def test_a_notebook_shows_the_main_numbers_in_a_line(measured, planes):
    assert repr(measured).startswith("Measurement: tubes 1, diameter_mean_um ")
    assert len(repr(measured)) < 120
    assert measured.summary["nuclei"] == 6
    blank = measure([np.zeros_like(planes[0])], PIXEL_UM, ["tubes"])
    assert repr(blank).splitlines()[1:] == list(blank.flags)


@pytest.mark.parametrize(
    ("size", "settings", "why"),
    [
        ("0.65", None, "pixel_size_um is str"),
        (["tubes", "nuclei"], None, "pixel_size_um is list"),
        (PIXEL_UM, {"tubes": {}}, "settings is a dict; give MeasureSettings"),
    ],
)
def test_an_argument_of_another_kind_is_named(planes, size, settings, why):
    with pytest.raises(TypeError, match=why):
        measure(planes, size, ["tubes", "nuclei"], settings)
