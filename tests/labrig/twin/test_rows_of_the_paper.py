"""The simulated culture answers to each row of the paper with the paper's sign and order."""

from __future__ import annotations

import pytest

from tests.labrig.twin.rows_of_the_paper import (
    AGRIN,
    CNTF,
    IGF,
    LEUCINE,
    LOW_AA,
    MEKI,
    NERVE,
    NEUROTRYPSIN,
    OVERLOAD,
    PHASIC,
    ROWS,
    TNF,
    TONIC,
    YOUNG_ROWS,
    For,
    answered,
    history,
)
from tests.labrig.twin.simulated_arms import hours_to_loss

LEAST = 0.004
"""A difference that counts; what is to be alike differs by less than four of it."""


@pytest.mark.parametrize(
    ("row", "days"),
    [(row, 5.5) for row in ROWS.values()] + [(row, 0.5) for row in YOUNG_ROWS.values()],
    ids=[*ROWS, *YOUNG_ROWS],
)
def test_arms_differ_with_the_sign_that_the_paper_predicts(row, days):
    arms, says = row
    seen = answered(arms, days)
    for quantity, arm, sign, other, *at in says:
        over = [ratio(seen[name][at[0] if at else -1], quantity) for name in (arm, other)]
        change = over[0] - over[1]
        scale = max(abs(over[1]), 0.05)
        told = f"{quantity}: {arm} {over[0]:.4f}, {other} {over[1]:.4f}"
        if sign == "=":
            assert abs(change) < 4 * LEAST * scale, told
        else:
            assert (change > LEAST * scale) if sign == ">" else (change < -LEAST * scale), told


def ratio(reading, quantity):
    above, _, below = quantity.partition("/")
    return reading[above] / (reading[below] if below else 1.0)


def last(*stretches, **culture):
    return history(*stretches, **culture)[-1]


def test_d5_a_short_high_insult_acts_faster_and_is_made_good_better_than_a_long_low_one():
    acute = history(For(48, {"TNF-alpha": "50 ng/mL"}), For(168))
    chronic = history(For(168, {"TNF-alpha": "3 ng/mL"}), For(168))
    never = history(For(336))

    def left(seen, hour):
        return seen[hour]["D"] / never[hour]["D"]

    def recovered(seen, ended):
        return 1 - (1 - left(seen, ended + 120)) / (1 - left(seen, ended))

    assert left(acute, 48) < left(chronic, 48) - 0.1
    assert recovered(acute, 48) > recovered(chronic, 168) + 0.05


def test_s02_and_1d_power_strength_and_mass_fall_in_the_order_of_the_origin():
    withdrawn = history(For(96, NERVE, TONIC), For(96))
    rise, strength, mass = (hours_to_loss(withdrawn, q, since=96) for q in "RCD")
    assert rise < strength < mass
    insulted = history(For(96, NERVE, TONIC), For(96, {**NERVE, **TNF}, TONIC))
    assert hours_to_loss(insulted, "D", since=96) < hours_to_loss(insulted, "C", since=96)


def test_s05_passage_lowers_fusion_and_what_igf_recruits():
    young, aged = (last(For(120), days=0, passage=p) for p in (4, 8))
    assert aged["FI"] < young["FI"] - 0.02
    assert aged["unfused"] > young["unfused"]
    helped, aged_helped = (last(For(120, IGF), days=0, passage=p) for p in (4, 8))
    gain, aged_gain = helped["per_tube"] / young["per_tube"], aged_helped["per_tube"]
    assert 1.0 < aged_gain < gain


def test_s07_what_is_recovered_falls_with_the_gap():
    recovered, deficits = [], []
    for gap in (12, 24, 48, 72):
        seen = history(For(48, NERVE, TONIC), For(gap), For(48, NERVE, TONIC))
        kept = history(For(96 + gap, NERVE, TONIC))
        before, after = (1 - seen[at]["D"] / kept[at]["D"] for at in (48 + gap, 96 + gap))
        deficits.append(before)
        recovered.append(1 - after / before)
    assert deficits == sorted(deficits)
    assert recovered == sorted(recovered, reverse=True)
    assert recovered[0] > recovered[-1] + 0.1


def test_s19_the_net_rate_of_growth_tells_the_fate():
    up, level, down = (history(For(48, dosed)) for dosed in (IGF, {}, TNF))
    slopes = [seen[30]["D"] / seen[20]["D"] for seen in (up, level, down)]
    assert slopes[0] > slopes[1] > slopes[2]


def test_s20_nuclei_are_lost_before_the_tube_shrinks():
    seen = history(For(96, {"staurosporine": "50 nM"}))
    assert hours_to_loss(seen, "N", 0.05) < hours_to_loss(seen, "D", 0.05)


def test_s26_old_donors_answer_more_to_cntf_and_s28_less_to_leucine():
    for quantity in "DC":
        young, old = (
            last(For(72, CNTF), old=o)[quantity] / last(For(72), old=o)[quantity]
            for o in (False, True)
        )
        assert old > young > 1.0
    young, old = (
        last(For(24, medium=LOW_AA), For(72, LEUCINE, medium=LOW_AA), old=o)["D"]
        / last(For(96, medium=LOW_AA), old=o)["D"]
        for o in (False, True)
    )
    assert young > old > 1.0


def test_s31_training_helps_both_ages_about_alike():
    young, old = (
        last(For(72, {}, TONIC), old=o)["D"] / last(For(72), old=o)["D"] for o in (False, True)
    )
    assert young > 1.01
    assert old == pytest.approx(young, abs=0.01)


@pytest.mark.parametrize("quantity", ["R", "F", "half_relaxation", "C"])
def test_s36_a_mek_inhibitor_takes_the_effect_of_the_pattern_and_not_of_the_factor(quantity):
    def effect(dosed):
        tonic, phasic = (last(For(72, dosed, p))[quantity] for p in (TONIC, PHASIC))
        return abs(phasic / tonic - 1)

    assert effect(MEKI) < 0.3 * effect({})
    assert last(For(72, {**CNTF, **MEKI}))["D"] == pytest.approx(last(For(72, CNTF))["D"])


def test_s40_clusters_fall_before_contraction_and_contraction_before_the_diameter():
    seen = history(For(72, AGRIN), For(96, {**AGRIN, **NEUROTRYPSIN}))
    times = [hours_to_loss(seen, q, 0.02, since=72) for q in ("clusters", "C", "D")]
    assert times == sorted(times)


@pytest.mark.parametrize("challenge", [IGF, CNTF], ids=["S41", "S42"])
def test_s41_s42_overload_blunts_and_brief_aicar_restores(challenge):
    def response(*before):
        seen = history(*before, For(72, challenge))
        plain = history(*before, For(72))
        return seen[-1]["D"] / plain[-1]["D"]

    pulsed = [For(22, OVERLOAD), For(2, {**OVERLOAD, "AICAR": "0.5 mM"})] * 3
    blunted = response(For(72, OVERLOAD))
    assert 1.0 < blunted < response(*pulsed) < response(For(72))
    rapamycin = response(For(72, {**OVERLOAD, "rapamycin": "20 nM"}))
    assert rapamycin > blunted


def test_donors_differ_in_how_strongly_they_answer():
    weak, strong = (last(For(72, TNF), answers=a)["D"] for a in (0.8, 1.2))
    assert strong < weak - 0.02
