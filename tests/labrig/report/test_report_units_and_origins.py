"""What a unit is, by the plumbing; and which origins the arms of a protocol can tell."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from labrig.plan.plan import WellPlan
from labrig.protocol.loading import load_protocol
from labrig.report.comparisons import compare_arms
from labrig.report.growth import unit_table, well_table
from labrig.report.origins import origins
from labrig.report.units import FACTORS, IMPULSES, aspects_between, units_of

PROTOCOLS = Path(__file__).parents[3] / "protocols"


def well(name, arm, line, channel, donor="d") -> WellPlan:
    return WellPlan(name, arm, donor, line, channel, edge=False)


# Two lines of two wells, each well of a line on another channel; one channel a treatment.
PLATE = [
    well("A1", "off", "A1", "s:1"),
    well("A2", "off", "A2", "s:1"),
    well("B1", "on", "A1", "s:2"),
    well("B2", "on", "A2", "s:2"),
]


@pytest.mark.parametrize(
    ("aspects", "groups"),
    [
        ((), [("A1",), ("A2",), ("B1",), ("B2",)]),
        ((FACTORS,), [("A1",), ("A2",), ("B1",), ("B2",)]),
        ((IMPULSES,), [("A1", "A2"), ("B1", "B2")]),
        ((FACTORS, IMPULSES), [("A1", "A2"), ("B1", "B2")]),
    ],
)
def test_wells_that_share_what_arms_differ_in_are_one_unit(aspects, groups):
    assert [unit.wells for unit in units_of(PLATE, ["off", "on"], aspects)] == groups


def test_one_line_of_six_wells_is_one_unit_and_donors_are_never_joined():
    wells = [well(f"A{i}", "x", "A1", "", donor="d" if i < 4 else "e") for i in range(1, 7)]
    units = units_of(wells, ["x"], [FACTORS])
    assert [(unit.donor, len(unit.wells)) for unit in units] == [("d", 3), ("e", 3)]


def test_sharing_is_handed_on():
    wells = [well("A1", "x", "1", "s:1"), well("A2", "x", "2", "s:2"), well("A3", "x", "1", "s:2")]
    assert len(units_of(wells, ["x"], [FACTORS, IMPULSES])) == 1


def test_the_unit_of_a_comparison_follows_from_its_arms():
    demo = load_protocol(PROTOCOLS / "demo-night.yaml").model
    assert aspects_between(demo, demo.arms) == (FACTORS, IMPULSES)
    assert aspects_between(demo, ["nerve-sham", "vehicle-sham"]) == (FACTORS,)
    assert aspects_between(demo, ["vehicle-tonic", "vehicle-sham"]) == (IMPULSES,)


ORIGINS = {
    "demo-night": {"neurogenic, trophic", "neurogenic, activity"},
    "nerve-factor-factorial": {"neurogenic, trophic", "neurogenic, activity", "musculogenic"},
    "overnight-imaging": set(),
}


@pytest.mark.parametrize("name", ORIGINS)
def test_which_origins_the_catalogue_can_tell(name):
    found = origins(load_protocol(PROTOCOLS / f"{name}.yaml").model, {})
    assert {origin.name for origin in found if origin.identifiable} == ORIGINS[name]
    assert all(origin.why.startswith("not identifiable") for o in [found] for origin in o
               if not origin.identifiable)  # fmt: skip


def test_an_origin_is_what_its_loss_does():
    demo = load_protocol(PROTOCOLS / "demo-night.yaml").model
    logs = {arm: np.log(10.0) for arm in demo.arms}
    for arm in ("nerve-sham", "nerve-tonic"):
        logs[arm] += np.log(1.25)
    by_name = {origin.name: origin.ratio for origin in origins(demo, logs)}
    assert by_name["neurogenic, trophic"] == pytest.approx(0.8)
    assert by_name["neurogenic, activity"] == pytest.approx(1.0)
    assert by_name["musculogenic"] is None


def measures(donors: dict[str, float]) -> tuple[list[WellPlan], pd.DataFrame]:
    """Two wells an arm and donor of the demo; nerve-sham is thicker by the donor's factor."""
    plan, rows, tubes = [], [], []
    for index, (donor, factor) in enumerate(donors.items()):
        for arm in ("vehicle-sham", "nerve-sham"):
            for copy in (1, 2):
                name = f"{'ABCDEFGH'[index]}{len(plan) % 4 + 1}"
                plan.append(well(name, arm, name, "", donor))
                rows.append({"well": name, "field": 0, "round": 1, "offset_s": 3600.0})
                width = 10.0 * (factor if arm == "nerve-sham" else 1.0) * (1 + 0.01 * copy)
                tubes.append(
                    {"well": name, "field": 0, "round": 1, "diameter_mean_um": width, "nuclei": 3}
                )
    table = well_table(pd.DataFrame(rows), pd.DataFrame(tubes), min_nuclei=2)
    return plan, table


def test_with_donors_the_test_is_over_donors():
    demo = load_protocol(PROTOCOLS / "demo-night.yaml").model
    plan, table = measures({"d": 1.1, "e": 1.2, "f": 1.3})
    rows = compare_arms(demo, plan, table, "vehicle-sham", (None, 1), {})
    nerve = next(row for row in rows if row.arm == "nerve-sham")
    assert nerve.unit == "donor"
    assert nerve.result.n == (3, 3)
    assert nerve.result.df == 2
    assert nerve.result.ratio == pytest.approx((1.1 * 1.2 * 1.3) ** (1 / 3))
    absent = next(row for row in rows if row.arm == "nerve-tonic")
    assert absent.result is None
    assert absent.why_not


def test_with_one_donor_the_test_is_over_units_and_censoring_counts():
    demo = load_protocol(PROTOCOLS / "demo-night.yaml").model
    plan, table = measures({"d": 1.2})
    censored = {plan[-1].well: 0.0}
    rows = compare_arms(demo, plan, table, "vehicle-sham", (None, 1), censored)
    by_way = {row.analysis: row.result for row in rows if row.arm == "nerve-sham"}
    assert by_way["intention to treat"].n == (2, 2)
    assert by_way["intention to treat"].p is not None
    assert by_way["per protocol"].n == (1, 2)
    assert by_way["per protocol"].p is None


def test_a_unit_is_the_geometric_mean_of_its_wells_not_of_its_tubes():
    fields = pd.DataFrame(
        [{"well": w, "field": 0, "round": 0, "offset_s": 0.0} for w in ("A1", "A2")]
    )
    tubes = pd.DataFrame(
        [{"well": "A1", "field": 0, "round": 0, "diameter_mean_um": 9.0, "nuclei": 2}] * 30
        + [{"well": "A2", "round": 0, "diameter_mean_um": 16.0, "nuclei": 2}]
        + [{"well": "A2", "round": 0, "diameter_mean_um": 99.0, "nuclei": 1}]
    )
    wells = well_table(fields, tubes, min_nuclei=2)
    units = units_of([well("A1", "x", "A1", ""), well("A2", "x", "A1", "")], ["x"], [FACTORS])
    (row,) = unit_table(wells, units).to_dict("records")
    assert row["diameter_um"] == pytest.approx(12.0)
    assert (row["wells"], row["tubes"]) == (2, 31)


def test_a_round_that_shows_nothing_to_measure_is_no_row():
    fields = pd.DataFrame(
        [
            {"well": "A1", "field": 0, "round": 0, "offset_s": 0.0, "tube_area_fraction": 0.1},
            {"well": "A1", "field": 0, "round": 1, "offset_s": 1800.0, "tube_area_fraction": None},
        ]
    )
    table = well_table(fields, pd.DataFrame(), min_nuclei=2)
    assert list(table["round"]) == [0]
    assert list(table["coverage"]) == [10.0]
