"""The ports of a bench as one runner opens them: each behind the gate that a stop shuts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableMapping
from functools import partial
from typing import Any

from labrig.rig.bench import BenchSpec, OpenPort, OpenTransport, PortSpec, open_port
from labrig.run.hosted_stage import hosted_port, looked_after, ports_with_workers
from labrig.run.imaging_link import Imaging
from labrig.run.lease import Fence
from labrig.run.port_gate import GatedTransport, Leave
from labrig.run.port_link import PortLink, identify
from labrig_drivers.errors import InstrumentError, LinkError
from labrig_drivers.instrument import installed_types
from labrig_drivers.kinds import Identity
from labrig_drivers.transports.base import Transport


class BenchPorts:
    """Of one runner.

    Args:
        bench: ports and instruments.
        open_transport: opens one port, real or simulated.
        camera: the imaging process, which may host a stage.
        now_s: the run's clock.
        fence: what passes the gates.
    """

    def __init__(
        self,
        bench: BenchSpec,
        open_transport: OpenTransport,
        camera: Imaging,
        now_s: Callable[[], float],
        fence: Fence,
    ) -> None:
        self._bench = bench
        self._open_transport = open_transport
        self._camera = camera
        self._now_s = now_s
        self._seen: dict[str, Identity] = {}
        self._opened: dict[str, OpenPort | None] = {}
        self.leaves = {spec.name: Leave(fence) for spec in ports_with_workers(bench)}

    def open_all(self, strictly: bool) -> None:
        """Open every port; at a start, also see that everybody is there.

        Raises:
            InstrumentError: at a start, who is missing or is not who the rig file says.
        """
        try:
            for spec in ports_with_workers(self._bench):
                self._opened[spec.name] = None
                try:
                    self._opened[spec.name] = self._open(spec.name)
                except LinkError:
                    if strictly:
                        raise
            if strictly:
                for port in self._opened.values():
                    self._see_everybody(port)
        except InstrumentError:
            for port in self._opened.values():
                if port is not None:
                    port.close()
            raise

    def in_order_of_stops(self) -> list[str]:
        """Those with a stimulator first, so that a stop reaches them first."""
        types = installed_types()

        def stimulators_first(port: str) -> bool:
            return all(types[i.type].kind != "stimulator" for i in looked_after(self._bench, port))

        return sorted(self._opened, key=stimulators_first)

    def link(self, port: str, identities: MutableMapping[str, Mapping[str, Any]]) -> PortLink:
        """To this port; ``identities``: who answered when the run began."""
        serial_numbers = {i.name: i.serial_number for i in looked_after(self._bench, port)}
        return PortLink(
            self._opened[port], self._seen, partial(self._open, port), identities, serial_numbers
        )

    def _see_everybody(self, port: OpenPort | None) -> None:
        for name, driver in () if port is None else port.drivers.items():
            self._seen[name] = identify(driver)

    def _open(self, port: str) -> OpenPort:
        spec, leave = self._bench.port(port), self.leaves[port]
        if not self._bench.on_port(port):
            return hosted_port(self._bench, spec, self._camera, leave, self._now_s)

        def open_gated(spec: PortSpec) -> Transport:
            return GatedTransport(self._open_transport(spec), leave, self._now_s)

        return open_port(self._bench, spec, open_gated)
