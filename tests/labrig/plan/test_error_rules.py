"""Error rules: the table, what may never be asked for, and the page made of it."""

from itertools import product
from pathlib import Path

import pytest

import labrig
from labrig.error_rules import (
    CASES,
    DEFAULTS,
    Ask,
    Continue,
    ErrorRule,
    HoldRun,
    HoldUnit,
    Retry,
    decide,
)
from labrig.plan.error_rules_page import never, table

PAGE = Path(labrig.__file__).parent.parent / "docs" / "error-rules.md"
RULES = [
    (case, ErrorRule(action, error, retries, 60.0, then, default, 600.0))
    for ((action, error), case), retries, then in product(
        CASES.items(), (0, 2, None), ("continue", "hold_unit", "hold_run", "ask")
    )
    for default in ("", *case.answers)
]  # fmt: skip


def test_the_page_holds_the_table_as_it_is():
    text = PAGE.read_text(encoding="utf-8")
    assert table() in text
    assert never() in text


def test_what_may_come_twice_is_never_repeated_whatever_a_rule_says():
    unsafe = [case for case, _ in RULES if case.never_again]
    assert unsafe
    for case, rule in RULES:
        decision = decide(rule.error, rule.action, rule, 0)
        if not case.may_repeat:
            assert not isinstance(decision, Retry)
        if isinstance(decision, Ask):
            assert decision.default not in case.risky
            assert bool(decision.default) == bool(decision.after_s)


def test_a_rule_is_carried_out_once_its_tries_are_used_up():
    rule = ErrorRule("dose", "not_given", 2, 60.0, "hold_unit")
    assert [decide("not_given", "dose", rule, tries) for tries in range(3)] == [
        Retry(60.0), Retry(60.0), HoldUnit(),
    ]  # fmt: skip
    assert decide("refused", "level", ErrorRule("level", "refused", 0, then="hold_run"), 0) == (
        HoldRun()
    )
    assert decide("refused", "dose", ErrorRule("dose", "refused"), 0) == Continue()
    with pytest.raises(ValueError, match="says nothing of"):
        decide("refused", "train", rule, 0)


def test_by_default_no_dose_is_repeated_but_one_of_which_the_counter_says_that_none_came():
    repeated = {rule.error for rule in DEFAULTS if rule.action == "dose" and rule.retries != 0}
    assert repeated == {
        "not_given",
        "no_answer",
        "garbled",
    }  # the last two: before anything was sent


FAULTY = {
    "a dose given again on a guess": (
        {"dose": {"unknown_outcome": {"retry": 1}}}, "errors.unsafe-retry",
    ),
    "a train twice": ({"train": {"unknown_outcome": {"retry": 1}}}, "errors.unsafe-retry"),
    "a lost stage moved": ({"move": {"lost": {"retry": 1}}}, "errors.unsafe-retry"),
    "redo by itself": (
        {"dose": {"unknown_outcome": {"then": "ask", "default": "redo", "after": "10 min"}}},
        "errors.unsafe-default",
    ),
    "no such answer": (
        {"dose": {"refused": {"then": "ask", "default": "maybe", "after": "10 min"}}},
        "errors.no-such-answer",
    ),
    "no such case": ({"reading": {"stalled": {"then": "ask"}}}, "errors.no-such"),
    "lateness has its own key": ({"dose": {"late": {"then": "ask"}}}, "errors.governed"),
    "a default that never comes": (
        {"dose": {"refused": {"then": "ask", "default": "go_on"}}}, "errors.half-a-default",
    ),
    "nobody is asked": (
        {"dose": {"refused": {"default": "go_on", "after": "10 min"}}}, "errors.nobody-asked",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", FAULTY)
@pytest.mark.parametrize("file", ["protocol", "rig"])
def test_what_is_unsafe_or_idle_is_refused_with_its_place(bench, case, file):
    entries, code = FAULTY[case]
    getattr(bench, file)["errors"] = entries
    [found] = [f for f in bench.plan().findings if f.code.startswith("errors.")]
    assert (found.code, found.severity, found.overridable) == (code, "block", False)
    action, by_error = next(iter(entries.items()))
    assert f"{file}: errors.{action}.{next(iter(by_error))}" in found.where
    assert found.remedy


def test_the_default_that_is_offered_is_an_answer_to_that_error(bench):
    bench.protocol["errors"] = {"level": {"stalled": {"default": "restart"}}}
    [found] = [f for f in bench.plan().findings if f.code == "errors.half-a-default"]
    assert "`default: restart`" in found.remedy


def test_the_protocol_goes_before_the_rig_and_both_before_the_defaults(bench):
    bench.rig["errors"] = {"dose": {"not_given": {"retry": 3, "then": "hold_run"}}}
    bench.protocol["errors"] = {"dose": {"not_given": {"then": "hold_unit"}}}
    rules = {(rule.action, rule.error): rule for rule in bench.plan().errors}
    assert rules["dose", "not_given"] == ErrorRule("dose", "not_given", 3, then="hold_unit")
    assert len(rules) == len(CASES)


def test_outages_are_in_order_of_length(bench):
    bench.protocol["viability"] = {"short": "2 h", "limit": "1 h"}
    assert "viability.order" in bench.graded()
    bench.protocol["viability"] = {"short": "5 min", "limit": "1 h", "longer": "go_on"}
    rules = bench.plan().rules
    assert (rules.short_gap_s, rules.viable_gap_s, rules.longer_gap) == (300.0, 3600.0, "go_on")


@pytest.mark.parametrize(
    ("action", "error"), [("level", "stalled"), ("valve", "refused"), ("dose", "not_given")]
)
def test_a_time_that_nobody_would_wait_is_told(bench, action, error):
    bench.protocol["errors"] = {action: {error: {"apart": "90 s"}}}
    told = "errors.own-time" in {finding.code for finding in bench.plan().findings}
    assert told == (action != "dose")
