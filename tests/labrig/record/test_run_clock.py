"""Both clocks: deadlines, order, foreign puts, failures."""

from __future__ import annotations

import threading
import time

import pytest

from labrig.record import clock as run_clock
from labrig.record.clock import ClockMisuse, ParticipantsFailed, RealClock
from labrig.record.virtual_clock import VirtualClock


@pytest.mark.parametrize("make", [RealClock, VirtualClock], ids=["real", "virtual"])
def test_a_mailbox_gives_items_in_order_and_urgent_ones_first(make):
    clock = make()
    box = clock.mailbox("box")
    got: list[object] = []

    def reader() -> None:
        box.put("a")
        box.put("b")
        box.put_first("stop")
        got.extend(box.get(clock.now_s()) for _ in range(4))

    clock.start("reader", reader)
    clock.join()
    assert got == ["stop", "a", "b", None]


def test_what_is_put_ahead_of_its_time_waits_for_it_and_only_a_stop_overtakes_it():
    shown_s = [0.0]
    clock = RealClock(steady=lambda: shown_s[0])
    clock.begin()
    box = clock.mailbox("box")
    box.put("order", not_before_s=5.0)
    box.put("finish")
    assert box.get(0.0) is None
    box.put_first("stop")
    assert box.get(0.0) == "stop"
    shown_s[0] = 4.99
    assert box.get(4.0) is None
    shown_s[0] = 5.0
    assert [box.get(5.0) for _ in range(3)] == ["order", "finish", None]


def test_what_forbids_is_heard_before_what_is_not_due_yet_and_in_its_own_order():
    shown_s = [0.0]
    clock = RealClock(steady=lambda: shown_s[0])
    clock.begin()
    box = clock.mailbox("box")
    box.put("level")
    box.put("dose", not_before_s=5.0)
    box.put("finish")
    box.put_before_undue("suspend")
    box.put_before_undue("release")
    assert [box.get(0.0) for _ in range(4)] == ["level", "suspend", "release", None]
    shown_s[0] = 5.0
    box.put_before_undue("hold")
    assert [box.get(5.0) for _ in range(3)] == ["dose", "finish", "hold"]


def test_nothing_is_put_ahead_of_its_time_where_nobody_wakes_late():
    clock = VirtualClock()
    assert clock.early_s == 0.0
    with pytest.raises(ClockMisuse, match="before its time"):
        clock.mailbox("box").put("order", not_before_s=1.0)


@pytest.mark.parametrize("make", [RealClock, VirtualClock], ids=["real", "virtual"])
def test_an_absolute_deadline_is_reached_and_not_passed_early(make):
    clock = make(start_s=100.0)
    box = clock.mailbox("box")
    seen: list[tuple[object, float]] = []
    clock.start("waiter", lambda: seen.append((box.get(100.05), clock.now_s())))
    clock.join()
    item, at_s = seen[0]
    assert item is None
    assert at_s >= 100.05


@pytest.mark.parametrize("make", [RealClock, VirtualClock], ids=["real", "virtual"])
def test_failures_of_participants_surface_together(make):
    clock = make()

    def fail(text: str) -> None:
        raise ValueError(text)

    clock.start("one", lambda: fail("first"))
    clock.start("two", lambda: fail("second"))
    with pytest.raises(ParticipantsFailed) as failed:
        clock.join()
    assert sorted(str(e) for e in failed.value.exceptions) == ["first", "second"]


def test_the_wall_clock_stands_until_it_begins():
    clock = RealClock(start_s=7.0)
    assert clock.now_s() == 7.0
    clock.begin()
    began = time.monotonic()
    while time.monotonic() == began:
        pass
    assert clock.now_s() > 7.0


def test_fourteen_hours_jump_by():
    clock = VirtualClock()
    box = clock.mailbox("box")
    ticks: list[float] = []

    def sleeper() -> None:
        for hour in range(1, 15):
            box.get(hour * 3600.0)
            ticks.append(clock.now_s())

    clock.start("sleeper", sleeper)
    clock.join()
    assert ticks == [hour * 3600.0 for hour in range(1, 15)]
    assert (clock.utc() - VirtualClock().utc()).total_seconds() == 14 * 3600


def _conversation() -> list[tuple[str, float]]:
    """Three participants that wake each other and wait for the same instants."""
    clock = VirtualClock()
    boxes = {name: clock.mailbox(name) for name in "abc"}
    log: list[tuple[str, float]] = []

    def talk(name: str, period_s: float) -> None:
        due_s = 0.0
        while clock.now_s() < 60:
            due_s += period_s
            while boxes[name].get(due_s) is not None:
                log.append((name + "!", clock.now_s()))
            log.append((name, clock.now_s()))
            if due_s < 30:
                boxes[{"a": "b", "b": "c", "c": "a"}[name]].put("hello")

    for name, period_s in (("a", 3.0), ("b", 3.0), ("c", 2.0)):
        clock.start(name, lambda n=name, p=period_s: talk(n, p))
    clock.join()
    return log


def test_the_course_of_events_is_always_the_same():
    first = _conversation()
    assert first[:3] == [("c", 2.0), ("a!", 2.0), ("a", 3.0)]
    assert len({tuple(_conversation()) for _ in range(20)} | {tuple(first)}) == 1


def test_a_foreign_put_wakes_a_clock_that_waits_for_the_wall():
    clock = VirtualClock(speed=1.0)
    box = clock.mailbox("box")
    seen: list[tuple[object, float]] = []
    clock.start("waiter", lambda: seen.append((box.get(3600.0), clock.now_s())))
    outside = threading.Timer(0.05, lambda: box.put("stop"))
    outside.start()
    clock.join()
    item, at_s = seen[0]
    assert item == "stop"
    assert 0 < at_s < 3600


def test_a_foreign_put_reaches_a_clock_on_which_everyone_waits_for_ever():
    clock = VirtualClock()
    box = clock.mailbox("box")
    seen: list[object] = []
    clock.start("waiter", lambda: seen.append(box.get(None)))
    threading.Timer(0.02, lambda: box.put("go")).start()
    clock.join()
    assert seen == ["go"]


def test_finite_speed_takes_wall_time():
    clock = VirtualClock(speed=1000.0)
    box = clock.mailbox("box")
    clock.start("waiter", lambda: box.get(50.0))
    began = time.monotonic()
    clock.join()
    assert time.monotonic() - began >= 0.045


def test_a_stranger_may_not_read_a_mailbox():
    with pytest.raises(ClockMisuse, match="'box'"):
        VirtualClock().mailbox("box").get(1.0)


def test_a_participant_may_start_another():
    clock = VirtualClock()
    box = clock.mailbox("box")
    log: list[float] = []

    def parent() -> None:
        box.get(5.0)
        clock.start("child", lambda: log.append(clock.now_s()))

    clock.start("parent", parent)
    clock.join()
    assert log == [5.0]


def test_a_wait_ends_when_its_time_passed_while_the_computer_slept(monkeypatch):
    monkeypatch.setattr(run_clock, "LONGEST_WAIT_S", 0.01)
    slept_s = [0.0]
    clock = RealClock(steady=lambda: time.monotonic() + slept_s[0])
    box = clock.mailbox("box")
    woke_s: list[float] = []

    def wait() -> None:
        slept_s[0] = 4000.0
        assert box.get(3600.0) is None
        woke_s.append(clock.now_s())

    clock.start("waiting", wait)
    clock.join()
    assert woke_s[0] >= 4000.0
