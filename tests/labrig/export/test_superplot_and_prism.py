"""Plots and nested tables show wells within donors, never tubes as n."""

from __future__ import annotations

import csv
import io
import math
import statistics
from dataclasses import replace

import pytest

from labrig.export.prism import prism_tables
from labrig.export.superplot import superplots
from labrig.export.well_values import readouts


def rows_of(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_superplots_table_holds_tubes_wells_and_donors(source_of, two_donors):
    files = superplots(source_of(two_donors))
    rows = rows_of(files["superplot_diameter_um.csv"])
    assert {row["level"] for row in rows} == {"tube", "well", "donor"}
    wells = [r for r in rows if (r["level"], r["arm"], r["donor"]) ==
             ("well", "vehicle-sham", "old-2")]  # fmt: skip
    tubes = [r for r in rows if r["level"] == "tube" and r["well"] == wells[0]["well"]]
    logs = [math.log(float(tube["diameter_um"])) for tube in tubes]
    mean = math.exp(statistics.fmean(logs))
    assert float(wells[0]["diameter_um"]) == pytest.approx(mean, rel=1e-6)
    donor = [r for r in rows if (r["level"], r["arm"], r["donor"]) ==
             ("donor", "vehicle-sham", "old-2")]  # fmt: skip
    over = math.exp(statistics.fmean(math.log(float(w["diameter_um"])) for w in wells))
    assert [float(r["diameter_um"]) for r in donor] == [pytest.approx(over, rel=1e-6)]
    assert files["superplot_diameter_um.png"].startswith(b"\x89PNG")
    svg = files["superplot_diameter_um.svg"].decode()
    assert svg.count(">young-1<") == svg.count(">old-2<") == 1  # the legend
    assert files == superplots(source_of(two_donors)), "the same run gives the same bytes"


def test_prism_nests_wells_in_donors_in_arms(source_of, two_donors):
    source = source_of(two_donors)
    files = prism_tables(source)
    table = list(csv.reader(io.StringIO(files["prism_nested_diameter_um.csv"].decode())))
    assert table[0] == [arm for arm in source.arms for _ in ("young-1", "old-2")]
    wells = next(r for r in readouts(source) if r.name == "diameter_um").wells
    for at, (arm, donor) in enumerate((a, d) for a in source.arms for d in source.donors):
        stacked = [float(row[at]) for row in table[1:] if row[at]]
        mine = [v.value for v in wells if (v.arm, v.donor) == (arm, donor)]
        assert stacked == pytest.approx(mine, rel=1e-8)
    assert "vehicle-sham: young-1, old-2" in files["prism_nested.txt"].decode()


def test_with_one_donor_prism_nests_in_units(source_of, story):
    source = source_of(story)
    table = prism_tables(source)["prism_nested_diameter_um.csv"].decode().splitlines()
    units = {arm: sum(u.arm == arm for u in source.runs[0].units) for arm in source.arms}
    width = max(units.values())
    assert table[0].split(",") == [arm for arm in source.arms for _ in range(width)]
    assert len({line.count(",") for line in table}) == 1


def test_nothing_measured_gives_no_plot_and_a_prism_note(source_of, story):
    source = source_of(replace(story, measured=False))
    assert superplots(source) == {}
    assert list(prism_tables(source)) == ["prism_nested.txt"]
