"""Which of the runner's threads live: what each does, since when, and for how long too long.

A thread says before everything it does how long that may take, and before every wait how long
it will wait. Whoever looks, from another thread, sees who has not come back: neither a hung
device nor a hung disk can hide behind a door that answers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from labrig.record.clock import Clock, steady_s

BOUND_S = 30.0
"""[P] Most actions: some ten exchanges with silent instruments, or a slow disk."""
PICTURE_S = 300.0
"""[P] A picture: two moves of a minute, an imaging process that has to be started, the picture."""
OVERSLEPT_S = 10.0
"""[P] A thread that waits for a time comes back within this of it."""
LOOK_S = 5.0


@dataclass(frozen=True, slots=True)
class ThreadState:
    """One thread, as ``/status`` shows it.

    Attributes:
        alive: it has come back in time so far.
        doing: in words; ``waiting`` between its turns.
        for_s: for so long by now, in seconds of the wall clock.
        overdue_s: so much longer than it may; 0 while it is in time.
    """

    name: str
    alive: bool
    doing: str
    for_s: float
    overdue_s: float

    def in_words(self) -> str:
        """What it does, and for how long."""
        return f"{self.doing} for {self.for_s:.0f} s, {self.overdue_s:.0f} s longer than it may"


class Turn:
    """What one thread does now. Written by that thread, read by any."""

    def __init__(self, name: str, clock: Clock, steady: Callable[[], float]) -> None:
        self._name = name
        self._clock = clock
        self._steady = steady
        # In one piece, so that nobody reads half of one turn and half of the next:
        # what, since when, for how long at most, or until when on the run's clock.
        self._now: tuple[str, float, float | None, float | None] | None = None

    def does(self, what: str, bound_s: float = BOUND_S) -> None:
        """This from now on, and not longer than this on the wall clock."""
        self._now = (what, self._steady(), bound_s, None)

    def waits(self, until_s: float | None) -> None:
        """For this time on the run's clock, or for somebody to call (None)."""
        self._now = ("waiting", self._steady(), None, until_s)

    def ends(self) -> None:
        """Nothing any more."""
        self._now = None

    def state(self) -> ThreadState | None:
        """As of now; None: not begun, or ended."""
        if self._now is None:
            return None
        what, since_s, bound_s, until_s = self._now
        for_s = self._steady() - since_s
        over_s = 0.0
        if bound_s is not None:
            over_s = for_s - bound_s
        elif until_s is not None:
            over_s = min(self._clock.now_s() - until_s, for_s) - OVERSLEPT_S
        return ThreadState(self._name, over_s <= 0, what, round(for_s, 3), max(0.0, over_s))


class Liveness:
    """The turns of all threads of a runner."""

    def __init__(self, clock: Clock, steady: Callable[[], float] = steady_s) -> None:
        self._clock = clock
        self._steady = steady
        self._turns: dict[str, Turn] = {}

    def of(self, name: str) -> Turn:
        """The turn of a thread; made when first asked for."""
        return self._turns.setdefault(name, Turn(name, self._clock, self._steady))

    def states(self) -> tuple[ThreadState, ...]:
        """Of every thread that has begun and not ended."""
        found = [turn.state() for turn in list(self._turns.values())]
        return tuple(state for state in found if state is not None)

    def hung(self, name: str) -> ThreadState | None:
        """The state of a thread that has not come back in time; None: it is sound."""
        state = self.of(name).state()
        return None if state is None or state.alive else state


class LivenessWatch:
    """Looks after the threads from a thread of its own, on the wall clock.

    Args:
        liveness: the turns.
        raise_alarm: called with the state of a thread that hangs, at every look.
        clear_alarm: called with the name of one that has come back.
    """

    def __init__(
        self,
        liveness: Liveness,
        raise_alarm: Callable[[ThreadState], None],
        clear_alarm: Callable[[str], None],
    ) -> None:
        self._liveness = liveness
        self._raise = raise_alarm
        self._clear = clear_alarm
        self._over = threading.Event()
        self._hung: set[str] = set()

    def start(self) -> None:
        """Look every few seconds until :meth:`end`."""
        threading.Thread(target=self._run, name="liveness", daemon=True).start()

    def end(self) -> None:
        """Look no more."""
        self._over.set()

    def look(self) -> None:
        """Once."""
        hung = {state.name: state for state in self._liveness.states() if not state.alive}
        for state in hung.values():
            self._raise(state)
        for name in self._hung - set(hung):
            self._clear(name)
        self._hung = set(hung)

    def _run(self) -> None:
        before_s = steady_s()
        while not self._over.wait(LOOK_S):
            now_s = steady_s()
            # After the computer slept nobody has come back yet, this thread included.
            if now_s - before_s < 2 * LOOK_S:
                self.look()
            before_s = now_s
