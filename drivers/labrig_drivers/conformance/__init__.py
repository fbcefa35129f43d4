"""What every driver of a kind must do: one module a kind, run on simulators and on hardware.

Each module holds functions ``check_<what>(make_driver, clock)`` and their tuple ``CHECKS``.
``make_driver()`` gives a driver with its link open; a check closes what it made and leaves the
instrument stopped. A check raises AssertionError when the driver fails it.

A lab that wrote its own driver runs them so::

    @pytest.mark.parametrize("check", stage.CHECKS)
    def test_my_stage_conforms(check): check(make_my_stage, WallClock())
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Protocol

from labrig_drivers.kinds import Instrument


class Clock(Protocol):
    """The time that instrument and check share: handed to simulators, real on a bench."""

    def now_s(self) -> float:
        """Seconds since some beginning."""
        ...

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        ...


class WallClock:
    """Real time, for real instruments."""

    def now_s(self) -> float:
        """Seconds on the monotonic clock."""
        return time.monotonic()

    def wait(self, seconds: float) -> None:
        """Sleep."""
        time.sleep(seconds)


class SteppedClock:
    """Time that passes only when told to, for simulators over a loopback."""

    def __init__(self) -> None:
        self._now_s = 0.0

    def now_s(self) -> float:
        """Seconds since this clock was made."""
        return self._now_s

    def wait(self, seconds: float) -> None:
        """Jump ahead."""
        self._now_s += seconds


@contextmanager
def refused(kind: type[Exception], what: str) -> Iterator[None]:
    """Fail unless the block raises ``kind``; ``what`` says what should have been refused."""
    try:
        yield
    except kind:
        return
    raise AssertionError(f"expected {kind.__name__} for {what}, and nothing was raised")


def check_identifies(make_driver: Callable[[], Instrument], clock: Clock) -> None:
    """It says who it is, the same twice. Part of every kind's checks."""
    with closing(make_driver()) as driver:
        first = driver.identify()
        assert first.vendor, f"it has no vendor: {first}"
        assert first.model, f"it has no model: {first}"
        assert driver.identify() == first, "a second identify gives another identity"
