from typing import Annotated

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter
from pydantic_core import PydanticCustomError

from labrig import units
from labrig.units import Unit, parse_quantity

GOOD = [
    ("10 ng/mL", "ng/mL", 10.0),
    ("10 µg/mL", "ng/mL", 10_000.0),
    ("1 ug/ml", "ng/mL", 1_000.0),
    ("0.5 h", "s", 1_800.0),
    ("2 d", "h", 48.0),
    ("0.1 %", "percent", 0.1),
    ("37 °C", "degC", 37.0),
    ("0.6 cm²", "cm**2", 0.6),
    ("0.6 cm**2", "cm**2", 0.6),
    ("222 Ω", "ohm", 222.0),
    ("1.5e3 um", "mm", 1.5),
    ("2 L", "mL", 2_000.0),
    ("1 mL/h", "mL/h", 1.0),
    ("-3 s", "s", -3.0),
    (".5kHz", "Hz", 500.0),
]

BAD = [
    ("10", "s", "unit_missing"),
    (10, "s", "unit_missing"),
    (1.5, "s", "unit_missing"),
    ("1 mM", "ng/mL", "unit_wrong"),
    ("10 mV", "mL/h", "unit_wrong"),
    ("5 s s", "s", "unit_wrong"),
    ("10 NG/ML", "ng/mL", "unit_unknown"),
    ("ten s", "s", "unit_unknown"),
    ("1 h 30 min", "s", "unit_unknown"),
    ("10:30", "s", "unit_unknown"),
    ("2**9 h", "s", "unit_unknown"),
    ("nan s", "s", "unit_unknown"),
    ("1e400 s", "s", "unit_unknown"),
    ("", "s", "unit_unknown"),
    ("10 s{value}", "s", "unit_unknown"),
    (True, "s", "unit_unknown"),
    (None, "s", "unit_unknown"),
    (["1 s"], "s", "unit_unknown"),
]


@pytest.mark.parametrize(("text", "unit", "expected"), GOOD)
def test_a_quantity_is_read_in_the_field_s_unit(text, unit, expected):
    assert parse_quantity(text, unit) == expected


@pytest.mark.parametrize(("value", "unit", "kind"), BAD, ids=repr)
def test_a_bad_quantity_says_what_was_found_and_gives_an_example(value, unit, kind):
    with pytest.raises(PydanticCustomError) as caught:
        parse_quantity(value, unit)
    assert caught.value.type == kind
    assert repr(value) in caught.value.message()
    assert f" {unit}'" in caught.value.context["example"]


def test_a_molar_concentration_is_told_what_is_missing():
    with pytest.raises(PydanticCustomError, match="molar mass"):
        parse_quantity("5 mM", "ng/mL")


@given(
    st.floats(min_value=-1e9, max_value=1e9, allow_subnormal=False),
    st.sampled_from(["s", "ng/mL", "percent"]),
)
def test_what_is_written_is_read_back(value, unit):
    adapter = TypeAdapter(Annotated[float, Unit(unit)])
    written = adapter.dump_python(value)
    assert adapter.validate_python(written) == float(f"{value:.12g}")


@pytest.mark.parametrize(
    ("written", "unit"), [*units._USUAL, *((unit, unit) for unit in units._MEASURES)]
)
@pytest.mark.parametrize("number", ["0", "1", "0.1", "-3", "0.7", "37", "1e-9", "123456.789"])
def test_what_is_read_without_pint_is_what_pint_reads(written, unit, number, monkeypatch):
    quick = parse_quantity(f"{number} {written}", unit)
    monkeypatch.setattr(units, "_usual_factor", lambda spelled, wanted: None)
    assert quick == parse_quantity(f"{number} {written}", unit)


@pytest.mark.parametrize(
    ("value", "unit", "remedy"),
    [
        ({"rate": "4 mL/h", "on": "15 min", "every": "1 h"}, "mL/h", "program: [{from: 0 h, flow"),
        ({"of_capture": "85 %"}, "V", "`of_capture: 85 %`"),
        ({}, "V", "Write one value"),
    ],
)
def test_keys_where_one_value_belongs_are_told_their_place(value, unit, remedy):
    with pytest.raises(PydanticCustomError) as found:
        parse_quantity(value, unit)
    assert "one value stands here" in found.value.message()
    assert remedy in found.value.context["remedy"]
