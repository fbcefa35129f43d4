"""Time for the runner: one blocking primitive, a mailbox with an absolute deadline.

Dispatcher and workers wait in :meth:`Mailbox.get` and nowhere else, so the same code runs on
the wall clock and on :class:`labrig.record.virtual_clock.VirtualClock`, which jumps.
"""

from __future__ import annotations

import math
import sys
import threading
import time
import uuid
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
LONGEST_WAIT_S = 5.0
EARLY_S = 0.05
"""[P] Some times what a thread wakes late by on a busy computer."""


class Mailbox(Protocol[T]):
    """A queue with one reader. Any thread may put, foreign ones such as a web server included."""

    def put(self, item: T, not_before_s: float = -math.inf) -> None:
        """Append ``item`` and wake the reader.

        One that is put ahead of its time, by :attr:`Clock.early_s` at most, is given out when that
        has come; nothing overtakes it but what is put first, or before what is not due.
        """
        ...

    def put_before_undue(self, item: T) -> None:
        """Append ``item``, but before what was put ahead of a time that has not come yet.

        For what forbids or allows: a hold that came before a dose was due is heard before it.
        """
        ...

    def put_first(self, item: T) -> None:
        """Put ``item`` ahead of everything that waits, for a stop."""
        ...

    def get(self, until_s: float | None) -> T | None:
        """The next item, or None once the clock shows ``until_s`` (None: wait for ever).

        An item that is there is returned at once, whatever the deadline.
        """
        ...


class Clock(Protocol):
    """Seconds since t0, and the threads that live by them.

    Attributes:
        early_s: so long before its time a thing is put, so that it need not wait for two threads
            to wake up one after the other.
    """

    @property
    def early_s(self) -> float:
        """See above; 0 where waking takes no time."""
        ...

    def now_s(self) -> float:
        """Seconds since t0; never goes back."""
        ...

    def utc(self) -> datetime:
        """The time of day that belongs to :meth:`now_s`, with time zone UTC."""
        ...

    def lasting_s(self, people_s: float) -> float:
        """How long on this clock so many seconds last in which a person can act."""
        ...

    def begin(self) -> None:
        """Let time pass; until then :meth:`now_s` stands. Safe to call twice."""
        ...

    def mailbox(self, name: str) -> Mailbox[Any]:
        """A new mailbox; ``name`` appears in error messages."""
        ...

    def start(self, name: str, target: Callable[[], None]) -> None:
        """Start a participant: a thread that waits only in its mailboxes."""
        ...

    def join(self) -> None:
        """Wait until every participant has ended.

        Raises:
            ParticipantsFailed: some ended with an exception; all are in it.
        """
        ...


class ParticipantsFailed(ExceptionGroup[Exception]):
    """Participants of a clock ended with these exceptions."""


class ClockMisuse(Exception):
    """A mailbox was read by a thread that the clock does not know, or by two."""


@cache
def boot_id() -> str:
    """Names this boot of this machine: monotonic times compare only within one boot."""
    path = Path("/proc/sys/kernel/random/boot_id")
    if path.exists():
        return path.read_text(encoding="ascii").strip()
    started = datetime.fromtimestamp(time.time() - time.monotonic(), UTC)
    return f"{uuid.getnode():012x}-{started:%Y%m%dT%H%M}"


def steady_s() -> float:
    """Seconds since this machine's boot, or thereabouts.

    No time change moves them, and they go on while the computer sleeps: cells do not sleep.
    """
    if sys.platform == "linux":
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    if sys.platform == "darwin":
        # Unlike time.monotonic(), which stands still in sleep there.
        return time.clock_gettime(time.CLOCK_MONOTONIC)
    return time.monotonic()


class RealClock:
    """The wall clock, steered by a steady one so that a time change moves nothing.

    Args:
        start_s: what :meth:`now_s` shows until :meth:`begin`: 0 at a start, later when a run
            is adopted.
        steady: shows seconds that only go forward.
    """

    def __init__(self, start_s: float = 0.0, steady: Callable[[], float] = steady_s) -> None:
        self._start_s = start_s
        self._steady = steady
        self._zero: float | None = None
        self._threads: list[threading.Thread] = []
        self._failures: list[Exception] = []
        self._lock = threading.Lock()

    def now_s(self) -> float:
        """Seconds since t0."""
        return self._start_s if self._zero is None else self._steady() - self._zero

    def begin(self) -> None:
        """Let time pass."""
        if self._zero is None:
            self._zero = self._steady() - self._start_s

    def utc(self) -> datetime:
        """The machine's time of day."""
        return datetime.now(UTC)

    def lasting_s(self, people_s: float) -> float:
        """As long as they are."""
        return people_s

    @property
    def early_s(self) -> float:
        """Longer than a thread takes to wake up while every core is busy."""
        return EARLY_S

    def mailbox(self, name: str) -> Mailbox[Any]:
        """A new mailbox."""
        return _RealMailbox(self)

    def start(self, name: str, target: Callable[[], None]) -> None:
        """Start ``target`` in a thread of its own; time begins, if it has not."""
        self.begin()

        def run() -> None:
            try:
                target()
            except Exception as error:
                with self._lock:
                    self._failures.append(error)

        thread = threading.Thread(target=run, name=name, daemon=True)
        with self._lock:
            self._threads.append(thread)
        thread.start()

    def join(self) -> None:
        """Wait for every participant, those started meanwhile included."""
        index = 0
        while True:
            with self._lock:
                if index == len(self._threads):
                    break
                thread = self._threads[index]
            thread.join()
            index += 1
        if self._failures:
            raise ParticipantsFailed("participants of the run's clock failed", self._failures)


class _RealMailbox:
    def __init__(self, clock: RealClock) -> None:
        self._clock = clock
        self._items: deque[tuple[float, Any]] = deque()
        self._arrived = threading.Condition()

    def put(self, item: object, not_before_s: float = -math.inf) -> None:
        with self._arrived:
            self._items.append((not_before_s, item))
            self._arrived.notify()

    def put_before_undue(self, item: object) -> None:
        with self._arrived:
            now_s = self._clock.now_s()
            undue = (place for place, (due_s, _) in enumerate(self._items) if due_s > now_s)
            self._items.insert(next(undue, len(self._items)), (-math.inf, item))
            self._arrived.notify()

    def put_first(self, item: object) -> None:
        with self._arrived:
            self._items.appendleft((-math.inf, item))
            self._arrived.notify()

    def get(self, until_s: float | None) -> Any:  # noqa: ANN401 - whatever was put
        with self._arrived:
            while True:
                now_s = self._clock.now_s()
                first_s = self._items[0][0] if self._items else math.inf
                if first_s <= now_s:
                    return self._items.popleft()[1]
                wait_s = first_s - now_s
                if until_s is not None:
                    if until_s <= now_s:
                        return None
                    wait_s = min(wait_s, until_s - now_s)
                # A computer's sleep is not counted in a wait: look at the clock now and then.
                self._arrived.wait(min(wait_s, LONGEST_WAIT_S))
