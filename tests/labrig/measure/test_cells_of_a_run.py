"""Every row of a run's tables says its arm and its time, and any program reads it alike."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime

import pandas as pd
import pytest

from labrig.measure import films
from labrig.measure.closing import close_measures, tables_so_far
from labrig.measure.rounds import RoundFrame
from labrig.measure.run_cells import RunCells
from labrig.run_clock import RunClock
from labrig_measure.records import Record, write_record
from labrig_measure.tables import as_ascii

CLOCK = RunClock(datetime(2026, 10, 24, 23, 0, tzinfo=UTC), "Europe/Berlin")
CELLS = RunCells({"A1": "sham", "B2": "tonic"}, CLOCK, {"B2_f0_t001": 7265.0})
WHEN = {
    "A1": ("2026-10-25T00:00:00Z", "2026-10-25T02:00:00+02:00"),
    # Taken late: the hour after the clocks went back.
    "B2": ("2026-10-25T01:01:05Z", "2026-10-25T02:01:05+01:00"),
}


@pytest.fixture
def out(tmp_path):
    for well in ("A1", "B2"):
        frame = RoundFrame(well, 0, 1, 3600.0, {"tubes": "red"})
        row = {"status": "flagged", "reasons": "tubes: 3 µm ≤ 0.85, off – again"}
        tubes = [{"tube": number, "kind": "tube"} for number in (1, 2)]
        tables = {"fields": [row], "tubes": tubes, "nuclei": [{"nucleus": 1}]}
        write_record(tmp_path, Record(frame.name, "s", frame.place, {}, tables))
        film = dict.fromkeys(films.COLUMNS) | {"well": well, "field": 0, "film": 3}
        place = {name: film[name] for name in films.PLACE}
        tables = {films.TABLE: [film | {"offset_s": 3600.0, "status": "ok"}]}
        write_record(tmp_path, Record(f"film_03_{well}_f0", "s", place, {}, tables))
    return tmp_path


@pytest.mark.parametrize(
    ("make", "cells"), [(close_measures, CELLS), (tables_so_far, lambda: CELLS)]
)
def test_rows_say_arm_and_clock_time_behind_their_place(out, make, cells):
    make(out, cells)
    for name in ("fields", "tubes", "nuclei"):
        table = pd.read_csv(out / f"{name}.csv")
        assert list(table)[:7] == [
            "well", "field", "round", "offset_s", "arm", "utc", "local_time",
        ]  # fmt: skip
        for row in table.to_dict("records"):
            assert row["arm"] == CELLS.arms[row["well"]]
            assert (row["utc"], row["local_time"]) == WHEN[row["well"]], name
    table = pd.read_csv(out / "contractions.csv")
    assert list(table)[:6] == ["well", "field", "film", "arm", "utc", "local_time"]
    assert table["arm"].tolist() == ["sham", "tonic"]
    assert set(table["utc"]) == {WHEN["A1"][0]}, "of a film its own offset_s is when it was begun"


def test_coded_arms_are_in_no_table(out):
    close_measures(out, replace(CELLS, arms={}))
    for path in out.glob("*.csv"):
        text = path.read_text(encoding="utf-8")
        assert "arm" not in text.splitlines()[0].split(","), path.name
        assert "tonic" not in text


def test_what_nobody_can_tell_is_empty(out):
    close_measures(out, replace(CELLS, clock=RunClock()))
    fields = pd.read_csv(out / "fields.csv")
    assert fields["utc"].isna().all()
    assert fields["local_time"].isna().all()


def test_any_program_reads_the_same_text_whatever_code_page_it_takes(out):
    close_measures(out, CELLS)
    for path in out.glob("*.csv"):
        raw = path.read_bytes()
        assert raw.isascii(), path.name
        tables = {
            page: list(csv.reader(io.StringIO(raw.decode(page), newline="")))
            for page in ("utf-8", "utf-8-sig", "cp1252", "cp1250", "mac_roman", "cp932")
        }
        assert len({str(table) for table in tables.values()}) == 1, path.name
    reasons = pd.read_csv(out / "fields.csv")["reasons"]
    assert set(reasons) == {"tubes: 3 um <= 0.85, off - again"}


def test_names_that_people_gave_are_left_as_they_are():
    assert as_ascii("Müller_03: 5 µm") == "Müller_03: 5 um"
