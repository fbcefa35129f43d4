"""What a unit is, by the plumbing, and what is compared of it."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from labrig.plan.aspects import IMPULSES, arm_levels
from labrig.plan.experimental_units import aspects_between, units_of
from labrig.plan.plan import WellPlan
from labrig.protocol.loading import load_protocol
from labrig.report.comparisons import all_arms, diameter_readings, film_readings
from labrig.report.growth import over_own_baseline, unit_table, well_table, wells_that_count
from labrig.report.moments import fullest
from labrig.report.units import Design
from labrig.rig.loading import load_rig

PROTOCOLS = Path(__file__).parents[3] / "protocols"


def well(name, arm, line, channel, donor="d") -> WellPlan:
    carriers = (("nerve", f"line {line}"), *([(IMPULSES, f"channel {channel}")] if channel else []))
    return WellPlan(name, arm, donor, line, channel, False, carriers)


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
        (("nerve",), [("A1",), ("A2",), ("B1",), ("B2",)]),
        ((IMPULSES,), [("A1", "A2"), ("B1", "B2")]),
        (("nerve", IMPULSES), [("A1", "A2"), ("B1", "B2")]),
    ],
)
def test_wells_that_share_what_arms_differ_in_are_one_unit(aspects, groups):
    assert [unit.wells for unit in units_of(PLATE, ["off", "on"], aspects)] == groups


def test_one_line_of_six_wells_is_one_unit_and_donors_are_never_joined():
    wells = [well(f"A{i}", "x", "A1", "", donor="d" if i < 4 else "e") for i in range(1, 7)]
    units = units_of(wells, ["x"], ["nerve"])
    assert [(unit.donor, len(unit.wells)) for unit in units] == [("d", 3), ("e", 3)]


def test_sharing_is_handed_on():
    wells = [well("A1", "x", "1", "s:1"), well("A2", "x", "2", "s:2"), well("A3", "x", "1", "s:2")]
    assert len(units_of(wells, ["x"], ["nerve", IMPULSES])) == 1


DEMO = load_protocol(PROTOCOLS / "demo-night.yaml").model
BENCH = load_rig(PROTOCOLS / "rigs" / "simulated-bench.yaml").model


def test_the_unit_of_a_comparison_follows_from_its_arms():
    levels = arm_levels(DEMO, BENCH)
    assert set(aspects_between(levels, DEMO.arms)) == {"nerve", IMPULSES}
    assert aspects_between(levels, ["nerve-sham", "vehicle-sham"]) == ("nerve",)
    assert aspects_between(levels, ["vehicle-tonic", "vehicle-sham"]) == (IMPULSES,)


def design(plan) -> Design:
    return Design(tuple(plan), arm_levels(DEMO, BENCH), "vehicle-sham")


def measures(
    donors: dict[str, float], rounds=(1,), copies=2, line=lambda donor, name: name
) -> tuple[list[WellPlan], pd.DataFrame]:
    """Wells 10, 20 ... µm wide of two arms; nerve-sham is thicker by the donor's factor."""
    plan, rows, tubes = [], [], []
    for index, (donor, factor) in enumerate(donors.items()):
        for arm in ("vehicle-sham", "nerve-sham"):
            for copy in range(1, copies + 1):
                name = f"{'ABCDEFGH'[index]}{sum(w.donor == donor for w in plan) + 1}"
                plan.append(well(name, arm, line(donor, name), "", donor))
                width = 10.0 * (factor if arm == "nerve-sham" else 1.0) * (1 + 0.01 * copy)
                for round_ in rounds:
                    at = {"well": name, "field": 0, "round": round_}
                    rows.append(at | {"offset_s": 3600.0 * round_})
                    tubes.append(at | {"diameter_mean_um": width, "nuclei": 3})
    table = well_table(pd.DataFrame(rows), pd.DataFrame(tubes), min_nuclei=2)
    return plan, table


def diameters(plan, table, censored_from_s, rounds=(None, 1)):
    return all_arms(design(plan), "diameter", diameter_readings(table, rounds), censored_from_s)


def of_arm(rows, arm="nerve-sham", analysis="intention to treat", readout="diameter"):
    (row,) = [r for r in rows if (r.arm, r.analysis, r.readout) == (arm, analysis, readout)]
    return row


def test_with_donors_the_test_is_over_donors():
    plan, table = measures({"d": 1.1, "e": 1.2, "f": 1.3})
    rows = diameters(plan, table, {})
    nerve = of_arm(rows)
    assert nerve.unit == "donor"
    assert nerve.result.n == (3, 3)
    assert nerve.result.df == 2
    assert nerve.result.ratio == pytest.approx((1.1 * 1.2 * 1.3) ** (1 / 3))
    absent = of_arm(rows, "nerve-tonic")
    assert absent.result is None
    assert absent.why_not


# which line feeds a well of a donor -> why there is no test
PLUMBING = {
    "a line a well": (lambda donor, name: f"{donor}{name}", ""),
    "a line for the same well of every donor": (
        lambda donor, name: name[1:], "cannot be told over donors with this plumbing: 2 v 2 dosing "
        "lines, shared by donors",
    ),
    "a line an arm": (
        lambda donor, name: str(int(name[1:]) > 2), "cannot be told with this plumbing: 1 v 1",
    ),
    "one line that two donors share": (
        lambda donor, name: "x" if name in ("A1", "B1") else name, "shared by donors",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", PLUMBING)
def test_donors_that_share_what_carries_the_treatment_are_no_n(case):
    line, why = PLUMBING[case]
    plan, table = measures({"d": 1.1, "e": 1.2, "f": 1.3}, line=line)
    row = of_arm(diameters(plan, table, {}))
    assert row.result.ratio == pytest.approx((1.1 * 1.2 * 1.3) ** (1 / 3))
    assert why in row.result.test
    assert (row.result.p is None) == (row.result.low is None) == bool(why)
    assert row.p_holm == row.result.p


def test_with_one_donor_the_test_is_over_units_and_censoring_counts():
    plan, table = measures({"d": 1.2})
    rows = diameters(plan, table, {plan[-1].well: 0.0})
    assert of_arm(rows).result.n == (2, 2)
    assert of_arm(rows).result.p is not None
    per_protocol = of_arm(rows, analysis="per protocol")
    assert per_protocol.result.n == (1, 2)
    assert per_protocol.result.p is None


@pytest.mark.parametrize("from_h", [0.5, 1.5])
@pytest.mark.parametrize("censored", [("A3",), ("A1", "A4"), ("A4",), ("A2",)])
def test_nothing_that_drops_out_changes_a_change(censored, from_h):
    """No well changes; wells of unlike width share a line, and some are censored between."""

    def line(_, name):
        return str(int(name[1:]) % 2 + 2 * (int(name[1:]) > 4))

    plan, table = measures({"d": 1.5}, rounds=(0, 1, 2), copies=4, line=line)
    rows = diameters(plan, table, dict.fromkeys(censored, 3600.0 * from_h), (0, 2))
    row = of_arm(rows, analysis="per protocol", readout="diameter over its baseline")
    assert row.result.ratio == pytest.approx(1.0)
    assert of_arm(rows, analysis="per protocol").result.ratio != pytest.approx(1.5)


def test_wells_with_few_tubes_are_in_no_comparison():
    plan, table = measures({"d": 1.2, "e": 1.2})
    thin = table.assign(tubes=[30, 30, 30, 5, 30, 30, 30, 30])
    thin.loc[thin["tubes"] == 5, "log_diameter"] = np.log(500.0)
    row = of_arm(diameters(plan, wells_that_count(thin, 20), {}))
    assert row.result.ratio == pytest.approx(1.2 * (1.01 / 1.02) ** 0.25)


def test_contraction_is_compared_by_geometric_means_too():
    plan, _ = measures({"d": 1.0})
    films = pd.DataFrame(
        [
            {"well": w.well, "film": 0, "offset_s": 7200.0, "status": "ok", "amplitude_um": size}
            for w, size in zip(plan, (1.0, 4.0, 2.0, 2.0), strict=True)
        ]
    )
    readings = film_readings(design(plan), films, 0.0)
    rows = all_arms(design(plan), "optical contraction", readings, {})
    row = of_arm(rows, readout="optical contraction")
    assert row.result.ratio == pytest.approx(1.0)


ROUNDS = {
    "all are whole": ({1: "abcd", 2: "abcd", 3: "abcd"}, (), 3),
    "the last shows one well": ({1: "abcd", 2: "abcd", 3: "a"}, (), 2),
    "the last shows both arms of one donor": ({1: "abcd", 2: "abcd", 3: "ab"}, (), 2),
    "the last was cut off, and lacks none": ({1: "abcd", 2: "abcd", 3: "abcd"}, {3}, 2),
    "none is whole": ({1: "ab", 2: "abc", 3: "a"}, (), 2),
    "all were cut off": ({1: "ab", 2: "abcd"}, {1, 2}, 2),
    "every arm, but of few wells": ({1: "abcdefghij", 2: "abcdefghij", 3: "abcdefg"}, (), 2),
    "every arm, and nearly all wells": ({1: "abcdefghij", 2: "abcdefghij", 3: "abcdefghi"}, (), 3),
    "nothing": ({}, (), None),
}


@pytest.mark.parametrize("case", ROUNDS)
def test_arms_are_never_compared_at_a_round_that_was_cut_off(case):
    shown, cut_off, chosen = ROUNDS[case]
    wells = [WellPlan(w, "xy"[i % 2], "de"[i // 2 % 2], "", "", False)
             for i, w in enumerate("abcdefghij")]  # fmt: skip
    seen = [(round_, w) for round_, own in shown.items() for w in own]
    assert fullest(seen, wells, cut_off) == chosen


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
    units = units_of([well("A1", "x", "A1", ""), well("A2", "x", "A1", "")], ["x"], ["nerve"])
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


def own_rows(hours, nuclei, coverage, well="A1"):
    return pd.DataFrame(
        {"well": well, "round": range(len(hours)), "hours": hours, "tubes": 30,
         "log_diameter": 2.0, "coverage": coverage, "fusion_index": 0.5, "nuclei": nuclei,
         "fields": 1}
    )  # fmt: skip


def test_what_is_left_of_its_own_is_taken_within_the_well():
    """Two wells of unlike density; the dense one is censored: the unit lost nothing."""
    both = [own_rows([0.0, 24.0], [20, 20], [5.0, 5.0]),
            own_rows([0.0, 24.0], [80, 80], [20.0, 20.0], "A2")]  # fmt: skip
    wells = over_own_baseline(pd.concat(both, ignore_index=True), 1.0)
    units = units_of([well("A1", "x", "A1", ""), well("A2", "x", "A1", "")], ["x"], ["nerve"])
    table = unit_table(wells, units, {"A2": 7200.0})
    assert list(table["nuclei"]) == [50.0, 20.0]
    assert list(table["nuclei_own"]) == pytest.approx([1.0, 1.0])


@pytest.mark.parametrize(
    ("hours", "nuclei", "left"),
    [
        ([0.0, 5.0, 24.0], [10, 40, 20], [0.4, 1.6, 0.8]),  # the median of the last window before
        ([0.0, 9.0, 24.0], [10, 40, 20], [0.25, 1.0, 0.5]),
        ([10.5, 24.0], [40, 20], [1.0, 0.5]),  # the first look of treatment
        ([17.0, 24.0], [40, 20], [np.nan, np.nan]),  # nobody looked in time
    ],
)
def test_the_baseline_of_a_well(hours, nuclei, left):
    found = over_own_baseline(own_rows(hours, nuclei, [10.0] * len(hours)), 10.0)
    assert list(found["nuclei_own"]) == pytest.approx(left, nan_ok=True)
