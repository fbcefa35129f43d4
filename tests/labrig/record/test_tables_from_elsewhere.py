"""Tables from elsewhere are taken whole or not at all, and every refusal says which row and why."""

from __future__ import annotations

import pytest

from labrig.record.result_tables import Planned, TableRefused, Tube, read_table

TUBES = [Tube(f"p-{well}-1", well, "take", 3600.0, 3700.0) for well in ("A1", "A2", "B1")]
TUBES.append(Tube("other", "A1", "lysis", 3600.0))
WELLS = ("A1", "A2", "B1")


def planned(**changes):
    parts = {"name": "elisa", "of": "take", "joins": "label", "column": "pg", "unit": "pg/mL",
             "lod": 5.0, "below": "half-LOD"}  # fmt: skip
    return Planned(**(parts | changes))


def read(text, **changes):
    return read_table(text, planned(**changes), TUBES, WELLS)


@pytest.mark.parametrize("between", [",", ";", "\t"])
def test_values_come_with_the_well_and_the_time_of_their_tube(between):
    text = between.join(["label", "pg"]) + "\n" + between.join(["p-A1-1", "12.5"]) + "\n\n"
    [value] = read("\ufeff" + text)
    assert (value.well, value.at_s, value.value, value.below) == ("A1", 3700.0, 12.5, False)


@pytest.mark.parametrize(
    ("below", "value"), [("LOD", 5.0), ("half-LOD", 2.5), ("zero", 0.0), ("missing", None)]
)
@pytest.mark.parametrize("cell", ["3.1", "<LOD", "< 5", "below LOD"])
def test_below_the_limit_is_what_the_protocol_says(cell, below, value):
    [found] = read(f"label,pg\np-A1-1,{cell}\n", below=below)
    assert (found.value, found.below) == (value, True)


@pytest.mark.parametrize("cell", ["", "NA", "n.d.", "-"])
def test_an_empty_cell_is_no_value_and_no_zero(cell):
    [found] = read(f"label,pg\np-A1-1,{cell}\np-A2-1,9\n")[:1]
    assert (found.value, found.below) == (None, False)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("label,pg\np-A9-1,3\n", "row 2: no sample of 'take' is labelled 'p-A9-1'"),
        ("label,pg\nother,3\n", "row 2: no sample of 'take' is labelled 'other'"),
        ("label,pg\np-A1-1,9\np-A1-1,8\n", "row 3: 'p-A1-1' stands in row 2 already"),
        ("label;pg\np-A1-1;9,5\n", "write a point, not a comma"),
        ("label,pg\np-A1-1,high\n", "'high' in 'pg' is no number"),
        ("label,pg\np-A1-1,inf\n", "'inf' in 'pg' is no number"),
        ("sample,pg\np-A1-1,9\n", "no column 'label'; it has sample, pg"),
        ("label,ng\np-A1-1,9\n", "no column 'pg'"),
        ("", "the table is empty"),
    ],
)
def test_what_cannot_be_taken_is_told_by_row(text, said):
    with pytest.raises(TableRefused) as refused:
        read(text)
    assert said in str(refused.value)


def test_values_of_wells_need_no_label():
    [found] = read("well,pg\nB1,9\n", joins="well")
    assert (found.well, found.at_s, found.value) == ("B1", None, 9.0)
    with pytest.raises(TableRefused, match="no well 'H12'"):
        read("well,pg\nH12,9\n", joins="well")
