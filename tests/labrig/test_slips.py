"""What people slip on is named, and what they meant is offered; nothing is corrected silently."""

from __future__ import annotations

import pytest
from pydantic_core import PydanticCustomError

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.units import parse_quantity

QUANTITIES = [
    # (as written, unit wanted, words of the message, of the remedy)
    ("1,0 mL/h", "mL/h", "decimal comma", "'1.0 mL/h'"),
    ("0,5 V", "V", "decimal comma", "'0.5 V'"),
    ("1,5", "h", "decimal comma", "'1.5'"),
    ("-2,25 mm", "mm", "decimal comma", "'-2.25 mm'"),
    ("1.0 ml/H", "mL/h", "other letters", "'1.0 mL/h'"),
    ("1.0 ML/h", "mL/h", "other letters", "'1.0 mL/h'"),
    ("20 Ms", "ms", "other letters", "'20 ms'"),
    ("20 MS", "ms", "other letters", "'20 ms'"),
    ("10 NG/ML", "ng/mL", "other letters", "'10 ng/mL'"),
    ("10 hz", "Hz", "other letters", "'10 Hz'"),
    ("5 v", "V", "other letters", "'5 V'"),
    ("30 MIN", "s", "other letters", "'30 min'"),
    ("2 H", "s", "other letters", "'2 h'"),
    ("8 MV", "V", "other letters", "'8 mV'"),
    ("1.0 mL", "mL/h", "a volume per time is wanted", "unit"),
    ("10 ng", "ng/mL", "a mass per volume is wanted", "unit"),
    ("10 ng/mL", "mL/h", "a volume per time is wanted", "unit"),
    ("5 mL/h", "uL", "a volume is wanted", "unit"),
    ("13:00", "s", "hours and minutes", "'13 h'"),
    ("13:30", "s", "hours and minutes", "'13.5 h'"),
    ("00:00:30", "s", "hours and minutes", "'0.00833333 h'"),
    ("13h30", "h", "hours and minutes", "'13.5 h'"),
    ("1 h 30 min", "s", "hours and minutes", "'1.5 h'"),
    ("10\u201320 V", "V", "long dash", "'10-20 V'"),
    ("\u22121 mm", "mm", "long dash", "'-1 mm'"),
]


@pytest.mark.parametrize(("text", "unit", "what", "remedy"), QUANTITIES)
def test_a_slip_in_a_quantity_is_named(text, unit, what, remedy):
    with pytest.raises(PydanticCustomError) as found:
        parse_quantity(text, unit)
    context = found.value.context
    assert what in found.value.message()
    assert remedy in context.get("remedy", "a unit")


@pytest.mark.parametrize(("text", "unit", "what", "remedy"), QUANTITIES)
def test_what_is_offered_can_be_written(text, unit, what, remedy):
    if remedy.count("'") == 2 and what not in ("long dash",) and text != "1,5":
        assert isinstance(parse_quantity(remedy.strip("'"), unit), float)


RIGHT = [("1 ml/h", "mL/h"), ("1 ul/min", "mL/h"), ("5 l", "mL"), ("2 kHz", "Hz"), ("1 MHz", "Hz"),
         ("10 um", "um"), ("1e-3 V", "V"), ("5 %", "percent"), ("3 d", "h"),
         ("1 µL/min", "mL/h")]  # fmt: skip


@pytest.mark.parametrize(("text", "unit"), RIGHT)
def test_usual_ways_to_write_are_no_slips(text, unit):
    assert parse_quantity(text, unit) > 0


DEMO = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
BENCH = (catalogue_folder() / "rigs" / "simulated-bench.yaml").read_text(encoding="utf-8")

FILES = {
    "a comma in a plain number": (DEMO, "low_mass_m: 0.85", "low_mass_m: 0,85", "comma", "0.85"),
    "lower-case well": (DEMO, "passage: 4", "passage: 4, wells: [a1]", "not a well", "A1"),
    "well with a zero": (DEMO, "passage: 4", "passage: 4, wells: [B2, A01]", "not a well", "A1"),
    "well of no plate": (DEMO, "passage: 4", "passage: 4, wells: [Z9]", "not a well", "B3"),
    "name with spaces": (DEMO, "  vehicle-sham:", "  vehicle sham:", "not a name", "vehicle-sham"),
    "wells of a line": (BENCH, "wells: [A1], carries", "wells: [a1], carries", "not a well", "A1"),
    "a path of line ends": (BENCH, "stage: {address: sim}", 'stage: {address: "new\\night"}',
                            "cannot be seen", "forward slashes"),
    "a tab in an address": (BENCH, "stage: {address: sim}", 'stage: {address: "a\\tb"}',
                            "cannot be seen", "forward slashes"),
    "an empty address": (BENCH, "stage: {address: sim}", 'stage: {address: ""}',
                         "nothing stands", "Write it"),
    "an endless setting": (BENCH, "volts_per_volt: 2.0", "volts_per_volt: .inf",
                           "finite", "number"),
}  # fmt: skip


def problems(text, tmp_path):
    file = tmp_path / "file.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(FileProblems) as found:
        (load_rig if "ports:" in text else load_protocol)(file)
    return found.value.problems


def demo_with(old, new, text=DEMO):
    if "wells: [" in new and "passage" in new:
        return text.replace("    passage: 4", f"    {new.replace(', ', chr(10) + '    ', 1)}", 1)
    assert old in text, old
    return text.replace(old, new, 1)


@pytest.mark.parametrize("what", FILES)
def test_a_slip_in_a_file_is_named(what, tmp_path):
    text, old, new, said, remedy = FILES[what]
    found = problems(demo_with(old, new, text), tmp_path)
    assert any(said in p.what and remedy in p.remedy for p in found), [str(p) for p in found]


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("duration: 13 h}", "duration: 13}", "phases.1.duration"),
        ("duration: 1 h, factors: off", "duration: 1 h, factors: NO", "phases.0.factors"),
        ("    passage: 4", "    passage: P4", "donors.0.passage"),
    ],
)  # fmt: skip
def test_the_true_error_stands_alone(old, new, path, tmp_path):
    assert old in DEMO
    (problem,) = problems(DEMO.replace(old, new, 1), tmp_path)
    assert problem.path == path
    assert "Tuple" not in problem.what


def test_an_empty_list_is_told_as_that(tmp_path):
    text = DEMO[: DEMO.index("phases:")] + "phases: []\n" + DEMO[DEMO.index("imaging:") :]
    assert any(p.what == "the list is empty" for p in problems(text, tmp_path))
