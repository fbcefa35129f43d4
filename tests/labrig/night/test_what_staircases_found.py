"""From the films of a staircase to one threshold for each channel, and to the runner's door."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from labrig.measure.films import COLUMNS
from labrig.night import capturing
from labrig.night.capturing import CaptureTeller, thresholds
from labrig.plan.timeline import AskedTest, Film, Lateness, StimulationLevel, TrainSpec
from labrig.run.control_client import CommandRefused, NoRunner
from labrig.run_folder import RunFolder
from labrig_measure.records import Record, write_record

UNITS = {"A1": "stim:1", "A2": "stim:1", "A3": "stim:1", "B1": "stim:2", "C1": ""}


def staircase(well, captured_from, status="ok"):
    """Rows of a staircase of 2, 4, 6 and 8 V; None: no step is captured."""
    return [
        dict.fromkeys(COLUMNS)
        | {
            "well": well, "field": 0, "film": step, "series": 0, "assay": "capture",
            "kind": "staircase", "step": step, "part": "", "offset_s": 10.0 + step,
            "asked_v": 2.0 + 2 * step, "captured_share": 0.8, "status": status, "reasons": "",
            "capture_fraction": float(captured_from is not None and step >= captured_from),
            "amplitude_um": 2.0 if captured_from is not None and step >= captured_from else 0.0,
        }
        for step in range(4)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("wells", "volts"),
    [
        ({"A1": 1, "A2": 1, "A3": 3}, 4.0),
        ({"A1": 1, "A2": 2, "A3": 3}, 6.0),
        ({"A1": 1, "A2": 3}, 8.0),
        ({"A1": 1, "A2": None, "A3": None}, None),
        ({"A1": 2, "A2": None}, None),
        ({"A1": 0}, 2.0),
    ],
)
def test_a_channel_has_the_step_that_captures_half_of_its_wells(wells, volts):
    rows = [row for well, step in wells.items() for row in staircase(well, step)]
    assert thresholds(rows, UNITS) == {"stim:1": volts}


def test_wells_that_do_not_count_and_wells_without_electrodes_say_nothing():
    rows = [*staircase("A1", 1, "flagged"), *staircase("A2", 2), *staircase("C1", 0)]
    assert thresholds(rows, UNITS) == {"stim:1": 6.0}
    assert thresholds(staircase("B1", 1, "failed"), UNITS) == {"stim:2": None}


def film(step):
    return Film(
        f"film/s00/capture/{step:02d}/A1/f0/phase", 10.0 + step, "rest", "cam", "stage", "A1", 0,
        "phase", 0.0, 0.0, 5.0, 50.0, 10, Lateness("once_within", 1.0), assay="capture",
        step=step, test=AskedTest(f"capture:{step}", 1.0, 2.0 + 2 * step),
    )  # fmt: skip


def plan_of(of_capture):
    spec = TrainSpec(1, "dose", 0.4, 8.0, True, 2.0, 9.0, 0.0, 9.0, 10.0, 20)
    spec = replace(spec, of_capture=of_capture, capture="capture")
    level = StimulationLevel("stim/0", 100.0, "on", "stim", (spec,), ("A1",))
    wells = (SimpleNamespace(well="A1", pattern_unit="stim:1"),)
    return SimpleNamespace(timeline=(*map(film, range(4)), level), wells=wells)


@pytest.fixture
def told(tmp_path, monkeypatch):
    """A run folder with the records of a staircase, and what is told to its runner."""
    folder = RunFolder(tmp_path)
    (folder.measures / "records").mkdir(parents=True)
    for row in staircase("A1", 2):
        place = {"well": "A1", "field": 0, "film": row["film"]}
        name = f"film_{row['film']:02d}_A1_f0"
        write_record(folder.measures, Record(name, "s", place, {}, {"contractions": [row]}), None)
    heard = SimpleNamespace(folder=folder, calls=[], answers=[])

    def capture(assay, found):
        heard.calls.append((assay, found))
        if heard.answers:
            raise heard.answers.pop(0)

    monkeypatch.setattr(capturing, "connect", lambda control: SimpleNamespace(capture=capture))
    return heard


def test_it_is_told_once_as_soon_as_the_block_is_measured(told):
    teller = CaptureTeller(told.folder, plan_of(1.1))
    teller.look(set())
    assert told.calls == []
    for _ in range(3):
        teller.look({"film/s00"})
    assert told.calls == [("capture", {"stim:1": 6.0})]


def test_between_two_runners_it_is_told_again_and_a_refusal_is_the_end(told):
    teller = CaptureTeller(told.folder, plan_of(1.1))
    told.answers += [NoRunner("none"), CommandRefused("no")]
    for _ in range(4):
        teller.look({"film/s00"})
    assert len(told.calls) == 2


def test_a_staircase_that_nobody_waits_for_is_not_told(told):
    CaptureTeller(told.folder, plan_of(None)).look({"film/s00"})
    assert told.calls == []
