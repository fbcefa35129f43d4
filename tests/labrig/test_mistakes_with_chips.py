"""What people write wrongly about chips, sides and lights: where, what, how to mend it."""

import re

import pytest

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig

DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
CHIPS = (catalogue_folder() / "rigs" / "simulated-chip-bench.yaml").read_text(encoding="utf-8")
CULTURE = "  operator: demo\ndonors:"
SIDES = (
    "  operator: demo\n  compartments: {nerve: {cells: motor neurons%s}, muscle: {cells: "
    "myotubes}}\ndonors:"
)
SHAM_LINE = "  sham:                         # electrodes in, outputs silent\n"
LIGHT = (
    "  flash: {by: light, wavelength: 470 nm, pulse_width: 50 ms, irradiance: 1 mW/mm**2, "
    "frequency: 1 Hz, onto: nerve%s}\n"
)
ARMS = "arms:\n  vehicle-sham:\n    role: control\n"
PHASE = "phase: {modality: phase, shows: cells, exposure: 20 ms}"

# name: (changes to the demo's protocol, path, what, remedy)
PROTOCOL = {
    "a side without compartments": (
        {ARMS: ARMS + "    nerve: {targets: {CNTF: 10 ng/mL}}\n"},
        "arms.vehicle-sham.nerve",
        "the cultures have no compartments",
        "Add under culture",
    ),
    "targets of a whole chip": (
        {CULTURE: SIDES % ""},
        "arms.nerve-sham.targets",
        "for a chip as a whole",
        "`nerve: {targets: ...}`",
    ),
    "a pattern of a whole chip": (
        {CULTURE: SIDES % ""},
        "arms.vehicle-sham.pattern",
        "for a chip as a whole",
        "`muscle: {pattern: ...}`",
    ),
    "light without an opsin": (
        {CULTURE: SIDES % "", SHAM_LINE: LIGHT % "" + SHAM_LINE},
        "patterns.flash.onto",
        "no opsin",
        "opsin: ChR2-H134R",
    ),
    "light in wells without sides": (
        {SHAM_LINE: LIGHT % "" + SHAM_LINE},
        "patterns.flash.onto",
        "the cultures have no compartments",
        "Add under culture",
    ),
    "light with volts": (
        {
            CULTURE: SIDES % ", opsin: ChR2-H134R",
            SHAM_LINE: LIGHT % ", amplitude: 5 V" + SHAM_LINE,
        },
        "patterns.flash.amplitude",
        "light, which has no amplitude",
        "irradiance: 1 mW/mm**2",
    ),
    "light under the other side": (
        {
            CULTURE: SIDES % ", opsin: ChR2-H134R",
            SHAM_LINE: LIGHT % "" + SHAM_LINE,
            ARMS: ARMS + "    muscle: {pattern: flash}\n",
        },
        "arms.vehicle-sham.muscle.pattern",
        "shines onto nerve, and stands under muscle",
        "Write it under `nerve:`",
    ),
    "irradiance in the unit of a camera's light": (
        {SHAM_LINE: (LIGHT % "").replace("1 mW/mm**2", "100 mW") + SHAM_LINE},
        "patterns.flash.irradiance",
        "a power of light per area is wanted",
        "mW/mm**2",
    ),
    "light of an unknown side": (
        {SHAM_LINE: (LIGHT % "").replace("onto: nerve", "onto: axon") + SHAM_LINE},
        "patterns.flash.onto",
        "axon",
        "nerve",
    ),
    "a channel of a side that there is not": (
        {PHASE: PHASE.replace("exposure", "compartments: [nerve], exposure")},
        "imaging.channels.phase.compartments",
        "have no compartments",
        "Leave it out",
    ),
    "a factor unknown on one side": (
        {
            CULTURE: SIDES % "",
            ARMS: ARMS + "    nerve: {targets: {CMTF: 10 ng/mL}}\n",
        },
        "arms.vehicle-sham.nerve.targets.CMTF",
        "no factor 'CMTF'",
        "'CNTF'",
    ),
}

CHIP_NIGHT = (catalogue_folder() / "nmj-chip.yaml").read_text(encoding="utf-8")

# name: (what stands in the chips' protocol, what is written, path, what, remedy)
ASSAYS = {
    "frequencies without units": (
        "indirect: [0.5 Hz, 1 Hz, 2 Hz] ", "indirect: [0.5, 1, 2] ", "assays.nmj.indirect.0",
        "no unit", "'0.5 Hz'",
    ),
    "one frequency, no list": (
        "indirect: [0.5 Hz, 1 Hz, 2 Hz] ", "indirect: 1 Hz ", "assays.nmj.indirect", "'1 Hz'",
        "[1 Hz]",
    ),
    "a light that is not there": (
        "by: blue\n", "by: bleu\n", "assays.nmj.by", "no pattern 'bleu'", "'blue'",
    ),
    "a block in one word": (
        "after: {factor: d-tubocurarine, stock: curare-stock, in: muscle, volume: 30 uL, "
        "rate: 6 mL/h, wait: 15 min}",
        "after: curare", "assays.block.after", "'curare'", "{factor: ..., rate: ..., stock: ...",
    ),
    "a block without its volume": (
        ", volume: 30 uL", "", "assays.block.after.volume", "missing", "volume",
    ),
    "a block of another side": (
        "in: muscle, volume", "in: muscles, volume", "assays.block.after.in", "'muscles'",
        "'muscle'",
    ),
    "a block like itself": (
        "like: nmj\n", "like: block\n", "assays.block.like", "no other nmj assay", "nmj",
    ),
    "a block that is first": (
        "only: last", "only: first", "assays.block.only", "'first'", "'last'",
    ),
    "a side with one letter less": (
        "    nerve: {targets: {vincristine: 20 nM}} ", "    nerv: {targets: {vincristine: 20 nM}} ",
        "arms.nerve-insult.nerv", "not a key", "'nerve'",
    ),
    "a channel of one side, no list": (
        "shows: cells, exposure: 18 ms", "shows: cells, compartments: muscle, exposure: 18 ms",
        "imaging.channels.phase.compartments", "'muscle'", "[muscle]",
    ),
    "days with their letter": (
        "days: 28}", "days: 28 d}", "culture.compartments.nerve.days", "a plain number",
        "Write 28",
    ),
    "silence without its length": (
        "silent: 6 s", "silent: yes", "assays.nmj.silent", "'yes'", "'10 s'",
    ),
    "effluent of a side that is none": (
        "  vehicle:\n    carrier: 0.1 % BSA\n",
        "  vehicle:\n    carrier: 0.1 % BSA\n  out: {from: muscles, carrier: none}\n",
        "stocks.out.from", "'muscles'", "'muscle'",
    ),
}  # fmt: skip

POINT = "{volts: 2 V, irradiance: 0.75 mW/mm**2}"

# name: (what stands in the chip bench, what is written, path, what, remedy)
RIG = {
    "one well in two chips": (
        "chip_2: {nerve: B1, muscle: B2",
        "chip_2: {nerve: A1, muscle: B2",
        "chips.chip_2.nerve",
        "well A1 is chip 'chip_1' too",
        "one side of one chip",
    ),
    "both sides in one well": (
        "chip_2: {nerve: B1, muscle: B2",
        "chip_2: {nerve: B1, muscle: B1",
        "chips.chip_2.muscle",
        "both sides of it",
        "one side of one chip",
    ),
    "a chip off the bench": (
        "chip_2: {nerve: B1, muscle: B2",
        "chip_2: {nerve: B1, muscle: B6",
        "chips.chip_2.muscle",
        "B6 is not among the rig's chambers",
        "chambers.wells",
    ),
    "a well in no chip": (
        "  chip_8: {nerve: D3, muscle: D4, link: microgrooves, head: as planned}\n",
        "",
        "chips",
        "D3, D4 belong to none",
        "into a chip",
    ),
    "a light on the channel of another": (
        "    channel: 2\n",
        "    channel: 1\n",
        "lights.blue_2.channel",
        "already drives light 'blue_1'",
        "a channel of its own",
    ),
    "a calibration that falls": (
        POINT,
        "{volts: 2 V, irradiance: 0.15 mW/mm**2}",
        "lights.blue_1.calibration.2",
        "after 1 V with 0.25 mW/mm²",
        "rising volts",
    ),
    "a light without a date": (
        "    calibrated: 2026-11-01\n",
        "",
        "lights.blue_1.calibrated",
        "missing",
        "calibrated",
    ),
    "a light of a pump": (
        "stimulator: led_driver",
        "stimulator: base_nerve",
        "lights.blue_1.stimulator",
        "not a stimulator",
        "Name a stimulator",
    ),
    "an unknown link": (
        "link: microgrooves, head: as planned}",
        "link: tunnels, head: as planned}",
        "chips.chip_1.link",
        "tunnels",
        "microgrooves",
    ),
}


def problems_of(load, path, text):
    path.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblems) as raised:
        load(path)
    return raised.value.problems


def said(problems, where, what, remedy):
    assert any(
        re.search(re.escape(where), p.path) and what in p.what and remedy in p.remedy
        for p in problems
    ), "\n".join(f"{p.path}: {p.what} -> {p.remedy}" for p in problems)


@pytest.mark.parametrize("mistake", PROTOCOL)
def test_a_mistake_about_sides_and_light_is_placed_and_explained(tmp_path, mistake):
    changes, where, what, remedy = PROTOCOL[mistake]
    text = DEMO
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new, 1)
    said(problems_of(load_protocol, tmp_path / "p.yaml", text), where, what, remedy)


@pytest.mark.parametrize("mistake", ASSAYS)
def test_a_mistake_about_tests_of_junctions_is_placed_and_explained(tmp_path, mistake):
    old, new, where, what, remedy = ASSAYS[mistake]
    assert old in CHIP_NIGHT
    text = CHIP_NIGHT.replace(old, new, 1)
    said(problems_of(load_protocol, tmp_path / "p.yaml", text), where, what, remedy)


@pytest.mark.parametrize("mistake", RIG)
def test_a_mistake_about_chips_and_lights_of_a_rig_is_placed_and_explained(tmp_path, mistake):
    old, new, where, what, remedy = RIG[mistake]
    assert old in CHIPS
    said(
        problems_of(load_rig, tmp_path / "r.yaml", CHIPS.replace(old, new, 1)), where, what, remedy
    )
