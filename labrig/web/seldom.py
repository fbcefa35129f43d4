"""Something costly that many tabs ask for: worked out for all of them, and never too often."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")
SHARE_OF_A_CORE = 0.01
"""[P] So that a page with it stays below 2 % of a core, however long the run's journal is."""


class Seldom(Generic[T]):
    """Makes its thing anew when it has changed and enough time has passed; threads may share it.

    Args:
        make: makes it.
        stamp: changes when it would be another.
        now_s: a steady clock.
        spent_s: the time that this thread has computed.
    """

    def __init__(
        self,
        make: Callable[[], T],
        stamp: Callable[[], object],
        now_s: Callable[[], float] = time.monotonic,
        spent_s: Callable[[], float] = time.thread_time,
    ) -> None:
        self._make = make
        self._stamp = stamp
        self._now_s = now_s
        self._spent_s = spent_s
        self._made: tuple[T] | None = None
        self._of: object = None
        self._not_before_s = 0.0
        self._making = threading.Lock()

    def get(self) -> T:
        """The newest that there is; who comes while it is made anew gets the last one.

        Raises whatever ``make`` raises; then the next call tries again.
        """
        made = self._made
        if made is not None and not self._due():
            return made[0]
        # The first one is waited for.
        if not self._making.acquire(blocking=made is None):
            assert made is not None
            return made[0]
        try:
            if self._made is None or self._due():
                self._remake()
            assert self._made is not None
            return self._made[0]
        finally:
            self._making.release()

    def _due(self) -> bool:
        return self._now_s() >= self._not_before_s and self._stamp() != self._of

    def _remake(self) -> None:
        stamp, began_s = self._stamp(), self._spent_s()
        self._made = (self._make(),)
        self._of = stamp
        self._not_before_s = self._now_s() + (self._spent_s() - began_s) / SHARE_OF_A_CORE
