"""A plate map is read as people write it, and what is wrong with it is told by line."""

from __future__ import annotations

import openpyxl
import pytest

from labrig.measure.plate_map import (
    MappedWell,
    PlateMap,
    read_plate_map,
    round_of_field,
    wells_of_fields,
)
from labrig_measure.errors import MeasureError

HEADING = "well,arm,donor"
LINES = ("B1,tonic,D1", "A1,control,D1", "A10,tonic,D2", "A2,control,2")
WELLS = (
    MappedWell("A1", "control", "D1"), MappedWell("A2", "control", "2"),
    MappedWell("A10", "tonic", "D2"), MappedWell("B1", "tonic", "D1"),
)  # fmt: skip


@pytest.fixture
def written(tmp_path):
    """Writes a CSV of these lines; returns its name."""

    def write(*lines, encoding="utf-8"):
        path = tmp_path / "map.csv"
        path.write_text("\n".join(lines) + "\n", encoding=encoding)
        return str(path)

    return write


@pytest.fixture
def book(tmp_path):
    """Writes an Excel file of these sheets; returns its name."""

    def write(**sheets):
        made = openpyxl.Workbook()
        made.remove(made.active)
        for name, rows in sheets.items():
            sheet = made.create_sheet(name)
            for row in rows:
                sheet.append(row)
        made.save(tmp_path / "map.xlsx")
        return str(tmp_path / "map.xlsx")

    return write


ROWS = [HEADING.split(","), ["B1", "tonic", "D1"], ["A1", "control", "D1"],
        ["A10", "tonic", "D2"], ["A2", "control", 2]]  # fmt: skip

FORMS = {
    "commas": (HEADING, *LINES),
    "semicolons": tuple(line.replace(",", ";") for line in (HEADING, *LINES)),
    "tabs": tuple(line.replace(",", "\t") for line in (HEADING, *LINES)),
    "other columns, order and capitals": (
        "Donor,note,Well,ARM", *(f"{d},x,{w},{a}" for w, a, d in (x.split(",") for x in LINES)),
    ),
    "blank lines and empty cells behind": (HEADING + ",,", "", *(x + ",," for x in LINES), ",,,,"),
    "A01 and a1": (HEADING, *(x.replace("A1,", "a1,").replace("A2", "A02") for x in LINES)),
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_map_is_read_as_people_write_it(written, form):
    assert read_plate_map(written(*FORMS[form])) == WELLS
    assert read_plate_map(written(*FORMS[form], encoding="utf-8-sig")) == WELLS


def test_an_excel_sheet_is_found_by_its_columns_or_its_name(book):
    assert read_plate_map(book(map=ROWS)) == WELLS
    # Excel knows numbers where people see names.
    assert read_plate_map(book(map=[*ROWS[:-1], ["A2", "control", 2.0]])) == WELLS
    two = book(about=[["of monday"]], map=[["", *row, None] for row in [[], *ROWS]])
    assert read_plate_map(two) == WELLS
    both = book(monday=ROWS, tuesday=ROWS[:3])
    with pytest.raises(MeasureError, match=r"several sheets .*monday, tuesday.*xlsx:monday'"):
        read_plate_map(both)
    assert len(read_plate_map(f"{both}:tuesday")) == 2
    with pytest.raises(MeasureError, match="no sheet 'friday'; it has monday, tuesday"):
        read_plate_map(f"{both}:friday")
    with pytest.raises(MeasureError, match="has no column well, arm, donor; it has of monday"):
        read_plate_map(book(about=[["of monday"]]))
    with pytest.raises(MeasureError, match="donor is empty; of merged cells only the first"):
        read_plate_map(book(map=[*ROWS, ["C1", "tonic", None]]))


WRONG = {
    "a well twice": ((HEADING, *LINES, "a01,tonic,D2"), ["line 6: A1 stands in line 3 already"]),
    "no well": ((HEADING, *LINES, "Z9,tonic,D1"), ["line 6: 'Z9' is no well"]),
    "a row that no plate has": ((HEADING, "A100,tonic,D1"), ["line 2: 'A100' is no well"]),
    "a column less": (("well,arm", "A1,x"), ["no column donor; it has well, arm"]),
    "another name": (("well,treatment,patient", "A1,x,y"),
                     ["call 'treatment' 'arm'", "call 'patient' 'donor'"]),
    "a column twice": (("well,arm,arm,donor", "A1,x,y,z"), ["the column arm twice"]),
    "a decimal comma that parts a cell": ((HEADING, "A1,tonic 0,5 Hz,D1"),
                                          ["line 2 has 4 cells, its heading 3", "Write 0.5"]),
    "a decimal comma": (("well;arm;donor", "A1;0,5 ng/mL;D1"),
                        ["line 2: arm '0,5 ng/mL' has a decimal comma: write 0.5 ng/mL"]),
    "an empty cell": ((HEADING, "A1,,D1"), ["line 2: arm is empty"]),
    "a line too short": ((HEADING, "A1,tonic"), ["line 2: donor is empty"]),
    "nothing but a heading": ((HEADING,), ["no line below the heading"]),
    "nothing": ((), ["no column well, arm, donor; it has nothing"]),
    "several at once": ((HEADING, "A1,,D1", "Z1,x,y"), ["line 2: arm is empty", "line 3: 'Z1'"]),
}  # fmt: skip


@pytest.mark.parametrize("what", WRONG)
def test_what_is_wrong_is_told_with_its_line(written, what):
    lines, said = WRONG[what]
    where = written(*lines)
    with pytest.raises(MeasureError) as refused:
        read_plate_map(where)
    assert str(refused.value).startswith(where)
    for each in said:
        assert each in str(refused.value)


def test_files_that_are_none(tmp_path):
    with pytest.raises(MeasureError, match=r"map\.csv cannot be read"):
        read_plate_map(str(tmp_path / "map.csv"))
    for name in ("map.xlsx", "map.csv"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00nothing")
        with pytest.raises(MeasureError, match=f"{name} cannot be read"):
            read_plate_map(str(tmp_path / name))
    with pytest.raises(MeasureError, match=r"save it as \.xlsx"):
        read_plate_map(str(tmp_path / "map.xls"))


@pytest.mark.parametrize(
    ("control", "said"),
    [(None, "say with --control which arm of the map is it: control, tonic"),
     ("ctl", "--control 'ctl' is no arm of the map: control, tonic")],
)  # fmt: skip
def test_the_control_is_an_arm_of_the_map(written, control, said):
    with pytest.raises(MeasureError, match=said):
        PlateMap.read(written(HEADING, *LINES), control)
    assert PlateMap.read(written(HEADING, *LINES), "tonic").control == "tonic"
    assert PlateMap.read(written(HEADING, "A1,x,y"), None).control == "x"
    with pytest.raises(MeasureError, match="leaves every well out"):
        PlateMap.read(written(HEADING, "A1,-,y"), None)


@pytest.mark.parametrize(
    ("field", "well"),
    [
        ("A1", "A1"), ("a1", "A1"), ("day5_A01_s2", "A1"), ("plate 2-B1-f3", "B1"),
        ("A10_f0_t003", "A10"), ("A1_f1_phase", "A1"), ("A1_f1_t100_phase", "A1"), ("x.A2.d", "A2"),
        ("P1_A1", "A1"), ("A1_C3_cells", "A1"),
    ],
)  # fmt: skip
def test_a_name_says_its_well(field, well):
    assert wells_of_fields([field], WELLS) == {field: well}


@pytest.mark.parametrize(
    ("field", "said"),
    [
        ("day5", "day5: says no well"), ("MAP1", "says no well"), ("A1_A2", "may lie in A1 or A2"),
        ("C3_s1", "C3 is not in the map"), ("H1_G1", "may lie in G1 or H1"),
    ],
)  # fmt: skip
def test_a_name_that_does_not_is_refused(field, said):
    with pytest.raises(MeasureError, match=said):
        wells_of_fields(["A1", field], WELLS)


def test_rounds_of_frames():
    assert [round_of_field(name) for name in ("A1_f0_t012", "A1_f0", "day_t3")] == [12, 0, 0]
