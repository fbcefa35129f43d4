"""The short version of a row: a few wells of every arm, and of the bench what reaches them."""

from datetime import date

import pytest

from labrig.catalogue import catalogue_folder
from labrig.launch.small_bench import few_wells, write_small_bench
from labrig.plan.compile import compile
from labrig.plan.plan import WellPlan
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.seed.index import load_index, seed_folder
from labrig.seed.shortened import Cut, write_shortened

TODAY = date(2026, 11, 30)


def well(name, arm, line, donor="d", chip=""):
    return WellPlan(name, arm, donor, line, line, False, chip=chip)


def test_a_few_wells_of_every_arm_and_donor_stay_and_lines_stay_whole():
    wells = [well("A1", "x", "A1"), well("A2", "x", "A1"), well("A3", "x", "A1"),
             well("B1", "x", "B1"), well("B2", "x", "B1"), well("C1", "y", "C1"),
             well("C2", "y", "C2"), well("C3", "y", "C3"), well("D1", "y", "D1", "e")]  # fmt: skip
    assert few_wells(wells) == {"B1", "B2", "C1", "C2", "D1"}


def test_chips_stay_whole():
    wells = [well(f"A{n}", "xy"[n > 4], f"A{n}", chip=f"c{(n + 1) // 2}") for n in range(1, 9)]
    assert few_wells(wells) == {"A1", "A2", "A5", "A6"}


def shortened(number, folder):
    """The protocol of a row, its wells, and its short version as a plan and on its small bench."""
    row = load_index().rows[number]
    source, bench = seed_folder() / row.protocol, catalogue_folder() / row.bench
    loaded = load_protocol(source)
    plan = compile(loaded, load_rig(bench), today=TODAY)
    wells = few_wells(plan.wells)
    write_small_bench(bench, plan, wells, folder / "bench.yaml")
    write_shortened(loaded.model, source, Cut(wells), folder / "short.yaml")
    rig = load_rig(folder / "bench.yaml")
    return loaded, wells, compile(load_protocol(folder / "short.yaml"), rig, today=TODAY), rig


def blocks(plan):
    return [f.code for f in plan.findings if f.severity == "block"]


def test_pumps_that_bring_nothing_are_left_out_and_the_rest_can_be_started(tmp_path):
    loaded, wells, short, rig = shortened("S20", tmp_path)
    assert blocks(short) == []
    assert {one.arm for one in short.wells} == set(loaded.model.arms)
    assert {one.well for one in short.wells} == wells
    assert {line.role for line in rig.model.lines.values()} == {None, "insult"}
    assert len(rig.model.instruments) < 14


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("D5", "outcomes want looks between films"),
        ("S39", "chips are left out with their lights and lines"),
        ("S45", "a chamber feeds another"),
        ("S48", "its protocol is one to be committed"),
    ],
)
def test_a_short_version_can_be_started_although(number, why, tmp_path):
    _, _, short, _ = shortened(number, tmp_path)
    assert blocks(short) == [], why
    assert short.pilot
