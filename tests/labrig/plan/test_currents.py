"""Patterns in milliamperes: typed, checked in the right unit, refused where nobody holds them."""

from __future__ import annotations

import dataclasses

import pytest
from pydantic import ValidationError

from labrig.plan import pulse_physics as physics
from labrig.plan.store import from_json, to_json
from labrig.plan.timeline import Film, StimulationLevel
from labrig.plan.words import words_of
from labrig.protocol.impulses import Pattern
from labrig.protocol.models import Protocol
from labrig.protocol.readouts import readout
from labrig_drivers import pulse_pal
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import PulseTrain


class Source:
    """A driver of a current source, as far as a plan asks it."""

    def __init__(self, link, settings, name):
        self.link = link

    def program(self, trains):
        if any(train.amplitude_ma is None for train in trains.values()):
            raise OutOfRange("stim", "it holds milliamperes only.")
        self.link.write(b"")


def with_a_current_source(bench, holds=("mA",)):
    """The bench's stimulator is a current source for once."""
    kind = dataclasses.replace(bench.types["pulse_pal_2"], holds=holds, driver=Source)
    bench.types = {name: bench.types[name] for name in bench.types} | {"pulse_pal_2": kind}
    return bench


def in_ma(bench, tonic="120 mA", sham="0 mA"):
    for name, current in (("tonic", tonic), ("sham", sham)):
        pattern = bench.protocol["patterns"][name]
        pattern.pop("amplitude", None)
        pattern["current"] = current
    return bench


def codes(plan, start="stim."):
    return {f.code: f for f in plan.findings if f.code.startswith(start)}


def test_a_pulse_pal_is_not_asked_for_milliamperes(bench):
    volts = bench.plan()
    [figure] = {f.current_ma for f in volts.forecast.pulses}
    found = codes(in_ma(bench, f"{figure:.9g} mA").plan())
    unit = found["stim.instrument-unit"]
    assert unit.severity == "block"
    assert unit.where == "protocol: patterns.tonic.current"
    assert "asks for mA" in unit.why
    assert "holds V only" in unit.why
    assert "write amplitude: 6 V" in unit.remedy
    assert "stim.instrument-limit" not in found, "told once"


def test_a_sham_of_no_current_is_nobodys_business(bench):
    pattern = bench.protocol["patterns"]["sham"]
    pattern["current"] = "0 mA"
    del pattern["amplitude"]
    plan = bench.plan()
    assert not {"stim.instrument-unit", "stim.instrument-limit"} & set(codes(plan))


def test_the_figures_of_a_current_are_those_of_the_voltage_it_needs(bench):
    volts = bench.plan().forecast.pulses
    current_ma = volts[0].current_ma
    amperes = in_ma(bench, f"{current_ma:.12g} mA").plan().forecast.pulses
    assert len(amperes) == len(volts) > 0
    for one, other in zip(volts, amperes, strict=True):
        for field in dataclasses.fields(one):
            left, right = getattr(one, field.name), getattr(other, field.name)
            assert left == (pytest.approx(right) if isinstance(right, float) else right)


@pytest.mark.parametrize(
    ("current", "code", "severity"),
    [
        ("900 mA", "stim.charge-density", "block"),
        ("101 mA", "stim.current", "warn"),
        ("900 mA", "stim.field", "block"),
    ],
)
def test_what_harms_is_found_in_either_unit(bench, current, code, severity):
    found = codes(in_ma(bench, current).plan())
    assert found[code].severity == severity


def test_a_current_source_is_asked_for_milliamperes_and_for_nothing_else(bench):
    assert codes(with_a_current_source(bench).plan())["stim.instrument-unit"].severity == "block"
    found = codes(in_ma(bench, "20 mA").plan())
    assert not {"stim.instrument-unit", "stim.instrument-limit", "stim.shared-current"} & set(found)


def shared_by_two(bench, wells):
    del bench.rig["electrodes"]["pair_B3"]
    bench.rig["electrodes"]["pair_B2"]["wells"] = ["B2", "B3"]
    return with_a_current_source(in_ma(bench, "20 mA")).plan(dict.fromkeys(wells, "nerve"))


@pytest.mark.parametrize(
    ("wells", "severity"),
    [(("B2", "B3", "C2", "C3"), "warn"), (("B2", "C2", "C3"), "block")],
)
def test_wells_on_one_channel_add_their_currents_and_are_told_of(bench, wells, severity):
    plan = shared_by_two(bench, wells)
    found = codes(plan)["stim.shared-current"]
    assert (found.severity, found.where) == (severity, "rig: electrodes.pair_B2")
    assert ("B3 of them have no culture" in found.why) == (severity == "block")
    levels = [e for e in plan.timeline if isinstance(e, StimulationLevel) and e.trains]
    sent = {spec.channel: (spec.amplitude_v, spec.amplitude_ma) for spec in levels[0].trains}
    assert sent == {1: (None, 40.0), 3: (None, 20.0), 4: (None, 20.0)}
    assert "pulses of 40 mA in" in words_of(levels[0]).what
    assert from_json(to_json(plan)) == plan
    assert {f.current_ma for f in plan.forecast.pulses} == {20.0}


def test_a_plan_of_before_reads_as_volts(bench):
    plan = bench.plan()
    text = to_json(plan)
    assert ',"amplitude_ma":null' in text
    assert ',"z_um":null' in text
    old = text.replace(',"amplitude_ma":null', "").replace(',"z_um":null', "")
    assert from_json(old) == plan


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "says neither a voltage nor a current"),
        ({"amplitude": "5 V", "current": "5 mA"}, "says both a voltage and a current"),
    ],
)
def test_one_of_both_is_written(bench, given, said):
    pattern = bench.protocol["patterns"]["tonic"]
    del pattern["amplitude"]
    pattern |= given
    with pytest.raises(ValidationError, match=said):
        Protocol.model_validate(bench.protocol)


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"amplitude": "20 mA"}, "a current has a key of its own: `current`"),
        ({"current": "20 V"}, "a current is wanted"),
        ({"current": "20"}, "has no unit"),
        ({"current": "-3 mA"}, "greater than or equal to 0"),
    ],
)
def test_a_unit_under_the_wrong_key_says_where_it_belongs(bench, written, said):
    pattern = bench.protocol["patterns"]["tonic"]
    del pattern["amplitude"]
    with pytest.raises(ValidationError, match=said):
        Protocol.model_validate(bench.protocol | {"patterns": {"tonic": pattern | written}})


@pytest.mark.parametrize("written", ["0.02 A", "20 mA", "20000 uA"])
def test_units_of_current(written):
    pattern = Pattern.model_validate(
        {"pulse_width": "1 ms", "current": written, "shape": "biphasic", "frequency": "1 Hz"}
    )
    assert (pattern.amplitude_ma, pattern.amplitude_v, pattern.live) == (20.0, None, True)
    assert pattern.amplitude == "20 mA"


def test_ohms_law_both_ways():
    volts, current_ma = physics.volts_and_ma(None, 20.0, 150.0)
    assert physics.volts_and_ma(volts, None, 150.0) == pytest.approx((volts, current_ma))
    assert volts == 3.0


def test_a_train_has_one_amplitude():
    shape = (True, 10.0, 1.0, 0.0, 1.0)
    for amplitude_v, amplitude_ma in ((None, None), (1.0, 1.0)):
        with pytest.raises(ValueError, match="give one"):
            PulseTrain(1.0, amplitude_v, *shape, amplitude_ma=amplitude_ma)
    driver = pulse_pal.INSTRUMENT.driver(None, pulse_pal.INSTRUMENT.settings(), "pulses")
    with pytest.raises(OutOfRange, match="20 mA is asked, and it holds volts only"):
        driver.program({1: PulseTrain(1.0, None, *shape, amplitude_ma=20.0)})


def test_a_staircase_in_ma_is_played_by_a_current_source_and_asked_of_each_well(bench):
    in_ma(with_a_current_source(bench), "20 mA")
    bench.protocol["assays"] = {
        "capture": {
            "kind": "staircase", "pulse_width": "2 ms", "frequency": "1 Hz", "pulses": 5,
            "amplitude": {"from": "10 mA", "to": "30 mA", "step": "10 mA"},
        }
    }  # fmt: skip
    bench.protocol["imaging"] |= {
        "series": [{"at": ["10 min"], "assay": "capture"}],
        "films": {"at": [], "channel": "phase", "duration": "2 s", "frame_rate": "50 Hz",
                  "exposure": "10 ms"},
    }  # fmt: skip
    plan = bench.plan()
    assert "stim.instrument-unit" not in codes(plan)
    films = [e for e in plan.timeline if isinstance(e, Film)]
    assert {(f.test.amplitude_v, f.test.amplitude_ma) for f in films} == {
        (None, 10.0), (None, 20.0), (None, 30.0)
    }  # fmt: skip
    known = readout(Protocol.model_validate(bench.protocol), "capture_threshold")
    assert (known.unit, known.column) == ("mA", "capture_ma")
