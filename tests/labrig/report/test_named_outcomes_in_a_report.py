"""Outcomes that a protocol names, from the tables of a run to its page."""

import csv
import io

import numpy as np
import pandas as pd
import pytest

from labrig.export.long_tables import long_tables
from labrig.export.source import Source
from labrig.report.analysis import analyse
from labrig.report.build import build_report
from labrig.report.comparisons import Readings
from labrig.report.maker import this_labrig
from labrig.report.named.grounds import exponent_of, linear
from labrig.report.record import read_record

OUTCOMES = """outcomes:
  - {name: end, of: [diameter, contraction]}
  - {name: since-10h, kind: ratio, of: diameter, baseline: {at: 6 h}, arms: [nerve-tonic]}
  - {name: tails, kind: quantiles, of: diameter, at: [10, 90], arms: [nerve-tonic]}
  - name: synergy
    kind: interaction
    of: diameter
    cells:
      nerve: [[vehicle-sham, vehicle-tonic], [nerve-sham, nerve-tonic]]
      impulses: [[vehicle-sham, nerve-sham], [vehicle-tonic, nerve-tonic]]

arms:
  vehicle-sham:"""
EDITS = (("interval: 30 min", "interval: 2 h"), ("arms:\n  vehicle-sham:", OUTCOMES))


@pytest.fixture(scope="module")
def run(write_run, story):
    return write_run(
        type(story)(
            edits=EDITS, measured_rounds=(0, 2, 3, 4, 5, 6), films_measured=True, tubes_a_well=30,
            shrink={"nerve-tonic": 0.8},
        )
    )  # fmt: skip


def test_every_named_question_is_answered_once(run):
    found = analyse(read_record(run)).named
    assert [each.outcome for each in found] == ["end"] * 6 + ["since-10h", "tails", "tails",
                                                              "synergy"]  # fmt: skip
    by_name = {(each.outcome, each.readout, each.of): each for each in found}
    end = by_name["end", "diameter of tubes", "nerve-tonic"]
    assert end.value == pytest.approx(0.8, abs=0.04)
    low, high = end.interval
    assert low < 0.8 < high
    assert end.shown
    assert end.scope == "in this donor"
    assert by_name["since-10h", "diameter of tubes", "nerve-tonic"].value == pytest.approx(
        1.0, abs=0.06
    )
    assert by_name["synergy", "diameter of tubes", "nerve by impulses"].value == pytest.approx(
        0.8, abs=0.08
    )


def test_the_page_says_them_first_in_sentences_and_the_tables_stand_beside_it(run):
    page = build_report(run).read_text(encoding="utf-8")
    assert "10 questions named in the protocol" in page
    assert "Nothing was committed before this run, so all of them are exploratory" in page
    assert "a difference is shown" in page
    rows = list(csv.DictReader(io.StringIO((run.report / "outcomes.csv").read_text("utf-8"))))
    assert len(rows) == 10
    points = list(
        csv.DictReader(io.StringIO((run.report / "outcome_units.csv").read_text("utf-8")))
    )
    assert {row["outcome"] for row in points} == {"end", "since-10h", "tails", "synergy"}


def test_p_is_adjusted_over_all_that_was_named(run):
    found = [each for each in analyse(read_record(run)).named if each.p is not None]
    smallest = min(found, key=lambda each: each.p)
    assert smallest.p_holm == pytest.approx(min(1.0, len(found) * smallest.p))


def test_what_outcomes_name_is_exported_in_long_form(run):
    tables = long_tables(Source("night", (analyse(read_record(run)),), this_labrig()))
    readouts = list(csv.DictReader(io.StringIO(tables["readouts_long.csv"].removeprefix("\ufeff"))))
    assert {row["readout"] for row in readouts} == {"diameter", "contraction"}
    assert {row["value_unit"] for row in readouts} == {"µm"}
    rests_on = list(csv.DictReader(io.StringIO(tables["outcomes_long.csv"].removeprefix("\ufeff"))))
    assert {row["outcome"] for row in rests_on} == {"end", "since-10h", "tails", "synergy"}


def test_values_too_large_for_an_exponential_are_compared_in_their_own_unit():
    table = pd.DataFrame({"well": ["A1", "A2"], "moment": [1, 1], "value": [1800.0, 2400.0]})
    readings = Readings(table, 1, None, "")
    per = exponent_of(readings)
    logs = np.log(linear(readings, per).table["value"]) * per
    assert np.allclose(logs, table["value"])
    assert exponent_of(Readings(table.assign(value=[3.0, -40.0]), 1, None, "")) == 1.0
