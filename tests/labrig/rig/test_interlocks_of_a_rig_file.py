"""Interlocks in a rig file: the page's example, and what is wrong with others."""

import re
from pathlib import Path

import pytest

import labrig
from labrig.plan.interlocks import measured_by_hand, planned_interlocks
from labrig.plan.run_rules import ByHand
from labrig.problems import FileProblems
from labrig.rig.loading import load_rig

ROOT = Path(labrig.__file__).parent.parent
BENCH = (ROOT / "protocols" / "rigs" / "simulated-bench.yaml").read_text(encoding="utf-8")
PAGE = (ROOT / "docs" / "interlocks.md").read_text(encoding="utf-8")


@pytest.fixture
def loaded(tmp_path):
    def load(block):
        path = tmp_path / "bench.yaml"
        path.write_text(f"{BENCH}\n{block}", encoding="utf-8")
        return load_rig(path).model

    return load


def test_the_example_of_the_page_can_be_used(loaded):
    example, by_hand = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    rig = loaded(by_hand)
    assert [rule.instrument for rule in planned_interlocks(rig)] == ["waste_balance"] * 2
    assert measured_by_hand(rig) == (ByHand("waste_balance", "weight_g", 0.0, 5000.0),)
    rules = {rule.name: rule for rule in planned_interlocks(loaded(example))}
    assert list(rules) == ["co2_off", "probe_silent", "medium_low", "drug_pump_stalled"]
    assert (rules["co2_off"].for_s, rules["co2_off"].suspends) == (600.0, ("stimulator",))
    assert rules["probe_silent"].older_than_s == 2700.0
    assert rules["drug_pump_stalled"].high == 0.0, "broken by the first yes"


PROBE = "instrument: incubator_probe, quantity: co2_percent"
WRONG = {
    "no subject": ("quantity: co2_percent, high: 6", "either an instrument or a reservoir"),
    "two subjects": (f"{PROBE}, reservoir: base_bottle_left, high: 6", "either an instrument"),
    "no such probe": ("instrument: incubator_prob, quantity: co2_percent, high: 6",
                      "there is no instrument 'incubator_prob'"),
    "no such bottle": ("reservoir: bottle, quantity: left_ml, low: 1", "there is no reservoir"),
    "no such quantity": ("instrument: incubator_probe, quantity: co2, high: 6",
                         "incubator_probe gives no 'co2'"),
    "a pump's air": ("instrument: nerve_01, quantity: co2_percent, high: 6",
                     "nerve_01 gives no 'co2_percent'"),
    "a camera": ("instrument: camera, quantity: left_ml, high: 6",
                 "nothing that a camera measures"),
    "no limit": (PROBE, "it has no limit"),
    "age and limit": (f"{PROBE}, older_than: 5 min, high: 6", "`older_than` stands alone"),
    "limits the wrong way round": (f"{PROBE}, low: 6, high: 4", "nothing lies between"),
    "a hysteresis too wide": (f"{PROBE}, low: 4, high: 6, hysteresis: 1", "it would never end"),
    "a limit of what is so or not": ("instrument: nerve_01, quantity: stalled, high: 1",
                                     "takes no limit"),
    "a limit of an answer": ("instrument: stimulator, quantity: reachable, low: 1",
                             "takes no limit"),
    "nothing to suspend": (f"{PROBE}, high: 6, action: suspend", "go together"),
    "suspends without the action": (f"{PROBE}, high: 6, suspends: [stimulator]", "go together"),
    "suspends the probe": (f"{PROBE}, high: 6, action: suspend, suspends: [incubator_probe]",
                           "nothing that could be suspended"),
    "suspends nobody": (f"{PROBE}, high: 6, action: suspend, suspends: [stimulater]",
                        "there is no instrument 'stimulater'"),
    "suspends a pump by itself": (
        "instrument: nerve_01, quantity: stalled, action: suspend, suspends: [nerve_01]",
        "could not show that it is right again",
    ),
    "a negative dwell": (f"{PROBE}, high: 6, for: -5 min", "for"),
    "an unknown key": (f"{PROBE}, above: 6", "above"),
}  # fmt: skip


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("nerve_01: {quantity: weight_g, possible: [0, 9]}", "an instrument 'nerve_01' already"),
        ("balance: {quantity: weight_g, possible: [9, 0]}", "nothing lies between"),
        ("balance: {quantity: Weight, possible: [0, 9]}", "quantity"),
    ],
)
def test_what_is_wrong_with_what_people_measure_is_said(loaded, entry, said):
    with pytest.raises(FileProblems) as caught:
        loaded(f"by_hand:\n  {entry}\n")
    assert said in str(caught.value)


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said_where_it_stands(loaded, case):
    entry, said = WRONG[case]
    with pytest.raises(FileProblems) as caught:
        loaded(f"interlocks:\n  rule: {{{entry}}}\n")
    [problem] = caught.value.problems
    assert said in f"{problem.path} {problem.what}"
    assert problem.path.startswith("interlocks.rule")
    assert problem.line > len(BENCH.splitlines())
    assert problem.remedy
