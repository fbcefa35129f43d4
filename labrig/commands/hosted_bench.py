"""A rig's simulators on ptys and TCP, behind them one simulated world on the wall clock."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Mapping

import typer

from labrig.launch.twin_spec import unloaded_twin_spec
from labrig.rig.bench import BenchSpec, PortSpec
from labrig.rig.fault_kinds import COMPUTER
from labrig.rig.models import Rig
from labrig.twin.bench import SWITCHED_ON_BEFORE_S, simulators_by_port
from labrig.twin.spec import FaultSpec
from labrig.twin.world import World
from labrig_drivers.hosting import HostedPort, host_on_pty, host_on_tcp
from labrig_drivers.simulation import Simulator


class HostedBench:
    """The simulators of one rig, hosted until closed.

    Args:
        rig: whose plumbing and wiring the world takes.
        bench: its ports and instruments.
        seed: of the world.
        tcp: TCP port number by rig port, 0 for any free one; ``all`` for every port.
        faults: what goes wrong, from when the ports open.
    """

    def __init__(
        self,
        rig: Rig,
        bench: BenchSpec,
        seed: int,
        tcp: Mapping[str, int],
        faults: tuple[FaultSpec, ...] = (),
    ) -> None:
        self._bench = bench
        self._tcp = tcp
        self._world = World(unloaded_twin_spec(rig, seed, faults))
        self._hosted: dict[str, HostedPort] = {}
        self._simulators: dict[str, Simulator] = {}
        self._kept_busy: list[int] = []
        self._start = 0.0
        self._stopped = threading.Event()

    def open(self) -> list[dict[str, str]]:
        """Host every port and say what to open.

        Raises:
            typer.BadParameter: a port named for TCP does not exist.
            OSError: a pty or TCP port cannot be had.
        """
        known = [port.name for port in self._bench.byte_ports()]
        for name in self._tcp:
            if name != "all" and name not in known:
                raise typer.BadParameter(f"no port '{name}': there is {', '.join(known)}")
        self._start = time.monotonic()
        self._simulators = simulators_by_port(self._bench, self._world.spec, self._world)
        rows = []
        for port in self._bench.byte_ports():
            hosted = self._hosted[port.name] = self._host(port)
            serial = port.serial
            settings = (
                ""
                if serial is None
                else (f"{serial.baudrate} {serial.bytesize}{serial.parity}{serial.stopbits}")
            )
            rows.append(
                {
                    "port": port.name,
                    "address": hosted.address,
                    "settings": settings,
                    "instruments": ", ".join(
                        f"{i.name} ({i.type})" for i in self._bench.on_port(port.name)
                    ),
                }
            )
        return rows

    def wait(self, tell: Callable[[str], None]) -> None:
        """Wait until interrupted; cables that are scripted to be out are, and come back.

        A pty comes back under another name, as a cable does that finds its old name in use.
        """
        for due_s, port, back in self._cables():
            if self._stopped.wait(max(0.0, self._start + due_s - time.monotonic())):
                return
            if back:
                self._hosted[port.name] = self._host(port)
                tell(f"{port.name} is back: open {self._hosted[port.name].address}")
            elif (hosted := self._hosted.pop(port.name, None)) is not None:
                hosted.close()
                if hosted.address.startswith("/dev/"):
                    # Its number is the lowest that is free: kept busy, or it would come back.
                    self._kept_busy += os.openpty()
                tell(f"{port.name} is unplugged")
        self._stopped.wait()

    def _cables(self) -> list[tuple[float, PortSpec, bool]]:
        """When which cable is pulled, or put in again; in order."""
        return sorted(
            (
                (due_s, port, due_s == fault.until_s)
                for fault in self._world.spec.faults
                if (fault.instrument, fault.name) == (COMPUTER, "unplug")
                for port in self._bench.byte_ports()
                if fault.of in ("", port.name)
                for due_s in (fault.from_s, fault.until_s)
                if math.isfinite(due_s)
            ),
            key=lambda event: event[0],
        )

    def _host(self, port: PortSpec) -> HostedPort:
        number = self._tcp.get(port.name, self._tcp.get("all"))
        simulator, start = self._simulators[port.name], self._start

        def clock() -> float:
            return time.monotonic() - start + SWITCHED_ON_BEFORE_S

        if number is None:
            return host_on_pty(simulator, clock)
        return host_on_tcp(simulator, number, clock)

    def close(self) -> None:
        """Stop every simulator; safe to call twice."""
        self._stopped.set()
        for hosted in self._hosted.values():
            hosted.close()
        self._hosted.clear()
        for descriptor in self._kept_busy:
            os.close(descriptor)
        self._kept_busy.clear()
