"""A pump that a person left alone is excused for as long as it was left, and no other is."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from labrig.truth.levels import stands_by_word

GIVEN_UP, LEFT = "stall-given-up", "left-by-operator"
AGAIN, FLOWS = "restarted-by-operator", "stall-recovered"


def night_of(*words: str) -> SimpleNamespace:
    """One word on a pump every hundred seconds."""
    rows = [
        SimpleNamespace(key=key, run_s=100.0 * n, detail={"instrument": "base"})
        for n, key in enumerate(words, start=1)
    ]
    return SimpleNamespace(deviations=lambda *codes: [row for row in rows if row.key in codes])


@pytest.mark.parametrize(
    ("words", "stands"),
    [
        ((), False),
        ((LEFT,), True),
        ((LEFT, AGAIN), False),
        ((LEFT, FLOWS), False),
        ((LEFT, AGAIN, LEFT), True),
        ((GIVEN_UP, LEFT, AGAIN), True),
        ((GIVEN_UP, FLOWS), False),
    ],
)
def test_the_last_word_on_a_pump_says_whether_it_stands(words, stands):
    night = night_of(*words)
    assert stands_by_word(night, "base", 1e9) is stands
    assert not stands_by_word(night, "dose", 1e9)


def test_a_word_excuses_nothing_that_came_before_it():
    night = night_of(LEFT, AGAIN)
    assert [stands_by_word(night, "base", at_s) for at_s in (50.0, 150.0, 250.0)] == [
        False, True, False,
    ]  # fmt: skip
