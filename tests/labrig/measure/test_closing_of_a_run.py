"""Once rounds are measured: which frames are fit, and which tube is which over time."""

from __future__ import annotations

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.measure import rounds as rounds_module
from labrig.measure.closing import close_measures
from labrig.measure.judging import JUDGED, judge_fields
from labrig.measure.rounds import RoundFrame, measure_round
from labrig.measure.tracks import Series, Sighting, track_series
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.synthetic.culture import EMPTY, CultureState
from labrig_analysis.synthetic.render import render_phase
from labrig_analysis.synthetic.scene import make_scene
from labrig_measure.field_job import FieldJob, done_before
from labrig_measure.label_images import save_labels
from labrig_measure.pairing import FieldFiles
from labrig_measure.records import Record, read_record, records_in_force, write_record

UM = 1.3
SIDE = 320
ROUNDS = 5
HALF_HOUR_S = 1800.0
FULL_SCALE = {"phase": 4095.0}
SETTINGS = MeasureSettings()

GOOD = [CultureState(diameter_factor=1.0 + 0.03 * i) for i in range(ROUNDS)]
# what the field of a well shows in each round
WELLS = {
    "A1": GOOD,
    "A2": [*GOOD[:3], CultureState(defocus_um=20.0), GOOD[4]],
    "A3": [*GOOD[:2], *(CultureState(drift_px=(14.0, -16.0)) for _ in range(3))],
    "A4": [*GOOD[:3], EMPTY, EMPTY],
}


def frames(number: int) -> list[RoundFrame]:
    return [
        RoundFrame(well, 0, number, number * HALF_HOUR_S + 5, {"phase": "p"}, {"phase": 0})
        for well in WELLS
    ]


@pytest.fixture(scope="module")
def plate(tmp_path_factory):
    layout = PlateLayout("p", tuple(WELLS), 1, ("p",), ROUNDS, SIDE, SIDE, UM, HALF_HOUR_S)
    store = PlateStore.create(tmp_path_factory.mktemp("plate") / "plate.ome.zarr", layout)
    for well, states in WELLS.items():
        scene = make_scene(11, well, 0, height_um=SIDE * UM, width_um=SIDE * UM)
        for number, state in enumerate(states):
            picture = render_phase(scene, state, (SIDE, SIDE), UM, number, bit_depth=12)
            store.write(well, 0, number, "p", picture)
    return store.root


def measure(plate, out, numbers=range(ROUNDS)):
    for number in numbers:
        measure_round(plate, frames(number), UM, SETTINGS, out, FULL_SCALE)


@pytest.fixture(scope="module")
def closed(plate, tmp_path_factory):
    out = tmp_path_factory.mktemp("measures")
    measure(plate, out)
    close_measures(out)
    return out


@pytest.fixture(scope="module")
def fields(closed):
    return pd.read_csv(closed / "fields.csv").set_index(["well", "round"])


def test_frames_that_are_not_fit_are_flagged_kept_and_say_why(fields):
    bad = fields[fields["quality"] == "flagged"]
    assert set(bad.index) == {("A2", 3), ("A3", 2)}
    assert bad.loc[("A2", 3), "quality_reasons"].startswith("out of focus")
    assert bad.loc[("A3", 2), "quality_reasons"].startswith("moved: 28 um since the round before")
    assert fields.loc[("A3", 2), "moved_um"] == pytest.approx(21.26 * UM, abs=0.6)
    assert fields.loc[("A3", 3), "moved_um"] < 1
    assert len(fields) == ROUNDS * len(WELLS)


def test_a_culture_that_is_gone_is_no_bad_picture(fields):
    assert fields.loc[("A4", 4), "quality"] == "good"
    assert fields.loc[("A4", 4), "tubes"] == 0


def test_judging_knows_no_arm_and_changes_nothing_the_second_time(closed):
    before = {path.name: path.read_bytes() for path in closed.glob("*.csv")}
    close_measures(closed)
    assert {path.name: path.read_bytes() for path in closed.glob("*.csv")} == before


def test_tubes_keep_their_track_through_drift_and_a_bad_round(closed):
    tracks = pd.read_csv(closed / "tracks.csv")
    assert set(tracks["diameter_definition"]) == {"chord|edge=0.5|points>=3"}
    tubes = pd.read_csv(closed / "tubes.csv")
    for well in ("A1", "A2", "A3"):
        own = tracks[(tracks["well"] == well) & (tracks["began"] == "present")]
        kept = own[(own["first_round"] == 0) & (own["last_round"] == ROUNDS - 1)]
        assert len(kept) >= 0.7 * len(own) > 2, well
    assert tubes.loc[(tubes["well"] == "A2") & (tubes["round"] == 3), "track"].isna().all()
    first = tubes[(tubes["well"] == "A1") & (tubes["round"] == 0)]
    assert sorted(first["track"]) == list(range(1, len(first) + 1))


def test_growth_of_tracks_is_that_of_the_culture(closed):
    tracks = pd.read_csv(closed / "tracks.csv")
    whole = tracks[(tracks["well"] == "A1") & (tracks["points"] == ROUNDS)]
    hours = 4 * HALF_HOUR_S / 3600
    assert whole["log_slope_per_day"].median() == pytest.approx(np.log(1.12) / hours * 24, rel=0.35)


def test_what_was_measured_is_not_measured_again(plate, tmp_path, monkeypatch):
    measure(plate, tmp_path, [0])
    recorded = records_in_force(tmp_path)

    monkeypatch.setattr(rounds_module, "measure_field", _refuse)
    measure(plate, tmp_path, [0])
    assert records_in_force(tmp_path) == recorded
    (tmp_path / "labels" / "A1_f0_t000_phase_tubes.tif").unlink()
    with pytest.raises(AssertionError, match="A1_f0_t000_phase was measured again"):
        measure(plate, tmp_path, [0])


def test_a_run_without_records_is_closed_at_once_and_keeps_its_tables(tmp_path):
    assert close_measures(tmp_path) == 0
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "fields.csv").write_text("well,field,round\nA1,0,0\n")
    assert close_measures(tmp_path) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["fields.csv"]


def test_stained_frames_are_judged_for_saturation_alone():
    row = {
        "well": "A1", "field": 0, "round": 0, "offset_s": 0.0, "kind": "tube", "width_px": 300,
        "height_px": 300, "pixel_size_um": 1.3, "focus": 5.0, "light": 0.1,
        "saturated_share": 0.0, "stray_share": 0.0, "grey_spread": 0.0, "drift_right_um": 0.0,
        "drift_down_um": 0.0, "drift_agreement": 1.0, "drift_reason": "",
    }  # fmt: skip
    later = {"round": 20, "offset_s": 36000.0}
    judged = judge_fields(
        pd.DataFrame(
            [
                row,
                row | later | {"focus": 1.0, "light": 0.5, "stray_share": 0.3},
                row | later | {"round": 21, "saturated_share": 0.2},
            ]
        )
    )
    assert judged["quality"].tolist() == ["good", "good", "flagged"]


def test_a_field_that_could_not_be_measured_is_judged_and_stops_nothing(closed, tmp_path):
    shutil.copytree(closed / "records", tmp_path / "records")
    before = records_in_force(tmp_path)["A1_f0_t001_phase"]
    record = read_record(before)
    row = record.tables["fields"][0] | {"status": "failed"}
    unknown = dict.fromkeys(("kind", "width_px", "height_px", "pixel_size_um"))
    tables = {"fields": [row | unknown], "tubes": [], "nuclei": []}
    write_record(tmp_path, replace(record, tables=tables), before)
    close_measures(tmp_path)
    judged = pd.read_csv(tmp_path / "fields.csv").set_index(["well", "round"])
    assert judged.loc[("A1", 1), "status"] == "failed"
    assert judged.loc[("A1", 1), "quality"] == "good"


def test_rows_that_were_never_scored_have_no_verdict():
    fields = pd.DataFrame({"well": ["A1"], "field": [0], "round": [0], "kind": ["tube"]})
    assert list(judge_fields(fields)) == list(fields)


def test_where_no_field_could_be_measured_nothing_is_judged_and_the_run_is_closed(tmp_path):
    place = {"well": "A1", "field": 0, "round": 0, "offset_s": 5.0}
    row = {"status": "failed", "reasons": "black", "focus": 0.1}
    failed = pd.DataFrame([place | row])
    judged = judge_fields(failed)
    assert judged[list(JUDGED)].isna().all(axis=None)
    assert judged[list(failed)].equals(failed)
    tables = {"fields": [{"field": "A1_f0_t000"} | row], "tubes": [], "nuclei": []}
    write_record(tmp_path, Record("A1_f0_t000", "", place, {}, tables))
    assert close_measures(tmp_path) == 0
    assert list(pd.read_csv(tmp_path / "fields.csv")["status"]) == ["failed"]


def test_labels_are_looked_for_without_listing_their_folder(plate, tmp_path, monkeypatch):
    measure(plate, tmp_path, [0])
    for kind in ("glob", "iterdir"):
        monkeypatch.setattr(type(tmp_path), kind, _refuse_labels(getattr(type(tmp_path), kind)))
    monkeypatch.setattr(rounds_module, "measure_field", _refuse)
    measure(plate, tmp_path, [0])
    # labels of the unstained frame are none of the stained frame's
    stained = FieldJob(
        FieldFiles("A1_f0_t000", {}), tmp_path, SETTINGS, UM, {}, labels=tmp_path / "labels"
    )
    tables = {"fields": [{"field": "A1_f0_t000", "status": "ok"}]}
    record = write_record(tmp_path, Record("A1_f0_t000", stained.signature, {}, {}, tables))
    assert done_before(replace(stained, before=record)) is None
    assert done_before(replace(stained, before=record, labels=None)) == record


def _refuse(job):
    raise AssertionError(f"{job.field.name} was measured again")


def _refuse_labels(listing):
    def listed(path, *args, **kwargs):
        assert path.name != "labels", "the folder of labels was listed"
        return listing(path, *args, **kwargs)

    return listed


def test_growth_is_worked_out_in_one_pass_over_the_sightings(tmp_path):
    class Read(dict):
        times = 0

        def items(self):
            Read.times += 1
            return super().items()

    labels = np.zeros((60, 60), np.uint16)
    for number in range(1, 6):
        labels[10 * number : 10 * number + 6, 5:55] = number
    save_labels(tmp_path / "labels.tif", labels, 0.65)
    sightings = tuple(
        Sighting(
            number,
            12.0 * number,
            tmp_path / "labels.tif",
            (0.0, 0.0),
            Read({tube: tube * 10 * 1.1**number for tube in range(1, 6)}),
        )
        for number in range(4)
    )
    found = track_series(Series("A1", 0, "tube", sightings, "chord"))
    per_day = [row["log_slope_per_day"] for row in found.rows]
    assert per_day == pytest.approx([2 * np.log(1.1)] * 5)
    assert Read.times == len(sightings)


@pytest.mark.parametrize("table", ["fields.csv", "tubes.csv"])
def test_a_table_that_was_deleted_is_made_again(plate, closed, tmp_path, table):
    out = tmp_path / "measures"
    shutil.copytree(closed, out)
    whole = {path.name: path.read_bytes() for path in out.glob("*.csv")}
    (out / table).unlink()
    measure(plate, out)
    close_measures(out)
    assert {path.name: path.read_bytes() for path in out.glob("*.csv")} == whole
