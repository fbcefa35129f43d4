"""A well is read, ordered, named and made a path in one module."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import labrig
from labrig.places import PATTERN, NotAPlace, Place, in_order, meant_well, rows_and_columns
from labrig.protocol.plates import PLATES

PLACES = st.builds(Place, st.integers(0, 15), st.integers(0, 98))


@given(PLACES)
def test_a_place_survives_its_name(place):
    assert Place.of(place.name) == place
    assert re.search(PATTERN, place.name)
    assert place.path.replace("/", "") == place.name


@given(st.text(max_size=5))
def test_what_the_schema_refuses_is_no_place_and_the_other_way_round(text):
    allowed = re.fullmatch(PATTERN.strip("^$"), text) is not None
    if allowed:
        assert Place.of(text).name == text
    else:
        with pytest.raises(NotAPlace, match="is not a well"):
            Place.of(text)


@given(st.lists(PLACES, unique=True))
def test_wells_are_in_order_row_by_row_and_by_number(places):
    names = in_order(place.name for place in places)
    at = [(Place.of(name).row, Place.of(name).column) for name in names]
    assert at == sorted(at)
    rows, columns = rows_and_columns(names)
    assert set(names) <= {f"{row}{column}" for row in rows for column in columns}
    assert list(map(int, columns)) == sorted(map(int, columns))


@pytest.mark.parametrize("name", PLATES)
def test_a_plate_lists_its_wells_in_order(name):
    wells = PLATES[name].wells()
    assert in_order(reversed(wells)) == wells


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("a1", "A1"), ("A01", "A1"), ("1A", "A1"), ("12h", "H12"), ("b-03", "B3"), (" C4 ", "C4"),
        ("A1\n", "A1"), ("P 24", "P24"),
        ("Q1", None), ("A0", None), ("A100", None), ("", None), ("AA1", None), ("A", None),
        ("P2:A1", None), ("A1.nerve", None), ("\u0391" + "1", None), ("A\u0661", None),
    ],
)  # fmt: skip
def test_what_is_no_well_is_told_with_what_was_meant(written, meant):
    assert meant_well(written) == meant
    with pytest.raises(NotAPlace) as error:
        Place.of(written)
    assert repr(written) in str(error.value)
    expected = "A well is a row letter" if meant is None else f"Write {meant}."
    assert error.value.remedy.startswith(expected)


def test_nobody_else_takes_the_name_of_a_well_apart():
    """What is in the name changes in one file when plates and compartments are told apart."""
    apart = re.compile(r"\bwell\[[01]|\.well\[[01]|\bwell\[1:\]|\[A-P\]|ord\(.?A")
    folder = Path(labrig.__file__).parent
    found = [
        f"{path.relative_to(folder)}:{number}"
        for path in sorted(folder.rglob("*.py"))
        if path.name != "places.py"
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1)
        if apart.search(line)
    ]
    assert not found
