"""Which origins of loss arms can tell, and what each multiplies the diameter by."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest

from labrig.plan.aspects import arm_levels
from labrig.plan.plan import WellPlan
from labrig.protocol.arms import TargetStep
from labrig.protocol.loading import load_protocol
from labrig.report.comparisons import Readings
from labrig.report.origins import Measured, origins
from labrig.report.subtypes import subtype_in_words, subtypes
from labrig.report.units import Design
from labrig.rig.loading import load_rig

PROTOCOLS = Path(__file__).parents[3] / "protocols"
DEMO = load_protocol(PROTOCOLS / "demo-night.yaml").model
BENCH = load_rig(PROTOCOLS / "rigs" / "simulated-bench.yaml").model
COCKTAIL = DEMO.arms["nerve-sham"].targets
TONIC = "tonic_10hz_2mean"
BARE = DEMO.arms["vehicle-sham"].model_copy(update={"role": "test", "boluses": ()})
STOCK = DEMO.stocks["nerve-cocktail"]
HOUR = 3600.0


def protocol(arms):
    """The demo with an insult, a stock of CNTF alone, and these arms."""
    factors = {**DEMO.factors, "TNF": DEMO.factors["CNTF"].model_copy(update={"role": "insult"})}
    stocks = {
        **DEMO.stocks,
        "tnf": STOCK.model_copy(update={"contents_ng_ml": {"TNF": 2000.0}}),
        "cntf": STOCK.model_copy(update={"contents_ng_ml": {"CNTF": 1000.0}}),
    }
    baseline, treatment = DEMO.phases
    phases = (baseline, treatment.model_copy(update={"duration_s": 95 * HOUR}))
    return DEMO.model_copy(
        update={"arms": arms, "factors": factors, "stocks": stocks, "phases": phases}
    )


def arm(code):
    """Of a code like 110: nerve factors, impulses, insult."""
    n, a, m = (digit == "1" for digit in code)
    targets = {**(COCKTAIL if n else {}), **({"TNF": 20.0} if m else {})}
    return BARE.model_copy(update={"targets": targets, "pattern": TONIC if a else "sham"})


def told(arms, logs, at_h=72.0, donors=("d",), lacking=(), carriers=None):
    """Origins by name, from a log diameter by arm; two wells an arm and donor, on own carriers."""
    asked = protocol(arms)
    levels = arm_levels(asked, BENCH)
    wells, rows = [], []
    for donor in donors:
        for name in arms:
            for copy in range(2):
                if (donor, name) in lacking:
                    continue
                well = f"{donor}{name}{copy}"
                own = carriers(name) if carriers else f"line {well}"
                pairs = tuple((aspect, own) for aspect in levels[name])
                wells.append(WellPlan(well, name, donor, "", "", False, pairs))
                value = math.exp(logs(donor, name) + 0.01 * copy)
                rows.append({"well": well, "moment": 1, "hours": at_h, "value": value})
    design = Design(tuple(wells), levels, next(iter(arms)))
    readings = Readings(pd.DataFrame(rows), 1, None)
    found = origins(asked, design, at_h * HOUR, 1.0, Measured(readings, None))
    return {origin.name: origin for origin in found}


def ratios(found):
    return {n: round(o.diameter.ratio, 4) for n, o in found.items() if o.diameter is not None}


def grades(found):
    return {name for name, origin in found.items() if origin.grade != "not identifiable"}


def coded(codes):
    return {code: arm(code) for code in codes}


def model(**effects):
    """Log diameter of a coded arm: NAM digits times the effects named by their letters."""

    def logs(_, code):
        on = {letter for letter, digit in zip("NAM", code, strict=True) if digit == "1"}
        return 2.7 + sum(value for name, value in effects.items() if set(name) <= on)

    return logs


ALL = [f"{n}{a}{m}" for n in "10" for a in "10" for m in "01"]
RATIOS = {
    "full factorial": (
        ALL, {"N": 0.08, "A": 0.06, "M": -0.25, "NM": 0.15, "AM": 0.05},
        {
            "neurogenic, trophic": 0.9231, "neurogenic, activity": 0.9418,
            "neurogenic, trophic, without impulses": 0.9231,
            "neurogenic, activity, without nerve factors": 0.9418,
            "neurogenic, both": 0.8694, "musculogenic": 0.9512,
            "musculogenic, without nerve factors and without impulses": 0.7788,
            "musculogenic, rescue by nerve factors": 1.1618,
            "musculogenic, rescue by nerve factors, without impulses": 1.1618,
            "musculogenic, rescue by activity": 1.0513,
            "musculogenic, rescue by activity, without nerve factors": 1.0513,
            "musculogenic, rescue by both": 1.2214,
        },
    ),
    "support, with and without insult": (["110", "111"], {"M": -0.1}, {"musculogenic": 0.9048}),
    "all or nothing": (
        ["110", "111", "000", "001"], {"N": 0.1, "A": 0.2, "M": -0.3, "NAM": 0.2},
        {
            "neurogenic, both": 0.7408, "musculogenic": 0.9048,
            "musculogenic, without nerve factors and without impulses": 0.7408,
            "musculogenic, rescue by both": 1.2214,
        },
    ),
    "unbalanced": (
        ["110", "010", "100", "000", "111"], {"N": 0.08, "A": 0.06, "NA": 0.2, "M": -0.25},
        {
            "neurogenic, trophic": 0.7558, "neurogenic, trophic, without impulses": 0.9231,
            "neurogenic, activity": 0.7711, "neurogenic, activity, without nerve factors": 0.9418,
            "neurogenic, both": 0.7118, "musculogenic": 0.7788,
        },
    ),
    "insult without any support": (["000", "001"], {"M": -0.2}, {"musculogenic": 0.8187}),
}  # fmt: skip


@pytest.mark.parametrize("case", RATIOS)
def test_each_origin_is_a_simple_effect(case):
    codes, effects, expected = RATIOS[case]
    found = told(coded(codes), model(**effects))
    assert ratios(found) == expected
    assert grades(found) == set(expected)
    for name in expected:
        assert found[name].diameter.low < found[name].diameter.ratio < found[name].diameter.high


def test_what_is_missing_is_named():
    found = told(coded(["110", "111"]), model())
    assert "it needs an arm with impulses and without nerve factors" in (
        found["neurogenic, trophic"].why
    )
    rescue = found["musculogenic, rescue by nerve factors"]
    assert rescue.grade == "not identifiable"
    assert "without nerve factors" in rescue.why
    assert found["synaptogenic"].grade == "not identifiable"


def test_donors_are_blocks():
    """Two donors of unlike size, each lacking another arm: nothing is lost anywhere."""
    codes = coded(["000", "100", "010"])
    found = told(codes, lambda donor, _: {"d": 2.5, "e": 2.9}[donor], donors=("d", "e"),
                 lacking={("d", "010"), ("e", "100")})  # fmt: skip
    assert ratios(found) == {"neurogenic, trophic": 1.0, "neurogenic, activity": 1.0}
    assert found["neurogenic, trophic"].donors == 1


def test_over_donors_the_n_is_the_donors():
    size = {"d": 0.10, "e": 0.12, "f": 0.05}

    def logs(donor, name):
        return 2.7 + (size[donor] if name == "100" else 0.0)

    result = told(coded(["000", "100"]), logs, donors=tuple(size))["neurogenic, trophic"].diameter
    assert (result.n, result.df) == ((3, 3), 2)
    assert result.ratio == pytest.approx(math.exp(-0.09))


def test_no_donor_with_all_arms_tells_nothing():
    found = told(coded(["000", "100"]), model(), donors=("d", "e"),
                 lacking={("d", "000"), ("e", "100")})  # fmt: skip
    assert "no donor has all of" in found["neurogenic, trophic"].why
    assert ratios(found) == {}


def test_one_carrier_an_arm_gives_no_error_estimate():
    found = told(coded(["000", "100"]), model(N=0.1), carriers=lambda name: f"pump {name}")
    trophic = found["neurogenic, trophic"]
    assert trophic.grade == "identifiable, no error estimate"
    assert "1 v 1 pumps" in trophic.why
    assert trophic.diameter.ratio == pytest.approx(math.exp(-0.1))
    assert trophic.diameter.low is None


def test_low_flow_is_told_and_its_rescue_is_not():
    arms = {"full": BARE, "low": BARE.model_copy(update={"flow_ml_h": 0.3})}
    found = told(arms, lambda _, name: 2.7 - 0.2 * (name == "low"),
                 carriers=lambda name: f"pump {name}")  # fmt: skip
    assert ratios(found) == {"vasculogenic": 0.8187}
    assert found["vasculogenic"].grade == "identifiable, no error estimate"
    for by in ("nerve factors", "activity"):
        assert found[f"vasculogenic, rescue by {by}"].grade == "not identifiable"


def test_single_factors_are_apart_from_the_cocktail():
    arms = {
        "all": arm("100"),
        "CNTF": BARE.model_copy(update={"targets": {"CNTF": 10.0}}),
        "vehicle": BARE,
    }
    found = ratios(told(arms, lambda _, name: 2.7 + 0.3001 * (name == "all")))
    assert found == {"neurogenic, trophic": 0.7407, "CNTF 10 ng/mL alone": 1.0}


def steps(*pairs):
    return tuple(
        TargetStep.model_validate({"at": f"{h} h", "concentration": f"{c} ng/mL"}) for h, c in pairs
    )


WITHDRAWN = {**COCKTAIL, "CNTF": steps((0, 10), (48, 0)), "BDNF": steps((0, 50), (48, 0)),
             "NT-4/5": steps((0, 50), (48, 0))}  # fmt: skip


@pytest.mark.parametrize(
    ("at_h", "expected"),
    [
        (24.0, {}),  # both arms still have all
        (49.0, {}),  # some is still there: neither with nor without
        (72.0, {"neurogenic, trophic": 0.9048}),
    ],
)
def test_a_target_in_steps_counts_when_it_is_given(at_h, expected):
    arms = {"kept": arm("100"), "withdrawn": BARE.model_copy(update={"targets": WITHDRAWN})}
    found = told(arms, lambda _, name: 2.7 - 0.1 * (name == "withdrawn"), at_h=at_h)
    assert ratios(found) == expected
    if at_h == 49.0:
        assert "had just been changed" in found["neurogenic, trophic"].why


def test_withdrawn_is_not_mixed_with_never_given():
    arms = {"kept": arm("100"), "withdrawn": BARE.model_copy(update={"targets": WITHDRAWN}),
            "never": arm("000")}  # fmt: skip
    sizes = {"kept": 0.0, "withdrawn": -0.1, "never": -0.3}
    found = ratios(told(arms, lambda _, name: 2.7 + sizes[name]))
    assert found["neurogenic, trophic"] == 0.7408
    (other,) = [value for name, value in found.items() if "withdrawn at 48 h" in name]
    assert other == 0.9048


CATALOGUE = {
    "demo-night": {"neurogenic, trophic", "neurogenic, activity"},
    "nerve-factor-factorial": {"neurogenic, trophic", "neurogenic, activity", "musculogenic"},
    "overnight-imaging": set(),
}


@pytest.mark.parametrize("name", CATALOGUE)
def test_which_origins_the_catalogue_can_tell(name):
    asked = load_protocol(PROTOCOLS / f"{name}.yaml").model
    wells = [WellPlan(f"A{i}", a, "d", "", "", False, ()) for i, a in enumerate(asked.arms)]
    design = Design(tuple(wells), arm_levels(asked, BENCH), None)
    found = {o.name: o for o in origins(asked, design, 72 * HOUR, 1.0, Measured(None, None))}
    main = {"neurogenic, trophic", "neurogenic, activity", "musculogenic", "vasculogenic"}
    assert grades(found) & main == CATALOGUE[name]
    assert all(o.why for o in found.values() if o.grade == "not identifiable")


def programmed(*entries, **more):
    """An arm with a programme, beside which nothing is asked for."""
    return type(BARE).model_validate({"pattern": "sham", "program": list(entries), **more})


NERVE = {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL", "NT-4/5": "50 ng/mL"}
ALL_OF_IT = {"from": "0 h", "targets": NERVE, "pattern": TONIC}
S08 = {
    "kept": programmed(ALL_OF_IT),
    "withdraw-factors": programmed(ALL_OF_IT, {"from": "48 h", "targets": "none"}),
    "withdraw-impulses": programmed(ALL_OF_IT, {"from": "48 h", "pattern": "sham"}),
    "withdraw-all": programmed(ALL_OF_IT, {"from": "48 h", "targets": "none", "pattern": "sham"}),
}


def test_what_is_withdrawn_by_a_programme_is_seen_as_withdrawn():
    sizes = {"kept": 0.0, "withdraw-factors": -0.1, "withdraw-impulses": -0.05,
             "withdraw-all": -0.3}  # fmt: skip
    found = told(S08, lambda _, name: 2.7 + sizes[name])
    assert ratios(found) == {
        "neurogenic, trophic": 0.9048,
        "neurogenic, activity": 0.9512,
        "neurogenic, both": 0.7408,
    }
    assert "withdrawn at 48 h" in found["neurogenic, trophic"].contrast
    assert {"neurogenic, trophic", "neurogenic, activity"} <= grades(found)


def test_before_anything_is_withdrawn_nothing_is():
    assert ratios(told(S08, lambda _, name: 2.7, at_h=40.0)) == {}


def test_a_gap_that_was_closed_is_neither_support_nor_its_loss():
    back = {"from": "72 h", "targets": NERVE, "pattern": TONIC}
    gone = {"from": "48 h", "targets": "none", "pattern": "sham"}
    arms = {"kept": programmed(ALL_OF_IT), "gap-24": programmed(ALL_OF_IT, gone, back),
            "never": BARE}  # fmt: skip
    sizes = {"kept": 0.0, "gap-24": -0.2, "never": -0.4}
    found = told(arms, lambda _, name: 2.7 + sizes[name], at_h=90.0)
    assert ratios(found) == {"neurogenic, both": 0.6703, "neurogenic, gap": 0.8187}
    assert "48 to 72 h" in found["neurogenic, gap"].contrast


def test_training_that_stops_is_not_training_that_never_was():
    train = {"from": "0 h", "pattern": TONIC}
    arms = {"train-continue": programmed(train), "never": BARE,
            "train-stop": programmed(train, {"from": "48 h", "pattern": "sham"})}  # fmt: skip
    sizes = {"train-continue": 0.1, "never": 0.0, "train-stop": -0.1}
    found = told(arms, lambda _, name: 2.7 + sizes[name])
    activity = {n: v for n, v in ratios(found).items() if "activity" in n}
    assert sorted(activity.values()) == [0.8187, 0.9048]


def test_a_factor_before_fusion_alone_is_apart_from_one_after_it():
    cntf = {"from": "0 h", "targets": {"CNTF": "20 ng/mL"}}
    arms = {
        "vehicle": BARE,
        "cntf-pre": programmed(cntf, {"from": "48 h", "targets": "none"}),
        "cntf-post": programmed(cntf | {"from": "48 h"}),
    }
    sizes = {"vehicle": 0.0, "cntf-pre": -0.2, "cntf-post": 0.1}
    found = told(arms, lambda _, name: 2.7 + sizes[name])
    values = {n: v for n, v in ratios(found).items() if n.startswith("neurogenic, trophic")}
    assert sorted(values.values()) == [0.7408, 0.9048]


def test_an_insult_that_ended_is_no_insult_and_no_control():
    arms = {"nerve": arm("100"), "acute": BARE.model_copy(update={"targets": {
        **COCKTAIL, "TNF": steps((0, 20), (24, 0))}})}  # fmt: skip
    found = told(arms, lambda _, name: 2.7 - (name == "acute"))
    assert "musculogenic" not in ratios(found)


def of_subtypes(arms, logs, **more):
    found = tuple(told(arms, logs, donors="abcdef", **more).values())
    return {each.name: each for each in subtypes(found, protocol(arms))}


def test_a_loss_to_an_inflammatory_insult_is_cachexic_and_others_say_what_is_missing():
    noise = {d: 0.002 * i for i, d in enumerate("abcdef")}
    found = of_subtypes(
        coded(["110", "111"]), lambda d, code: 2.7 - (0.25 + noise[d]) * (code == "111")
    )
    assert found["cachexic"].support == "supported"
    assert found["type I (muscle)"].support == "not identifiable"
    assert "not inflammatory" in found["type I (muscle)"].why
    assert found["type II (neuron)"].support == "not identifiable"
    assert found["synaptogenic"].support == "not identifiable"
    assert subtype_in_words(list(found.values())) == "cachexic"


def test_without_any_effect_no_subtype_is_supported():
    wiggle = {d: 0.05 * (-1) ** i for i, d in enumerate("abcdef")}
    found = of_subtypes(coded(["110", "111"]), lambda d, code: 2.7 + wiggle[d] * (code == "111"))
    assert found["cachexic"].support in ("undecided", "not supported")
    assert subtype_in_words(list(found.values())) in ("undecided", "none of them")


CURARE = {"d-tubocurarine": "7000 ng/mL"}
SIDES = {
    "open": {"nerve": {"pattern": TONIC}, "muscle": {"pattern": "sham"}},
    "blocked": {"nerve": {"pattern": TONIC}, "muscle": {"pattern": "sham", "targets": CURARE}},
    "direct": {"nerve": {"pattern": TONIC}, "muscle": {"pattern": TONIC, "targets": CURARE}},
}


def chips(names):
    arms = {name: type(BARE).model_validate(SIDES[name]) for name in names}
    asked = protocol(arms)
    cells = {"nerve": {"cells": "motor neurons"}, "muscle": {"cells": "myotubes"}}
    culture = type(asked.culture).model_validate({"cells": "both", "compartments": cells})
    factors = {**asked.factors, "d-tubocurarine": asked.factors["leucine"]}
    asked = asked.model_copy(update={"culture": culture, "factors": factors})
    sizes = {"open": 0.0, "blocked": -0.3, "direct": -0.1}
    levels = {name: {"treatment": name} for name in arms}
    wells, rows = [], []
    for index, donor in enumerate("abcdef"):
        for name in arms:
            for copy in range(2):
                well = f"{donor}{name}{copy}"
                carriers = (("treatment", f"line {well}"),)
                wells.append(WellPlan(well, name, donor, "", "", False, carriers))
                value = math.exp(2.7 + sizes[name] * (1 + 0.05 * index) + 0.01 * copy)
                rows.append({"well": well, "moment": 1, "hours": 72.0, "value": value})
    design = Design(tuple(wells), levels, "open")
    readings = Readings(pd.DataFrame(rows), 1, None)
    found = origins(asked, design, 72 * HOUR, 1.0, Measured(readings, None))
    named = {origin.name: origin for origin in found}
    return named, {each.name: each for each in subtypes(found, asked)}


def test_a_synapse_is_told_where_a_block_is_made_good_by_direct_impulses():
    found, supported = chips(SIDES)
    assert found["synaptogenic, block"].diameter.ratio == pytest.approx(math.exp(-0.3375))
    assert found["synaptogenic, direct impulses"].diameter.ratio == pytest.approx(math.exp(0.225))
    assert supported["synaptogenic"].support == "supported"


def test_a_block_without_direct_impulses_says_which_arm_is_missing():
    found, supported = chips(["open", "blocked"])
    assert "direct impulses to the muscle" in found["synaptogenic"].why
    assert supported["synaptogenic"].support == "not identifiable"
