"""How an instrument presents itself: one ``INSTRUMENT`` a folder, found by entry point.

A third-party lab ships a package with an entry point in the group ``labrig.instruments``
that names such an object; nothing in labrig changes.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from labrig_drivers.kinds import Kind, PumpRates, Quantity, StageLimits
from labrig_drivers.simulation import FaultKind

LinkType = Literal["serial", "modbus", "address"]
Host = Literal["runner", "imaging"]
DriveUnit = Literal["V", "mA"]

HOSTED_WITH_IMAGES = ("camera", "stage")
"""Kinds that the imaging process knows how to serve."""


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
class Syringe:
    """What stands in a syringe pump; ``volume_ul``: what it holds when full, None: not said."""

    inner_diameter_mm: float
    volume_ul: float | None


def _watchdog_s(settings: Any) -> float | None:  # noqa: ANN401 - any type's settings
    return getattr(settings, "watchdog_s", None) or None


def _alone(settings: Any) -> None:  # noqa: ANN401 - any type's settings
    return None


class ContradictoryType(ValueError):
    """What an instrument type declares does not go together; the message says what to write."""


@dataclass(frozen=True, slots=True)
class InstrumentType:
    """All that a rig must know to use one type of instrument.

    Attributes:
        name: as rig files write it after ``type:``.
        kind: which Protocol of :mod:`labrig_drivers.kinds` its driver satisfies.
        link: ``serial`` drivers get a Transport, ``modbus`` drivers a ModbusLink, ``address``
            drivers what the rig file gives as the port's address (a number, path, URL or name)
            and open the instrument themselves, when it is first used.
        serial: port settings, None for ``address``.
        settings: a frozen dataclass of what the rig file may set under ``settings:``; its
            fields carry units in their names and have defaults.
        driver: ``(link, settings, name) -> driver``. No I/O happens in it.
        simulator: ``(settings, plant, seed, faults, name) -> Simulator``; None when the
            instrument has no byte protocol. The simulated bench then plays its kind.
        verified_on: how well it is known: any of manual, firmware, peer client, hardware.
        host: which process owns it. ``runner``: a port of bytes, in the process that doses.
            ``imaging``: the process of its own in which a vendor's library may hang, and which
            may load NumPy; for a camera always, for a stage that a library moves.
        bus_key: ``settings ->`` what tells it from others of its port, e.g. an address, or an
            address with a channel: each is an instrument of its own. None: it has its port alone.
        device_id: ``settings ->`` the Modbus device that its link speaks to.
        heartbeat_s: ``settings ->`` how long its host may be silent before it stops itself; None:
            for ever. Without a word of its own, the field ``watchdog_s`` of its settings.
        rates: ``settings ->`` the rates that a pump can hold.
        travel: ``settings ->`` where a stage may be sent.
        syringe: ``settings -> Syringe`` of a pump that empties one; None for all that may draw
            from several reservoirs at once.
        drive_watched: whether a pump's own counter notices that its drive stands still.
        serves_files: whether, at the address of a file or folder, it gives pictures from there and
            touches nothing on the bench: it may then stay in a simulated night.
        measures: ``settings ->`` what a probe's or controller's readings hold, or what a stimulator
            measures of its outputs, each with its unit.
        positions: ``settings ->`` names of a valve's positions.
        sets: ``settings ->`` what a controller can be told to hold, and within which limits.
        holds: what a stimulator can hold: volts, milliamperes or either.
        faults: what its simulator can play, by name.

    Raises:
        ContradictoryType: a ValueError.
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
    host: Host = "runner"
    bus_key: Callable[[Any], Hashable | None] = _alone
    device_id: Callable[[Any], int] | None = None
    heartbeat_s: Callable[[Any], float | None] = _watchdog_s
    rates: Callable[[Any], PumpRates] | None = None
    travel: Callable[[Any], StageLimits] | None = None
    syringe: Callable[[Any], Syringe] | None = None
    drive_watched: bool = False
    serves_files: bool = False
    measures: Callable[[Any], tuple[Quantity, ...]] | None = None
    positions: Callable[[Any], tuple[str, ...]] | None = None
    sets: Callable[[Any], tuple[Quantity, ...]] | None = None
    holds: tuple[DriveUnit, ...] = ("V",)
    faults: Mapping[str, FaultKind] = field(default_factory=dict)

    def __post_init__(self) -> None:
        wrong = _contradiction(self)
        if wrong:
            raise ContradictoryType(f"instrument type '{self.name}': {wrong}")


def _contradiction(kind: InstrumentType) -> str:
    """What does not go together, and what to write; empty when all does."""
    opens_itself = kind.link == "address"
    for holds, words in (
        (
            kind.host == "imaging" and kind.kind not in HOSTED_WITH_IMAGES,
            f"the imaging process cannot serve a {kind.kind}, only a "
            f'{" or ".join(HOSTED_WITH_IMAGES)}: write host="runner"',
        ),
        (
            kind.kind == "camera" and kind.host == "runner",
            'pixels have no place in the runner: write host="imaging"',
        ),
        (
            opens_itself and kind.host == "runner",
            'the runner owns ports of bytes only: write link="serial" or "modbus", or '
            'host="imaging"',
        ),
        (
            not opens_itself and kind.host == "imaging",
            'the imaging process opens no port of bytes: write link="address", or host="runner"',
        ),
        (
            opens_itself is not (kind.serial is None),
            'serial= says how a port of bytes is opened: it goes with link="serial" and '
            '"modbus", and with no other',
        ),
        (
            kind.link == "modbus" and kind.device_id is None,
            "a Modbus link needs device_id=, e.g. lambda settings: settings.address",
        ),
        (
            kind.kind == "pump" and kind.rates is None,
            "a pump needs rates=, which a plan asks without a pump "
            "(labrig_drivers.kinds.PumpRates)",
        ),
        (
            kind.kind == "stage" and kind.travel is None,
            "a stage needs travel=, which a plan asks without a stage "
            "(labrig_drivers.kinds.StageLimits)",
        ),
        (
            kind.kind in ("probe", "controller") and kind.measures is None,
            f"a {kind.kind} needs measures=, the quantities of its readings "
            "(labrig_drivers.kinds.Quantity)",
        ),
        (
            kind.kind not in ("probe", "controller", "stimulator") and kind.measures is not None,
            "measures= says what a probe, controller or stimulator reads; nobody asks a "
            f"{kind.kind} for it",
        ),
        (
            kind.kind == "valve" and kind.positions is None,
            "a valve needs positions=, their names, which a plan asks without a valve",
        ),
        (
            kind.kind == "controller" and kind.sets is None,
            "a controller needs sets=, the quantities that it can hold with their limits, which a "
            "plan asks without a controller (labrig_drivers.kinds.Quantity)",
        ),
        (
            not kind.holds or not set(kind.holds) <= {"V", "mA"},
            'holds= names what a stimulator holds: ("V",), ("mA",) or both',
        ),
        (
            bool(kind.faults) and kind.simulator is None,
            "faults= are what a simulator plays, and it has none",
        ),
    ):
        if holds:
            return words
    return ""


def connect(
    kind: InstrumentType,
    link: Any,  # noqa: ANN401 - a Transport or an address
    settings: Any,  # noqa: ANN401 - the type's own
    name: str,
) -> Any:  # noqa: ANN401 - any kind's driver
    """A driver of this type; nothing is sent.

    Args:
        kind: the type.
        link: an open Transport; of an ``address`` type, the address.
        settings: an object of its settings class.
        name: as the rig file calls it.
    """
    if kind.device_id is not None and kind.link == "modbus":
        # here, because a bench without Modbus need not pay for pymodbus
        from labrig_drivers.transports.modbus import ModbusLink

        link = ModbusLink(link, name, device_id=kind.device_id(settings))
    return kind.driver(link, settings, name)


GROUP = "labrig.instruments"
OWN = "labrig"


class BrokenType(Exception):
    """An installed instrument type cannot be used; the message says why and what to do."""


class InstalledTypes(Mapping[str, InstrumentType]):
    """Every installed instrument type by name; each is loaded when it is first asked for.

    So a third party's package that does not load, or whose name another has too, costs nobody
    anything but those whose rig names it. Reading one raises KeyError where none is installed
    and :class:`BrokenType` where it cannot be used.
    """

    def __init__(self, entries: Iterable[EntryPoint]) -> None:
        self._entries: dict[str, list[EntryPoint]] = {}
        for entry in sorted(entries, key=lambda e: e.name):
            self._entries.setdefault(entry.name, []).append(entry)
        self._loaded: dict[str, InstrumentType] = {}

    def __getitem__(self, name: str) -> InstrumentType:
        if name not in self._loaded:
            self._loaded[name] = _load(name, self._entries[name])
        return self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def left_out(self) -> list[str]:
        """In words, each third party's type that has a name of labrig's own."""
        return [
            f"'{name}' of package {_package(entry)} is not used: labrig has a type of that name"
            for name, entries in self._entries.items()
            if len(entries) > 1 and any(_package(entry) == OWN for entry in entries)
            for entry in entries
            if _package(entry) != OWN
        ]


def _load(name: str, entries: Sequence[EntryPoint]) -> InstrumentType:
    own = [entry for entry in entries if _package(entry) == OWN]
    if len(entries) > 1 and not own:
        packages = ", ".join(sorted({_package(entry) for entry in entries}))
        raise BrokenType(
            f"{len(entries)} packages have an instrument type '{name}' ({packages}): uninstall all "
            "but one"
        )
    entry = (own or entries)[0]
    try:
        loaded = entry.load()
    # whatever a package of somebody else raises when it is imported
    except (Exception, SystemExit) as error:
        raise BrokenType(
            f"'{name}' of package {_package(entry)} does not load ({type(error).__name__}: "
            f"{error}): mend or uninstall that package"
        ) from error
    if not isinstance(loaded, InstrumentType):
        raise BrokenType(
            f"'{name}' ({entry.value}) is a {type(loaded).__name__}, not an InstrumentType: its "
            "package must export INSTRUMENT = InstrumentType(...)"
        )
    if loaded.name != name:
        raise BrokenType(
            f"the entry point '{name}' ({entry.value}) is an instrument type named "
            f"'{loaded.name}': its package must give both the same name"
        )
    return loaded


def _package(entry: EntryPoint) -> str:
    return "an unknown package" if entry.dist is None else entry.dist.name


# Asked whenever a port is opened again at night, when a disk may be slow: read once a process.
@cache
def installed_types() -> InstalledTypes:
    """Every installed instrument type by name, third parties' included; none is loaded yet."""
    return InstalledTypes(entry_points(group=GROUP))


def usable_types(types: Mapping[str, InstrumentType]) -> tuple[list[InstrumentType], list[str]]:
    """All types that load, and in words what is wrong with each of the others.

    Of two types of one name where labrig's own is used, the other one is told too.
    """
    usable, wrong = [], []
    for name in types:
        try:
            usable.append(types[name])
        except BrokenType as error:
            wrong.append(str(error))
    if isinstance(types, InstalledTypes):
        wrong += types.left_out()
    return usable, wrong
