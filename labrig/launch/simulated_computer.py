"""What befalls the computer of a simulated night: its disk, its cables, its clock, its processes.

Played on the run's virtual clock, by the runner's own process: nothing of the real computer is
touched. Deaths go by way of whoever makes it (``die``): a process kills itself, the soak's runner
falls silent.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from labrig.record.virtual_clock import VirtualClock
from labrig.rig.bench import OpenTransport, PortSpec
from labrig.rig.fault_kinds import COMPUTER
from labrig.twin.spec import FaultSpec
from labrig_drivers.errors import PortLost, PortMissing
from labrig_drivers.transports.base import Transport

REFUSALS = {
    "disk_full": "database or disk is full (scripted)",
    "disk_read_only": "attempt to write a readonly database (scripted)",
    "journal_locked": "database is locked (scripted)",
}
"""How SQLite says it."""
STANDS_STILL = ("pause", "sleep")


class SimulatedComputer:
    """Of one process of one run.

    Args:
        faults: of the run; those of the computer are taken.
        clock: of the run.
    """

    def __init__(self, faults: Sequence[FaultSpec], clock: VirtualClock) -> None:
        self._faults = [fault for fault in faults if fault.instrument == COMPUTER]
        self._clock = clock
        self._woken = 0
        self._begun = False

    def begin(self, die: Callable[[float], None]) -> None:
        """Put down on the clock what happens by itself from now on; a second call does nothing.

        Args:
            die: ends this process; it is started again after so many seconds.
        """
        if self._begun:
            return
        self._begun, now_s = True, self._clock.now_s()
        for fault in self._faults:
            if fault.from_s < now_s:
                if fault.name in ("clock_step", "dst"):
                    self._clock.step_utc(fault.value)
                continue
            if fault.name == "kill":
                self._clock.at(fault.from_s, partial(die, fault.until_s - fault.from_s))
            elif fault.name in STANDS_STILL:
                self._clock.at(fault.from_s, partial(self._stand_still, fault))
            elif fault.name in ("clock_step", "dst"):
                self._clock.at(fault.from_s, partial(self._clock.step_utc, fault.value))

    def refuse_to_write(self) -> None:
        """Called before the journal writes.

        Raises:
            sqlite3.OperationalError: the disk, or somebody who holds the file, is in the way.
        """
        for name, words in REFUSALS.items():
            if self._active(name):
                raise sqlite3.OperationalError(words)

    def connect(self, *args: Any, **settings: Any) -> sqlite3.Connection:  # noqa: ANN401 - sqlite3's
        """As :func:`sqlite3.connect`, with the troubles of this computer's disk."""
        computer = self

        class Connection(sqlite3.Connection):
            def executemany(self, sql: str, rows: Any, /) -> sqlite3.Cursor:  # noqa: ANN401
                computer.refuse_to_write()
                return super().executemany(sql, rows)

        return sqlite3.connect(*args, factory=Connection, **settings)

    def opener(self, open_transport: OpenTransport) -> OpenTransport:
        """Ports whose cables are pulled, and which a computer that slept has lost."""
        if not any(fault.name in ("unplug", "sleep") for fault in self._faults):
            return open_transport

        def open_here(port: PortSpec) -> Transport:
            if self._active("unplug", port.name):
                raise PortMissing(port.name, "there is no such port (scripted).")
            woken = self._woken
            return _Cable(
                open_transport(port),
                port.name,
                lambda: woken != self._woken or self._active("unplug", port.name),
            )

        return open_here

    def _active(self, name: str, of: str = "") -> bool:
        now_s = self._clock.now_s()
        return any(
            fault.name == name
            and fault.from_s <= now_s < fault.until_s
            and (not fault.of or fault.of == of)
            for fault in self._faults
        )

    def _stand_still(self, fault: FaultSpec) -> None:
        self._clock.jump_to(fault.until_s)
        if fault.name == "sleep":
            self._woken += 1


class _Cable:
    """The host's end of a port, which its cable or a sleeping computer may take away."""

    def __init__(self, inner: Transport, name: str, gone: Callable[[], bool]) -> None:
        self._inner, self._name, self._gone = inner, name, gone

    def write(self, data: bytes) -> None:
        self._hold()
        self._inner.write(data)

    def read(self, size: int, timeout_s: float) -> bytes:
        self._hold()
        return self._inner.read(size, timeout_s)

    def discard_input(self) -> bytes:
        self._hold()
        return self._inner.discard_input()

    def close(self) -> None:
        self._inner.close()

    def _hold(self) -> None:
        if self._gone():
            raise PortLost(self._name, "unplugged (scripted).")
