"""Every verb with any arguments and any id: refused or carried out, and the run has its ledger."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labrig.record.conclusion import concluded
from labrig.run.control_client import CommandRefused, NoRunner, connect

END_S = 200.0
VERBS = ("hold", "resume", "note", "answer", "weigh", "phase", "unfollowed", "followed")
NAMES = ("by", "reason", "text", "question", "choice", "name", "reservoir", "when", "grams")
VALUES = st.sampled_from(["before", "after", "500", "1e400", "-1", "medium", "nan"]) | st.one_of(
    st.none(), st.integers(), st.floats(allow_nan=False), st.text(max_size=4),
    st.lists(st.integers(), max_size=2), st.dictionaries(st.text(max_size=2), st.none()),
)  # fmt: skip
IDS = st.sampled_from(["weighed:x", "answer:dose", "stopped", "censored", "stall:dose", "dose-60"])
SAID = st.tuples(
    st.floats(1.0, END_S), st.sampled_from(VERBS), st.dictionaries(st.sampled_from(NAMES), VALUES),
    st.none() | IDS,
)  # fmt: skip


def _say(night, verb, args, command_id=None) -> list[str]:
    with contextlib.suppress(NoRunner):
        try:
            connect(night.folder / "control.json")._command(verb, command_id, **args)
        except CommandRefused as error:
            return [str(error)]
    return []


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(said=st.lists(SAID, min_size=1, max_size=6))
@example(said=[(50.0, "weigh", {"reservoir": "medium", "when": "before", "grams": "500"}, None)])
@example(said=[(50.0, "weigh", {"reservoir": "m", "when": "before", "grams": "five"}, None)])
@example(said=[(50.0, "note", {"text": "hello"}, "weighed:x")])
def test_the_run_goes_on_to_its_ledger(rehearse, script, tmp_path_factory, said):
    night = rehearse(tmp_path_factory.mktemp("said").name)
    plan = script.plan([script.flow(0.0, 30.0), script.dose(60.0), script.flow(130.0, 5.0)], END_S)
    runner = night.make(plan)
    for at_s, verb, args, command_id in said:
        night.visit(at_s, lambda v=verb, a=args, i=command_id: _say(night, v, a, i))
    night.visit(END_S + 5.0, lambda: _say(night, "resume", {}))
    outcome = runner.run()
    assert (outcome.condition, outcome.failures) == ("finished", ())
    assert (night.folder / "ledger.json").exists()
    again, ledger = concluded(plan, night.rows())
    assert again.failures == ()
    assert ledger is not None


@pytest.mark.parametrize(
    ("args", "why"),
    [
        ({"grams": "abc"}, "no weight"), ({"grams": "nan"}, "no weight"),
        ({"grams": "-5"}, "no weight"), ({"grams": "inf"}, "no weight"), ({"when": "x"}, "before"),
        ({"by": ["A"]}, "must be a text"),
    ],
)  # fmt: skip
def test_a_weight_that_is_none_is_refused_with_the_reason(rehearse, script, args, why):
    night = rehearse()
    runner = night.make(script.plan([script.flow(0.0, 30.0)], 100.0))
    said = {"reservoir": "medium", "when": "before", "grams": "500"} | args
    answers: list[str] = []
    night.visit(20.0, lambda: answers.extend(_say(night, "weigh", said)))
    runner.run()
    assert [why in answer for answer in answers] == [True]
    assert night.rows("note") == []
