"""The simulated bench: the rig's simulators, wired to one world, behind loopback transports."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from labrig.rig.bench import BenchSpec, PortSpec
from labrig.twin.physical import PhysicalRecord, Plant, RecordedPlant
from labrig.twin.plants import TwinPlant
from labrig.twin.spec import TwinSpec
from labrig.twin.wire_history import WireHistory
from labrig.twin.world import World
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import Fault, Simulator
from labrig_drivers.transports.loopback import LoopbackTransport

SWITCHED_ON_BEFORE_S = 600.0
"""Instruments were switched on this long before t0: a probe is warm when the night begins.

Simulators therefore live by a clock that shows this much more than the run's."""


def simulators_by_port(
    bench: BenchSpec, spec: TwinSpec, world: World, record: PhysicalRecord | None = None
) -> dict[str, Simulator]:
    """One simulator a port (a shared bus where several instruments share it).

    Cameras have no byte protocol and are left out: see ``labrig.twin.cameras``. What happens
    goes into ``record``, where there is one.
    """
    types = installed_types()
    by_port: dict[str, list[Simulator]] = {}
    for index, instrument in enumerate(bench.instruments):
        kind = types[instrument.type]
        if kind.simulator is None:
            continue
        faults = tuple(
            Fault(
                f.name,
                f.from_s + SWITCHED_ON_BEFORE_S,
                f.until_s + SWITCHED_ON_BEFORE_S,
                f.value,
            )
            for f in spec.faults
            if f.instrument == instrument.name
        )
        simulator = kind.simulator(
            kind.settings(**instrument.settings),
            _plugged(world, instrument.name, record),
            spec.seed * 1000 + index,
            faults,
            instrument.name,
        )
        by_port.setdefault(instrument.port, []).append(simulator)
    return {
        port: found[0] if len(found) == 1 else SharedBus(found) for port, found in by_port.items()
    }


def _plugged(world: World, instrument: str, record: PhysicalRecord | None) -> Plant:
    plant = TwinPlant(world, instrument, SWITCHED_ON_BEFORE_S)
    if record is None:
        return plant
    return RecordedPlant(plant, record, instrument, SWITCHED_ON_BEFORE_S)


class TwinPort:
    """One port of the bench, a Simulator to the transport at its other end.

    Bytes are written down before they take effect, and what other instruments do by themselves
    (a dispense ends, a watchdog bites) happens first, so that the world sees the order of time.
    """

    def __init__(self, name: str, inner: Simulator, bench: TwinBench) -> None:
        self._name = name
        self._inner = inner
        self._bench = bench
        self._unasked = b""
        self._wake_s = self._inner_wake_s()

    def receive(self, data: bytes, now_s: float) -> bytes:
        """Bytes arrive from the host."""
        self._bench.happen_until(now_s)
        self._bench.history.append(now_s, self._name, data)
        answer = self._take_unasked() + self._inner.receive(data, now_s + SWITCHED_ON_BEFORE_S)
        self._wake_s = self._inner_wake_s()
        return answer

    def advance(self, now_s: float) -> bytes:
        """Let time pass; returns what was sent unasked since the host last looked."""
        if self._wake_s is not None and self._wake_s <= now_s:
            self.happen(now_s)
        return self._take_unasked()

    def happen(self, now_s: float) -> None:
        """Let time pass while the host is not looking."""
        self._unasked += self._inner.advance(now_s + SWITCHED_ON_BEFORE_S)
        self._wake_s = self._inner_wake_s()

    def next_wake_s(self) -> float | None:
        """When something happens by itself next.

        Remembered: it changes only when bytes arrive or something happens, and asking a long
        daisy chain again for every byte on every other port costs most of a fast night.
        """
        return self._wake_s

    def _inner_wake_s(self) -> float | None:
        wake_s = self._inner.next_wake_s()
        return None if wake_s is None else wake_s - SWITCHED_ON_BEFORE_S

    def _take_unasked(self) -> bytes:
        unasked, self._unasked = self._unasked, b""
        return unasked


class TwinBench:
    """The simulated bench of one run.

    Args:
        spec: the world.
        bench: the rig's ports and instruments.
        folder: the run's ``twin`` folder, for the wire history and what physically happened.
        now: seconds on the run's one clock.
    """

    def __init__(
        self, spec: TwinSpec, bench: BenchSpec, folder: Path, now: Callable[[], float]
    ) -> None:
        self._now = now
        self._world = World(spec)
        self.history = WireHistory(folder / "wire_history.txt")
        self._record = PhysicalRecord(folder / "physical.jsonl")
        simulators = simulators_by_port(bench, spec, self._world, self._record)
        self._ports = {
            name: TwinPort(name, simulator, self) for name, simulator in simulators.items()
        }

    def rebuild(self) -> float:
        """Replay what an earlier process's instruments received; 0.0 for a fresh bench.

        Returns:
            the time of the last byte, in seconds on the run's clock.
        """
        remembered = list(self.history.read())
        replay = self.history
        self.history = WireHistory(Path(os.devnull))
        for now_s, port, data in remembered:
            self._ports[port].receive(data, now_s)
            self._ports[port].advance(now_s)
        self.history.close()
        self.history = replay
        return remembered[-1][0] if remembered else 0.0

    def open_transport(self, port: PortSpec) -> LoopbackTransport:
        """The host's end of one port."""
        return LoopbackTransport(self._ports[port.name], self._now)

    def happen_until(self, now_s: float) -> None:
        """Let everything instruments do by themselves happen, in the order of time."""
        while True:
            due = [
                (wake_s, name)
                for name, port in self._ports.items()
                if (wake_s := port.next_wake_s()) is not None and wake_s <= now_s
            ]
            if not due:
                return
            wake_s, name = min(due)
            self._ports[name].happen(wake_s)
            if self._ports[name].next_wake_s() == wake_s:
                return

    def scene(self, since_s: float) -> dict[str, Any]:
        """What the simulated camera sees (never looked into by the code under test).

        Args:
            since_s: when the picture or film was begun; it ends now.
        """
        self.happen_until(self._now())
        return self._world.scene(self._now(), since_s)

    def truth(self) -> dict[str, dict[str, Any]]:
        """Everything true now, for the ground-truth file."""
        self.happen_until(self._now())
        return self._world.truth(self._now())

    def close(self) -> None:
        """Close the wire history, and write what was done."""
        self.history.close()
        self._record.close()
