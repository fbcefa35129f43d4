"""What a design can see: held to Dunnett's own table, to simulation, to what plumbing allows."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from scipy import special, stats
from typer.testing import CliRunner

import labrig
from labrig.cli import app
from labrig.plan.experimental_units import Contrast, Unit
from labrig.plan.power import (
    PROPOSED,
    Design,
    Spread,
    donors_needed,
    dunnett_alpha,
    sights,
)
from labrig.protocol.analysis_plan import AnalysisPlan, PlannedContrast, PlannedDonors
from labrig_analysis.statistics.looks import error_at

CATALOGUE = Path(labrig.__path__[0]).parent / "protocols"
BENCH = CATALOGUE / "rigs" / "simulated-bench.yaml"
TWO_DONORS = """
  - id: other
    wells: [A1, A2, A3, A4, A5, A6, B1, B2, B3, B4, B5, B6]
  - id: demo-donor
    wells: [C1, C2, C3, C4, C5, C6, D1, D2, D3, D4, D5, D6]
"""
LOSSES = {"mass": 0.15, "strength": 0.20}


@pytest.mark.parametrize(
    ("error_rate", "arms", "df", "reach"),
    [
        # One-sided critical values, Dunnett 1955 J Am Stat Assoc 50:1096, tables 1a and 1b.
        (0.05, 2, 5, 2.44), (0.05, 3, 10, 2.34), (0.05, 7, 20, 2.51), (0.05, 1, 10, 1.81),
        (0.01, 2, 5, 3.90),
    ],
)  # fmt: skip
def test_what_dunnett_leaves_to_one_arm_is_his_table(error_rate, arms, df, reach):
    alpha = dunnett_alpha(error_rate, arms, df)
    assert special.stdtrit(df, 1 - alpha) == pytest.approx(reach, abs=0.011)


@pytest.mark.parametrize(("arms", "df"), [(4, 3), (7, 14), (12, 40)])
def test_it_is_the_multivariate_t_of_arms_with_one_control(arms, df):
    reach = special.stdtrit(df, 1 - dunnett_alpha(0.05, arms, df))
    together = stats.multivariate_t(shape=np.full((arms, arms), 0.5) + np.eye(arms) / 2, df=df)
    inside = together.cdf(np.full(arms, reach), random_state=np.random.default_rng(1))
    assert inside == pytest.approx(0.95, abs=1e-3)


def each(arm, units=3, *, carriers=None, across=False, forced=(), donor="d"):
    names = [Unit(f"{a} {n}", a, donor, (f"{a}{n}",)) for a in (arm, "c") for n in range(units)]
    return Contrast(
        (arm, "c"), ("factors",), tuple(names), "dosing line",
        carriers or (units, units), across, forced,
    )  # fmt: skip


def design(arms=("a", "b"), *, correction="dunnett", donors=1, gates=(), **of_each):
    rule = AnalysisPlan(
        primary=("mass",), correction=correction,
        contrasts=tuple(
            PlannedContrast(arm=a, against="c", must_show=("mass",) if a in gates else ())
            for a in arms
        ),
    )  # fmt: skip
    return Design(rule, tuple(each(a, **of_each) for a in arms), donors, LOSSES)


@pytest.mark.parametrize("donors", [3, 6])
def test_power_over_donors_is_what_simulated_studies_show(donors):
    """Randomised blocks with a pooled error, as the report computes them; Monte Carlo, seeded."""
    arms, units, spread = 4, 3, Spread(0.05, 0.08, 0.0, 0.0, "")
    names = tuple(f"arm{n}" for n in range(arms - 1))
    seen = sights(design(names), {"mass": spread}, donors)[0]
    rng = np.random.default_rng(7)
    nights = 4000
    cells = rng.normal(0, 0.2, (nights, donors, 1)) + rng.normal(0, 0.05, (nights, donors, arms))
    cells = cells + rng.normal(0, 0.08 / np.sqrt(units), (nights, donors, arms))
    cells[:, :, 1] += np.log(0.85)
    left = cells - cells.mean(1, keepdims=True) - cells.mean(2, keepdims=True)
    left += cells.mean((1, 2), keepdims=True)
    df = (arms - 1) * (donors - 1)
    error = np.sqrt((left**2).sum((1, 2)) / df * 2 / donors)
    t = (cells[:, :, 1].mean(1) - cells[:, :, 0].mean(1)) / error
    shown = float((special.stdtr(df, t) < seen.alpha).mean())
    assert seen.df == df
    assert shown == pytest.approx(seen.power, abs=0.03)


def test_more_donors_see_more_and_the_number_needed_is_the_first_that_suffices():
    one = design(donors=2)
    powers = [sights(one, donors=n)[0].power for n in range(2, 12)]
    assert powers == sorted(powers)
    needed = donors_needed(one, 0, "mass")
    assert sights(one, donors=needed)[0].answers
    assert not sights(one, donors=needed - 1)[0].answers


def test_multiplicity_costs_power_and_a_gate_pays_none():
    alone, of_seven = design(("a",)), design(tuple("abdefgh"))
    assert sights(alone, donors=4)[0].alpha == 0.05
    assert sights(of_seven, donors=4)[0].alpha < 0.02
    by_holm = sights(design(tuple("abdefgh"), correction="holm"), donors=4)[0]
    assert by_holm.alpha == pytest.approx(0.05 / 7)
    gate, later = sights(design(("a", "b"), gates=("a",)), donors=4)
    assert (gate.gate, gate.alpha, later.alpha) == (True, 0.05, 0.05)


def given(one, **rule):
    return Design(one.rule.model_copy(update=rule), one.contrasts, one.donors, LOSSES)


def test_read_outs_get_the_shares_that_the_report_gives_them():
    one = given(design(("a",)), primary=("mass", "strength"))
    assert [s.alpha for s in sights(one, donors=4)] == pytest.approx([0.03, 0.02])
    one = given(one, correction="holm")
    steps = [s.alpha for s in sights(one, donors=4)]
    assert steps == pytest.approx([0.025, 0.025]), "one Holm over contrasts and read-outs"
    one = given(design(("a", "b"), gates=("a",)), primary=("mass", "strength"))
    gate, of_gate, mass, strength = sights(one, donors=4)
    assert (gate.alpha, mass.alpha) == pytest.approx((0.05, 0.03)), "a gate for mass asks mass"
    assert of_gate.alpha == strength.alpha < 0.02, "strength of either arm is behind it"


def test_a_look_gets_what_the_report_spends_there():
    one = given(design(("a",)), donors=PlannedDonors(planned=6, looks=(3,)))
    alphas = [sights(one, donors=n)[0].alpha for n in (3, 6)]
    assert alphas == pytest.approx([error_at(n, 6, (3,), 0.05) for n in (3, 6)])
    assert sights(one, donors=4)[0].alpha == 0.05, "no look of the plan: exploratory"


@pytest.mark.parametrize("correction", ["dunnett", "holm", "in-order"])
def test_one_error_is_pooled_over_the_arms_that_are_compared(correction):
    for arms in (("a",), ("a", "b", "d")):
        assert sights(design(arms, correction=correction), donors=4)[0].df == 3 * len(arms)


def test_what_plumbing_cannot_tell_has_no_power_in_this_run():
    lonely = design(("a",), units=1)
    assert sights(lonely)[0].power is None
    assert "1 v 1 dosing lines" in sights(lonely)[0].why_not
    assert sights(lonely, donors=6)[0].power > 0.2, "other donors bring other lines"
    forced = design(("a",), carriers=(3, 0), forced=("A1",))
    assert sights(forced, donors=6)[0].power is None
    assert donors_needed(forced, 0, "mass") is None


def test_carriers_that_donors_share_are_not_averaged_out_by_donors():
    apart = design(("a",), donors=6, units=2)
    shared = design(("a",), donors=6, units=2, across=True)
    assert sights(shared)[0].power < sights(apart)[0].power
    assert sights(shared)[0].df == 2.0
    assert donors_needed(shared, 0, "mass") is None


def test_fewer_donors_than_the_run_has_are_refused():
    with pytest.raises(ValueError, match="2 donors, asked for 1"):
        sights(design(donors=2), PROPOSED, 1)


def labrig_power(*more):
    return CliRunner().invoke(app, ["power", *map(str, more)])


def test_the_command_says_whether_the_plan_can_answer():
    protocol = CATALOGUE / "tonic-vs-phasic-matched.yaml"
    few = labrig_power(protocol, "--rig", BENCH)
    assert (few.exit_code, "CANNOT answer" in few.output) == (0, True)
    assert "cannot be told with this plumbing: 1 v 1 stimulator channels" in few.output
    assert "[P] proposed" in few.output
    many = json.loads(labrig_power(protocol, "--rig", BENCH, "--donors", 40, "--json").output)
    by_donors = {row["donors"]: row for row in many["contrasts"]}
    assert by_donors[1]["power"] is None
    assert by_donors[40]["power"] > 0.95


def test_the_command_refuses_fewer_donors_than_the_run_has_and_what_has_no_layout(tmp_path):
    text = (CATALOGUE / "demo-night.yaml").read_text(encoding="utf-8")
    two = tmp_path / "two.yaml"
    two.write_text(
        text.replace("  - id: demo-donor", TWO_DONORS),
        encoding="utf-8",
    )
    refused = labrig_power(two, "--rig", BENCH, "--donors", 1)
    assert (refused.exit_code, "this run alone has 2" in refused.output) == (2, True)
    six_wells = CATALOGUE / "first-real-night.yaml"
    refused = labrig_power(six_wells, "--rig", BENCH)
    assert "has no layout" in refused.output
    assert refused.exit_code == 1
