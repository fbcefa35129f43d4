"""A rig's simulators on ptys and TCP, behind them one simulated world on the wall clock."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping

import typer

from labrig.launch.twin_spec import unloaded_twin_spec
from labrig.rig.bench import BenchSpec
from labrig.rig.models import Rig
from labrig.twin.bench import SWITCHED_ON_BEFORE_S, simulators_by_port
from labrig.twin.spec import FaultSpec
from labrig.twin.world import World
from labrig_drivers.hosting import HostedPort, host_on_pty, host_on_tcp


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
        start = time.monotonic()
        simulators = simulators_by_port(self._bench, self._world.spec, self._world)
        rows = []
        for port in self._bench.byte_ports():
            number = self._tcp.get(port.name, self._tcp.get("all"))

            def clock() -> float:
                return time.monotonic() - start + SWITCHED_ON_BEFORE_S

            simulator = simulators[port.name]
            hosted = (
                host_on_pty(simulator, clock)
                if number is None
                else host_on_tcp(simulator, number, clock)
            )
            self._hosted[port.name] = hosted
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

    def wait(self) -> None:
        """Wait until interrupted."""
        self._stopped.wait()

    def close(self) -> None:
        """Stop every simulator; safe to call twice."""
        self._stopped.set()
        for hosted in self._hosted.values():
            hosted.close()
        self._hosted.clear()
