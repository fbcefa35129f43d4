"""Whoever sees to an alarm at the bench is the last one who is called about it."""

from __future__ import annotations

import pytest

from labrig.run.register import STATE
from labrig.watch.acks import left_acks
from labrig.watch.book import Book, Entry
from labrig.watch.causes import Cause
from labrig.watch.places import MEMORY, watch_folder
from labrig.watch.seeing_to import see_to
from labrig.watch.store import Memory, remember


def a_call(number, run, key, also=(), **changes):
    cause = Cause(f"id|alarm|{key}", "call", run, "subject", "text", also)
    return Entry(number, cause, 0.0, "2026-11-30T02:00:00+00:00", **changes)


@pytest.fixture
def told(tmp_path, monkeypatch):
    monkeypatch.setenv(STATE, str(tmp_path))
    entries = (
        a_call(1, "night-1", "rate:nerve_02", ("id|question|stall:nerve_02@60.000",)),
        a_call(2, "night-1", "link:base_left"),
        a_call(3, "night-2", "stall:nerve_02"),
        a_call(4, "night-1", "stall:nerve_02", over_s=9.0),
        a_call(5, "night-1", "stall:nerve_02", acked_utc="2026-11-30T02:01:00+00:00"),
        a_call(6, "night-1", "silent:nerve_02", ("id|alarm|stall:nerve_021",)),
    )
    remember(watch_folder() / MEMORY, Memory(book=Book(entries)))


def test_calls_about_that_thing_of_that_run_are_acknowledged(told):
    assert see_to("night-1", "nerve_02", "A. Technician") == (1, 6)
    left = sorted((ack.number, ack.by) for _, ack in left_acks(watch_folder()))
    assert left == [(1, "A. Technician"), (6, "A. Technician")]


@pytest.mark.parametrize(("run", "about"), [("night-3", "nerve_02"), ("night-1", "nerve")])
def test_others_are_not(told, run, about):
    assert see_to(run, about, "A. Technician") == ()


def test_nobody_was_called(tmp_path, monkeypatch):
    monkeypatch.setenv(STATE, str(tmp_path))
    assert see_to("night-1", "nerve_02", "A. Technician") == ()
