"""What people write for numbers, units and words of a protocol.

Each case is one change to a file of the catalogue, met by people who used labrig early on.
"""

from __future__ import annotations

import pytest
from mistakes_told import DEMO, see_it_told

from labrig.protocol.loading import load_protocol

ARMS = "arms:\n  vehicle-sham:"
AIR = "environment: {interval: 5 min}"
HEAT = "environment: {set: [{%s}]}"
CULTURE = "days_differentiated: 5 "

# name: (what stands in the demo's protocol, what is written, path or line, what, remedy)
MISTAKES = {
    "a volume for a flow": (
        "flow: 1.0 mL/h",
        "flow: 1.0 mL",
        "perfusion.flow",
        "a volume per time is wanted",
        "'1.0 mL/h'",
    ),
    "a decimal comma in a flow": (
        "flow: 1.0 mL/h",
        "flow: 1,0 mL/h",
        "perfusion.flow",
        "decimal comma",
        "'1.0 mL/h'",
    ),
    "a decimal comma": (
        "low_mass_m: 0.85",
        "low_mass_m: 0,85",
        "definition.low_mass_m",
        "decimal comma",
        "0.85",
    ),
    "henry for hour": (
        "flow: 1.0 mL/h",
        "flow: 1.0 ml/H",
        "perfusion.flow",
        "other letters",
        "'1.0 mL/h'",
    ),
    "a temperature without a unit": (
        AIR,
        "environment: {temperature: 37}",
        "environment.temperature",
        "has no unit",
        "'37 degC'",
    ),
    "coulombs for degrees": (
        AIR,
        "environment: {temperature: 37 C}",
        "environment.temperature",
        "a temperature is wanted",
        "'37 degC'",
    ),
    "Kelvin as degrees": (
        AIR,
        "environment: {temperature: 310 degC}",
        "environment.temperature",
        "no temperature for cells",
        "Is the unit right?",
    ),
    "Fahrenheit as degrees": (
        AIR,
        "environment: {temperature_c: 98.6}",
        "environment.temperature_c",
        "98.6 °C is no temperature for cells",
        "Is the unit right?",
    ),
    "two temperatures": (
        AIR,
        "environment: {temperature: 36 degC, temperature_c: 33}",
        "environment.temperature",
        "say different things (36 and 33)",
        "remove `temperature_c:`",
    ),
    "heat after the end": (
        AIR,
        HEAT % "at: 20 h, temperature: 41.5 degC",
        "environment.set.0.at",
        "not before the end of the run (14 h)",
        "lengthen the phases",
    ),
    "heat beyond the end": (
        AIR,
        HEAT % "at: 13.5 h, for: 1 h, temperature: 41.5 degC",
        "environment.set.0.for",
        "lasts to 14.5 h",
        "remove `for:`",
    ),
    "heat of nothing": (
        AIR,
        HEAT % "at: 8 h, for: 1 h",
        "environment.set.0",
        "it changes nothing",
        "temperature: ... degC",
    ),
    "heat of an arm that is not there": (
        AIR,
        HEAT % "at: 8 h, temperature: 41.5 degC, arms: [nerve-tonik]",
        "environment.set.0.arms",
        "there is no arm 'nerve-tonik'",
        "'nerve-tonic'",
    ),
    "heat for a bare hour": (
        AIR,
        HEAT % "at: 8 h, for: 1, temperature: 41.5 degC",
        "environment.set.0.for",
        "has no unit",
        "'1 s', '1 min' or '1 h'",
    ),
    "oxygen as a share": (
        AIR,
        "environment: {o2: 0.05}",
        "environment.o2",
        "has no unit",
        "percent",
    ),
    "a heater's key in other words": (
        AIR,
        HEAT % "at: 8 h, temprature: 41.5 degC",
        "environment.set.0.temprature",
        "not a key",
        "'temperature'",
    ),
    "a share of a factor": (
        "{CNTF: 10 ng/mL,",
        "{CNTF: 10 %,",
        "arms.nerve-sham.targets.CNTF",
        "a per cent of something",
        "10 mg/mL",
    ),
    "a long dash": (
        "interval: 30 min",
        "interval: 30–60 min",
        "imaging.interval",
        "long dash",
        "'30-60 min'",
    ),
    "hours and minutes": (
        "at: 7 h, volume",
        "at: 7h30, volume",
        "boluses.0.at",
        "hours and minutes",
        "'7.5 h'",
    ),
    "a current as a voltage": (
        "amplitude: 15 V             # [P]\n    shape: biphasic\n    frequency: 10",
        "amplitude: 15 mA\n    shape: biphasic\n    frequency: 10",
        "amplitude",
        "a current has a key of its own",
        "V",
    ),
    "no unit": ("interval: 30 min", "interval: 30", "imaging.interval", "has no unit", "unit"),
    "thousands by commas": (
        "seeding_per_cm2: 20000",
        "seeding_per_cm2: 20,000",
        "culture.seeding_per_cm2",
        "thousands",
        "Write 20000,",
    ),
    "thousands by spaces": (
        "seeding_per_cm2: 20000",
        "seeding_per_cm2: 20 000",
        "culture.seeding_per_cm2",
        "thousands",
        "Write 20000,",
    ),
    "a unit where the key has it": (
        "seeding_per_cm2: 20000",
        "seeding_per_cm2: 20000 /cm2",
        "culture.seeding_per_cm2",
        "plain number",
        "Write 20000",
    ),
    "per cent for a fraction": (
        "low_mass_m: 0.85",
        "low_mass_m: 85 %",
        "definition.low_mass_m",
        "per cent sign",
        "Write 0.85",
    ),
    "eighty-five": (
        "low_mass_m: 0.85",
        "low_mass_m: 85",
        "definition.low_mass_m",
        "out of range",
        "less than 1",
    ),
    "a passage with its letter": (
        "    passage: 4 ",
        "    passage: P4 ",
        "donors.0.passage",
        "begins with letters",
        "Write 4.",
    ),
    "a day with its letter": (
        CULTURE,
        "days_differentiated: D5 ",
        "culture.days_differentiated",
        "begins with letters",
        "Write 5.",
    ),
    "a plate with a space": (
        "plate: 24-well",
        "plate: 24 well",
        "plate",
        "not one of the choices",
        "Did you mean '24-well'?",
    ),
    "a role with a capital": (
        "role: control",
        "role: Control",
        "role",
        "not one of the choices",
        "Did you mean 'control'?",
    ),
    "none for off": (
        "factors: off, stim",
        "factors: none, stim",
        "phases.0.factors",
        "not one of the choices",
        "Write 'on' or 'off'.",
    ),
    "another word for true": (
        "pilot: true ",
        "pilot: 'ja' ",
        "pilot",
        "will not do",
        "true or false",
    ),
    "a seed that is a date": (
        "seed: 20131106",
        "seed: 2013-11-06",
        "randomisation.seed",
        "will not do",
        "whole number",
    ),
    "a range upside down": (
        "{value: 12 h, low: 4 h, high: 24 h",
        "{value: 12 h, low: 24 h, high: 4 h",
        "half_life.low",
        "outside its own range",
        "in order",
    ),
    "a pulse before its time": (
        "pulse_width: 0.4 ms         # [P]",
        "pulse_width: -0.4 ms",
        "pulse_width",
        "out of range",
        "more than 0",
    ),
    "a shape with a hyphen": (
        "shape: biphasic\n    frequency: 10 Hz            #",
        "shape: bi-phasic\n    frequency: 10 Hz            #",
        "shape",
        "not one of the choices",
        "Did you mean 'biphasic'?",
    ),
    "a mean that is none": (
        "mean_rate: 2 Hz\n    source",
        "mean_rate: 20 Hz\n    source",
        "mean_rate",
        "is 2 Hz, not 20 Hz",
        "Correct it",
    ),
    "an error that an action cannot meet": (
        ARMS,
        "errors: {level: {stalld: {then: ask}}}\n" + ARMS,
        "errors.level.stalld",
        "'stalld' is not a key here",
        "'stalled'",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_placed_named_and_mended(mistake, tmp_path):
    see_it_told(load_protocol, tmp_path / "file.yaml", DEMO, MISTAKES[mistake])
