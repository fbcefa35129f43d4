"""Plots show what the report shows, seldom enough, and no arm of a blinded run."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest

from labrig.report.analysis import analyse
from labrig.report.record import read_record
from labrig.web import run_curves
from labrig.web.panels import thinned, within
from labrig.web.run_curves import read_curves
from labrig.web.seldom import SHARE_OF_A_CORE, Seldom
from labrig_measure.records import Record, write_record


@pytest.fixture(scope="module")
def night(write_run, story):
    return write_run(replace(story, films_measured=True, stalled="nerve_05"))


@pytest.fixture(scope="module")
def curves(night):
    return read_curves(night)


@pytest.fixture(scope="module")
def analysis(night):
    return analyse(read_record(night))


def line(curves, key, name):
    return next(found for found in curves.panel(key).lines if found.name == name)


def test_growth_is_that_of_the_report(curves, analysis):
    table = analysis.itt

    shown = line(curves, "diameter-um", "nerve-tonic 1").values

    reported = table[table["unit"] == "nerve-tonic 1"]["diameter_um"].dropna()
    assert shown == pytest.approx(list(reported), rel=1e-4)
    mean = table[table["arm"] == "nerve-tonic"].groupby("round")["diameter_um"].mean().dropna()
    assert line(curves, "diameter-um", "nerve-tonic").values == pytest.approx(list(mean), rel=1e-4)


def test_doses_are_those_of_the_ledger_and_a_stall_is_seen_in_the_band(curves, analysis):
    ledger = analysis.ledger
    lowest = min(d.curve.low_ng_ml[-1] for d in ledger.wells if d.factor == "CNTF" and d.fidelity)
    assert any(d.fidelity < 0.7 for d in ledger.wells if d.factor == "CNTF" and d.fidelity)

    delivered = [found for found in curves.panel("dose-cntf").lines if found.role == "delivered"]

    assert min(found.low[-1] for found in delivered) == pytest.approx(lowest, rel=1e-3)
    assert max(found.values[-1] for found in delivered) > 2 * lowest
    planned = line(curves, "dose-cntf", "nerve-tonic, planned").values
    assert planned[-1] == pytest.approx(10.0, rel=0.05)


def test_air_has_its_limits_and_contraction_its_units(curves):
    assert curves.panel("co2-percent").limits == (4.5, 5.5)
    assert set(curves.panel("temperature-c").lines[0].values) == {37.02}
    assert line(curves, "amplitude-um", "vehicle-sham").values == (2.0, 2.0)
    late = [value for value in line(curves, "lateness", "pictures").values if value is not None]
    assert set(late) == {1.5}


def test_before_the_tables_are_closed_growth_comes_from_records(write_run, story, tmp_path):
    closed = write_run(replace(story, measured_rounds=(0, 1)))
    still_open = write_run(replace(story, measured=False, until_s=8 * 3600.0))
    assert read_curves(still_open).panel("diameter-um") is None
    tables = {"fields": [], "tubes": []}
    for name in tables:
        text = (closed.measures / f"{name}.csv").read_text().splitlines()
        columns = text[0].split(",")
        for row in text[1:]:
            cells = dict(zip(columns, row.split(","), strict=True))
            tables[name].append({c: _number(v) for c, v in cells.items()})
    for field in tables["fields"]:
        place = {name: field[name] for name in ("well", "field", "round", "offset_s")}
        own = [
            {k: v for k, v in t.items() if k not in place}
            for t in tables["tubes"]
            if all(t[name] == value for name, value in place.items())
        ]
        row = {k: v for k, v in field.items() if k not in place}
        name = f"{place['well']}_f0_t{place['round']:03d}"
        write_record(
            still_open.measures, Record(name, "[]", place, {}, {"fields": [row], "tubes": own})
        )

    shown = read_curves(still_open).panel("diameter-um")

    assert shown == read_curves(closed).panel("diameter-um")


def _number(text):
    try:
        return int(text) if text.isdigit() else float(text)
    except ValueError:
        return text


def test_a_run_that_has_not_begun_has_no_plots_of_what_was(write_run, story):
    curves = read_curves(write_run(replace(story, begun=False, measured=False, imaged=False)))
    assert {panel.key for panel in curves.panels} >= {"dose-cntf"}
    assert all(found.role == "planned" for found in curves.panel("dose-cntf").lines)
    assert curves.started_utc == ""
    assert curves.missing


def test_while_arms_are_coded_none_is_named_and_no_dose_is_shown(night, monkeypatch):
    codes = {
        "vehicle-sham": "arm-3",
        "vehicle-tonic": "arm-1",
        "nerve-sham": "arm-4",
        "nerve-tonic": "arm-2",
    }

    class Key:
        arms = tuple(codes.items())

    monkeypatch.setattr(run_curves, "arms_are_coded", lambda folder, protocol: True)
    monkeypatch.setattr(run_curves, "read_key", lambda path: Key)

    curves = read_curves(night)

    assert curves.arms == ("arm-1", "arm-2", "arm-3", "arm-4")
    said = json.dumps([repr(curves)])
    assert not [arm for arm in codes if arm in said]
    assert {panel.key for panel in curves.panels} == {
        "co2-percent", "temperature-c", "diameter-um", "coverage", "fusion-index", "lateness",
    }  # fmt: skip
    assert {found.name for found in curves.panel("lateness").lines} <= {"pictures", "films"}


def test_a_part_and_a_table_of_a_panel_keep_values_as_they_are(curves):
    panel = curves.panel("dose-cntf")
    part = within(panel, 2.0, 3.0)
    assert all(2.0 <= at_h <= 3.0 for at_h in part.hours)
    assert len(part.lines[0].values) == len(part.hours) > 2
    few = thinned(panel, 5)
    assert len(few.hours) == 5
    assert (few.hours[0], few.hours[-1]) == (panel.hours[0], panel.hours[-1])
    assert few.lines[0].values[-1] == panel.lines[0].values[-1]


class TestSeldom:
    def make(self, cost_s):
        self.now_s, self.spent_s, self.made, self.stamp = 0.0, 0.0, 0, 0

        def work():
            self.made += 1
            self.spent_s += cost_s
            return self.made

        return Seldom(work, lambda: self.stamp, lambda: self.now_s, lambda: self.spent_s)

    def test_what_has_not_changed_is_never_made_again(self):
        seldom = self.make(1.0)
        seldom.get()
        self.now_s = 1e9
        assert seldom.get() == 1

    def test_it_takes_no_more_than_its_share_however_often_it_changes(self):
        seldom = self.make(3.0)
        for second in range(1, 3600):
            self.now_s, self.stamp = float(second), second
            seldom.get()
        assert self.spent_s <= SHARE_OF_A_CORE * 3600.0 + 3.0
        assert self.made == math.ceil(3599 / (3.0 / SHARE_OF_A_CORE))

    def test_what_went_wrong_is_tried_again(self):
        tries = []

        def work():
            tries.append(1)
            if len(tries) == 1:
                raise OSError("gone for a moment")
            return "there"

        seldom = Seldom(work, lambda: 0)
        with pytest.raises(OSError, match="gone"):
            seldom.get()
        assert seldom.get() == "there"
