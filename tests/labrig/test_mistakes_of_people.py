"""What people really write into protocols and rigs: where it is, what it is, and how to mend it.

Each case is one change to a file of the catalogue. The first ones were met by somebody who used
labrig for the first time; the others are what a second person wrote.
"""

from __future__ import annotations

import re

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
BENCH = (catalogue_folder() / "rigs" / "simulated-bench.yaml").read_text(encoding="utf-8")
RULE = "probe: incubator_probe"
CO2 = "interlocks: {co2: {instrument: incubator_probe, quantity: co2_percent, %s}}\n" + RULE
ARMS = "arms:\n  vehicle-sham:"
PLAN = "  correction: dunnett"
AIR = "environment: {interval: 5 min}"
HEAT = "environment: {set: [{%s}]}"
CLIMATE = "climate: {warm: {%s}}\n" + RULE
CELLS = "{{kind: interaction, of: diameter, cells: {{{}}}}}"
OUTCOMES = f"outcomes: [%s]\n{ARMS}"
CULTURE = "days_differentiated: 5 "
TIMED = "arms:\n  timed: {program: [{%s}]}\n  vehicle-sham:"
PATTERNS = "patterns:\n"
LIGHT = (
    "patterns:\n  flash: {by: %s, wavelength: %s, pulse_width: 5 ms, irradiance: %s, "
    "frequency: 1 Hz, onto: nerve}\n"
)
MIXED = "patterns:\n  both: {sequence: %s}\n"

# name: (what stands in the demo's protocol, what is written, path or line, what, remedy)
PROTOCOL = {
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
    "no day of the calendar": (
        CULTURE,
        "days_differentiated: 5\n  note: 2026-02-30 ",
        "",
        "there is no day 2026-02-30",
        "2026-11-23",
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
    "a key twice": (
        "  vehicle-tonic:\n",
        "  vehicle-sham:\n",
        "line 93",
        "duplicate key",
        "Keep one",
    ),
    "an error that an action cannot meet": (
        ARMS,
        "errors: {level: {stalld: {then: ask}}}\n" + ARMS,
        "errors.level.stalld",
        "'stalld' is not a key here",
        "'stalled'",
    ),
    "no space after a colon": (
        "name: demo-night",
        "name:demo-night",
        "line 7",
        "no space after the colon of 'name'",
        "`name: demo-night`",
    ),
    "a colon in a title": (
        "title: A demonstration night, nerve",
        "title: Night 3: nerve",
        "line 8",
        "a second colon",
        'title: "Night 3: nerve',
    ),
    "an open quote": (
        "title: A demonstration",
        'title: "A demonstration',
        "line 8",
        "an open quote",
        "Close the quote",
    ),
    "an open bracket": (
        "at: [1.1 h, 13.6 h]",
        "at: [1.1 h, 13.6 h",
        "line 128",
        "a [ that is not closed",
        "Close it with ]",
    ),
    "no comma between keys": (
        "{factor: leucine, stock:",
        "{factor: leucine stock:",
        "line 92",
        "no comma before 'stock'",
        "commas",
    ),
    "curly quotes": (
        'source: "[P]"}\n  BDNF',
        "source: “[P]”}\n  BDNF",
        "line 36",
        "curly quotes",
        "straight quotes",
    ),
    "a key one space too far": (
        "  flow: 1.0 mL/h",
        "   flow: 1.0 mL/h",
        "line 84",
        "indented by 3 spaces, the line above by 2",
        "same indent",
    ),
    "a text that is a comment": (
        "operator: demo",
        "operator: #3",
        "culture.operator",
        "nothing stands here",
        "quotes",
    ),
    "an anchor of another name": ("boluses: *feed", "boluses: *fed", "line 95", "&fed", "Mark"),
    "a no-break space in a key": (
        "sites: 1 ",
        "sites\u00a0: 1 ",
        "imaging.sites",
        "not a key",
        "Did you mean 'sites'?",
    ),
    "a stock that is misspelt": (
        "stock: leucine-stock, at",
        "stock: leucin-stock, at",
        "arms.vehicle-sham.boluses.0.stock",
        "no stock",
        "'leucine-stock'",
    ),
    "a medium that is misspelt": (
        "medium: differentiation\n",
        "medium: diferentiation\n",
        "perfusion.medium",
        "no medium",
        "'differentiation'",
    ),
    "a factor that is misspelt": (
        "contents: {CNTF: 1 ug/mL,",
        "contents: {CTNF: 1 ug/mL,",
        "stocks.nerve-cocktail.contents.CTNF",
        "no factor",
        "'CNTF'",
    ),
    "a film after the end": (
        "at: [1.1 h, 13.6 h]",
        "at: [1.1 h, 136 h]",
        "imaging.films.at.1",
        "outside the run (0 to 14 h)",
        "start of the run",
    ),
    "two phases of one name": (
        "name: treatment",
        "name: baseline",
        "phases.1.name",
        "two phases",
        "its own name",
    ),
    "a version to come": (
        "labrig: 1\n",
        "labrig: 2\n",
        "labrig",
        "not one of the choices",
        "Write 1",
    ),
    "an error rate of five": (
        "error_rate: 0.05",
        "error_rate: 5",
        "analysis.error_rate",
        "out of range",
        "at most 0.2",
    ),
    "an error rate in per cent": (
        "error_rate: 0.05",
        "error_rate: 5 %",
        "analysis.error_rate",
        "per cent sign",
        "Write 0.05",
    ),
    "a margin below one": (
        "equivalence_margin: 1.10",
        "equivalence_margin: 0.90",
        "analysis.equivalence_margin",
        "out of range",
        "more than 1",
    ),
    "donors without a key": (
        "donors: {planned: 6} ",
        "donors: 6 ",
        "analysis.donors",
        "will not do",
        "`{planned: 6}`",
    ),
    "a look after the last donor": (
        "donors: {planned: 6}",
        "donors: {planned: 6, looks: [3, 9]}",
        "analysis.donors.looks",
        "looks at 3, 9 of 6",
        "below the planned",
    ),
    "a contrast of no arm": (
        PLAN,
        f"  contrasts: [{{arm: nerve-tonik}}]\n{PLAN}",
        "analysis.contrasts.0.arm",
        "no arm",
        "'nerve-tonic'",
    ),
    "a read-out by its other name": (
        PLAN,
        f"  primary: [diameter]\n{PLAN}",
        "analysis.primary.0",
        "not one of the choices",
        "'mass'",
    ),
    "an exclusion without a well": (
        PLAN,
        f"  exclusions: [{{well: A01, reason: bubble}}]\n{PLAN}",
        "analysis.exclusions.0.well",
        "not a well",
        "A1",
    ),
    "coded, shortened": (
        ARMS,
        f"blinding: {{arms: code}}\n{ARMS}",
        "blinding.arms",
        "not one of the choices",
        "Did you mean 'coded'?",
    ),
    "a judge who fills syringes": (
        ARMS,
        f"blinding: {{arms: coded, handlers: [H. Berg], judges: [Hanna Berg]}}\n{ARMS}",
        "blinding.judges.0",
        "can be 'H. Berg'",
        "somebody else",
    ),
    "one handler, not in a list": (
        ARMS,
        f"blinding: {{arms: coded, handlers: Hanna Berg}}\n{ARMS}",
        "blinding.handlers",
        "will not do",
        "a list",
    ),
    "a read-out misspelt": (
        ARMS,
        OUTCOMES % "{of: diametre}",
        "outcomes.0.of",
        "no read-out 'diametre'",
        "'diameter'",
    ),
    "a kind of outcome that is none": (
        ARMS,
        OUTCOMES % "{kind: time_to_loss, of: diameter, loss: 10 %}",
        "outcomes.0",
        "no outcome of this kind",
        "time-to-loss",
    ),
    "a loss as a fraction": (
        ARMS,
        OUTCOMES % "{kind: time-to-loss, of: diameter, loss: 0.1}",
        "outcomes.0.loss",
        "has no unit",
        "'10 percent'",
    ),
    "an outcome's arm misspelt": (
        ARMS,
        OUTCOMES % "{of: diameter, arms: [nerve-tonik]}",
        "outcomes.0.arms.0",
        "no arm",
        "'nerve-tonic'",
    ),
    "a moment that nothing is called by": (
        ARMS,
        OUTCOMES % "{kind: ratio, of: diameter, baseline: chalenge}",
        "outcomes.0.baseline",
        "no moment 'chalenge'",
        "label of an arm's programme",
    ),
    "a baseline after the end": (
        ARMS,
        OUTCOMES % "{kind: ratio, of: diameter, baseline: {at: 72 h}}",
        "outcomes.0.baseline.at",
        "outside the run",
        "that the run reaches",
    ),
    "quantiles of what has none": (
        ARMS,
        OUTCOMES % "{kind: quantiles, of: contraction, at: [10, 90]}",
        "outcomes.0.of",
        "no quantiles",
        "diameter",
    ),
    "two outcomes of one name": (
        ARMS,
        OUTCOMES % "{name: a, of: diameter}, {name: a, of: contraction}",
        "outcomes.0.name",
        "two outcomes",
        "its own",
    ),
    "an interaction of arms that do not cross": (
        ARMS,
        OUTCOMES % CELLS.format("N: [vehicle-sham, nerve-sham], A: [vehicle-tonic, nerve-tonic]"),
        "outcomes.0.cells",
        "no arm has",
        "all arms that have it",
    ),
    "ages without a range": (
        ARMS,
        OUTCOMES % CELLS.format("arm: [vehicle-sham, nerve-sham], donor.age: [young, old]"),
        "outcomes.0.cells.donor.age.0",
        "no range of ages",
        "under-40",
    ),
    "an attribute that donors lack": (
        ARMS,
        OUTCOMES % CELLS.format("arm: [vehicle-sham, nerve-sham], donor.gender: [f, m]"),
        "outcomes.0.cells.donor.gender",
        "no attribute 'gender'",
        "sex",
    ),
    "recovery without gaps": (
        ARMS,
        OUTCOMES % "{kind: recovered-fraction, of: diameter, before: wash, after: end}",
        "outcomes.0.before",
        "no moment 'wash'",
        "label",
    ),
    "an order of one read-out": (
        ARMS,
        OUTCOMES % "{kind: order, of: [diameter], loss: 10 %}",
        "outcomes.0.of",
        "at least 2 are wanted",
        "Name 2",
    ),
    "a frequency of a read-out without steps": (
        ARMS,
        OUTCOMES % "{of: contraction, frequency: 20 Hz}",
        "outcomes.0.frequency",
        "no step",
        "Leave out",
    ),
}

NEW_KEYS = {
    "an entry that starts": (
        ARMS, TIMED % "start: 2 h, pattern: sham", "program.0.start", "not a key", "'from'",
    ),
    "an entry with a duration": (
        ARMS, TIMED % "from: 2 h, duration: 1 h, pattern: sham", "program.0.duration",
        "not a key", "'for'",
    ),
    "an entry at a bare hour": (
        ARMS, TIMED % "from: 2, pattern: sham", "program.0.from", "no unit", "'2 h'",
    ),
    "an entry by the clock": (
        ARMS, TIMED % "from: 22:00, pattern: sham", "program.0.from", "hours and minutes", "'22 h'",
    ),
    "a programme that is one entry": (
        ARMS, "arms:\n  timed: {program: {from: 2 h, pattern: sham}}\n  vehicle-sham:",
        "arms.timed.program", "a set of keys", "put '- ' before",
    ),
    "a flow that is off": (
        ARMS, TIMED % "from: 2 h, flow: off", "program.0.flow", "not a number", "'0 mL/h'",
    ),
    "a flow in spells without their period": (
        ARMS, TIMED % "from: 2 h, flow: {rate: 1 mL/h, on: 15 min}", "program.0.flow.every",
        "missing", "every",
    ),
    "a target in a programme without its unit": (
        ARMS, TIMED % "from: 2 h, targets: {CNTF: 10}", "program.0.targets.CNTF", "no unit",
        "'10 ng/mL'",
    ),
    "a mixed pattern of one": (
        PATTERNS, MIXED % "[sham], each: 25 min", "patterns.both.sequence", "1 is named", "2 or",
    ),
    "a mixed pattern that is no list": (
        PATTERNS, MIXED % "sham, each: 25 min", "patterns.both.sequence", "'sham'", "[sham]",
    ),
    "turns without their length": (
        PATTERNS, MIXED % "[sham, twitch_2hz]", "patterns.both.each", "missing", "each",
    ),
    "a laser": (
        PATTERNS, LIGHT % ("laser", "470 nm", "1 mW/mm**2"), "patterns.flash.by", "'laser'",
        "'light'",
    ),
    "a wavelength without its unit": (
        PATTERNS, LIGHT % ("light", "470", "1 mW/mm**2"), "patterns.flash.wavelength", "no unit",
        "'470 nm'",
    ),
    "an irradiance by cm2": (
        PATTERNS, LIGHT % ("light", "470 nm", "100 mW/cm2"), "patterns.flash.irradiance",
        "not known", "'100 mW/cm**2'",
    ),
    "heat that is no list": (
        AIR, "environment: {set: {at: 2 h, temperature: 41 degC}}", "environment.set",
        "a set of keys", "put '- ' before",
    ),
    "heat from, not at": (
        AIR, HEAT % "from: 2 h, temperature: 41 degC", "environment.set.0.from", "not a key",
        "'at'",
    ),
    "heat that comes again": (
        AIR, HEAT % "at: 2 h, for: 1 h, every: 4 h, temperature: 41 degC",
        "environment.set.0.every", "not a key", "There is: arms, at",
    ),
    "oxygen without a unit": (
        AIR, HEAT % "at: 2 h, o2: 5", "environment.set.0.o2", "no unit", "'5 percent'",
    ),
    "a stain that is no list": (
        ARMS, "steps: [{at: end, do: stain, with: Hoechst}]\n" + ARMS, "steps.0.with", "'Hoechst'",
        "[Hoechst]",
    ),
    "a step every day": (
        ARMS, "steps: [{every: 4 h, do: change-medium, to: differentiation}]\n" + ARMS,
        "steps.0.every", "not a key", "'at'",
    ),
    "a limit with its unit": (
        ARMS, "results: [{file: a.csv, joins: well, column: x, lod: 5 pg/mL}]\n" + ARMS,
        "results.0.lod", "a plain number", "Write 5: limit of detection",
    ),
    "an age in words": (
        "age_group: unknown", "age: 78 years", "donors.0.age", "a plain number", "in years",
    ),
    "an outcome that is a word": (
        ARMS, OUTCOMES % "diameter", "outcomes.0", "'diameter'", "`{of: diameter}`",
    ),
    "an outcome of a kind that is a list": (
        ARMS, OUTCOMES % "{kind: [value], of: diameter}", "outcomes.0", "no outcome", "`kind:`",
    ),
    "donors compared by no attribute": (
        ARMS, OUTCOMES % "{kind: between-donors, of: diameter, between: {age: [young, old]}}",
        "outcomes.0.between.age", "no attribute of donors", "donor.age_group: [young, old]",
    ),
    "donors compared by a level that none has": (
        ARMS, OUTCOMES % "{kind: between-donors, of: diameter, between: {donor.sex: [f, w]}}",
        "outcomes.0.between.donor.sex", "no donor can have sex 'w'", "m",
    ),
    "quantiles with per cent signs": (
        ARMS, OUTCOMES % "{kind: quantiles, of: diameter, at: [10 %]}", "outcomes.0.at.0",
        "per cent sign", "Write 10.",
    ),
    "assays that have no names": (
        ARMS, "assays: [{kind: staircase}]\n" + ARMS, "assays", "a list", "`NAME: {...}`",
    ),
    "a mixture's amount without its unit": (
        ARMS,
        "mixtures: {serum: {parts: {CNTF: 1 ng/mL}}}\narms:\n  timed: {targets: {serum: 33}}\n"
        "  vehicle-sham:",
        "arms.timed.targets.serum", "33 has no unit, and 'serum' is a mixture", "'33 %' or '33 x'",
    ),
    "two media of an arm": (
        "arms:\n  vehicle-sham:\n", "arms:\n  vehicle-sham:\n    medium: [differentiation]\n",
        "arms.vehicle-sham.medium", "a list", "one of them",
    ),
}  # fmt: skip
"""Of programmes, mixed patterns, light, climate, steps, results, outcomes and assays."""

RIG = {
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

CASES = [
    pytest.param(DEMO, load_protocol, *case, id=name)
    for name, case in (PROTOCOL | NEW_KEYS).items()
]
CASES += [pytest.param(BENCH, load_rig, *case, id=name) for name, case in RIG.items()]
JARGON = (
    r"Input should|Tuple|validation|<block|<scalar>|flow (mapping|sequence)|scanning|None|\bdict\b"
)


@pytest.mark.parametrize(("text", "load", "old", "new", "where", "what", "remedy"), CASES)
def test_a_mistake_is_placed_named_and_mended(text, load, old, new, where, what, remedy, tmp_path):
    assert old in text, "the catalogue has changed: mend this case"
    file = tmp_path / "file.yaml"
    file.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(FileProblems) as found:
        load(file)
    problems = found.value.problems
    told = "\n".join(map(str, problems))
    line = where.removeprefix("line ") if where.startswith("line ") else ""
    met = [
        p for p in problems
        if (str(p.line) == line if line else where in p.path)
        and what in p.what and remedy in p.remedy
    ]  # fmt: skip
    assert met, told
    assert re.search(JARGON, told) is None, told
    written = file.read_text(encoding="utf-8")
    for part in (part for p in problems for part in p.path.split(".")):
        assert part in written or f"'{part}'" in told or part.isdigit(), f"{part} is of no file"
    assert len(problems) <= 3, f"one mistake is not told many times: {told}"


ENCODINGS = {
    "UTF-16 with its mark": (DEMO.encode("utf-16"), "UTF-16"),
    "UTF-16 without": (DEMO.encode("utf-16-le"), "UTF-16"),
    "UTF-32": (DEMO.encode("utf-32"), "UTF-32"),
    "Latin-1": (DEMO.replace("demo\n", "Zoë\n", 1).encode("latin-1", errors="replace"), "UTF-8"),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_another_encoding_is_named(encoding, tmp_path):
    content, said = ENCODINGS[encoding]
    file = tmp_path / "file.yaml"
    file.write_bytes(content)
    with pytest.raises(FileProblems) as found:
        load_protocol(file)
    (problem,) = found.value.problems
    assert said in problem.what
    assert "Save the file as UTF-8" in problem.remedy


SOUND_ABOVE = {
    "a list over several lines": "chambers: [A1,\n  A2]\nname:demo\n",
    "a text with signs of its own": (
        "purpose: >\n  Note: it's [so: (x\n  Also: this: that\nname:demo\n"
    ),
    "brackets and colons in quotes": "title: \"Night [3: a\"\nnote: 'b: c: {'\nname:demo\n",
}


@pytest.mark.parametrize("above", SOUND_ABOVE)
def test_what_is_sound_above_a_slip_is_not_blamed(above, tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text(SOUND_ABOVE[above] + "plate: 24-well\n", encoding="utf-8")
    with pytest.raises(FileProblems) as found:
        load_protocol(file)
    (problem,) = found.value.problems
    assert "no space after the colon of 'name'" in problem.what


def test_as_many_mistakes_as_were_promised():
    assert len(CASES) + len(ENCODINGS) >= 80
