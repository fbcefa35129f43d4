"""One runner's life and death: from its death on nothing of it reaches disk, wires or people."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from labrig.launch.simulated_computer import SimulatedComputer
from labrig.plan.timeline import PersonStep
from labrig.record.reaction import Reaction
from labrig.record.virtual_clock import VirtualClock
from labrig.rig.bench import OpenTransport, PortSpec
from labrig.run.people import People
from labrig.soak.night import Death
from labrig.twin.spec import FaultSpec
from labrig_drivers.transports.base import Transport


class Life:
    """One runner's, until it dies as ``death`` says or the run is over."""

    def __init__(
        self, faults: Sequence[FaultSpec], clock: VirtualClock, death: Death | None
    ) -> None:
        self._clock, self._death = clock, death
        self._rows = death.count if death and death.how == "after_rows" else None
        self._writes = death.count if death and death.how == "after_writes" else None
        self._written = self._sent = 0
        self.computer = SimulatedComputer(faults, clock)
        self.died_s: float | None = None
        self.back_after_s = death.back_after_s if death else 1.0
        self.over = False
        self.door = clock.mailbox("visitors")

    def begin(self, since_s: float) -> None:
        """The run is taken up: by this life for the first time, or again after a take-back."""
        self.over = False
        self.computer.begin(self.die)
        if self._death is not None and self._death.how == "at_s" and self.died_s is None:
            self._clock.at(max(self._death.count, since_s + 0.001), self.die)

    def die(self, back_after_s: float | None = None) -> None:
        """Now, unless it is dead or its run is over."""
        if self.died_s is None and not self.over:
            self.died_s = self._clock.now_s()
            self.back_after_s = self.back_after_s if back_after_s is None else back_after_s

    def connect(self, *args: Any, **settings: Any) -> sqlite3.Connection:  # noqa: ANN401 - sqlite3's
        """As :func:`sqlite3.connect`; what it writes after its death is lost."""
        life = self

        class Connection(sqlite3.Connection):
            def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:  # noqa: ANN401
                rows = list(rows)
                life.computer.refuse_to_write()
                if life._rows is not None and life._written + len(rows) > life._rows:
                    life.die()
                life._written += len(rows)
                if any(_ends(row) for row in rows):
                    # Nobody visits a run that is over.
                    life.over = True
                    life.door.put("over")
                return super().executemany(sql, [] if life.died_s is not None else rows)

        return sqlite3.connect(*args, factory=Connection, **settings)

    def opener(self, open_transport: OpenTransport) -> OpenTransport:
        """Ports with the computer's troubles, which fall silent when it dies."""
        cabled = self.computer.opener(open_transport)

        def open_here(port: PortSpec) -> Transport:
            return _Wire(cabled(port), self)

        return open_here

    def people(self, people: People | None) -> People | None:
        """Who do nothing more for it once it is dead."""
        return None if people is None else _People(people, self)

    def count_write(self) -> None:
        """A piece went out on some wire."""
        self._sent += 1
        if self._writes == self._sent:
            self.die()


def _ends(row: Any) -> bool:  # noqa: ANN401 - a tuple of the journal's columns
    """Whether workers and dispatcher end with this row."""
    if row[1] == "run":
        return row[2] in ("finished", "stopped")
    return row[1] == "command" and '"take-back"' in str(row)


class _People:
    def __init__(self, inner: People, life: Life) -> None:
        self._inner, self._life = inner, life
        self.names = inner.names

    def reaction(self, step: PersonStep) -> Reaction:
        return self._inner.reaction(step)

    def did(self, step: PersonStep, done_s: float) -> None:
        if self._life.died_s is None:
            self._inner.did(step, done_s)


class _Wire:
    def __init__(self, inner: Transport, life: Life) -> None:
        self._inner, self._life = inner, life

    def write(self, data: bytes) -> None:
        if self._life.died_s is None:
            self._inner.write(data)
            self._life.count_write()

    def read(self, size: int, timeout_s: float) -> bytes:
        return b"" if self._life.died_s is not None else self._inner.read(size, timeout_s)

    def discard_input(self) -> bytes:
        return b"" if self._life.died_s is not None else self._inner.discard_input()

    def close(self) -> None:
        pass
