"""Every class of entry says what it is, and people are told of each in words."""

from dataclasses import fields, replace
from typing import get_args

import pytest

from labrig.plan.gantt import bars
from labrig.plan.store import from_json, to_json
from labrig.plan.table import digest, every_row
from labrig.plan.timeline import (
    ClimateLevel,
    Dose,
    Event,
    Film,
    FlowLevel,
    Frame,
    Lateness,
    Level,
    PersonStep,
    Reading,
    StimulationLevel,
    TimelineEntry,
    TrainSpec,
    ValveLevel,
    levels_with_ends,
)
from labrig.plan.words import MANY_ROWS, words_of
from labrig.record.rows import Kind

CLASSES = get_args(TimelineEntry)
SKIP = Lateness("skip")
PUMP = FlowLevel("flow/p/0", 60.0, "day", "p", 1.5, ("A1", "A2"))
TRAIN = TrainSpec(2, "tonic", 1.0, 5.0, True, 20.0, 0.0, 0.0, 1.0, 10.0, 20)
IMPULSES = StimulationLevel("stim/s/0", 60.0, "day", "s", (TRAIN,), ("B1",))
VALVE = ValveLevel("valve/v/0", 60.0, "day", "v", "2", ("A1", "A2"))
HEAT = ClimateLevel("climate/h/t/0", 60.0, "day", "h", "temperature_c", 41.5, ("A1",))
DOSE = Dose("dose-1", 60.0, "day", "p", 12.0, 30.0, ("A1", "A2"), "GDNF", SKIP, "ask")
STEP = PersonStep(
    "step/feed/0", 60.0, "day", "feed", "change-medium", "change the medium to dm",
    "change the medium", 1800.0, 3600.0, 600.0, 0.0, 2, "flag", ("A1", "A2"),
)  # fmt: skip
FRAME = Frame("frame/r003/B4/f0/red", 60.0, "day", "cam", "xy", "B4", 0, "red", 3, 0, 0, 50, SKIP)
FILM = Film("film/0/B4", 60.0, "day", "cam", "xy", "B4", 1, "red", 0, 0, 10, 50.0, 500, SKIP)
READING = Reading("read/air/0", 60.0, "day", "air", SKIP)
ONE_OF_EACH = (PUMP, IMPULSES, VALVE, HEAT, DOSE, STEP, FRAME, FILM, READING)


def test_there_is_one_of_each():
    assert tuple(map(type, ONE_OF_EACH)) == CLASSES


@pytest.mark.parametrize("entry", ONE_OF_EACH, ids=lambda entry: entry.kind)
def test_an_entry_says_what_it_is(entry):
    levels, events = get_args(Level), get_args(Event)
    assert entry.role == "level" if type(entry) in levels else entry.role in ("acts", "observes")
    assert hasattr(entry, "lateness") == (type(entry) in events)
    assert entry.row_kind == ("level" if entry.role == "level" else entry.kind)
    assert entry.row_kind in get_args(Kind), "the journal has no such row"
    assert entry.row_kind in MANY_ROWS, "the report would leave it out of its tally"
    assert isinstance(entry.instrument, str)
    assert isinstance(entry.wells, tuple)


def test_no_two_classes_share_a_name_in_the_file():
    assert len({cls.kind for cls in CLASSES}) == len(CLASSES)


def test_a_picture_goes_to_the_stage_and_concerns_its_well():
    for picture in (FRAME, FILM):
        assert (picture.instrument, picture.wells) == ("xy", ("B4",))
    assert READING.wells == ()


@pytest.mark.parametrize("entry", ONE_OF_EACH, ids=lambda entry: entry.kind)
def test_an_entry_keeps_its_kind_and_fields_on_disk(small_plan, entry):
    plan = replace(small_plan, timeline=(entry,))
    text = to_json(plan)
    assert from_json(text).timeline == (entry,)
    assert f'"timeline":[{{"kind":"{entry.kind}"' in text
    assert '"role"' not in text
    assert {field.name for field in fields(entry)}.isdisjoint({"kind", "row_kind", "role"})


@pytest.mark.parametrize(
    ("entry", "what", "where", "sentence", "which"),
    [
        (PUMP, "1.5 µL/min", "A1 A2", "p to 1.5 µL/min", "p"),
        (replace(PUMP, rate_ul_min=0.0), "off", "A1 A2", "p stands", "p"),
        (
            IMPULSES,
            "channel 2 tonic, 20 pulses of 5 V in 1 s, every 10 s",
            "B1",
            "impulses by s",
            "s",
        ),
        (replace(IMPULSES, trains=()), "silent", "B1", "impulses off", "s"),
        (
            DOSE,
            "12 µL of GDNF at 30 µL/min, once",
            "A1 A2",
            "12 µL GDNF into A1, A2 by p",
            "GDNF into A1, A2",
        ),
        (
            STEP,
            "change the medium to dm, within 30 min, signed by two people",
            "A1 A2",
            "change the medium to dm (feed) of A1, A2, within 30 min",
            "feed",
        ),
        (
            FRAME,
            "picture, field 0, red, 50 ms",
            "B4",
            "picture of B4 (red)",
            "B4 field 1, red, round 4",
        ),
        (
            FILM,
            "film, 500 frames at 50 Hz, red",
            "B4",
            "film of B4 (red)",
            "B4 field 2, red",
        ),
        (VALVE, "position 2", "A1 A2", "v to position 2", "v"),
        (HEAT, "41.5 °C temperature", "A1", "h to 41.5 °C temperature", "h (temperature)"),
        (
            replace(HEAT, quantity="ph", value=7.4),
            "7.4 ph",
            "A1",
            "h to 7.4 ph",
            "h (ph)",
        ),
        (READING, "reading", "air", "reading of air", "air"),
    ],
)
def test_words(entry, what, where, sentence, which):
    words = words_of(entry)
    assert (words.what, words.where, words.sentence, words.which) == (what, where, sentence, which)


def test_who_does_it_stands_before_what_is_done_but_not_before_what_is_seen(small_plan):
    rows = every_row(replace(small_plan, timeline=ONE_OF_EACH))
    assert [row.what.partition(" ")[0] for row in rows] == [
        "p:", "s:", "v:", "h:", "p:", "people:", "picture,", "film,", "reading",
    ]  # fmt: skip


def test_instruments_that_do_the_same_at_once_stand_in_one_row(small_plan):
    others = tuple(replace(PUMP, instrument=name, wells=(f"A{name[1:]}",)) for name in ("p2", "p3"))
    slower = replace(PUMP, instrument="p4", rate_ul_min=1.0)
    dose = replace(DOSE, volume_ul=3.0)
    rows = digest(replace(small_plan, timeline=(PUMP, *others, slower, DOSE, dose, READING)))
    assert [(row.what, row.where) for row in rows] == [
        ("p … p3 (3 pumps): 1.5 µL/min", "3 wells"),
        ("p4: 1 µL/min", "A1 A2"),
        ("p: 12 µL of GDNF at 30 µL/min, once", "A1 A2"),
        ("p: 3 µL of GDNF at 30 µL/min, once", "A1 A2"),
    ]


def test_one_that_holds_two_quantities_has_two_series_of_levels():
    gas = replace(HEAT, key="g", quantity="co2_percent", value=5.0)
    cool = replace(HEAT, key="c", offset_s=100.0, value=37.0)
    spans = {level.key: end_s for level, end_s in levels_with_ends((HEAT, gas, cool), 500.0)}
    assert spans == {"climate/h/t/0": 100.0, "g": 500.0, "c": 500.0}


def test_a_lane_of_the_chart_ends_where_its_instrument_is_set_anew(small_plan):
    end_h = small_plan.forecast.duration_s / 3600
    faster = replace(PUMP, offset_s=3600.0, rate_ul_min=6.0)
    off = replace(IMPULSES, offset_s=7200.0, trains=())
    rows = bars(replace(small_plan, timeline=(PUMP, IMPULSES, faster, off)))
    assert rows == {
        "p": [(1 / 60, 1.0, 0.25), (1.0, end_h, 1.0)],
        "s 2: tonic": [(1 / 60, 2.0, 1.0)],
    }
