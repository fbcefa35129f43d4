"""Dataclasses as JSON and back: without loss, and every mistake with its path."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig import typed_json
from labrig.typed_json import NotAsTyped, TypedJson


@dataclass(frozen=True)
class Inner:
    name: str
    at: tuple[float, float]


@dataclass(frozen=True)
class Outer:
    whole: int
    often: bool
    sort: Literal["a", "b"]
    inner: tuple[Inner, ...]
    perhaps: Inner | None
    by_name: dict[str, float]
    anything: dict[str, Any]
    late: float = 0.5


TYPED = TypedJson(may_lack={Outer: frozenset({"late"})})
NUMBERS = st.floats(allow_nan=False)
INNERS = st.builds(Inner, st.text(), st.tuples(NUMBERS, NUMBERS))
OUTERS = st.builds(
    Outer, st.integers(), st.booleans(), st.sampled_from(["a", "b"]),
    st.lists(INNERS).map(tuple), st.none() | INNERS, st.dictionaries(st.text(), NUMBERS),
    st.dictionaries(st.text(), st.none() | st.text() | st.integers()), NUMBERS,
)  # fmt: skip


@given(OUTERS)
def test_it_comes_back_as_it_was(value):
    text = json.dumps(TYPED.plain(value), allow_nan=False)
    assert TYPED.read(Outer, json.loads(text)) == value


GOOD = {
    "whole": 1, "often": True, "sort": "a", "inner": [{"name": "x", "at": [1, 2.5]}],
    "perhaps": None, "by_name": {"k": 1}, "anything": {"deep": [1, {"x": 2}]},
}  # fmt: skip


def test_a_field_with_a_default_may_lack_where_it_is_allowed_to():
    assert TYPED.read(Outer, GOOD).late == 0.5
    with pytest.raises(NotAsTyped, match="missing or unknown in Outer: late"):
        TypedJson().read(Outer, GOOD)


@pytest.mark.parametrize(
    ("bend", "says"),
    [
        ({"whole": 1.5}, r"^\.whole: 1\.5 is not int"),
        ({"whole": True}, r"^\.whole: True is not int"),
        ({"often": 1}, r"^\.often: 1 is not bool"),
        ({"sort": "c"}, r"^\.sort: 'c' is none of a, b"),
        ({"inner": [{"name": 3, "at": [1, 2]}]}, r"^\.inner\[0\]\.name: 3 is not str"),
        ({"inner": [{"name": "x", "at": [1]}]}, r"^\.inner\[0\]\.at: expected 2 items, got 1"),
        ({"inner": {}}, r"^\.inner: expected a list"),
        ({"perhaps": 3}, r"^\.perhaps: expected the fields of Inner"),
        ({"by_name": {"k": "1"}}, r"^\.by_name\.k: '1' is not a number"),
        ({"by_name": []}, r"^\.by_name: expected an object"),
        ({"new": 1}, "missing or unknown in Outer: new"),
    ],
)
def test_every_mistake_says_where(bend, says):
    with pytest.raises(NotAsTyped, match=says):
        TYPED.read(Outer, GOOD | bend)


def test_a_class_that_another_thread_is_still_learning_to_read_is_waited_for(monkeypatch):
    typed, hints_of = TypedJson(), typed_json.get_type_hints
    begun, go_on, read = threading.Event(), threading.Event(), []

    def slowly(cls):
        begun.set()
        go_on.wait(10.0)
        return hints_of(cls)

    monkeypatch.setattr(typed_json, "get_type_hints", slowly)
    content = {"name": "a", "at": [1.0, 2.0]}
    threads = [
        threading.Thread(target=lambda: read.append(typed.read(Inner, content))) for _ in range(2)
    ]
    threads[0].start()
    assert begun.wait(10.0)
    threads[1].start()
    threads[1].join(0.2)  # it must not be over yet, by an error or otherwise
    waited = threads[1].is_alive()
    go_on.set()
    for thread in threads:
        thread.join(10.0)
    assert waited
    assert read == [Inner("a", (1.0, 2.0))] * 2
