"""A person's corrections: read back, measured, recorded; the original stays."""

import json

import numpy as np
import pandas as pd
import pytest
import tifffile

from labrig.measure.batch import measure_folder
from labrig.measure.errors import MeasureError
from labrig.measure.review import compact, open_review, read_back, write_label_set


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


BAD = {
    "other size": (np.zeros((10, 10), np.uint16), "label image"),
    "fractions": (np.full((260, 300), 0.5, np.float32), "whole numbers"),
    "colour": (np.zeros((260, 300, 3), np.uint8), "label image"),
    "negative": (np.full((260, 300), -1, np.int32), "negative"),
}


@pytest.mark.parametrize(("image", "why"), BAD.values(), ids=BAD.keys())
def test_images_that_are_no_labels(out, image, why):
    tifffile.imwrite(out / "review" / "a_tubes.tif", image)
    with pytest.raises(MeasureError, match=why):
        read_back(open_review(out), "Ada", "x")


def test_a_folder_without_results(tmp_path):
    with pytest.raises(MeasureError, match="no results"):
        open_review(tmp_path)


def test_compact_closes_gaps():
    assert compact(np.array([[0, 7], [9, 7]])).tolist() == [[0, 1], [2, 1]]
    assert compact(np.array([[5, 5]])).tolist() == [[1, 1]]
