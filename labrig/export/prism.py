"""Prism's nested table: a data set per arm, a sub-column per donor, its wells stacked.

Read from GraphPad's guide (statistics, "how to: nested t test", 2026): in a Nested table technical
replicates are stacked in a sub-column, sub-columns are what was replicated, data sets are what is
compared, and every data set has equally many sub-columns. Titles of sub-columns cannot be imported;
``prism_nested.txt`` lists them in their order.
"""

from __future__ import annotations

from itertools import zip_longest

from labrig.export.source import Source
from labrig.export.spreadsheet import cell
from labrig.export.well_values import Readout, WellValue, readouts


def prism_tables(source: Source) -> dict[str, bytes]:
    """By name of file: a table per readout, and how to import them."""
    files: dict[str, bytes] = {}
    notes = [_HOW]
    for readout in readouts(source):
        name = f"prism_nested_{readout.name}.csv"
        subjects = _subjects(readout)
        files[name] = nested(readout, source.arms, subjects).encode("ascii", "xmlcharrefreplace")
        notes.append(_note(name, readout, source.arms, subjects))
    files["prism_nested.txt"] = "\n".join(notes).encode()
    return files


def nested(readout: Readout, arms: tuple[str, ...], subjects: dict[str, list[str]]) -> str:
    """One line of titles and the stacked values; fields without a value are empty.

    Every arm has as many sub-columns as the arm with most needs.
    """
    width = max(map(len, subjects.values()))
    columns: list[list[str]] = []
    for arm in arms:
        names = subjects.get(arm, [])
        for n in range(width):
            own = [
                cell(v.value)
                for v in readout.wells
                if n < len(names) and v.arm == arm and _subject(v, readout) == names[n]
            ]
            columns.append([arm, *own])
    rows = zip_longest(*columns, fillvalue="")
    return "".join(f"{','.join(row)}\r\n" for row in rows)


def _subjects(readout: Readout) -> dict[str, list[str]]:
    """By arm, what its sub-columns are: donors, or units where there is one donor."""
    found: dict[str, dict[str, None]] = {}
    if len({v.donor for v in readout.wells}) > 1:
        donors = dict.fromkeys(v.donor for v in readout.wells)
        # the same donor in the same sub-column of every arm
        return {v.arm: list(donors) for v in readout.wells}
    for v in readout.wells:
        found.setdefault(v.arm, {})[_subject(v, readout)] = None
    return {arm: list(names) for arm, names in found.items()}


def _subject(value: WellValue, readout: Readout) -> str:
    """The donor; where there is one, the experimental unit, in its run where there are several."""
    if len({v.donor for v in readout.wells}) > 1:
        return value.donor
    several = len({v.run for v in readout.wells}) > 1
    return f"{value.run} {value.unit}" if several else value.unit


def _note(
    name: str, readout: Readout, arms: tuple[str, ...], subjects: dict[str, list[str]]
) -> str:
    width = max(map(len, subjects.values()))
    donors = {v.donor for v in readout.wells}
    what = "donors" if len(donors) > 1 else f"experimental units of the one donor {min(donors)}"
    lines = [f"{name}: {readout.label}; {width} sub-columns per data set, which are {what}:"]
    lines += [f"  {arm}: {', '.join(subjects.get(arm, [])) or 'nothing measured'}" for arm in arms]
    return "\n".join(lines) + "\n"


_HOW = """How to import into GraphPad Prism
1. New table: Nested; as many sub-columns as stated below.
2. Click the first cell of the first data set; File, Import, the .csv; link or insert, as you like.
3. On the Filter or Placement tab let titles come from the first row; they repeat for each
   sub-column, and Prism shows the first of each data set.
4. Double click a sub-column's head and write the names below, in this order.
Values are wells (a geometric mean over the tubes of a well, or the films of one block). Their
logarithms are what labrig tests: transform Y = ln(Y) before a nested t test or ANOVA.
"""
