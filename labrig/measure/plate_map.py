"""A plate map: which arm and donor each well of a folder had, from a CSV file or an Excel sheet."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.places import NAME, RULE, in_order, meant_well, wells_named_in
from labrig_measure.errors import MeasureError

COLUMNS = ("well", "arm", "donor")
LEFT_OUT = "-"
"""The arm of wells that are to count for nothing."""
_MEANT = {
    "arm": ("group", "treatment", "condition", "treat", "sample"),
    "donor": ("patient", "subject", "line", "biopsy", "id", "participant"),
    "well": ("position", "wells", "field", "name"),
}
_EXCEL = re.compile(r"(?P<path>.+\.xls[xm])(?::(?P<sheet>.+))?", re.IGNORECASE)
_DECIMAL_COMMA = re.compile(r"\d,\d")
_FRAME = re.compile(rf"(?P<well>{NAME})_f\d+(?:_t(?P<round>\d+))?(?:_phase)?")
_SHOWN = 8
Line = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class MappedWell:
    """What one well had.

    Attributes:
        well: such as ``B4``.
        arm: :data:`LEFT_OUT` for a well that is to count for nothing.
    """

    well: str
    arm: str
    donor: str


@dataclass(frozen=True, slots=True)
class PlateMap:
    """A map that can be used.

    Attributes:
        wells: in plate order.
        control: the arm that others are compared with.
    """

    wells: tuple[MappedWell, ...]
    control: str

    @classmethod
    def read(cls, where: str, control: str | None) -> PlateMap:
        """Read a map.

        Args:
            where: as of :func:`read_plate_map`.
            control: as a person named it; may be None where there is one arm.

        Raises:
            MeasureError: the map cannot be used, or does not know the control.
        """
        wells = read_plate_map(where)
        arms = list(dict.fromkeys(well.arm for well in wells if well.arm != LEFT_OUT))
        if not arms:
            raise MeasureError(f"{where} leaves every well out: give those that count an arm")
        if control is None and len(arms) > 1:
            raise MeasureError(f"say with --control which arm of the map is it: {', '.join(arms)}")
        if control is not None and control not in arms:
            raise MeasureError(f"--control {control!r} is no arm of the map: {', '.join(arms)}")
        return cls(wells, control or arms[0])

    def accept(self, fields: Iterable[str]) -> None:
        """Refuse names of fields that the map cannot place; raises as :func:`wells_of_fields`."""
        wells_of_fields(fields, self.wells)

    def told(self, fields: Iterable[str]) -> dict[str, str]:
        """By field its well, arm and donor, in words."""
        of_well = {well.well: well for well in self.wells}
        placed = wells_of_fields(fields, self.wells)
        return {
            field: f"{well}, {of_well[well].arm}, donor {of_well[well].donor}"
            for field, well in placed.items()
        }


def read_plate_map(where: str) -> tuple[MappedWell, ...]:
    """The wells of a map, in plate order.

    Args:
        where: a CSV file, parted by commas, semicolons or tabs, or an Excel file, also as
            ``map.xlsx:SHEET``; with the columns :data:`COLUMNS` in any order, others are passed
            over. ``A01`` and ``a1`` mean A1.

    Raises:
        MeasureError: it cannot be read, lacks a column, names a well twice or none at all, or has
            an empty cell or a decimal comma; all that was found, with its lines.
    """
    name, lines = _excel(where) if _EXCEL.fullmatch(where) else _csv(Path(where))
    heading = [cell.strip().casefold() for cell in lines[0][1]] if lines else []
    missing = [column for column in COLUMNS if column not in heading]
    if missing:
        raise MeasureError(_why_missing(name, heading, missing))
    if twice := sorted({c for c in COLUMNS if heading.count(c) > 1}):
        raise MeasureError(f"{name} has the column {', '.join(twice)} twice: keep one")
    wells: dict[str, tuple[int, MappedWell]] = {}
    wrong: list[str] = []
    for number, cells in lines[1:]:
        if any(cell.strip() for cell in cells[len(heading) :]):
            wrong.append(
                f"line {number} has {len(cells)} cells, its heading {len(heading)}: a cell that "
                "holds a comma, such as 0,5, parts in two. Write 0.5, or put it into quotes"
            )
            continue
        cells = (cells + [""] * len(heading))[: len(heading)]
        row = dict(zip(heading, (cell.strip() for cell in cells), strict=True))
        said = list(_faults(row))
        well = meant_well(row["well"])
        if not said and well is not None:
            if well in wells:
                said.append(f"{well} stands in line {wells[well][0]} already: keep one of them")
            wells.setdefault(well, (number, MappedWell(well, row["arm"], row["donor"])))
        wrong += [f"line {number}: {what}" for what in said]
    if not wells and not wrong:
        wrong.append("there is no line below the heading: write one per well")
    if wrong:
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise MeasureError(f"{name} cannot be used:\n  " + "\n  ".join(wrong[:_SHOWN]) + more)
    return tuple(wells[well][1] for well in in_order(wells))


def wells_of_fields(fields: Iterable[str], wells: Sequence[MappedWell]) -> dict[str, str]:
    """By name of a field its well: what the name says between letters and digits of others.

    ``A1``, ``plate2_A01_s3`` and ``A1_f0_t003`` lie in A1.

    Raises:
        MeasureError: a name says none, or two, or one that the map does not know.
    """
    known = {well.well for well in wells}
    found: dict[str, str] = {}
    wrong: list[str] = []
    for field in fields:
        said = _wells_in(field)
        mapped = said & known or said
        if len(mapped) != 1:
            wrong.append(f"{field}: {'says no well' if not mapped else _either(mapped)}")
        elif not mapped <= known:
            wrong.append(f"{field}: {next(iter(mapped))} is not in the map")
        else:
            found[field] = mapped.pop()
    if wrong:
        more = f"\n  and {len(wrong) - _SHOWN} more" if len(wrong) > _SHOWN else ""
        raise MeasureError(
            "fields cannot be told by the plate map:\n  "
            + "\n  ".join(wrong[:_SHOWN])
            + more
            + "\n"
            "The part of a name that * stands for must hold one well by itself, as A1 in "
            f"day3_A1_s2. A well that is to count for nothing has a line with the arm {LEFT_OUT}"
        )
    return found


def round_of_field(field: str) -> int:
    """The round of a frame of a plate over time; 0 for any other picture."""
    frame = _FRAME.fullmatch(field)
    return int(frame["round"] or 0) if frame else 0


def _wells_in(field: str) -> set[str]:
    if frame := _FRAME.fullmatch(field):
        return {frame["well"]}
    return wells_named_in(field)


def _either(wells: Iterable[str]) -> str:
    return f"may lie in {' or '.join(in_order(wells))}"


def _faults(row: dict[str, str]) -> Iterable[str]:
    for column in COLUMNS:
        if not row[column]:
            yield f"{column} is empty; of merged cells only the first holds what is shown"
        elif _DECIMAL_COMMA.search(row[column]):
            meant = _DECIMAL_COMMA.sub(lambda found: found[0].replace(",", "."), row[column])
            yield f"{column} {row[column]!r} has a decimal comma: write {meant}"
    if row["well"] and meant_well(row["well"]) is None:
        yield f"{row['well']!r} is no well. {RULE}"


def _why_missing(name: str, heading: Sequence[str], missing: Sequence[str]) -> str:
    meant = [
        f"call {alike!r} {column!r}"
        for column in missing
        for alike in heading
        if alike in _MEANT[column]
    ]
    has = ", ".join(filter(None, heading)) or "nothing in its first line"
    remedy = "; ".join(meant) or "name the columns in the first line"
    return (
        f"{name} has no column {', '.join(missing)}; it has {has}: {remedy}. A plate map has the "
        f"columns {', '.join(COLUMNS)} and one line per well"
    )


def _csv(path: Path) -> tuple[str, list[Line]]:
    if path.suffix.lower() == ".xls":
        raise MeasureError(f"{path}: the Excel of before 2007 is not read: save it as .xlsx")
    try:
        # With the mark that Excel puts before UTF-8.
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise MeasureError(f"{path} cannot be read ({error}): save it as CSV in UTF-8") from error
    first = text.lstrip().partition("\n")[0]
    parted_by = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text), delimiter=parted_by)
    lines = [(reader.line_num, cells) for cells in reader if any(map(str.strip, cells))]
    return str(path), lines


def _excel(where: str) -> tuple[str, list[Line]]:
    found = _EXCEL.fullmatch(where)
    assert found is not None
    path, wanted = found["path"], found["sheet"]
    sheets = _sheets(path)
    if wanted is not None:
        if wanted not in sheets:
            raise MeasureError(f"{path} has no sheet {wanted!r}; it has {', '.join(sheets)}")
        return f"{path}:{wanted}", sheets[wanted]
    maps = [name for name, lines in sheets.items() if lines and _is_heading(lines[0][1])]
    if len(maps) > 1:
        raise MeasureError(
            f"{path} has several sheets that could be the map, {', '.join(maps)}: say which, as "
            f"in '{path}:{maps[0]}'"
        )
    name = maps[0] if maps else next(iter(sheets))
    return f"{path}:{name}", sheets[name]


def _is_heading(cells: Iterable[str]) -> bool:
    return set(COLUMNS) <= {cell.strip().casefold() for cell in cells}


def _sheets(path: str) -> dict[str, list[Line]]:
    """By name of a sheet its lines, blank ones left out, all as wide as the heading."""
    import openpyxl

    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    # openpyxl raises nearly anything on a file that is none.
    except Exception as error:
        raise MeasureError(f"{path} cannot be read ({error}): save it as .xlsx again") from error
    try:
        return {sheet.title: _lines(sheet.iter_rows(values_only=True)) for sheet in book.worksheets}
    finally:
        book.close()


def _lines(rows: Iterable[Sequence[Any]]) -> list[Line]:
    filled = [
        (number, [_text(value) for value in row])
        for number, row in enumerate(rows, start=1)
        if any(_text(value).strip() for value in row)
    ]
    width = len("".join("x" if cell else " " for cell in filled[0][1]).rstrip()) if filled else 0
    return [(number, (cells + [""] * width)[:width]) for number, cells in filled]


def _text(value: Any) -> str:  # noqa: ANN401 - a cell of any kind
    """As a person sees it: donor 1 is no 1.0."""
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
