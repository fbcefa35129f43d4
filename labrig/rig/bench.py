"""The bench as plain data, and how drivers come to be on its ports.

The runner reads its bench from JSON and imports this module, so neither pydantic nor pint nor
ruamel.yaml may be needed here. What the imaging process hosts is listed, and not opened here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any

from labrig.typed_json import TypedJson
from labrig_drivers.errors import InstrumentError, LinkError, PortMissing
from labrig_drivers.instrument import SerialSettings, connect, installed_types
from labrig_drivers.kinds import Configurable, Identity
from labrig_drivers.transports.base import Transport

if TYPE_CHECKING:
    from labrig.rig.models import Rig

SIMULATED = "sim"


@dataclass(frozen=True, slots=True)
class PortSpec:
    """One port. ``serial`` is None where no bytes travel: its instruments open it themselves."""

    name: str
    address: str
    serial: SerialSettings | None


@dataclass(frozen=True, slots=True)
class InstrumentSpec:
    """One instrument. ``settings`` are the keyword arguments of its type's settings class."""

    name: str
    type: str
    port: str
    settings: dict[str, Any]
    serial_number: str


@dataclass(frozen=True, slots=True)
class BenchSpec:
    """All that is needed to open a bench.

    Attributes:
        hosted: names of those instruments that the imaging process owns.
    """

    ports: tuple[PortSpec, ...]
    instruments: tuple[InstrumentSpec, ...]
    hosted: tuple[str, ...]

    @property
    def simulated(self) -> bool:
        """Whether every port is on the simulated bench."""
        return all(port.address == SIMULATED for port in self.ports)

    def port(self, name: str) -> PortSpec:
        """The port of that name. Raises KeyError."""
        return {port.name: port for port in self.ports}[name]

    def on_port(self, port: str) -> tuple[InstrumentSpec, ...]:
        """The instruments on a port that speak bytes, in the rig's order."""
        return tuple(i for i in self.instruments if i.port == port and i.name not in self.hosted)

    def byte_ports(self) -> tuple[PortSpec, ...]:
        """Ports with an instrument that speaks bytes on them."""
        return tuple(port for port in self.ports if self.on_port(port.name))

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: Mapping[str, Any]) -> BenchSpec:
        """The reverse of :meth:`to_json`.

        Raises:
            labrig.typed_json.NotAsTyped: it is no bench.
        """
        # until 2026-11 only cameras were hosted, and called that
        named = {"hosted" if key == "cameras" else key: value for key, value in raw.items()}
        return TypedJson().read(cls, named)


def bench_spec(rig: Rig) -> BenchSpec:
    """The bench of a checked rig."""
    types = installed_types()
    serial: dict[str, SerialSettings] = {}
    for entry in rig.instruments.values():
        factory = types[entry.type].serial
        if factory is not None:
            baudrate = rig.ports[entry.port].baudrate
            serial[entry.port] = (
                factory if baudrate is None else replace(factory, baudrate=baudrate)
            )
    return BenchSpec(
        ports=tuple(PortSpec(n, p.address, serial.get(n)) for n, p in rig.ports.items()),
        instruments=tuple(
            # with the defaults in force: who reads a watchdog's time here must not miss one
            InstrumentSpec(
                n,
                e.type,
                e.port,
                asdict(types[e.type].settings(**e.settings)),
                e.serial_number,
            )
            for n, e in rig.instruments.items()
        ),
        hosted=tuple(n for n, e in rig.instruments.items() if types[e.type].host == "imaging"),
    )


OpenTransport = Callable[[PortSpec], Transport]


@dataclass(frozen=True, slots=True)
class OpenPort:
    """One open port with the drivers of its instruments; one thread may use it at a time."""

    spec: PortSpec
    transport: Transport
    drivers: dict[str, Any]

    def close(self) -> None:
        """Let go of the port; changes nothing on any instrument."""
        self.transport.close()


@dataclass(frozen=True, slots=True)
class Bench:
    """An open bench: every byte-speaking instrument has its driver."""

    ports: dict[str, OpenPort]

    @property
    def drivers(self) -> dict[str, Any]:
        """Drivers by instrument name; each satisfies its kind in ``labrig_drivers.kinds``."""
        return {name: d for port in self.ports.values() for name, d in port.drivers.items()}

    def close(self) -> None:
        """Let go of every port; changes nothing on any instrument."""
        for port in self.ports.values():
            port.close()


def open_bench(spec: BenchSpec, open_transport: OpenTransport) -> Bench:
    """Open every byte port once and put the drivers on it. Nothing is sent.

    Args:
        spec: the bench.
        open_transport: opens one port, e.g. :func:`open_real_port` or the twin's.

    Raises:
        InstrumentError: a port could not be opened; those opened before it are closed again.
    """
    opened: dict[str, OpenPort] = {}
    try:
        for port in spec.byte_ports():
            opened[port.name] = open_port(spec, port, open_transport)
    except BaseException:
        for done in opened.values():
            done.close()
        raise
    return Bench(opened)


def open_port(spec: BenchSpec, port: PortSpec, open_transport: OpenTransport) -> OpenPort:
    """Open one port, e.g. again after it was lost. Nothing is sent. Raises as open_bench."""
    types = installed_types()
    transport = open_transport(port)
    drivers = {
        entry.name: connect(
            types[entry.type], transport, types[entry.type].settings(**entry.settings), entry.name
        )
        for entry in spec.on_port(port.name)
    }
    return OpenPort(port, transport, drivers)


def open_real_port(port: PortSpec) -> Transport:
    """Open a port of a real bench through pyserial.

    Raises:
        LinkError: missing, busy, simulated, or cannot be opened.
    """
    from labrig_drivers.transports.serial_port import open_serial

    if port.address == SIMULATED or port.serial is None:
        raise PortMissing(
            port.name,
            f"{port.address!r} is no real serial port.",
            "Write where it is plugged in (`labrig doctor` lists what there is), or simulate.",
        )
    return open_serial(port.address, port.serial, port.name)


@dataclass(frozen=True, slots=True)
class Probe:
    """What answered when an instrument was asked who it is: an identity or the error."""

    instrument: str
    port: str
    identity: Identity | None
    error: InstrumentError | None


def probe_ports(spec: BenchSpec, open_transport: OpenTransport) -> tuple[Probe, ...]:
    """Ask every byte-speaking instrument who it is, port by port; changes no instrument."""
    probes: list[Probe] = []
    for port in spec.byte_ports():
        try:
            opened = open_port(spec, port, open_transport)
        except InstrumentError as error:
            probes += [Probe(e.name, port.name, None, error) for e in spec.on_port(port.name)]
            continue
        try:
            probes += [_ask(name, port.name, driver) for name, driver in opened.drivers.items()]
        finally:
            opened.close()
    return tuple(probes)


def configure(spec: BenchSpec, name: str, open_transport: OpenTransport) -> Identity:
    """Write to one instrument what the rig file says of it, then ask it who it is.

    Raises:
        ValueError: the rig has no such instrument, or it keeps nothing of the rig file.
        InstrumentError: it does not answer, refuses, or runs.
    """
    known = {entry.name: entry for port in spec.byte_ports() for entry in spec.on_port(port.name)}
    if name not in known:
        raise ValueError(f"the rig has no instrument {name!r}; it has {', '.join(known)}")
    opened = open_port(spec, spec.port(known[name].port), open_transport)
    try:
        driver = opened.drivers[name]
        if not isinstance(driver, Configurable):
            raise ValueError(f"a {known[name].type} keeps nothing of the rig file in itself")
        driver.configure()
        identity: Identity = opened.drivers[name].identify()
        return identity
    finally:
        opened.close()


def _ask(name: str, port: str, driver: Any) -> Probe:  # noqa: ANN401 - any kind's driver
    try:
        return Probe(name, port, driver.identify(), None)
    except InstrumentError as error:
        return Probe(name, port, None, error)
    except OSError as error:
        return Probe(name, port, None, LinkError(name, f"the port failed: {error}."))
