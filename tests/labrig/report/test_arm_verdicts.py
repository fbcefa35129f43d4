"""Classes of arms: what a page may claim, in which order, and in what words."""

import math

import numpy as np
import pytest
from scipy import stats

from labrig.plan.experimental_units import Unit
from labrig.plan.plan import WellPlan
from labrig.protocol.analysis_plan import AnalysisPlan, PlannedContrast, PlannedDonors
from labrig.protocol.definition import Definition
from labrig.report.arms.claims import claims
from labrig.report.arms.effects import Effect, Effects, name_of
from labrig.report.arms.guards import guard_of
from labrig.report.arms.named_definition import answers_of
from labrig.report.arms.sentences import scope_of, sentence_of
from labrig.report.arms.verdicts import MeasuredArms, verdicts_of_arms
from labrig.report.comparisons import Readings
from labrig.report.units import Design
from labrig.report.verdict import Assessment, judge
from labrig_analysis.statistics.estimate import by_t
from labrig_analysis.statistics.family import Family

DEFINITION = Definition()


def plan(*arms, gate=(), **more):
    contrasts = tuple(
        PlannedContrast(arm=arm, against="c", must_show=("mass",) if arm in gate else ())
        for arm in arms
    )
    more = {"primary": ("mass", "strength"), "baseline": "none", **more}
    return AnalysisPlan(contrasts=contrasts, **more)


def judged(
    mass, strength, given, guards=None, spread=0.02, no_strength="", copies=3, films_of=range(99)
):
    """Arms over donors; by arm, the true ratio. Donors differ from it by a fixed pattern.

    mass, strength: by arm, the ratio, or one per donor.
    films_of: donors whose contraction was measured.
    """
    import pandas as pd

    count = max((len(r) for r in [*mass.values(), *strength.values()] if not np.isscalar(r)),
                default=6)  # fmt: skip
    wells, rows = [], {"mass": [], "strength": []}
    for index in range(count):
        for arm in ["c", *mass]:
            for copy in range(copies):
                name = f"{arm}{index}{copy}"
                wells.append(WellPlan(name, arm, f"d{index}", "", "", False,
                                      (("treatment", f"line {name}"),)))  # fmt: skip
                for what, ratios in (("mass", mass), ("strength", strength)):
                    if what == "strength" and index not in films_of:
                        continue
                    ratio = ratios.get(arm, 1.0)
                    value = ratio if np.isscalar(ratio) else ratio[index]
                    order = [*mass].index(arm) + 1 if arm != "c" else 0
                    wobble = spread * math.sin(1.7 * index + 2.3 * order + (what == "mass"))
                    value = 10 * value * math.exp(wobble + 0.01 * (copy - 1))
                    rows[what].append({"well": name, "moment": 1, "hours": 72.0, "value": value})
    design = Design(tuple(wells), {arm: {"treatment": arm} for arm in ["c", *mass]}, "c")
    readings = {what: Readings(pd.DataFrame(own), 1, None) for what, own in rows.items()}
    measured = MeasuredArms(
        readings["mass"], None if no_strength else readings["strength"], {}, guards or {}, (),
        no_strength,
    )  # fmt: skip
    return verdicts_of_arms(design, given, DEFINITION, measured)


CLASSES = {
    "both lost, and much": (0.70, 0.60, "sarcopenia-like", "at least the threshold"),
    "both just past their thresholds": (
        0.84, 0.79, "sarcopenia-like", "shown, past the threshold",
    ),
    "mass alone": (0.70, 1.0, "myopenia-like", "at least the threshold"),
    "strength alone": (1.0, 0.60, "dynapenia-like", "at least the threshold"),
    "weak for its width": (1.0, 0.82, "low-quality", "at least the threshold"),
    "a loss that is smaller than asked": (0.93, 0.92, "none", "none"),
    "nothing": (1.0, 1.0, "none", "none"),
    "more of both": (1.3, 1.4, "none", "none"),
}  # fmt: skip


@pytest.mark.parametrize("case", CLASSES)
def test_classes_of_an_arm(case):
    m, s, label, grade = CLASSES[case]
    found = judged({"x": m, "y": 1.0}, {"x": s}, plan("x", "y"), spread=0.012)
    arm = found.arms[0]
    assert (arm.label, arm.grade) == (label, grade)
    assert (arm.p is None) == (label == "none")
    assert sentence_of(arm, found).startswith("Over 6 donors, x ")
    assert (label in sentence_of(arm, found)) == (label != "none")


def test_p_of_a_class_that_needs_both_is_the_larger_one():
    found = judged({"x": 0.7}, {"x": 0.74}, plan("x"), spread=0.05)
    (arm,) = found.arms
    assert arm.label == "sarcopenia-like"
    assert arm.p == max(arm.mass.claim.loss, arm.strength.claim.loss)
    assert arm.mass.claim.loss < arm.strength.claim.loss


def test_what_is_not_shown_either_way_is_undecided():
    found = judged({"x": 0.88, "y": 1.0}, {"x": 0.85}, plan("x", "y"), spread=0.25)
    arm = found.arms[0]
    assert (arm.label, arm.grade, arm.p) == ("undecided", "undecided", None)
    assert "shows neither a loss nor its absence" in sentence_of(arm, found)


def test_an_estimate_past_the_threshold_is_no_class_without_a_shown_loss():
    found = judged({"x": 0.75, "y": 1.0}, {"x": 0.65}, plan("x", "y"), spread=0.6)
    assert found.arms[0].mass.effect.estimate.ratio < 0.85
    assert found.arms[0].label == "undecided"


# m and s of four donors, and what a minimal-effect test makes of them
DONORS = {
    "strong": ((0.71, 0.78, 0.74, 0.76), (0.55, 0.62, 0.58, 0.61), "sarcopenia-like"),
    "mild": ((0.92, 0.86, 0.90, 0.88), (0.75, 0.80, 0.78, 0.77), "dynapenia-like"),
}


@pytest.mark.parametrize("case", DONORS)
def test_one_contrast_is_the_one_sided_t_over_donors(case):
    m, s, label = DONORS[case]
    found = judged({"x": m}, {"x": s}, plan("x"), spread=0.0)
    (arm,) = found.arms
    for finding, values, bound, share in ((arm.mass, m, 0.85, 0.6), (arm.strength, s, 0.80, 0.4)):
        logs = np.log(values)
        for p, mean in ((finding.claim.alone, 0.0),):
            assert p == pytest.approx(stats.ttest_1samp(logs, mean, alternative="less").pvalue)
        past = stats.ttest_1samp(logs, math.log(bound), alternative="less").pvalue
        assert finding.claim.threshold == pytest.approx(min(1.0, past / share))
        assert finding.claim.loss == pytest.approx(finding.claim.alone / share)
    assert arm.label == label


def test_a_class_may_ask_for_the_whole_threshold():
    mild = {"x": 0.84, "y": 1.0}, {"x": 0.79}
    asked = judged(*mild, plan("x", "y", claim="at-least-threshold"), spread=0.012).arms[0]
    assert asked.label == "undecided"
    asked = judged({"x": 0.6}, {"x": 0.5}, plan("x", claim="at-least-threshold")).arms[0]
    assert asked.label == "sarcopenia-like"


def test_behind_a_gate_that_does_not_show_its_loss_nothing_is_interpreted():
    lost = {"x": 0.95, "y": 0.6}, {"y": 0.5}
    found = judged(*lost, plan("x", "y", gate=("x",)))
    assert [arm.label for arm in found.arms] == ["none", "not interpreted"]
    assert "assay window not shown" in found.gate
    assert "behind a closed gate" in sentence_of(found.arms[1], found)
    lost = {"x": 0.7, "y": 0.6}, {"y": 0.5}
    found = judged(*lost, plan("x", "y", gate=("x",)))
    assert [arm.label for arm in found.arms] == ["myopenia-like", "sarcopenia-like"]
    assert "showed its loss" in found.gate
    assert found.arms[0].gate


def test_behind_a_closed_gate_no_absence_of_a_loss_is_claimed_either():
    found = judged({"x": 0.95, "y": 1.0}, {}, plan("x", "y", gate=("x",)), spread=0.012)
    assert [arm.label for arm in found.arms] == ["none", "not interpreted"]
    told = sentence_of(found.arms[0], found)
    assert "90 % interval" in told
    assert "95 %" not in told, "one level, that of the tests it rests on"
    assert "lost neither" not in sentence_of(found.arms[1], found)


def test_a_gate_for_mass_that_stays_closed_claims_no_loss_of_its_own_strength():
    found = judged({"x": 1.0, "y": 1.0}, {"x": 0.5}, plan("x", "y", gate=("x",)), spread=0.012)
    assert [arm.label for arm in found.arms] == ["not interpreted", "not interpreted"]
    assert "beyond its gate, which it did not show" in sentence_of(found.arms[0], found)
    found = judged({"x": 0.7, "y": 1.0}, {"x": 0.5}, plan("x", "y", gate=("x",)), spread=0.012)
    assert found.arms[0].label == "sarcopenia-like"


def test_a_class_over_donors_rests_on_donors_in_both_read_outs():
    lost = {"x": 0.7}, {"x": 0.5}
    one = judged(*lost, plan("x"), films_of=range(1))
    assert one.arms[0].label == "undecided"
    said = sentence_of(one.arms[0], one)
    assert said.startswith("Over unlike donors (diameter over 6, contraction in one only), x ")
    assert "A read-out told in one donor only makes no class over donors" in said
    some = judged(*lost, plan("x"), films_of=range(4))
    assert some.arms[0].label == "sarcopenia-like"
    assert "(diameter over 6, contraction over 4)" in sentence_of(some.arms[0], some)


def test_a_gate_costs_those_behind_it_nothing():
    behind = judged({"x": 0.7, "y": 0.9}, {}, plan("x", "y", gate=("x",)), spread=0.1)
    alone = judged({"x": 0.7, "y": 0.9}, {}, plan("x", "y"), spread=0.1)
    first, second = behind.arms[1].mass.claim, alone.arms[1].mass.claim
    assert first.alone == second.alone
    assert first.loss == pytest.approx(first.alone / 0.6)
    assert first.loss < second.loss
    assert behind.arms[0].mass.claim.loss == behind.arms[0].mass.claim.alone


def test_strength_that_no_film_tells_leaves_no_class_and_the_whole_rate_to_mass():
    found = judged({"x": 0.6}, {}, plan("x"), no_strength="the protocol takes no films")
    (arm,) = found.arms
    assert (arm.label, arm.strength) == ("undecided", None)
    assert arm.mass.grade == "at least the threshold"
    assert arm.mass.claim.loss == arm.mass.claim.alone
    assert "diameter is lost" in sentence_of(arm, found)
    assert "takes no films" in sentence_of(arm, found)


def test_one_donor_is_said_to_be_one():
    found = judged({"x": [0.6]}, {"x": [0.5]}, plan("x", donors=PlannedDonors(planned=6)))
    assert found.donors == 1
    assert scope_of(found).startswith("One donor of 6 planned: what follows is about that donor")
    assert sentence_of(found.arms[0], found).startswith("In this donor, x is sarcopenia-like")


LOOKS = {
    "all": (6, (), 0.05, ""),
    "too few": (4, (), 0.05, "4 of 6 planned donors, and no look at so many"),
    "a look": (3, (3,), 0.0056, ""),  # 2 (1 - Phi(1.96 sqrt 2))
    "the last look": (6, (3,), 0.0444, ""),
    "more than planned": (
        8,
        (),
        0.05,
        "8 donors where 6 were planned: who adds donors after the "
        "last look errs more often than the plan says",
    ),
}


@pytest.mark.parametrize("case", LOOKS)
def test_looks_spend_the_error_rate(case):
    donors, looks, rate, why = LOOKS[case]
    given = plan("x", donors=PlannedDonors(planned=6, looks=looks))
    found = judged({"x": [0.9] * donors}, {}, given)
    assert found.error_rate == pytest.approx(rate, abs=1e-4)
    assert found.exploratory == ((why,) if why else ())


def assessment(**more):
    return Assessment(
        **{"hours": 24.0, "tubes": 50, "m": 1.0, "s": 1.0, "v": 1.0, "a": 1.0, **more}
    )


def units(*states):
    """Units that kept their cells, lost them, or of which nobody knows."""
    seen = {"kept": {}, "lost": {"v": 0.5}, "unknown": {"v": None}}
    return [
        judge(Unit(f"x {i}", "x", "d", ()),
              [assessment(**seen[s]), assessment(hours=48.0, **seen[s])], DEFINITION)
        for i, s in enumerate(states)
    ]  # fmt: skip


GUARDS = {
    ("kept", "kept", "kept"): "kept",
    ("kept", "kept", "lost"): "kept",
    ("kept", "lost", "lost"): "lost",
    ("kept", "lost"): "lost",
    ("unknown", "unknown"): "unknown",
    ("unknown", "kept"): "kept",
    (): "unknown",
}


@pytest.mark.parametrize("states", GUARDS, ids=" ".join)
def test_the_guard_of_an_arm_is_that_of_its_units(states):
    guard = guard_of(units(*states))
    assert guard.state == GUARDS[states]
    assert bool(guard.said) == (guard.state != "kept" or "lost" in states)


@pytest.mark.parametrize(("state", "label"), [("lost", "cytotoxic/confounded"),
                                              ("unknown", "not assessable")])  # fmt: skip
def test_a_loss_of_cells_is_no_loss_of_muscle(state, label):
    guards = {"x": guard_of(units(state, state))}
    found = judged({"x": 0.6}, {"x": 0.5}, plan("x"), guards)
    assert found.arms[0].label == label
    assert guards["x"].said in sentence_of(found.arms[0], found)


def three(values=(-0.3, -0.25, 0.0), error=0.1, df=14.0):
    pairs = [(arm, "c") for arm in "xyz"]
    estimates = {name_of(p): by_t(v, error, df) for p, v in zip(pairs, values, strict=True)}
    correlation = np.full((3, 3), 0.5) + 0.5 * np.eye(3)
    by_pair = {
        p: Effect(p, estimates[name_of(p)], "over donors", ("d", "e"), (3, 3), "", "", 72.0, "")
        for p in pairs
    }
    return Effects(by_pair, (Family(estimates, correlation),))


def p_of_losses(correction, found=None):
    given = plan("x", "y", "z", correction=correction, primary=("mass",))
    made = claims(given, {"mass": found or three()}, {"mass": 0.85}, 0.05)
    return [claim.loss for claim in made.by_component["mass"].values()]


def test_corrections_of_several_contrasts():
    alone = [stats.t.cdf(v / 0.1, 14) for v in (-0.3, -0.25, 0.0)]
    assert p_of_losses("holm") == pytest.approx([3 * alone[0], 2 * alone[1], alone[2]])
    assert p_of_losses("in-order") == pytest.approx(alone)
    backwards = p_of_losses("in-order", three(values=(0.0, -0.25, -0.3)))
    assert backwards == pytest.approx([0.5, 0.5, 0.5])
    together = stats.multivariate_t(shape=np.full((3, 3), 0.5) + 0.5 * np.eye(3), df=14)
    inside = together.cdf([3.0, 3.0, 3.0], random_state=1)
    dunnett = p_of_losses("dunnett")
    assert dunnett[0] == pytest.approx(1 - inside, abs=1e-4)
    assert all(a <= d <= 3 * a for a, d in zip(alone, dunnett, strict=True))


def test_what_shares_no_error_shares_the_rate_by_number():
    whole = three()
    split = Effects(whole.by_pair, tuple(
        Family({name: e}, np.eye(1)) for name, e in whole.families[0].estimates.items()
    ))  # fmt: skip
    alone = [stats.t.cdf(v / 0.1, 14) for v in (-0.3, -0.25, 0.0)]
    assert p_of_losses("dunnett", split) == pytest.approx([min(1.0, 3 * p) for p in alone])


# by class above, whether it has what each named definition asks for
NAMED = {
    "both lost, and much": ("yes", "yes", "no", "no"),
    "mass alone": ("no", "yes", "no", "no"),
    "strength alone": ("no", "no", "yes", "no"),
    "weak for its width": ("no", "no", "no", "yes"),
    "nothing": ("no", "no", "no", "no"),
}


@pytest.mark.parametrize("case", NAMED)
def test_whether_an_arm_has_it_is_what_the_named_definition_says(case):
    m, s, _, _ = CLASSES[case]
    found = judged({"x": m, "y": 1.0}, {"x": s}, plan("x", "y"), spread=0.012)
    names = ("sarcopenia", "mass_only", "dynapenia", "low_quality")
    given = tuple(
        answers_of(found, DEFINITION.model_copy(update={"named": name}))["x"] for name in names
    )
    assert given == NAMED[case]
    myopenia = DEFINITION.model_copy(update={"named": "myopenia"})
    assert answers_of(found, myopenia)["x"] == given[1]


def test_mass_alone_is_answered_where_strength_cannot_be_told():
    found = judged({"x": 0.7, "y": 1.0}, {"x": 1.0}, plan("x", "y", primary=("mass",)),
                   no_strength="no films")  # fmt: skip
    mass_only = DEFINITION.model_copy(update={"named": "mass_only"})
    assert found.arms[0].label == "undecided"
    assert answers_of(found, mass_only) == {"x": "yes", "y": "no"}
    assert answers_of(found, DEFINITION)["x"] == "undecided"
