"""How an instrument presents itself: one ``INSTRUMENT`` a folder, found by entry point.

A third-party lab ships a package with an entry point in the group ``labrig.instruments``
that names such an object; nothing in labrig changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from types import MappingProxyType
from typing import Any, Literal

Kind = Literal["pump", "stimulator", "camera", "stage", "probe"]
LinkType = Literal["serial", "modbus", "camera"]


@dataclass(frozen=True, slots=True)
class SerialSettings:
    """How the port is to be opened, as the instrument leaves the factory.

    Attributes:
        dtr_on_open: False for boards that reset when DTR rises.
        quiet_s: silence kept on the wire before each frame (Modbus RTU: 3.5 characters).
    """

    baudrate: int
    bytesize: int = 8
    parity: Literal["N", "E", "O"] = "N"
    stopbits: int = 1
    dtr_on_open: bool = True
    quiet_s: float = 0.0


@dataclass(frozen=True, slots=True)
class InstrumentType:
    """All that a rig must know to use one type of instrument.

    Attributes:
        name: as rig files write it after ``type:``.
        kind: which Protocol of :mod:`labrig_drivers.kinds` its driver satisfies.
        link: ``serial`` drivers get a Transport, ``modbus`` drivers a ModbusLink, ``camera``
            drivers the device address itself (a number, path or URL).
        serial: port settings, None for cameras.
        settings: a frozen dataclass of what the rig file may set under ``settings:``; its
            fields carry units in their names and have defaults.
        driver: ``(link, settings, name) -> driver``. No I/O happens in it.
        simulator: ``(settings, plant, seed, faults, name) -> Simulator``; None when the
            instrument has no byte protocol (a camera).
        verified_on: how well it is known: any of manual, firmware, peer client, hardware.
    """

    name: str
    kind: Kind
    link: LinkType
    vendor: str
    model: str
    serial: SerialSettings | None
    settings: type[Any]
    driver: Callable[[Any, Any, str], Any]
    simulator: Callable[..., Any] | None
    verified_on: tuple[str, ...]


# Asked whenever a port is opened again at night, when a disk may be slow: read once a process.
@cache
def installed_types() -> Mapping[str, InstrumentType]:
    """Every installed instrument type by name, third parties' included.

    Raises:
        TypeError: an entry point names something that is not an InstrumentType.
    """
    found: dict[str, InstrumentType] = {}
    for entry in sorted(entry_points(group="labrig.instruments"), key=lambda e: e.name):
        loaded = entry.load()
        if not isinstance(loaded, InstrumentType):
            raise TypeError(
                f"entry point {entry.name!r} ({entry.value}) is a {type(loaded).__name__}, "
                "not an InstrumentType: its package must export INSTRUMENT = InstrumentType(...)"
            )
        found[loaded.name] = loaded
    return MappingProxyType(found)
