"""Wells that the plan excludes by name, and the time it commits to, hold in every export."""

from __future__ import annotations

import io
from dataclasses import replace

import pandas as pd
import pytest

from labrig.export.long_tables import long_tables
from labrig.export.well_values import readouts

PLANNED = "\nanalysis:\n"
EXCLUDED = '  exclusions: [{well: A1, reason: "air bubble under the well"}]\n'


@pytest.fixture
def without_a1(source_of, story):
    edits = (*story.edits, (PLANNED, PLANNED + EXCLUDED))
    return source_of(replace(story, edits=edits, films_measured=True))


@pytest.mark.parametrize("name", ["tubes_long.csv", "films_long.csv", "wells_long.csv"])
def test_a_well_excluded_by_name_keeps_its_rows_and_counts_nowhere(without_a1, name):
    text = long_tables(without_a1)[name].removeprefix("\ufeff")
    table = pd.read_csv(io.StringIO(text))
    own = table[table["well"] == "A1"]
    assert len(own)
    assert not own["in_itt"].any()
    assert not own["in_pp"].any()
    assert own["excluded_why"].str.contains("as planned: air bubble under the well").all()
    assert not table[table["well"] != "A1"]["excluded_why"].fillna("").str.contains("bubble").any()


def test_a_well_excluded_by_name_is_in_no_plot(without_a1):
    for readout in readouts(without_a1):
        wells = {value.well for value in readout.wells}
        assert "A2" in wells
        assert "A1" not in wells, readout.name


def test_plots_show_the_committed_time(source_of, story):
    edits = (*story.edits, (PLANNED, f"{PLANNED}  at: 8 h\n"))
    source = source_of(replace(story, edits=edits, films_measured=True, measured_rounds=(0, 1, 2)))
    compared = source.runs[0].compared
    for readout, readings in zip(readouts(source), (compared.mass, compared.strength), strict=True):
        table = readings.table[readings.table["moment"] == readings.last]
        shown = {value.well: (value.time_h, value.value) for value in readout.wells}
        assert max(time_h for time_h, _ in shown.values()) <= 8.1, readout.name
        expected = zip(table["hours"], table["value"], strict=True)
        assert shown == dict(zip(table["well"], expected, strict=True))
