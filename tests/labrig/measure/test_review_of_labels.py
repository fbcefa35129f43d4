"""A person's corrections: read back, measured, recorded; the original stays."""

import dataclasses
import json

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile

from labrig.measure.review import open_review, read_back, write_label_set
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.settings import MeasureSettings
from labrig_measure.batch import measure_folder
from labrig_measure.errors import MeasureError


@pytest.fixture
def out(folder, patterns, tmp_path):
    measure_folder(folder, tmp_path / "out", patterns, 0.65)
    assert write_label_set(open_review(tmp_path / "out")) == 6
    return tmp_path / "out"


def erase(path, label):
    labels = tifffile.imread(path)
    tifffile.imwrite(path, np.where(labels == label, 0, labels))


def test_an_erased_nucleus_changes_the_reviewed_tables_only(out):
    before = {name: (out / name).read_bytes() for name in ("fields.csv", "nuclei.csv")}
    erase(out / "review" / "b_nuclei.tif", 1)
    [correction] = read_back(open_review(out), "Ada", "debris")
    assert (correction.field, correction.objects) == ("b", "nuclei")
    assert (correction.before, correction.after) == (4, 3)
    assert before == {name: (out / name).read_bytes() for name in before}
    fields = pd.read_csv(out / "reviewed" / "fields.csv").set_index("field")
    assert fields["nuclei"].to_dict() == {"a": 4, "b": 3, "c": 4}
    assert fields.loc["b", "status"] == "corrected"
    [line] = (out / "corrections.jsonl").read_text().splitlines()
    record = json.loads(line)
    assert (record["by"], record["why"], record["field"]) == ("Ada", "debris", "b")
    assert record["at"].endswith("+00:00")
    assert tifffile.imread(out / "review" / "original" / "b_nuclei.tif").max() == 4


def test_a_second_call_does_not_overwrite_edits(out):
    erase(out / "review" / "b_nuclei.tif", 1)
    assert write_label_set(open_review(out)) == 0
    assert len(read_back(open_review(out), "Ada", "debris")) == 1


def test_nothing_edited_writes_nothing(out):
    assert read_back(open_review(out), "", "") == []
    assert not (out / "reviewed").exists()
    assert not (out / "corrections.jsonl").exists()


@pytest.mark.parametrize(("by", "why"), [("", "debris"), ("Ada", " ")])
def test_a_correction_needs_a_name_and_a_reason(out, by, why):
    erase(out / "review" / "b_nuclei.tif", 1)
    with pytest.raises(MeasureError, match="who and why"):
        read_back(open_review(out), by, why)
    assert not (out / "corrections.jsonl").exists()


SHAPE = (260, 300)
BAD = {
    "other size": (np.zeros((10, 10), np.uint16), "whole field"),
    "several planes": (np.zeros((2, *SHAPE), np.uint16), "one plane"),
    "fractions": (np.full(SHAPE, 0.5, np.float32), "fractions"),
    "not a number": (np.full(SHAPE, np.nan, np.float32), "fractions"),
    "infinite": (np.full(SHAPE, np.inf, np.float32), "fractions"),
    "colour": (np.zeros((*SHAPE, 3), np.uint8), "colour picture"),
    "negative": (np.full(SHAPE, -1, np.int32), "negative"),
    "huge numbers": (np.full(SHAPE, 2**31, np.uint32), "16777215"),
    "complex": (np.zeros(SHAPE, np.complex64), "complex"),
}


@pytest.mark.parametrize(("image", "why"), BAD.values(), ids=BAD.keys())
def test_images_that_are_no_labels(out, image, why):
    tifffile.imwrite(out / "review" / "a_tubes.tif", image)
    with pytest.raises(MeasureError, match=why):
        read_back(open_review(out), "Ada", "x")


def test_a_label_image_that_is_gone_or_damaged(out):
    path = out / "review" / "a_tubes.tif"
    path.write_bytes(b"no TIFF")
    with pytest.raises(MeasureError, match="save it as TIFF again"):
        read_back(open_review(out), "Ada", "x")
    path.unlink()
    with pytest.raises(MeasureError, match=r"is gone.*original"):
        read_back(open_review(out), "Ada", "x")


@pytest.mark.parametrize("kind", ["float32", ">u2", "int64"])
def test_the_type_a_program_saves_in_is_no_edit(out, kind):
    path = out / "review" / "a_nuclei.tif"
    tifffile.imwrite(path, tifffile.imread(path).astype(kind))
    assert read_back(open_review(out), "", "") == []


def test_objects_keep_the_numbers_a_person_left_them(out):
    path = out / "review" / "a_nuclei.tif"
    labels = tifffile.imread(path)
    labels[labels == 2] = 0
    labels[10:24, 250:268] = 900
    tifffile.imwrite(path, labels)
    [correction] = read_back(open_review(out), "Ada", "one is debris, one was missed")
    assert (correction.before, correction.after) == (4, 4)
    nuclei = pd.read_csv(out / "reviewed" / "nuclei.csv").query("field == 'a'").set_index("nucleus")
    assert nuclei.index.tolist() == [1, 3, 4, 900]
    program = pd.read_csv(out / "nuclei.csv").query("field == 'a'").set_index("nucleus")
    for kept in (1, 3, 4):
        assert nuclei.loc[kept, "area_px"] == program.loc[kept, "area_px"]
    assert nuclei.loc[900, "area_px"] == 14 * 18
    assert 900 in tifffile.imread(path)


def test_nuclei_name_the_tube_by_the_number_a_person_gave_it(out):
    path = out / "review" / "c_tubes.tif"
    labels = tifffile.imread(path)
    tifffile.imwrite(path, np.where(labels == 1, 7, labels))
    read_back(open_review(out), "Ada", "as in my table")
    nuclei = pd.read_csv(out / "reviewed" / "nuclei.csv").query("field == 'c'")
    assert sorted(nuclei["tube_centroid"]) == [0, 0, 7, 7]
    assert pd.read_csv(out / "reviewed" / "tubes.csv")["tube"].tolist() == [1, 1, 7]


def log(out):
    lines = (out / "corrections.jsonl").read_text().splitlines()
    return [(e["by"], e["field"], e["before"], e["after"]) for e in map(json.loads, lines)]


def reviewed_nuclei(out):
    return pd.read_csv(out / "reviewed" / "fields.csv").set_index("field")["nuclei"].to_dict()


def test_each_edit_is_recorded_once_for_who_made_it(out):
    erase(out / "review" / "a_nuclei.tif", 1)
    assert len(read_back(open_review(out), "Ada", "debris")) == 1
    assert read_back(open_review(out), "", "") == []
    erase(out / "review" / "b_nuclei.tif", 2)
    erase(out / "review" / "a_nuclei.tif", 3)
    assert len(read_back(open_review(out), "Ben", "out of focus")) == 2
    assert log(out) == [("Ada", "a", 4, 3), ("Ben", "a", 3, 2), ("Ben", "b", 4, 3)]
    assert reviewed_nuclei(out) == {"a": 2, "b": 3, "c": 4}


def test_a_correction_can_be_taken_back(out):
    path = out / "review" / "a_nuclei.tif"
    whole = path.read_bytes()
    erase(path, 1)
    read_back(open_review(out), "Ada", "debris")
    path.write_bytes(whole)
    [correction] = read_back(open_review(out), "Ben", "it is a nucleus")
    assert (correction.before, correction.after) == (3, 4)
    assert log(out)[-1] == ("Ben", "a", 3, 4)
    reviewed = pd.read_csv(out / "reviewed" / "fields.csv").set_index("field")
    assert (reviewed.loc["a", "nuclei"], reviewed.loc["a", "status"]) == (4, "ok")


def test_an_object_cut_in_two_is_told_to_count_as_one(out):
    path = out / "review" / "b_tubes.tif"
    labels = tifffile.imread(path)
    labels[:, 150:153] = 0
    tifffile.imwrite(path, labels)
    [correction] = read_back(open_review(out), "Ada", "two tubes")
    assert (correction.before, correction.after, correction.in_parts) == (1, 1, (1,))
    labels[:, 153:][labels[:, 153:] == 1] = 2
    tifffile.imwrite(path, labels)
    [correction] = read_back(open_review(out), "Ada", "two tubes")
    assert (correction.before, correction.after, correction.in_parts) == (1, 2, ())


def test_labels_of_a_field_measured_anew_are_written_anew(out, folder, patterns):
    """Nobody had edited them."""
    assert write_label_set(open_review(out)) == 0
    cv2.imwrite(str(folder / "b_dapi.png"), np.full((260, 300), 10, np.uint8))
    measure_folder(folder, out, patterns, 0.65)
    assert write_label_set(open_review(out)) == 2
    assert tifffile.imread(out / "review" / "b_nuclei.tif").max() == 0
    assert read_back(open_review(out), "", "") == []


def test_labels_that_come_out_the_same_keep_their_edits(out, folder, patterns):
    erase(out / "review" / "b_nuclei.tif", 1)
    three = MeasureSettings(fusion=FusionSettings(min_nuclei=3))
    measure_folder(folder, out, patterns, 0.65, three, redo=True)
    assert write_label_set(open_review(out)) == 0
    assert len(read_back(open_review(out), "Ada", "debris")) == 1
    fields = pd.read_csv(out / "reviewed" / "fields.csv")
    assert set(fields["definition"]) == {"in>=3|overlap_50|mature>=5"}


@pytest.mark.parametrize("recorded", [True, False])
def test_edits_of_labels_measured_anew_are_neither_lost_nor_mixed(out, folder, patterns, recorded):
    edited = out / "review" / "b_nuclei.tif"
    erase(edited, 1)
    if recorded:
        read_back(open_review(out), "Ada", "debris")
    before = edited.read_bytes()
    cv2.imwrite(str(folder / "b_dapi.png"), np.full((260, 300), 10, np.uint8))
    measure_folder(folder, out, patterns, 0.65)
    with pytest.raises(MeasureError, match=r"^b: measured anew") as refused:
        write_label_set(open_review(out))
    assert edited.read_bytes() == before
    assert ("taken" in str(refused.value)) == recorded


def test_what_is_moved_as_told_makes_room_for_new_labels_of_that_field_only(
    out, folder, patterns, tmp_path
):
    for name in "ab":
        erase(out / "review" / f"{name}_nuclei.tif", 1)
    read_back(open_review(out), "Ada", "debris")
    cv2.imwrite(str(folder / "b_dapi.png"), cv2.imread(str(folder / "b_dapi.png"), 0)[::-1])
    measure_folder(folder, out, patterns, 0.65)
    with pytest.raises(MeasureError) as refused:
        write_label_set(open_review(out))
    assert "a_nuclei" not in str(refused.value)
    for path in (out / "review" / "b_nuclei.tif", out / "review" / "taken" / "b_nuclei.tif"):
        assert str(path) in str(refused.value)
        path.rename(tmp_path / f"{path.parent.name}.tif")
    assert write_label_set(open_review(out)) == 2
    assert read_back(open_review(out), "", "") == []
    assert log(out) == [("Ada", "a", 4, 3), ("Ada", "b", 4, 3)]
    assert reviewed_nuclei(out) == {"a": 3, "b": 4, "c": 4}
    (tmp_path / "review.tif").rename(out / "review" / "b_nuclei.tif")
    assert len(read_back(open_review(out), "Ben", "the older ones were right")) == 1
    assert log(out)[-1] == ("Ben", "b", 4, 3)


def test_a_correction_taken_back_does_not_hinder_new_labels(out, folder, patterns):
    path = out / "review" / "b_nuclei.tif"
    whole = path.read_bytes()
    erase(path, 1)
    read_back(open_review(out), "Ada", "debris")
    path.write_bytes(whole)
    read_back(open_review(out), "Ada", "a nucleus after all")
    cv2.imwrite(str(folder / "b_dapi.png"), np.full((260, 300), 10, np.uint8))
    measure_folder(folder, out, patterns, 0.65)
    assert write_label_set(open_review(out)) == 2
    assert read_back(open_review(out), "", "") == []


@pytest.mark.parametrize("gone", ["b_nuclei.tif", "*"])
def test_edits_outlive_the_loss_of_the_programs_labels(out, gone):
    edited = out / "review" / "b_nuclei.tif"
    erase(edited, 1)
    before = edited.read_bytes()
    for path in (out / "review" / "original").glob(gone):
        path.unlink()
    with pytest.raises(MeasureError, match=r"original are gone.*b_nuclei\.tif"):
        write_label_set(open_review(out))
    assert edited.read_bytes() == before


def test_a_review_goes_on_with_tables_measured_anew(out, folder, patterns):
    erase(out / "review" / "b_nuclei.tif", 1)
    read_back(open_review(out), "Ada", "debris")
    three = MeasureSettings(fusion=FusionSettings(min_nuclei=3))
    measure_folder(folder, out, patterns, 0.65, three, redo=True)
    assert write_label_set(open_review(out)) == 0
    assert read_back(open_review(out), "", "") == []
    fields = pd.read_csv(out / "reviewed" / "fields.csv")
    assert set(fields["definition"]) == {"in>=3|overlap_50|mature>=5"}
    assert reviewed_nuclei(out) == {"a": 4, "b": 3, "c": 4}


def test_edits_of_a_field_that_fails_when_measured_anew_are_left_alone(
    out, folder, patterns, tmp_path
):
    edited = out / "review" / "b_nuclei.tif"
    erase(edited, 1)
    for path in folder.glob("b_*"):
        path.write_bytes(b"no image")
    measure_folder(folder, out, patterns, 0.65)
    with pytest.raises(MeasureError, match=r"^b: measured anew.*b_nuclei\.tif"):
        write_label_set(open_review(out))
    edited.rename(tmp_path / "kept.tif")
    assert write_label_set(open_review(out)) == 0
    erase(out / "review" / "c_nuclei.tif", 1)
    read_back(open_review(out), "Ada", "debris")
    fields = pd.read_csv(out / "reviewed" / "fields.csv")
    assert fields["status"].tolist() == ["ok", "failed", "corrected"]


@pytest.mark.parametrize("how", ["changed", "gone"])
def test_edits_are_not_measured_on_other_images(out, folder, how):
    erase(out / "review" / "b_nuclei.tif", 1)
    image = folder / "b_myhc.png"
    image.unlink()
    if how == "changed":
        cv2.imwrite(str(image), np.full((260, 300), 10, np.uint8))
    with pytest.raises(MeasureError, match=r"b: its images .*b_myhc\.png"):
        read_back(open_review(out), "Ada", "debris")
    assert not (out / "corrections.jsonl").exists()


def test_measuring_anew_that_was_cut_off_is_not_reviewed(out):
    path = out / "settings.json"
    path.write_text(path.read_text().replace('"min_nuclei": 2', '"min_nuclei": 3'))
    with pytest.raises(MeasureError, match="a, b, c were measured with other settings"):
        open_review(out)
    (out / "fields.csv").unlink()
    with pytest.raises(MeasureError, match=r"fields\.csv is not there"):
        open_review(out)


def test_a_field_that_left_the_tables_is_not_in_the_reviewed_ones(out, folder, patterns):
    for path in folder.glob("a_*"):
        path.unlink()
    measure_folder(folder, out, patterns, 0.65)
    erase(out / "review" / "b_nuclei.tif", 1)
    read_back(open_review(out), "Ada", "debris")
    assert reviewed_nuclei(out) == {"b": 3, "c": 4}


def test_a_folder_without_results(tmp_path):
    with pytest.raises(MeasureError, match="no results"):
        open_review(tmp_path)


def test_results_of_before_a_setting_was_added_are_reviewed(
    folder, patterns, tmp_path, monkeypatch
):
    from labrig_measure import settings_file

    def of_old(settings):
        whole = dataclasses.asdict(settings)
        del whole["nuclei"]["parting"]
        return whole

    out = tmp_path / "old"
    with monkeypatch.context() as old:
        old.setattr(settings_file, "settings_to_json", of_old)
        old.setattr("labrig_measure.batch.settings_to_json", of_old)
        measure_folder(folder, out, patterns, 0.65)
    assert "parting" not in json.loads((out / "settings.json").read_text())["settings"]["nuclei"]
    assert write_label_set(open_review(out)) == 6
