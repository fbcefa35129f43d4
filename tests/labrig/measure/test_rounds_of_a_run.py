"""Rounds measured in a process of their own leave records, and double nothing."""

import pickle

import numpy as np
import pandas as pd
import pytest

from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.measure.closing import tables_so_far
from labrig.measure.rounds import RoundFrame, measure_round, rounds_begun
from labrig_analysis.settings import MeasureSettings
from labrig_measure.records import records_in_force

UM = 0.65


@pytest.fixture
def store(tmp_path, drawn):
    layout = PlateLayout("p", ("A1", "B2"), 1, ("red", "blue"), 3, 260, 300, UM, 1800.0)
    store = PlateStore.create(tmp_path / "plate.ome.zarr", layout)
    for seed, well in enumerate(("A1", "B2")):
        for round_ in (0, 1):
            for plane, channel in zip(drawn(seed), ("red", "blue"), strict=True):
                store.write(well, 0, round_, channel, plane.astype(np.uint16) * 16)
    return store


def frames(round_, wells=("A1", "B2")):
    channels = {"tubes": "red", "nuclei": "blue"}
    return [RoundFrame(well, 0, round_, 1800.0 * round_ + 7, channels) for well in wells]


def measure(store, out, wanted):
    done = measure_round(store.root, wanted, UM, MeasureSettings(), out)
    tables_so_far(out)
    return done


def test_rows_say_where_and_when(store, tmp_path):
    out = tmp_path / "measures"
    assert measure(store, out, frames(0)) == 2
    measure(store, out, frames(1))
    assert rounds_begun(out) == {0, 1}
    fields = pd.read_csv(out / "fields.csv")
    assert fields[["well", "field", "round", "offset_s"]].to_numpy().tolist() == [
        ["A1", 0, 0, 7.0],
        ["B2", 0, 0, 7.0],
        ["A1", 0, 1, 1807.0],
        ["B2", 0, 1, 1807.0],
    ]
    assert len(pd.read_csv(out / "tubes.csv")) == 4
    assert len(pd.read_csv(out / "nuclei.csv")) == 16
    assert (out / "overlays" / "A1_f0_t001.png").exists()


def test_a_round_measured_twice_is_not_doubled(store, tmp_path):
    out = tmp_path / "measures"
    measure(store, out, frames(0))
    measure(store, out, frames(1))
    before = (out / "tubes.csv").read_bytes(), records_in_force(out)
    measure(store, out, frames(0))
    assert ((out / "tubes.csv").read_bytes(), records_in_force(out)) == before


def test_a_frame_that_was_never_taken_is_a_row_and_stops_nothing(store, tmp_path):
    measure(store, tmp_path / "m", [*frames(0, ["A1"]), *frames(2, ["B2"])])
    fields = pd.read_csv(tmp_path / "m" / "fields.csv")
    assert fields["status"].tolist() == ["ok", "flagged"]
    assert "black" in fields["reasons"][1]


def test_one_channel_is_enough(store, tmp_path):
    only = RoundFrame("A1", 0, 0, 7.0, {"tubes": "red"})
    measure(store, tmp_path / "m", [only])
    assert len(pd.read_csv(tmp_path / "m" / "tubes.csv")) == 1
    assert pd.read_csv(tmp_path / "m" / "fields.csv")["status"][0] == "ok"


def test_a_round_without_tubes_leaves_tables_that_can_be_read_and_added_to(store, tmp_path):
    measure(store, tmp_path / "m", frames(2))
    tubes = pd.read_csv(tmp_path / "m" / "tubes.csv")
    assert (len(tubes), list(tubes)) == (0, ["well", "field", "round", "offset_s", "tube"])
    measure(store, tmp_path / "m", frames(0))
    assert len(pd.read_csv(tmp_path / "m" / "tubes.csv")) == 2


def test_a_channel_that_is_none_of_ours(store, tmp_path):
    with pytest.raises(ValueError, match="none of tubes, nuclei, phase"):
        measure(store, tmp_path / "m", [RoundFrame("A1", 0, 0, 0.0, {"cells": "red"})])


def test_it_can_be_sent_to_another_process():
    call = (measure_round, frames(0), MeasureSettings())
    assert pickle.loads(pickle.dumps(call)) == call


def test_a_stain_of_a_night_has_its_own_table(store, tmp_path):
    out = tmp_path / "m"
    shown = {"tubes": "red", "nuclei": "blue", "marker:edu": "blue"}
    measure(store, out, [RoundFrame("A1", 0, 0, 7.0, shown), *frames(1, ["A1"])])
    stains = pd.read_csv(out / "stains.csv")
    assert set(stains["stain"]) == {"edu"}
    assert stains[["well", "field", "round"]].drop_duplicates().to_numpy().tolist() == [
        ["A1", 0, 0]
    ]
    nuclei = pd.read_csv(out / "nuclei.csv")
    assert nuclei.loc[nuclei["round"] == 0, "edu_contrast"].notna().all()
    assert nuclei.loc[nuclei["round"] == 1, "edu_contrast"].isna().all()


def test_only_unstained_pictures_are_named_so():
    names = [RoundFrame("A1", 0, 0, 7.0, {ours: "x"}).name for ours in ("phase", "dead", "tubes")]
    assert names == ["A1_f0_t000_phase", "A1_f0_t000", "A1_f0_t000"]
