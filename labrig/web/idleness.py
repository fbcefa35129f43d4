"""Ends a page that was started beside a night, once nobody has needed it for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_EVERY_S = 30.0


class Idleness:
    """How long nobody has needed the page.

    Args:
        limit_s: so long it stays open for nobody.
        now_s: a steady clock.
    """

    def __init__(self, limit_s: float, now_s: Callable[[], float] = time.monotonic) -> None:
        self._limit_s = limit_s
        self._now_s = now_s
        self._needed_s = now_s()

    def is_over(self, needed: bool) -> bool:
        """Take in whether somebody needs it now; returns whether it is to end."""
        if needed:
            self._needed_s = self._now_s()
        return self._now_s() - self._needed_s >= self._limit_s


@contextmanager
def ended_when_idle(
    limit_s: float, is_needed: Callable[[], bool], end: Callable[[], None]
) -> Iterator[None]:
    """While it is served, look now and then whether it is; call ``end`` once when it is not.

    Args:
        limit_s: infinite: never.
        is_needed: whether a run lives or a tab is open.
        end: must return at once.
    """
    over = threading.Event()
    idleness = Idleness(limit_s)

    def look() -> None:
        while not over.wait(min(LOOK_EVERY_S, limit_s)):
            if idleness.is_over(is_needed()):
                end()
                return

    if limit_s != float("inf"):
        threading.Thread(target=look, name="idleness", daemon=True).start()
    try:
        yield
    finally:
        over.set()
