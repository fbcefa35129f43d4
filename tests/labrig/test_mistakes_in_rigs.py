"""What people write into rigs.

Each case is one change to a file of the catalogue, met by people who used labrig early on.
"""

from __future__ import annotations

import pytest
from mistakes_told import BENCH, see_it_told

from labrig.rig.loading import load_rig

RULE = "probe: incubator_probe"
CO2 = "interlocks: {co2: {instrument: incubator_probe, quantity: co2_percent, %s}}\n" + RULE
CLIMATE = "climate: {warm: {%s}}\n" + RULE

# name: (what stands in the bench, what is written, path or line, what, remedy)
MISTAKES = {
    "a lower-case well": (
        "wells: [A1], carries",
        "wells: [a1], carries",
        "lines.base_A1.wells.0",
        "not a well",
        "A1",
    ),
    "a well with a nought": (
        "wells: [A1], carries",
        "wells: [A01], carries",
        "lines.base_A1.wells.0",
        "not a well",
        "A1",
    ),
    "a well of a larger plate": (
        "pump: base_left, wells: [A1]",
        "pump: base_left, wells: [A9]",
        "lines.base_A1.wells.0",
        "has no well A9",
        "A1 to D6",
    ),
    "a pump with one digit": ("pump: nerve_01,", "pump: nerve_1,", "pump", "no", "'nerve_01'"),
    "a path in double quotes": (
        "stage: {address: sim}",
        'stage: {address: "C:\\videos\\new.avi"}',
        "",
        "",
        "forward slashes",
    ),
    "a type that is misspelt": (
        "type: asi_ms2000",
        "type: asi_ms200",
        "instruments.stage.type",
        "not installed",
        "asi_ms2000",
    ),
    "a port that is misspelt": (
        "type: asi_ms2000, port: stage}",
        "type: asi_ms2000, port: stages}",
        "instruments.stage.port",
        "no port",
        "'stage'",
    ),
    "a setting that is misspelt": (
        "volts_per_volt: 2.0",
        "volt_per_volt: 2.0",
        "settings.volt_per_volt",
        "no setting",
        "'volts_per_volt'",
    ),
    "a setting in words": (
        "settings: {address: 1}}",
        "settings: {address: one}}",
        "settings.address",
        "a valid whole number",
        "address",
    ),
    "one address for two": (
        "settings: {address: 2}}",
        "settings: {address: 1}}",
        "base_right.settings",
        "both have address 1",
        "its own address",
    ),
    "a comma within braces": (
        "pulse_pal: {address: sim}",
        "pulse_pal: {address: sim, baudrate: 9,600}",
        "ports.pulse_pal.600",
        "after a comma",
        "without one",
    ),
    "a key that is shortened": (
        "pulse_pal: {address: sim}",
        "pulse_pal: {address: sim, baud: 9600}",
        "ports.pulse_pal.baud",
        "not a key",
        "'baudrate'",
    ),
    "a volume without its unit": (
        "base_bottle_left: {volume: 2 L",
        "base_bottle_left: {volume: 2000",
        "reservoirs.base_bottle_left.volume",
        "has no unit",
        "mL",
    ),
    "a pixel in milliseconds": (
        "pixel_size: 1.3 um",
        "pixel_size: 1.3 ms",
        "optics.phase.pixel_size",
        "a length is wanted",
        "um",
    ),
    "one channel for two rows": (
        "row_D: {stimulator: stimulator, channel: 4",
        "row_D: {stimulator: stimulator, channel: 3",
        "electrodes.row_D.channel",
        "already drives 'row_C'",
        "another channel",
    ),
    "a calibration of nothing": (
        "{of: base_left, what",
        "{of: base_leftt, what",
        "calibrations.0.of",
        "no instrument",
        "'base_left'",
    ),
    "a date as in America": (
        "on: 2020-01-01, by",
        "on: 01/31/2020, by",
        "calibrations.0.on",
        "",
        "2026-11-23",
    ),
    "a rule of a quantity without its unit": (
        RULE,
        CO2.replace("co2_percent", "co2") % "low: 4, action: alarm",
        "interlocks.co2.quantity",
        "gives no 'co2'",
        "co2_percent",
    ),
    "a rule without a limit": (RULE, CO2 % "action: alarm", "interlocks.co2", "no limit", "`low:`"),
    "a rule upside down": (
        RULE,
        CO2 % "low: 6, high: 4, action: alarm",
        "interlocks.co2",
        "`low` is 6 and `high` is 4",
        "smaller",
    ),
    "a pump as a heater": (
        RULE,
        CLIMATE % "instrument: base_left, sets: temperature",
        "climate.warm.instrument",
        "is a pump (leadfluid_bt), not a controller",
        "Name a controller",
    ),
    "a heater that is not there": (
        RULE,
        CLIMATE % "instrument: watlow_9, sets: temperature",
        "climate.warm.instrument",
        "there is no controller 'watlow_9'",
        "This rig has no controller: add one",
    ),
    "a heater of warmth": (
        RULE,
        CLIMATE % "instrument: base_left, sets: warmth",
        "climate.warm.sets",
        "not one of the choices",
        "'temperature'",
    ),
    "a safe temperature without a unit": (
        RULE,
        CLIMATE % "instrument: base_left, sets: temperature, safe: '37'",
        "climate.warm.safe",
        "has no unit",
        "'37 degC'",
    ),
    "a probe that cannot feel oxygen": (
        RULE,
        CLIMATE % "instrument: base_left, sets: o2, probe: incubator_probe",
        "climate.warm.probe",
        "measures co2_percent, temperature_c, not o2_percent",
        "leave the key out",
    ),
    "a rule that stops": (
        RULE,
        CO2 % "low: 4, action: stop",
        "interlocks.co2.action",
        "not one of the choices",
        "'suspend'",
    ),
    "a rule that suspends nobody": (
        RULE,
        CO2 % "low: 4, action: suspend",
        "interlocks.co2",
        "go together",
        "suspends: [stimulator]",
    ),
    "a rule about nobody": (
        RULE,
        CO2.replace("instrument: incubator_probe", "instrument: incubator")
        % "low: 4, action: alarm",
        "interlocks.co2.instrument",
        "no instrument",
        "'incubator_probe'",
    ),
    "a limit with its sign": (
        RULE,
        CO2 % "low: 4 %, action: alarm",
        "interlocks.co2.low",
        "per cent sign",
        "4 where the name",
    ),
    "a dwell without a unit": (
        RULE,
        CO2 % "low: 4, for: 10, action: alarm",
        "interlocks.co2.for",
        "has no unit",
        "unit",
    ),
    "a rule with min": (
        RULE,
        CO2 % "min: 4, action: alarm",
        "interlocks.co2.min",
        "not a key",
        "low",
    ),
    "an outflow with a space": (
        "kind: fixed-height",
        "kind: fixed height",
        "outflow.kind",
        "not one of the choices",
        "Did you mean 'fixed-height'?",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_placed_named_and_mended(mistake, tmp_path):
    see_it_told(load_rig, tmp_path / "file.yaml", BENCH, MISTAKES[mistake])
