"""A person corrects the labels of a night: its records, tables and tubes over time follow."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime

import cv2
import numpy as np
import pandas as pd
import pytest
import tifffile
import zarr

from labrig.frames.plate_labels import LabelPlane, write_labels
from labrig.frames.plate_store import PlateLayout, PlateStore
from labrig.measure.closing import close_measures
from labrig.measure.review import write_label_set
from labrig.measure.rounds import RoundFrame, measure_round
from labrig.measure.run_cells import RunCells
from labrig.measure.run_review import correct_run, open_run_review
from labrig.measure.sealing import changed_tables, read_seals, seal, sealed_again
from labrig.night.plate_completion import follow_corrections
from labrig.run_clock import RunClock
from labrig.run_folder import RunFolder
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.settings import MeasureSettings
from labrig_measure.errors import MeasureError
from labrig_measure.records import read_record, records_in_force
from labrig_measure.settings_file import settings_sha256

UM = 0.65
SETTINGS = MeasureSettings(fusion=FusionSettings(min_nuclei=3))
FULL_SCALE = {"tubes": 255.0, "nuclei": 255.0}
CHANNELS = {"tubes": "tubes", "nuclei": "nuclei"}
ROUNDS = 3
FIRST, SECOND = "A1_f0_t000", "A1_f0_t001"


def frame(well, number):
    first = dict.fromkeys(CHANNELS, 0)
    return RoundFrame(well, 0, number, number * 1800.0, CHANNELS, first)


def measure(plate, measures):
    for number in range(ROUNDS):
        frames = [frame(well, number) for well in ("A1", "A2")]
        measure_round(plate, frames, UM, SETTINGS, measures, FULL_SCALE)


@pytest.fixture(scope="module")
def night(tmp_path_factory, drawn):
    root = tmp_path_factory.mktemp("night")
    layout = PlateLayout("p", ("A1", "A2"), 1, tuple(CHANNELS), ROUNDS, 260, 300, UM, 1800.0)
    store = PlateStore.create(root / "images" / "plate.ome.zarr", layout)
    for seed, well in enumerate(("A1", "A2")):
        for number in range(ROUNDS):
            for name, plane in zip(CHANNELS, drawn(seed), strict=True):
                store.write(well, 0, number, name, plane.astype(np.uint16))
    measures = root / "measures"
    measure(store.root, measures)
    close_measures(measures)
    (root / "run.json").write_text(json.dumps({"id": "f" * 32}))
    seal(measures, "f" * 32, "the night", settings=SETTINGS)
    return root


@pytest.fixture
def run(night, tmp_path):
    """A copy, as of a run folder that was taken to another computer."""
    return shutil.copytree(night, tmp_path / "copied")


def opened(run, *wanted):
    plate = run / "images" / "plate.ome.zarr"
    known = {settings_sha256(each): each for each in (MeasureSettings(), SETTINGS)}
    return open_run_review(run / "measures", plate, known, wanted)


def erase(run, frame_name, number, objects="nuclei"):
    path = run / "measures" / "review" / f"{frame_name}_{objects}.tif"
    labels = tifffile.imread(path)
    tifffile.imwrite(path, np.where(labels == number, 0, labels))


def table(run, name="fields"):
    return pd.read_csv(run / "measures" / f"{name}.csv").set_index(["well", "round"])


def test_only_frames_that_are_named_are_laid_out(run):
    assert write_label_set(opened(run, FIRST, "A1_f0_t001*")) == 4
    there = {path.name for path in (run / "measures" / "review").glob("*.tif")}
    assert there == {f"{name}_{kind}.tif" for name in (FIRST, SECOND) for kind in CHANNELS}
    # Those are known from then on, without being named.
    assert [field.name for field in opened(run).fields] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("wanted", "why"),
    [((), "which of the 6 frames.*--frame B4_f0_t003"), (("B7_*",), "there are 6, such as A1_f0")],
)
def test_a_frame_must_be_named_rightly(run, wanted, why):
    with pytest.raises(MeasureError, match=why):
        opened(run, *wanted)


def test_settings_that_nobody_knows_are_refused(run):
    plate = run / "images" / "plate.ome.zarr"
    with pytest.raises(MeasureError, match="other settings than this labrig takes"):
        open_run_review(run / "measures", plate, {"0": MeasureSettings()}, [FIRST])


def test_tables_tubes_over_time_and_seal_follow_a_correction(run):
    measures = run / "measures"
    before, tubes_before = table(run), table(run, "tubes")
    write_label_set(opened(run, FIRST))
    erase(run, FIRST, 1)
    erase(run, FIRST, 1, "tubes")
    with sealed_again(measures, "labrig review", "Ada"):
        found = correct_run(opened(run), "Ada", "debris")
    assert [(c.field, c.objects, c.before, c.after) for c in found] == [
        (FIRST, "tubes", 1, 0),
        (FIRST, "nuclei", 4, 3),
    ]
    after = table(run)
    assert after.loc[("A1", 0), "status"] == "corrected"
    assert after.loc[("A1", 0), "reasons"].endswith("labels corrected by hand")
    assert (after.loc[("A1", 0), "nuclei"], after.loc[("A1", 0), "tubes"]) == (3, 0)
    others = before.index != ("A1", 0)
    pd.testing.assert_frame_equal(before[others], after[others], check_dtype=False)
    # What was judged of the picture itself stays.
    assert after.loc[("A1", 0), "focus"] == before.loc[("A1", 0), "focus"]
    assert len(table(run, "tubes")) == len(tubes_before) - 1
    tracks = pd.read_csv(measures / "tracks.csv").query("well == 'A1'")
    assert tracks["first_round"].min() == 1
    assert changed_tables(measures) == ()
    assert [line.why for line in read_seals(measures / "manifest.jsonl")] == [
        "the night",
        "labrig review",
    ]
    assert read_seals(measures / "manifest.jsonl")[-1].by == "Ada"
    [line, _] = (measures / "corrections.jsonl").read_text().splitlines()
    assert json.loads(line)["why"] == "debris"


@pytest.mark.parametrize("is_closed", [True, False])
def test_tables_made_again_say_arm_and_time_as_before(run, is_closed):
    if not is_closed:
        (run / "measures" / "manifest.jsonl").unlink()
    clock = RunClock(datetime(2026, 11, 29, 22, 0, tzinfo=UTC), "America/New_York")
    write_label_set(opened(run, FIRST))
    erase(run, FIRST, 1)
    cells = RunCells({"A1": "sham", "A2": "tonic"}, clock)
    correct_run(opened(run), "Ada", "debris", cells=cells)
    for name in ("fields", "tubes", "nuclei"):
        told = table(run, name).reset_index()
        assert dict(zip(told["well"], told["arm"], strict=True)) == cells.arms
        assert set(told[told["round"] == 1]["utc"]) == {"2026-11-29T22:30:00Z"}


def test_what_the_program_found_stays_and_can_be_put_back(run):
    measures = run / "measures"
    tables = {path.name: path.read_bytes() for path in measures.glob("*.csv")}
    records = set((measures / "records").iterdir())
    write_label_set(opened(run, FIRST))
    erase(run, FIRST, 2)
    correct_run(opened(run), "Ada", "debris")
    assert records < set((measures / "records").iterdir())
    assert {p.name: p.read_bytes() for p in measures.glob("*.csv")} != tables
    assert tifffile.imread(measures / "labels" / f"{FIRST}_nuclei.tif").tolist() != (
        tifffile.imread(measures / "review" / "original" / f"{FIRST}_nuclei.tif").tolist()
    )
    for name in CHANNELS:
        image = f"{FIRST}_{name}.tif"
        shutil.copy(measures / "review" / "original" / image, measures / "review" / image)
    [undone] = correct_run(opened(run), "Ada", "it was a nucleus")
    assert (undone.before, undone.after) == (3, 4)
    assert {p.name: p.read_bytes() for p in measures.glob("*.csv")} == tables
    assert correct_run(opened(run), "Ada", "again") == []


def test_the_overlay_shows_the_corrected_outlines(run):
    path = run / "measures" / "overlays" / f"{FIRST}.png"
    before = cv2.imread(str(path))
    write_label_set(opened(run, FIRST))
    erase(run, FIRST, 1)
    correct_run(opened(run), "Ada", "debris")
    assert (cv2.imread(str(path)) != before).any()


def test_the_labels_in_the_plate_follow_a_correction(run):
    folder = RunFolder(run)
    write_label_set(opened(run, FIRST))
    erase(run, FIRST, 1)
    [correction] = correct_run(opened(run), "Ada", "debris")
    assert follow_corrections(folder, {correction.field}) == 0  # the night has not written any
    kinds = [(name, run / "measures" / "review" / "original") for name in CHANNELS]
    written = [
        LabelPlane("A1", 0, name, 0, from_program / f"{FIRST}_{name}.tif")
        for name, from_program in kinds
    ]
    write_labels(folder.plate, PlateStore.open(folder.plate).layout, written)
    in_plate = zarr.open_array(str(folder.plate / "A/1/0/labels/nuclei/0"), mode="r")
    assert 1 in in_plate[0, 0]
    # The whole field is written: two kinds in each of three rounds.
    assert follow_corrections(folder, {correction.field}) == 2 * ROUNDS
    in_plate = zarr.open_array(str(folder.plate / "A/1/0/labels/nuclei/0"), mode="r")
    corrected = tifffile.imread(run / "measures" / "labels" / f"{FIRST}_nuclei.tif")
    assert 1 not in corrected
    assert (in_plate[0, 0] == corrected).all()
    assert not (folder.plate / "A/2/0/labels").exists()


def test_a_night_that_goes_on_does_not_measure_a_corrected_frame_again(night, tmp_path):
    run = shutil.copytree(night, tmp_path / "here", ignore=shutil.ignore_patterns("measures"))
    measures, plate = run / "measures", run / "images" / "plate.ome.zarr"
    measure(plate, measures)
    write_label_set(opened(run, SECOND))
    erase(run, SECOND, 1)
    correct_run(opened(run), "Ada", "debris")
    assert table(run).loc[("A1", 1), "status"] == "corrected"
    assert not (measures / "tracks.csv").exists()
    measure(plate, measures)
    assert read_record(records_in_force(measures)[SECOND]).tables["fields"][0]["nuclei"] == 3
    close_measures(measures)
    assert table(run).loc[("A1", 1), "nuclei"] == 3


def test_a_correction_that_was_cut_off_is_taken_up_again(run, monkeypatch):
    from labrig.measure import run_review

    write_label_set(opened(run, FIRST))
    erase(run, FIRST, 1)

    def full(*_):
        raise OSError("no space left")

    with monkeypatch.context() as patched:
        patched.setattr(run_review, "close_measures", full)
        with pytest.raises(OSError, match="no space"):
            correct_run(opened(run), "Ada", "debris")
    assert not (run / "measures" / "corrections.jsonl").exists()
    [again] = correct_run(opened(run), "Ada", "debris")
    assert again.after == 3
    assert table(run).loc[("A1", 0), "nuclei"] == 3


def test_who_and_why_are_asked_for_before_anything_is_changed(run):
    write_label_set(opened(run, FIRST))
    erase(run, FIRST, 1)
    records = set((run / "measures" / "records").iterdir())
    with pytest.raises(MeasureError, match="say who and why"):
        correct_run(opened(run), "", "")
    assert set((run / "measures" / "records").iterdir()) == records
