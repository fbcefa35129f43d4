"""A clock that jumps when everyone waits: fourteen hours in seconds, in one certain order.

Exactly one participant runs at a time; it hands over to another when it waits. Who is next
follows from the time it became ready and, among equals, from the order of registration, never
from the operating system, so a run with the same inputs takes the same course. Participants are
greenlets in the one thread that joins the clock: handing over from thread to thread cost a fifth
of a fast night.
"""

from __future__ import annotations

import heapq
import math
import threading
import time
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from greenlet import getcurrent, greenlet

from labrig.record.clock import ClockMisuse, Mailbox, ParticipantsFailed

DEFAULT_START = datetime(2026, 1, 1, 18, 0, tzinfo=UTC)


class VirtualClock:
    """Simulated time.

    Nothing runs before :meth:`join`, so that all participants are registered in their order. When
    all have ended, others may be started and joined.

    Args:
        start_s: what the clock shows at first.
        speed: virtual seconds per wall second; infinite: jump at once.
        epoch: the time of day at 0 s.
    """

    def __init__(
        self, start_s: float = 0.0, speed: float = math.inf, epoch: datetime = DEFAULT_START
    ) -> None:
        self._now_s = start_s
        self._start_s = start_s
        self._speed = speed
        self._epoch = epoch
        self._outside = threading.Condition()
        self._foreign: deque[tuple[_VirtualMailbox, object, bool]] = deque()
        self._ready: list[tuple[float, int, _Participant]] = []
        self._sleeping: list[tuple[float, int, int, _Participant]] = []
        self._appointments: list[tuple[float, int, Callable[[], None]]] = []
        self._running: _Participant | None = None
        self._registered = 0
        self._alive = 0
        self._thread: int | None = None
        self._joiner: greenlet | None = None
        self._wall_start: float | None = None
        self._failures: list[Exception] = []

    def now_s(self) -> float:
        """Seconds since t0; stands still while a participant runs."""
        return self._now_s

    def utc(self) -> datetime:
        """The simulated time of day."""
        return self._epoch + timedelta(seconds=self._now_s)

    @property
    def early_s(self) -> float:
        """Nobody wakes late."""
        return 0.0

    def lasting_s(self, people_s: float) -> float:
        """At a pace, people's seconds last longer here; nobody can act in time that is jumped."""
        return people_s if math.isinf(self._speed) else people_s * self._speed

    def at(self, at_s: float, act: Callable[[], None]) -> None:
        """Have something done when this time has come, if somebody still waits for time then.

        Args:
            at_s: a time that is past is now.
            act: quick; it may change this clock or end the process, and waits for nothing.
        """
        heapq.heappush(self._appointments, (at_s, self._registered, act))
        self._registered += 1

    def jump_to(self, at_s: float) -> None:
        """Time passed in which nobody could do anything: a computer that slept. From ``act``."""
        self._now_s = max(self._now_s, at_s)

    def step_utc(self, by_s: float) -> None:
        """Somebody set the time of day; the seconds since t0 know nothing of it."""
        self._epoch += timedelta(seconds=by_s)

    def begin(self) -> None:
        """Nothing: virtual time passes in :meth:`join`."""

    def mailbox(self, name: str) -> Mailbox[Any]:
        """A new mailbox."""
        return _VirtualMailbox(self, name)

    def start(self, name: str, target: Callable[[], None]) -> None:
        """Register a participant; it runs when its turn comes.

        Raises:
            ClockMisuse: called from outside when the clock already runs.
        """
        if self._thread is not None and not self._is_running_thread():
            raise ClockMisuse(f"participant {name!r} must be started before join()")
        person = _Participant(name, self._registered, target)
        self._registered += 1
        self._alive += 1
        heapq.heappush(self._ready, (self._now_s, person.order, person))

    def join(self) -> None:
        """Let the participants run, in this thread, until all have ended.

        Raises:
            ParticipantsFailed: some ended with an exception.
        """
        if self._wall_start is None:
            self._wall_start = time.monotonic()
        self._thread = threading.get_ident()
        self._joiner = getcurrent()
        try:
            # A participant that ends comes back here; one that waits switches to the next.
            while self._alive:
                self._switch_to(self._next())
        finally:
            self._running = self._thread = None
        if self._failures:
            raise ParticipantsFailed("participants of the run's clock failed", self._failures)

    def put(self, box: _VirtualMailbox, item: object, *, first: bool) -> None:
        """Deliver now if a participant calls, else when the next one is chosen."""
        if self._is_running_thread():
            self._deliver(box, item, first)
            return
        with self._outside:
            self._foreign.append((box, item, first))
            self._outside.notify()

    def get(self, box: _VirtualMailbox, until_s: float | None) -> Any:  # noqa: ANN401
        """Wait for an item of ``box``; others run meanwhile."""
        if not self._is_running_thread():
            raise ClockMisuse(f"mailbox {box.name!r} is read by a thread not on this clock")
        self._take_foreign()
        if box.items:
            return box.items.popleft()
        if until_s is not None and until_s <= self._now_s:
            return None
        if box.reader is not None:
            raise ClockMisuse(f"mailbox {box.name!r} has two readers")
        person = self._running
        assert person is not None
        box.reader = person
        person.waits += 1
        if until_s is not None:
            heapq.heappush(self._sleeping, (until_s, person.order, person.waits, person))
        following = self._next()
        if following is not person:
            self._switch_to(following)
        self._running = person
        box.reader = None
        return box.items.popleft() if box.items else None

    def _switch_to(self, person: _Participant) -> None:
        self._running = person
        if person.fiber is None:
            # Made by whoever meets it first, but a child of the one that joins.
            person.fiber = greenlet(self._live, parent=self._joiner)
            person.fiber.switch(person)
        else:
            person.fiber.switch()

    def _live(self, person: _Participant) -> None:
        try:
            person.target()
        except Exception as error:
            self._failures.append(error)
        finally:
            self._alive -= 1
            self._running = None

    def _is_running_thread(self) -> bool:
        return self._running is not None and self._thread == threading.get_ident()

    def _take_foreign(self) -> None:
        while self._foreign:
            self._deliver(*self._foreign.popleft())

    def _deliver(self, box: _VirtualMailbox, item: object, first: bool) -> None:
        if first:
            box.items.appendleft(item)
        else:
            box.items.append(item)
        reader = box.reader
        if reader is not None and not reader.is_ready:
            self._make_ready(reader)

    def _make_ready(self, person: _Participant) -> None:
        person.waits += 1  # its entry among the sleepers is void now
        person.is_ready = True
        heapq.heappush(self._ready, (self._now_s, person.order, person))

    def _next(self) -> _Participant:
        """Who runs next, after a wait or a jump when nobody can."""
        self._running = None
        while True:
            self._take_foreign()
            if self._ready:
                person = heapq.heappop(self._ready)[2]
                person.is_ready = False
                return person
            self._pass_time()

    def _pass_time(self) -> None:
        """Nobody can run: go to the earliest deadline, or until something comes from outside."""
        while self._sleeping and self._sleeping[0][2] != self._sleeping[0][3].waits:
            heapq.heappop(self._sleeping)
        if not self._sleeping:
            self._await_outside(None)
            self._now_s = max(self._now_s, self._wall_now_s())
            return
        due_s = self._sleeping[0][0]
        if self._appointments:
            due_s = min(due_s, max(self._appointments[0][0], self._now_s))
        wait_s = 0.0 if math.isinf(self._speed) else (due_s - self._wall_now_s()) / self._speed
        if wait_s > 0 and self._await_outside(wait_s):
            self._now_s = max(self._now_s, min(due_s, self._wall_now_s()))
            return
        self._now_s = max(self._now_s, due_s)
        if self._appointments and self._appointments[0][0] <= self._now_s:
            heapq.heappop(self._appointments)[2]()
        while self._sleeping and self._sleeping[0][0] <= self._now_s:
            _, _, waits, person = heapq.heappop(self._sleeping)
            if waits == person.waits:
                self._make_ready(person)

    def _await_outside(self, wait_s: float | None) -> bool:
        """Whether something came from outside before so many seconds of the wall were over."""
        with self._outside:
            return bool(self._foreign) or self._outside.wait(wait_s)

    def _wall_now_s(self) -> float:
        """What the clock would show if it had never fallen behind; -inf when it only jumps."""
        if math.isinf(self._speed) or self._wall_start is None:
            return -math.inf
        return self._start_s + (time.monotonic() - self._wall_start) * self._speed


class _Participant:
    def __init__(self, name: str, order: int, target: Callable[[], None]) -> None:
        self.name = name
        self.order = order
        self.target = target
        self.fiber: greenlet | None = None
        self.waits = 0
        self.is_ready = True


class _VirtualMailbox:
    def __init__(self, clock: VirtualClock, name: str) -> None:
        self._clock = clock
        self.name = name
        self.items: deque[object] = deque()
        self.reader: _Participant | None = None

    def put(self, item: object, not_before_s: float = -math.inf) -> None:
        if not_before_s > self._clock.now_s():
            raise ClockMisuse(f"something is put into mailbox {self.name!r} before its time")
        self._clock.put(self, item, first=False)

    def put_before_undue(self, item: object) -> None:
        self.put(item)  # nothing is put here ahead of its time

    def put_first(self, item: object) -> None:
        self._clock.put(self, item, first=True)

    def get(self, until_s: float | None) -> Any:  # noqa: ANN401 - whatever was put
        return self._clock.get(self, until_s)
