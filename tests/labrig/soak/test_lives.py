"""What is left of a runner after its death: nothing."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from labrig.record.virtual_clock import VirtualClock
from labrig.soak.lives import Life


def test_people_do_nothing_for_a_runner_that_is_dead():
    done: list[float] = []
    people: Any = SimpleNamespace(
        names=("Robin", "Alex"), reaction=None, did=lambda step, done_s: done.append(done_s)
    )
    life = Life((), VirtualClock(), None)
    its = life.people(people)
    step: Any = SimpleNamespace(key="step/feed/0")
    its.did(step, 10.0)
    life.die()
    its.did(step, 20.0)
    assert done == [10.0]
