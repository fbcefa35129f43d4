"""Every kind of row has a class; what a class says comes back from the file as it was."""

import json
import types
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.record.detail import to_detail
from labrig.record.kinds.doses import DoseSent
from labrig.record.kinds.levels import NotDone, PumpRead
from labrig.record.kinds.pictures import FrameTaken
from labrig.record.kinds.pump_deviations import Stalled
from labrig.record.rows import JournalError, Row, RowUnreadable
from labrig.record.said import classes, said
from labrig.record.writable import json_text

PAGE = (Path(__file__).parents[3] / "docs" / "journal.md").read_text(encoding="utf-8")
ALL = [pytest.param(*each, id=f"{each[0]}-{each[1]}-{each[2].__name__}") for each in classes()]
NUMBERS = st.floats(allow_nan=False, allow_infinity=False)
PLAIN = {
    str: st.text(st.characters(exclude_categories=["Cs"])),
    bool: st.booleans(),
    int: st.integers(),
    float: NUMBERS,
    type(None): st.none(),
    Any: st.recursive(
        st.none() | st.booleans() | NUMBERS | st.text(max_size=4),
        lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner),
        max_leaves=4,
    ),
}


def values(hint):
    """Whatever a field of this type may hold."""
    if hint in PLAIN:
        return PLAIN[hint]
    if is_dataclass(hint):
        return instances(hint)
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is tuple:
        return st.lists(values(arguments[0]), max_size=3).map(tuple)
    if origin in (Union, types.UnionType):
        return st.one_of(*map(values, arguments))
    assert issubclass(origin, Mapping)
    return st.dictionaries(st.text(max_size=4), values(arguments[1]), max_size=3)


def instances(cls):
    hints = get_type_hints(cls)
    parts = {f.name: values(hints[f.name]) for f in fields(cls)}
    for f in fields(cls):
        if f.default is not MISSING and not is_dataclass(f.default):
            parts[f.name] |= st.just(f.default)
    return st.builds(cls, **parts)


def row(kind, key, state, detail, seq=7):
    text = json.loads(json_text(detail))
    return Row(seq, kind, key, state, 1, 5.0, "", 5.0, "boot", text, "", "night/journal.sqlite")


def row_of(kind, key_or_state, detail):
    by_key = kind in ("run", "deviation")
    key, state = (key_or_state, "noted") if by_key else ("any", key_or_state)
    return row(kind, key, state, detail)


@pytest.mark.parametrize(("kind", "key_or_state", "cls"), ALL)
def test_what_a_class_says_comes_back_as_it_was(kind, key_or_state, cls):
    @settings(max_examples=25)
    @given(instances(cls))
    def comes_back(value):
        assert said(row_of(kind, key_or_state, to_detail(value))) == value

    comes_back()


def test_keys_of_a_newer_labrig_are_passed_over_and_stay_in_the_row():
    newer = row("deviation", "stall", "noted", {"instrument": "p", "wells": ["A1"], "from_s": 3.0,
                                                "pressure_kpa": 4})  # fmt: skip
    assert said(newer) == Stalled("p", ("A1",), 3.0)
    assert newer.detail["pressure_kpa"] == 4


@pytest.mark.parametrize(
    ("kind", "key", "state"),
    [
        ("deviation", "valve-stuck", "noted"),
        ("run", "moved", "noted"),
        ("dose", "d1", "paused"),
        ("valve", "v1", "confirmed"),
        ("sample", "o2", "noted"),
    ],
)
def test_rows_that_nobody_here_knows_say_nothing(kind, key, state):
    assert said(row(kind, key, state, {"x": 1})) is None


@pytest.mark.parametrize(
    ("detail", "why"),
    [
        ({"wells": ["A1"], "from_s": 3.0}, "has no 'instrument'"),
        ({"instrument": "p", "wells": ["A1"], "from_s": "3"}, "'from_s': '3', which is not a num"),
        ({"instrument": "p", "wells": "A1", "from_s": 3}, "which is not a list, each a text"),
        ({"instrument": "p", "wells": [1], "from_s": 3}, "which is not a list, each a text"),
        ({"instrument": None, "wells": [], "from_s": 3}, "'instrument': None, which is not a text"),
        ({"instrument": "p", "wells": [], "from_s": True}, "'from_s': True, which is not a number"),
        ({"cut_off_after": "x", "characters": 9}, "has no 'instrument'"),
    ],
)
def test_a_row_that_does_not_say_what_it_should_is_told_by_run_number_kind_and_key(detail, why):
    with pytest.raises(RowUnreadable) as told:
        said(row("deviation", "stall", "noted", detail, seq=812))
    assert isinstance(told.value, JournalError)
    for part in ("night/journal.sqlite: row 812 (deviation stall) ", why, "version"):
        assert part in str(told.value)


OLD = Path(__file__).with_name("rows_of_0_1.jsonl").read_text(encoding="utf-8").strip().split("\n")


def test_rows_of_before_there_were_classes_say_the_same_by_them():
    for line in OLD:
        name, kind, key, state, detail = json.loads(line)
        known = said(row(kind, key, state, detail))
        assert type(known).__name__ == name
        assert json.loads(json_text(to_detail(known))) == detail
    assert len({json.loads(line)[0] for line in OLD}) > 60


def test_old_rows_lack_what_was_added_since():
    old = {"instrument": "p", "wells": [], "volume_ul": 2.0, "rate_ul_min": 5.0, "sent_s": 1.0,
           "acknowledged": False, "before_ul": None, "level_ul_min": 0.0}  # fmt: skip
    sent = said(row("dose", "d", "sent", old))
    assert isinstance(sent, DoseSent)
    assert sent.sent.counter_range_ul is None
    read = said(row("sample", "p", "noted", {"running": True, "rate_ul_min": 1, "delivered_ul": 2}))
    assert read == PumpRead(True, 1, 2, None, None)


def test_what_two_classes_share_is_told_apart_by_what_one_alone_says():
    assert said(row("frame", "f", "missed", {"reason": "late", "round": 3})) == NotDone(
        "late", round=3
    )
    where = {"camera": "c", "well": "A1", "field": 0, "channel": "ph", "x_asked_um": 1.0,
             "y_asked_um": 2.0, "round": 3}  # fmt: skip
    missed = said(row("frame", "f", "missed", where | {"reason": "lost"}))
    assert (missed.reason, missed.where.round, missed.where.reached) == ("lost", 3, None)
    taken = said(row("frame", "f", "confirmed", where | {"path": "p", "sha256": ""}))
    assert isinstance(taken, FrameTaken)


def test_the_page_lists_every_class_with_its_fields():
    lines = [line.split("|")[1:-1] for line in PAGE.splitlines() if line.startswith("| `")]
    listed = {}
    for line in lines:
        kind, keys, name, *_, parts = (cell.strip() for cell in line)
        listed[name.strip("`")] = (kind.strip("`"), keys, parts)
    known = {}
    for kind, key_or_state, cls in classes():
        known.setdefault(cls.__name__, (cls, set()))[1].add((kind, key_or_state))
    assert set(listed) == set(known)
    for name, (cls, rows) in known.items():
        kinds, keys, parts = listed[name]
        for kind, key_or_state in rows:
            assert kind in kinds, name
            assert f"`{key_or_state}`" in keys, name
        assert _keys(cls) == [part for part in parts.replace("`", "").split(", ") if part], name


def _keys(cls):
    hints = get_type_hints(cls)
    found = []
    for f in fields(cls):
        inner = [h for h in (hints[f.name], *get_args(hints[f.name])) if is_dataclass(h)]
        found += _keys(inner[0]) if inner else [f.name]
    return found
