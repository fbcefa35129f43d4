"""Label images as Fiji has them: calibrated TIFF, and sets of ROIs that give back every pixel."""

import json
import zipfile

import numpy as np
import pandas as pd
import pytest
import roifile
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from labrig.measure.review import open_review, read_back, write_label_set, write_roi_sets
from labrig_analysis.fields.inputs import MOST_LABELS
from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError
from labrig_measure.label_images import read_rois, roi_path, save_labels, save_rois
from labrig_measure.planes import PlaneFile, read_pixel_size_um


def written_set(folder, *rois):
    path = folder / "set.zip"
    roifile.roiwrite(path, rois, mode="w")
    return path


def polygon(corners, name):
    return roifile.ImagejRoi.frompoints(np.array(corners), name=name)


def shape(kind, name="0010-0020", **more):
    return roifile.ImagejRoi(roitype=kind, name=name, **more)


@given(arrays(np.uint16, (9, 11), elements=st.integers(0, 3)))
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_labels_come_back_pixel_by_pixel(tmp_path_factory, labels):
    # Holes, parts, single pixels, corners that touch and the border are all among them.
    path = tmp_path_factory.mktemp("rois") / "set.zip"
    assert save_rois(path, labels, "nuclei") == np.count_nonzero(np.unique(labels))
    found = read_rois(path, labels.shape, "nuclei")
    np.testing.assert_array_equal(found.labels, labels)
    assert found.shared_px == 0


def test_a_ring_is_one_composite_with_its_hole(tmp_path):
    labels = np.zeros((40, 50), np.uint32)
    labels[5:35, 5:45] = 70_000
    labels[15:20, 15:30] = 0
    labels[17, 20] = MOST_LABELS
    path = tmp_path / "set.zip"
    save_rois(path, labels, "tubes")
    ring, dot = roifile.roiread(path)
    assert (ring.name, ring.composite, ring.roitype) == ("tubes_70000", True, 1)
    assert (ring.left, ring.top, ring.right, ring.bottom) == (5, 5, 45, 35)
    # By the signed area of each outline: clockwise outside, against it round the hole.
    areas = []
    for path_ in ring.coordinates(multi=True):
        x, y = path_[:-1].T
        areas.append(float(np.dot(x, np.roll(y, -1)) - np.dot(y, np.roll(x, -1))) / 2)
    assert sorted(areas) == [-75, 1200]
    assert (dot.name, dot.roitype) == (f"tubes_{MOST_LABELS}", roifile.ROI_TYPE.TRACED)
    assert (dot.left, dot.top, dot.right, dot.bottom) == (20, 17, 21, 18)
    np.testing.assert_array_equal(read_rois(path, labels.shape, "tubes").labels, labels)


def test_a_field_wider_than_whole_numbers_reach(tmp_path):
    labels = np.zeros((3, 40_000), np.uint16)
    labels[1, 39_990:] = 1
    labels[:, :4] = 2
    save_rois(tmp_path / "set.zip", labels, "tubes")
    np.testing.assert_array_equal(
        read_rois(tmp_path / "set.zip", labels.shape, "tubes").labels, labels
    )


def test_rois_as_a_person_draws_them(tmp_path):
    kinds = roifile.ROI_TYPE
    path = written_set(
        tmp_path,
        polygon([[2, 2], [6, 2], [6, 6], [2, 6]], "tubes_00003"),
        shape(kinds.RECT, "0002-0012", left=10, top=1, right=14, bottom=4),
        shape(kinds.OVAL, "0010-0020", left=10, top=10, right=30, bottom=24),
        polygon([[-5.5, 30.2], [4.4, 30.2], [4.4, 50.0], [-5.5, 50.0]], "half outside"),
    )
    found = read_rois(path, (40, 40), "tubes").labels
    assert np.unique(found).tolist() == [0, 3, 4, 5, 6]
    assert np.count_nonzero(found == 3) == 16
    assert np.count_nonzero(found == 4) == 12
    assert np.count_nonzero(found == 5) == pytest.approx(np.pi * 10 * 7, rel=0.02)
    rows, columns = np.nonzero(found == 6)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (30, 39, 0, 3)


def test_the_last_roi_lies_on_top_and_what_is_shared_is_counted(tmp_path):
    path = written_set(
        tmp_path,
        polygon([[0, 0], [10, 0], [10, 10], [0, 10]], "nuclei_1"),
        polygon([[5, 5], [15, 5], [15, 15], [5, 15]], "0010-0010"),
    )
    found = read_rois(path, (20, 20), "nuclei")
    assert found.shared_px == 25
    assert (np.count_nonzero(found.labels == 1), np.count_nonzero(found.labels == 2)) == (75, 100)


KINDS = roifile.ROI_TYPE
SQUARE = {"left": 2, "top": 2, "right": 8, "bottom": 8}
NO_AREAS = {
    "a line": (shape(KINDS.LINE, x1=1, y1=1, x2=5, y2=5), "is line"),
    "points": (shape(KINDS.POINT), "is point"),
    "rounded": (shape(KINDS.RECT, rounded_rect_arc_size=4, **SQUARE), "is rounded"),
    "outside": (shape(KINDS.RECT, left=60, top=60, right=70, bottom=70), "holds no centre"),
    "thin": (polygon([[2.6, 2], [2.9, 2], [2.9, 9], [2.6, 9]], "x"), "holds no centre"),
}


@pytest.mark.parametrize(("roi", "why"), NO_AREAS.values(), ids=NO_AREAS)
def test_rois_that_are_no_objects_are_named(tmp_path, roi, why):
    with pytest.raises(MeasureError, match=why):
        read_rois(written_set(tmp_path, roi), (20, 20), "tubes")


def test_a_roi_under_others_and_files_that_are_no_sets(tmp_path):
    small, large = (
        polygon([[a, a], [b, a], [b, b], [a, b]], name)
        for a, b, name in ((5, 9, "tubes_4"), (2, 15, "new"))
    )
    with pytest.raises(MeasureError, match="tubes_4 lies wholly under"):
        read_rois(written_set(tmp_path, small, large), (20, 20), "tubes")
    (tmp_path / "set.zip").write_bytes(b"no zip")
    with pytest.raises(MeasureError, match="no set of ROIs"):
        read_rois(tmp_path / "set.zip", (20, 20), "tubes")
    with zipfile.ZipFile(tmp_path / "set.zip", "w") as packed:
        packed.writestr("a.roi", b"Iout damaged")
    with pytest.raises(MeasureError, match="no set of ROIs"):
        read_rois(tmp_path / "set.zip", (20, 20), "tubes")


@pytest.mark.parametrize("most", [3, 70_000])
def test_a_label_image_is_calibrated_as_imagej_says_it(tmp_path, most):
    labels = np.zeros((20, 30), np.int32)
    labels[3:9, 4:8] = most
    save_labels(tmp_path / "a.tif", labels, 0.645)
    assert read_pixel_size_um(PlaneFile(str(tmp_path / "a.tif"))) == pytest.approx(0.645)
    with tifffile.TiffFile(tmp_path / "a.tif") as file:
        np.testing.assert_array_equal(file.asarray(), labels)
        assert file.imagej_metadata["unit"] == "um"
        assert file.imagej_metadata["max"] == most
        assert file.pages.first.tags["ResolutionUnit"].value == 1
        assert file.pages.first.dtype == (np.uint16 if most == 3 else np.uint32)


def test_measuring_writes_sets_where_they_are_asked_for(folder, patterns, tmp_path):
    out = tmp_path / "out"
    measure_folder(folder, out, patterns, 0.65)
    again = measure_folder(folder, out, patterns, 0.65, save_labels=True, save_rois=True)
    assert again.measured == 3
    nuclei = read_rois(roi_path(out, "a", "nuclei"), (260, 300), "nuclei").labels
    np.testing.assert_array_equal(nuclei, tifffile.imread(out / "a_nuclei.tif"))
    assert measure_folder(folder, out, patterns, 0.65, save_rois=True).measured == 0


@pytest.fixture
def out(folder, patterns, tmp_path):
    measure_folder(folder, tmp_path / "out", patterns, 0.65)
    review = open_review(tmp_path / "out")
    assert (write_label_set(review), write_roi_sets(review)) == (6, 6)
    return tmp_path / "out"


def test_a_corrected_set_is_taken_as_the_labels(out):
    path = out / "review" / "b_nuclei_RoiSet.zip"
    kept = [roi for roi in roifile.roiread(path) if roi.name != "nuclei_00001"]
    kept.append(polygon([[250, 10], [268, 10], [268, 24], [250, 24]], "0017-0259"))
    roifile.roiwrite(path, kept, mode="w")
    [correction] = read_back(open_review(out), "Ada", "one is debris, one was missed")
    assert (correction.field, correction.before, correction.after) == ("b", 4, 4)
    nuclei = pd.read_csv(out / "reviewed" / "nuclei.csv").query("field == 'b'").set_index("nucleus")
    assert nuclei.index.tolist() == [2, 3, 4, 5]
    assert nuclei.loc[5, "area_px"] == 18 * 14
    # Image and set say the same again, so that either may be edited next.
    assert tifffile.imread(out / "review" / "b_nuclei.tif").max() == 5
    assert read_back(open_review(out), "", "") == []
    assert len((out / "corrections.jsonl").read_text().splitlines()) == 1


def test_what_is_drawn_anew_never_gets_the_number_of_what_was_deleted(out):
    path = out / "review" / "b_nuclei_RoiSet.zip"
    kept = [roi for roi in roifile.roiread(path) if roi.name != "nuclei_00004"]
    drawn = polygon([[250, 10], [268, 10], [268, 24], [250, 24]], "0017-0259")
    roifile.roiwrite(path, [*kept, drawn], mode="w")
    read_back(open_review(out), "Ada", "one is debris, one was missed")
    nuclei = pd.read_csv(out / "reviewed" / "nuclei.csv").query("field == 'b'")
    assert nuclei["nucleus"].tolist() == [1, 2, 3, 5]


def test_the_programs_image_put_back_undoes_a_corrected_set(out):
    path = out / "review" / "b_nuclei_RoiSet.zip"
    roifile.roiwrite(path, roifile.roiread(path)[1:], mode="w")
    read_back(open_review(out), "Ada", "debris")
    original = out / "review" / "original" / "b_nuclei.tif"
    (out / "review" / "b_nuclei.tif").write_bytes(original.read_bytes())
    [correction] = read_back(open_review(out), "Ada", "it was none")
    assert (correction.before, correction.after) == (3, 4)
    assert len(roifile.roiread(path)) == 4


def test_two_edits_that_differ_are_refused(out):
    path = out / "review" / "b_nuclei_RoiSet.zip"
    roifile.roiwrite(path, roifile.roiread(path)[1:], mode="w")
    image = out / "review" / "b_nuclei.tif"
    tifffile.imwrite(image, np.where(tifffile.imread(image) == 3, 0, tifffile.imread(image)))
    with pytest.raises(MeasureError, match="both edited"):
        read_back(open_review(out), "Ada", "debris")
    assert not (out / "corrections.jsonl").exists()


def test_an_edited_set_is_not_lost_when_images_are_measured_anew(out, folder, patterns, drawn):
    import cv2

    path = out / "review" / "b_nuclei_RoiSet.zip"
    roifile.roiwrite(path, roifile.roiread(path)[1:], mode="w")
    for name in "ab":
        cv2.imwrite(str(folder / f"{name}_dapi.png"), drawn(7)[1][:, ::-1])
    measure_folder(folder, out, patterns, 0.65)
    with pytest.raises(MeasureError, match="b_nuclei_RoiSet"):
        write_label_set(open_review(out))
    # Those of `a`, which nobody edited, are of older labels, and are written anew.
    assert not (out / "review" / "a_nuclei_RoiSet.zip").exists()
    assert json.loads((out / "settings.json").read_text())["pixel_size_um"] == 0.65
