"""Simulators that outlive the runners, with nothing at their ends, and what they did."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from labrig.rig.bench import BenchSpec, InstrumentSpec, OpenTransport, PortSpec
from labrig.soak.night import SeededNight
from labrig.twin.people import SimulatedPeople
from labrig.twin.physical import PhysicalRecord, recorded
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import Fault, still_plant
from labrig_drivers.transports.loopback import LoopbackTransport


class StillBench:
    """Of one night.

    Args:
        night: whose instruments they are.
        folder: of its run.
    """

    def __init__(self, night: SeededNight, folder: Path) -> None:
        self._night = night
        self.people: SimulatedPeople | None = None
        (folder / "twin").mkdir()
        self._record = PhysicalRecord(folder / "twin" / "physical.jsonl")
        by_port: dict[str, list[Any]] = {}
        for number, name in enumerate(night.instruments):
            simulator = self._simulator(name, night.seed * 100 + number)
            by_port.setdefault(night.port(name), []).append(simulator)
        self._simulators = {p: s[0] if len(s) == 1 else SharedBus(s) for p, s in by_port.items()}
        self.spec = BenchSpec(
            tuple(PortSpec(port, "sim", None) for port in self._simulators),
            tuple(
                InstrumentSpec(name, kind, night.port(name), settings, "")
                for name, (kind, settings) in night.instruments.items()
            ),
            (),
        )

    def opener(self, now: Callable[[], float]) -> OpenTransport:
        """Opens its ports on a clock."""
        return lambda port: LoopbackTransport(self._simulators[port.name], now)

    def wait_until(self, at_s: float) -> None:
        """Let what instruments do by themselves happen."""
        for simulator in self._simulators.values():
            simulator.advance(at_s)

    def close(self) -> None:
        """Write what was done."""
        self._record.close()

    def _simulator(self, name: str, seed: int) -> Any:  # noqa: ANN401 - the simulator of any type
        kind, settings = self._night.instruments[name]
        instrument = installed_types()[kind]
        assert instrument.simulator is not None
        faults = tuple(
            Fault(f.name, f.from_s, f.until_s, f.value)
            for f in self._night.faults
            if f.instrument == name
        )
        plant = recorded(instrument.kind, still_plant(instrument.kind), self._record, name, 0.0)
        simulator = instrument.simulator(instrument.settings(**settings), plant, seed, faults, name)
        if name in self._night.counted_ul:
            simulator._totals_ul["I"] = self._night.counted_ul[name]  # noqa: SLF001
        return simulator
