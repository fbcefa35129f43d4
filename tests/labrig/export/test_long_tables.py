"""Long tables: whatever was measured is in them, and why it counts for nothing if it does not."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pandas as pd
import pytest

from labrig.export.long_tables import COLUMNS, MEANING, long_tables
from labrig.export.spreadsheet import csv_text


def read(text: str) -> pd.DataFrame:
    return pd.read_csv(io.StringIO(text.removeprefix("\ufeff")), dtype={"run": str})


def test_every_tube_and_well_is_there_with_its_design(source_of, two_donors):
    source = source_of(two_donors)
    tables = {name: read(text) for name, text in long_tables(source).items()}
    record = source.runs[0].record
    assert len(tables["tubes_long.csv"]) == len(record.tubes)
    tubes = tables["tubes_long.csv"]
    assert set(tubes["donor"]) == {"young-1", "old-2"}
    arm_of = {well.well: well.arm for well in record.plan.wells}
    assert (tubes["arm"] == tubes["well"].map(arm_of)).all()
    assert tubes["in_pp"].all()
    assert tubes["excluded_why"].isna().all()
    assert list(tubes.columns) == list(COLUMNS["tubes_long"])
    wells = tables["wells_long.csv"]
    last = wells[(wells["round"] == 2) & (wells["arm"] == "nerve-tonic")]
    assert last["diameter_over_baseline_ratio"].mean() == pytest.approx(0.7, abs=0.05)


def test_a_picture_that_did_not_come_has_a_row_with_its_reason(source_of, story):
    source = source_of(replace(story, missed_round=1, measured_rounds=(0, 2)))
    wells = read(long_tables(source)["wells_long.csv"])
    missed = wells[wells["round"] == 1]
    assert len(missed) == 24
    assert not missed["in_itt"].any()
    assert set(missed["excluded_why"]) == {"picture missed: the camera timed out"}


def test_too_few_tubes_and_doses_that_did_not_come_are_told(source_of, story):
    thin = read(long_tables(source_of(replace(story, tubes_a_well=5)))["tubes_long.csv"])
    assert not thin["in_itt"].any()
    assert thin["excluded_why"].str.contains("shows 5 tubes of 8 needed").all()
    stalled = source_of(replace(story, stalled="nerve_05"))
    left_out = stalled.runs[0].left_out
    assert left_out
    tubes = read(long_tables(stalled)["tubes_long.csv"])
    late = tubes[tubes["well"].isin(left_out) & (tubes["round"] == 2)]
    assert late["in_itt"].all()
    assert not late["in_pp"].any()
    assert late["excluded_why"].str.startswith("per protocol: ").all()


def test_flagged_films_stay_and_do_not_count(source_of, story):
    source = source_of(replace(story, films_measured=True, untested=("A1",)))
    films = read(long_tables(source)["films_long.csv"])
    flagged = films[films["well"] == "A1"]
    assert len(flagged)
    assert not flagged["in_itt"].any()
    assert flagged["excluded_why"].str.contains("no pulse of twitch_2hz").all()
    assert films[films["well"] != "A1"]["in_itt"].all()


def test_every_column_is_explained():
    assert {column for columns in COLUMNS.values() for column in columns} == set(MEANING)


def test_what_a_spreadsheet_would_run_is_text():
    text = csv_text(("a", "b", "c"), [{"a": "=1+1", "b": -2.5, "c": True}, {"a": "é", "b": None}])
    assert text.startswith("\ufeffa,b,c\r\n")
    rows = list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert rows[1:] == [["'=1+1", "-2.5", "TRUE"], ["é", "", ""]]
