"""Classes of units under a definition, and the same under others."""

import dataclasses

import pandas as pd
import pytest

from labrig.plan.experimental_units import Unit
from labrig.protocol.definition import Definition
from labrig.report.sensitivity import definition_sensitivity
from labrig.report.verdict import Assessment, assess, judge, reference

UNIT = Unit("test 1", "test", "d", ("A1",))
DEFINITION = Definition()


def at(hours, m=1.0, s=1.0, v=1.0, a=1.0, tubes=50, **more) -> Assessment:
    return Assessment(hours=hours, tubes=tubes, m=m, s=s, v=v, a=a, **more)


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
    "dying": ([at(24, m=0.8, s=0.7, v=0.7), at(48, m=0.8, s=0.7, v=0.7)], "cytotoxic/confounded"),
    "too few nuclei once": ([at(24, m=0.8, s=0.7, v=0.7), at(48, m=0.8, s=0.7)], "sarcopenia-like"),
    "peeling": ([at(24, m=0.8, s=0.7, a=0.5), at(48, m=0.8, s=0.7, a=0.5)], "cytotoxic/confounded"),
    "peeling where nobody looked again": ([at(24, m=0.8, s=0.7), at(48, m=0.8, s=0.7, a=0.5)],
                                          "not assessable"),
    "nuclei a hundredfold": ([at(24, m=0.8, s=0.7, v=100), at(48, m=0.8, s=0.7, v=100)],
                             "cytotoxic/confounded"),
    "nuclei a little more": ([at(24, v=1.25), at(48, v=1.25)], "none"),
    "as the control, and its own are gone": ([at(24, v_own=0.5), at(48, v_own=0.5)],
                                             "cytotoxic/confounded"),
    "as the control, and its own area is gone": ([at(24, a_own=0.5), at(48, a_own=0.5)],
                                                 "cytotoxic/confounded"),
    "the control died too": ([at(h, m=0.7, s=0.5, v_control=0.1, a_control=0.2) for h in (24, 48)],
                             "not assessable"),
    "the control was thin once": ([at(24, v_control=0.5), at(48, v_control=1.0)], "none"),
    "the control rests on one tube": ([at(h, m=0.7, s=0.5, control_tubes=1) for h in (24, 48)],
                                      "not assessable"),
    "no nuclei seen": ([at(24, m=0.8, v=None), at(48, m=0.8, v=None)], "not assessable"),
    "nuclei in two rounds of three": ([at(24), at(36, v=None), at(48)], "none"),
    "nuclei once": ([at(24), at(48, v=None)], "not assessable"),
    "peeling, nuclei not seen": ([at(24, v=None, a=0.5), at(48, a=0.5)], "cytotoxic/confounded"),
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


REASONS = {
    "nuclei a hundredfold": "v = 100.00 (at most 1.25): cells divided",
    "as the control, and its own are gone": "0.50 of its own nuclei before treatment",
    "the control died too": "the control failed its own guard: at 48.0 h it had 0.10 of its own",
    "the control rests on one tube": "the control rests on as few as 1 tubes; 20 are needed",
    "peeling where nobody looked again": "tube area a = 0.50 (at least 0.6): cells may have",
}


@pytest.mark.parametrize("case", REASONS)
def test_the_reason_names_what_was_seen(case):
    (reason,) = judge(UNIT, CLASSES[case][0], DEFINITION).reasons
    assert REASONS[case] in reason


@pytest.mark.parametrize("every_h", [0.25, 0.5, 1.0, 2.0, 3.0, 6.0])
@pytest.mark.parametrize(("m", "s", "v", "label"), [
    (0.70, 0.60, 1.0, "sarcopenia-like"), (0.70, 1.0, 1.0, "myopenia-like"),
    (1.0, 1.0, 1.0, "none"), (0.70, 0.60, 0.5, "cytotoxic/confounded"),
])  # fmt: skip
def test_a_class_does_not_depend_on_how_often_one_photographs(every_h, m, s, v, label):
    """Rounds from 1 to 72 h; single rounds, where there are three in a window, say the opposite."""
    rounds = [at(1 + every_h * i, m=m, s=s, v=v) for i in range(int(71 / every_h))]
    if every_h <= 2.0:
        each = round(12 / every_h)
        for i in range(each // 3, len(rounds), each):
            rounds[i] = at(rounds[i].hours, m=1.7 - m, s=1.6 - s, v=1.5 - v, a=0.59)
    verdict = judge(UNIT, rounds, DEFINITION)
    assert verdict.label == label
    assert verdict.latest("m") == pytest.approx(m)


def test_times_of_windows_are_those_of_what_was_measured_in_them():
    """Films 6 h apart are not twelve apart because the windows they fall into are."""
    rounds = [at(1 + i, s=0.5 if 1 + i in (7, 13) else None) for i in range(24)]
    assert judge(UNIT, rounds, DEFINITION).strength == "cannot say"
    apart = [at(1 + i, s=0.5 if 1 + i in (7, 19) else None) for i in range(24)]
    assert judge(UNIT, apart, DEFINITION).strength == "yes"


def test_the_control_has_no_class():
    verdict = reference(UNIT, CLASSES["thin and weak"][0], DEFINITION, ())
    assert verdict.label == "reference"
    assert verdict.latest("m") is None
    failed = reference(UNIT, CLASSES["the control died too"][0], DEFINITION, ())
    assert "failed its own guard" in " ".join(failed.reasons)


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


def test_every_ratio_is_to_the_geometric_mean_of_the_controls():
    table = unit_rows(
        a=("test", "d", 12.0, 20), c1=("control", "d", 9.0, 10), c2=("control", "d", 16.0, 40),
    )  # fmt: skip
    unit = dataclasses.replace(UNIT, name="a")
    strength = {("a", 1): 2.0, ("c1", 1): 1.0, ("c2", 1): 4.0}
    (only,) = assess(table, unit, "control", 1.0, strength)
    assert (only.m, only.s, only.v) == pytest.approx((1.0, 1.0, 1.0))


@pytest.mark.parametrize(("tubes", "m"), [((30, 1), 0.5), ((1, 30), 2.0), ((30, 30), 1.0)])
def test_a_control_of_few_tubes_does_not_count(tubes, m):
    table = unit_rows(
        a=("test", "d", 12.0, 40), c1=("control", "d", 24.0, 40), c2=("control", "d", 6.0, 40),
    )  # fmt: skip
    table["tubes"] = table["unit"].map({"a": 30, "c1": tubes[0], "c2": tubes[1]})
    unit = dataclasses.replace(UNIT, name="a")
    (only,) = assess(table, unit, "control", 1.0, {}, min_tubes=20)
    assert only.m == pytest.approx(m)


@pytest.mark.parametrize(
    ("v", "nuclei", "control", "label"),
    [
        (0.79, 38, 40, "none"),  # a single field's nuclei: chance
        (0.79, 380, 480, "cytotoxic/confounded"),
        (0.10, 4, 40, "cytotoxic/confounded"),
        (1.30, 46, 36, "none"),
        (1.30, 460, 360, "cytotoxic/confounded"),
        (0.79, None, None, "cytotoxic/confounded"),  # tables that count no nuclei
    ],
)
def test_a_guard_on_few_nuclei_asks_whether_chance_does_as_much(v, nuclei, control, label):
    seen = [
        Assessment(hours, 40, 1.0, 1.0, v, 1.0, 40, nuclei=nuclei, control_nuclei=control)
        for hours in (24.0, 48.0, 72.0)
    ]
    found = judge(Unit("x 1", "x", "d", ("A1",)), seen, Definition())
    assert found.label == label
    if label == "none":
        assert f"rests on {nuclei} nuclei against {control}" in found.reasons[-1]
