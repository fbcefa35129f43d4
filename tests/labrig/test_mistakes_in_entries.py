"""What people write for programmes, patterns, heat, steps and outcomes of a protocol.

Each case is one change to a file of the catalogue, met by people who used labrig early on.
"""

from __future__ import annotations

import pytest
from mistakes_told import DEMO, see_it_told

from labrig.protocol.loading import load_protocol

ARMS = "arms:\n  vehicle-sham:"
AIR = "environment: {interval: 5 min}"
HEAT = "environment: {set: [{%s}]}"
OUTCOMES = f"outcomes: [%s]\n{ARMS}"
TIMED = "arms:\n  timed: {program: [{%s}]}\n  vehicle-sham:"
PATTERNS = "patterns:\n"
LIGHT = (
    "patterns:\n  flash: {by: %s, wavelength: %s, pulse_width: 5 ms, irradiance: %s, "
    "frequency: 1 Hz, onto: nerve}\n"
)
MIXED = "patterns:\n  both: {sequence: %s}\n"

# name: (what stands in the demo's protocol, what is written, path or line, what, remedy)
MISTAKES = {
    "an entry that starts": (
        ARMS,
        TIMED % "start: 2 h, pattern: sham",
        "program.0.start",
        "not a key",
        "'from'",
    ),
    "an entry with a duration": (
        ARMS,
        TIMED % "from: 2 h, duration: 1 h, pattern: sham",
        "program.0.duration",
        "not a key",
        "'for'",
    ),
    "an entry at a bare hour": (
        ARMS,
        TIMED % "from: 2, pattern: sham",
        "program.0.from",
        "no unit",
        "'2 h'",
    ),
    "an entry by the clock": (
        ARMS,
        TIMED % "from: 22:00, pattern: sham",
        "program.0.from",
        "hours and minutes",
        "'22 h'",
    ),
    "a programme that is one entry": (
        ARMS,
        "arms:\n  timed: {program: {from: 2 h, pattern: sham}}\n  vehicle-sham:",
        "arms.timed.program",
        "a set of keys",
        "put '- ' before",
    ),
    "a flow that is off": (
        ARMS,
        TIMED % "from: 2 h, flow: off",
        "program.0.flow",
        "not a number",
        "'0 mL/h'",
    ),
    "a flow in spells without their period": (
        ARMS,
        TIMED % "from: 2 h, flow: {rate: 1 mL/h, on: 15 min}",
        "program.0.flow.every",
        "missing",
        "every",
    ),
    "a target in a programme without its unit": (
        ARMS,
        TIMED % "from: 2 h, targets: {CNTF: 10}",
        "program.0.targets.CNTF",
        "no unit",
        "'10 ng/mL'",
    ),
    "a mixed pattern of one": (
        PATTERNS,
        MIXED % "[sham], each: 25 min",
        "patterns.both.sequence",
        "1 is named",
        "2 or",
    ),
    "a mixed pattern that is no list": (
        PATTERNS,
        MIXED % "sham, each: 25 min",
        "patterns.both.sequence",
        "'sham'",
        "[sham]",
    ),
    "turns without their length": (
        PATTERNS,
        MIXED % "[sham, twitch_2hz]",
        "patterns.both.each",
        "missing",
        "each",
    ),
    "a laser": (
        PATTERNS,
        LIGHT % ("laser", "470 nm", "1 mW/mm**2"),
        "patterns.flash.by",
        "'laser'",
        "'light'",
    ),
    "a wavelength without its unit": (
        PATTERNS,
        LIGHT % ("light", "470", "1 mW/mm**2"),
        "patterns.flash.wavelength",
        "no unit",
        "'470 nm'",
    ),
    "an irradiance by cm2": (
        PATTERNS,
        LIGHT % ("light", "470 nm", "100 mW/cm2"),
        "patterns.flash.irradiance",
        "not known",
        "'100 mW/cm**2'",
    ),
    "heat that is no list": (
        AIR,
        "environment: {set: {at: 2 h, temperature: 41 degC}}",
        "environment.set",
        "a set of keys",
        "put '- ' before",
    ),
    "heat from, not at": (
        AIR,
        HEAT % "from: 2 h, temperature: 41 degC",
        "environment.set.0.from",
        "not a key",
        "'at'",
    ),
    "heat that comes again": (
        AIR,
        HEAT % "at: 2 h, for: 1 h, every: 4 h, temperature: 41 degC",
        "environment.set.0.every",
        "not a key",
        "There is: arms, at",
    ),
    "oxygen without a unit": (
        AIR,
        HEAT % "at: 2 h, o2: 5",
        "environment.set.0.o2",
        "no unit",
        "'5 percent'",
    ),
    "a stain that is no list": (
        ARMS,
        "steps: [{at: end, do: stain, with: Hoechst}]\n" + ARMS,
        "steps.0.with",
        "'Hoechst'",
        "[Hoechst]",
    ),
    "a step every day": (
        ARMS,
        "steps: [{every: 4 h, do: change-medium, to: differentiation}]\n" + ARMS,
        "steps.0.every",
        "not a key",
        "'at'",
    ),
    "a limit with its unit": (
        ARMS,
        "results: [{file: a.csv, joins: well, column: x, lod: 5 pg/mL}]\n" + ARMS,
        "results.0.lod",
        "a plain number",
        "Write 5: limit of detection",
    ),
    "an age in words": (
        "age_group: unknown",
        "age: 78 years",
        "donors.0.age",
        "a plain number",
        "in years",
    ),
    "an outcome that is a word": (
        ARMS,
        OUTCOMES % "diameter",
        "outcomes.0",
        "'diameter'",
        "`{of: diameter}`",
    ),
    "an outcome of a kind that is a list": (
        ARMS,
        OUTCOMES % "{kind: [value], of: diameter}",
        "outcomes.0",
        "no outcome",
        "`kind:`",
    ),
    "donors compared by no attribute": (
        ARMS,
        OUTCOMES % "{kind: between-donors, of: diameter, between: {age: [young, old]}}",
        "outcomes.0.between.age",
        "no attribute of donors",
        "donor.age_group: [young, old]",
    ),
    "donors compared by a level that none has": (
        ARMS,
        OUTCOMES % "{kind: between-donors, of: diameter, between: {donor.sex: [f, w]}}",
        "outcomes.0.between.donor.sex",
        "no donor can have sex 'w'",
        "m",
    ),
    "quantiles with per cent signs": (
        ARMS,
        OUTCOMES % "{kind: quantiles, of: diameter, at: [10 %]}",
        "outcomes.0.at.0",
        "per cent sign",
        "Write 10.",
    ),
    "assays that have no names": (
        ARMS,
        "assays: [{kind: staircase}]\n" + ARMS,
        "assays",
        "a list",
        "`NAME: {...}`",
    ),
    "a mixture's amount without its unit": (
        ARMS,
        "mixtures: {serum: {parts: {CNTF: 1 ng/mL}}}\narms:\n  timed: {targets: {serum: 33}}\n"
        "  vehicle-sham:",
        "arms.timed.targets.serum",
        "33 has no unit, and 'serum' is a mixture",
        "'33 %' or '33 x'",
    ),
    "two media of an arm": (
        "arms:\n  vehicle-sham:\n",
        "arms:\n  vehicle-sham:\n    medium: [differentiation]\n",
        "arms.vehicle-sham.medium",
        "a list",
        "one of them",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_placed_named_and_mended(mistake, tmp_path):
    see_it_told(load_protocol, tmp_path / "file.yaml", DEMO, MISTAKES[mistake])
