"""Classes of units under a definition, and the same under others."""

import dataclasses

import pandas as pd
import pytest

from labrig.protocol.definition import Definition
from labrig.report.sensitivity import definition_sensitivity
from labrig.plan.experimental_units import Unit
from labrig.report.verdict import Assessment, assess, judge

UNIT = Unit("test 1", "test", "d", ("A1",))
DEFINITION = Definition()


def at(hours, m=1.0, s=1.0, v=1.0, a=1.0, tubes=50) -> Assessment:
    return Assessment(hours=hours, tubes=tubes, m=m, s=s, v=v, a=a)


CLASSES = {
    "healthy": ([at(24), at(48)], "none"),
    "thin": ([at(24, m=0.8), at(48, m=0.8, s=0.9)], "myopenia-like"),
    "weak": ([at(24, s=0.7), at(48, s=0.7)], "dynapenia-like"),
    "thin and weak": ([at(24, m=0.8, s=0.7), at(48, m=0.8, s=0.7)], "sarcopenia-like"),
    "exactly at the thresholds": (
        [at(24, m=0.85, s=0.80), at(48, m=0.85, s=0.80)], "sarcopenia-like",
    ),
    "weak for its width": ([at(24, s=0.84), at(48, s=0.84)], "low-quality"),
    "thin once": ([at(24, m=0.8), at(48, m=0.9)], "none"),
    "thin, but not for long enough": ([at(24, m=0.8), at(30, m=0.8), at(48)], "none"),
    "thin, then well, then thin": ([at(12, m=0.8), at(24), at(36, m=0.8)], "none"),
    "one assessment": ([at(24, m=0.5)], "not assessable"),
    "two, too close": ([at(24, m=0.5), at(30, m=0.5)], "not assessable"),
    "none": ([], "not assessable"),
    "few tubes": ([at(24, m=0.8, tubes=19), at(48, m=0.8)], "not assessable"),
    "dying": ([at(24, m=0.8, s=0.7, v=0.7), at(48, m=0.8, s=0.7)], "cytotoxic/confounded"),
    "peeling": ([at(24, m=0.8, s=0.7), at(48, m=0.8, s=0.7, a=0.5)], "cytotoxic/confounded"),
    "no nuclei seen": ([at(24, m=0.8, v=None), at(48, m=0.8, v=None)], "not assessable"),
    "nuclei in two rounds of three": ([at(24), at(36, v=None), at(48)], "none"),
    "nuclei once": ([at(24), at(48, v=None)], "not assessable"),
    "peeling, nuclei not seen": ([at(24, v=None, a=0.5), at(48)], "cytotoxic/confounded"),
    "films in two rounds of three": ([at(24, s=0.7), at(36, s=None), at(48, s=0.7)],
                                     "dynapenia-like"),
    "no film": ([at(24, m=0.8, s=None), at(48, m=0.8, s=None)], "not assessable"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLASSES)
def test_classes(case):
    assessments, label = CLASSES[case]
    verdict = judge(UNIT, assessments, DEFINITION)
    assert verdict.label == label
    assert bool(verdict.reasons) == (label in ("not assessable", "cytotoxic/confounded"))


def test_without_films_mass_is_still_told():
    verdict = judge(UNIT, CLASSES["no film"][0], DEFINITION)
    assert verdict.mass == "yes"
    assert verdict.strength == "cannot say"
    assert "strength not assessable" in verdict.reasons[0]


def test_doses_that_did_not_come_leave_nothing_to_judge():
    verdict = judge(UNIT, CLASSES["thin"][0], DEFINITION, dose_reasons=["A1 left out"])
    assert verdict.label == "not assessable"
    assert verdict.censored
    rows = definition_sensitivity([verdict], DEFINITION)
    assert {answer for row in rows for answer in row.answers} == {"cannot say"}


@pytest.mark.parametrize(
    ("case", "yes"),
    [
        ("healthy", set()),
        (
            "thin and weak",
            {
                "mass + strength (the definition in force)", "mass only", "strength only",
                "mass or strength", "mass only, 0.05 stricter", "mass only, 0.05 looser",
                "mass only, one assessment enough", "mass + strength, 0.05 looser",
            },
        ),
        ("thin once", {"mass only, one assessment enough", "mass only, 0.05 looser"}),
        ("weak for its width", {"specific strength only"}),
        ("no film", {"mass only", "mass or strength", "mass only, 0.05 stricter",
                     "mass only, 0.05 looser", "mass only, one assessment enough"}),
    ],
)  # fmt: skip
def test_the_same_unit_under_other_definitions(case, yes):
    verdict = judge(UNIT, CLASSES[case][0], DEFINITION)
    rows = definition_sensitivity([verdict], DEFINITION)
    assert {row.name for row in rows if row.answers == ("yes",)} == yes


def unit_rows(**by_unit) -> pd.DataFrame:
    """A unit table of one donor; by unit, (arm, diameter, nuclei, coverage) at 0 and 24 h."""
    rows = [
        {"unit": unit, "arm": arm, "donor": donor, "round": round_, "hours": 24.0 * round_,
         "wells": 1, "tubes": 30, "diameter_um": diameter if round_ else 10.0, "coverage": 20.0,
         "fusion_index": 50.0, "nuclei": nuclei}
        for unit, (arm, donor, diameter, nuclei) in by_unit.items()
        for round_ in (0, 1)
    ]  # fmt: skip
    return pd.DataFrame(rows)


def test_ratios_are_to_the_control_of_the_same_donor_after_treatment_began():
    table = unit_rows(
        a=("test", "d", 8.0, 30), c1=("control", "d", 9.0, 40), c2=("control", "d", 16.0, 40),
        other=("control", "e", 99.0, 99),
    )  # fmt: skip
    unit = dataclasses.replace(UNIT, name="a")
    (only,) = assess(table, unit, "control", 1.0, strength={})
    assert only.hours == 24
    assert only.m == pytest.approx(8 / 12)  # geometric mean of 9 and 16
    assert only.v == pytest.approx(0.75)
    assert only.a == pytest.approx(1.0)
    assert only.s is None


def test_strength_is_a_ratio_too():
    table = unit_rows(a=("test", "d", 8.0, 30), c=("control", "d", 10.0, 40))
    unit = dataclasses.replace(UNIT, name="a")
    (only,) = assess(table, unit, "control", 1.0, strength={("a", 1): 2.0, ("c", 1): 4.0})
    assert only.s == pytest.approx(0.5)
    assert only.q == pytest.approx(0.5 / 0.8)
