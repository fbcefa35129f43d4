"""A suggestion that is followed must not lead to another instrument."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.problems import did_you_mean

PUMPS = [f"nerve_{n:02d}" for n in range(1, 13)] + [f"insult_{n:02d}" for n in range(1, 13)]


@pytest.mark.parametrize(
    ("word", "known", "said"),
    [
        ("nerve_1", PUMPS, "Did you mean 'nerve_01'?"),
        ("nerve_2", PUMPS, "Did you mean 'nerve_02'?"),
        ("insult_1", PUMPS, "Did you mean 'insult_01'?"),
        ("nerve-012", PUMPS, "Did you mean 'nerve_12'?"),
        ("Nerve 3", PUMPS, "Did you mean 'nerve_03'?"),
        ("nevre_04", PUMPS, "Did you mean 'nerve_04'?"),
        ("nerve_1", ["nerve_01", "nerve_001"], "Did you mean 'nerve_01' or 'nerve_001'?"),
        ("row_E", ["row_A", "row_B", "row_C"], "Did you mean 'row_A', 'row_B' or 'row_C'?"),
        ("patern", ["pattern", "phases"], "Did you mean 'pattern'?"),
        ("NT-4", ["NT-4/5", "BDNF"], "There is: BDNF, NT-4/5."),
        ("ctnf", ["CNTF", "BDNF"], "Did you mean 'CNTF'?"),
        ("nerve_13", PUMPS[:3], "There is: nerve_01, nerve_02, nerve_03."),
        ("nerve", PUMPS[:2], "Did you mean 'nerve_01' or 'nerve_02'?"),
        ("nerve", PUMPS, f"There is: {', '.join(sorted(PUMPS))}."),
        ("twitch", ["sham", "twitch_2hz"], "Did you mean 'twitch_2hz'?"),
        ("x", [], "Nothing can stand here."),
    ],
)
def test_what_is_offered(word, known, said):
    assert did_you_mean(word, known) == said


NAMES = st.from_regex(r"[a-c]{1,4}[_-]?[0-9]{1,3}([_-][a-c0-9]{1,3})?", fullmatch=True)


@given(NAMES, st.lists(NAMES, min_size=1, max_size=8, unique=True))
def test_no_name_with_other_numbers_is_offered(word, known):
    said = did_you_mean(word, known)
    if said.startswith("Did you mean"):
        for name in re.findall(r"'([^']+)'", said):
            assert name in known
            asked = [int(n) for n in re.findall("[0-9]+", word)]
            assert asked in ([int(n) for n in re.findall("[0-9]+", name)], [])
    else:
        assert all(name in said for name in known)


@given(st.lists(NAMES, min_size=1, max_size=6, unique=True), st.data())
def test_the_order_of_what_is_known_decides_nothing(known, data):
    word = data.draw(NAMES)
    shuffled = data.draw(st.permutations(known))
    quoted = [set(re.findall(r"'([^']+)'", did_you_mean(word, k))) for k in (known, shuffled)]
    assert quoted[0] == quoted[1]
