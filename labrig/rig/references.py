"""Whether everything that a rig names exists in it, and can be what it is said to be."""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, get_type_hints

from pydantic import TypeAdapter, ValidationError

from labrig.problems import KeyPath, Mistake, did_you_mean, raise_mistakes
from labrig.protocol.plates import PLATES
from labrig.rig.chamber_lines import chamber_line_mistakes
from labrig.rig.chip_references import chip_mistakes, light_mistakes
from labrig.rig.climate import climate_mistakes
from labrig.rig.interlocks import by_hand_mistakes, interlock_mistakes
from labrig_drivers.instrument import BrokenType, InstrumentType, installed_types

if TYPE_CHECKING:
    from labrig.rig.models import InstrumentEntry, Rig


def check_references(rig: Rig) -> None:
    """Every name must lead somewhere, and every instrument type must take its settings.

    Raises:
        pydantic.ValidationError: one line error a mistake, each with its path and remedy.
    """
    types = _usable(rig, installed_types())
    mistakes = [
        *(m for name, e in rig.instruments.items() for m in _instrument(rig, name, e, types)),
        *_texts(rig),
        *_ports(rig, types),
        *_chambers(rig),
        *_lines(rig, types),
        *chamber_line_mistakes(rig, lambda path, wells: _wells(rig, path, wells)),
        *_selectors(rig, types),
        *_outflow(rig, types),
        *_electrodes(rig, types),
        *_lights(rig, types),
        *chip_mistakes(rig),
        *_optics(rig, types),
        *climate_mistakes(
            rig,
            types,
            lambda path, name, kind: _is(rig, types, path, name, kind),
            lambda path, wells: _wells(rig, path, wells),
        ),
        *by_hand_mistakes(rig),
        *interlock_mistakes(rig, types),
    ]
    raise_mistakes("rig", mistakes)


def _usable(rig: Rig, types: Mapping[str, InstrumentType]) -> dict[str, InstrumentType]:
    """The types that the rig names, as far as they can be used; no other is loaded."""
    found = {}
    for name in {entry.type for entry in rig.instruments.values()} & set(types):
        with contextlib.suppress(BrokenType):  # told where an instrument is of that type
            found[name] = types[name]
    return found


def _unknown(path: KeyPath, kind: str, name: str, known: Iterable[str]) -> Mistake:
    return Mistake(path, f"there is no {kind} '{name}'", did_you_mean(name, list(known)), name)


def _is(
    rig: Rig, types: Mapping[str, InstrumentType], path: KeyPath, name: str, kind: str
) -> Iterator[Mistake]:
    """The instrument exists and is of this kind."""
    of_kind = [
        n for n, e in rig.instruments.items() if e.type in types and types[e.type].kind == kind
    ]
    if name not in rig.instruments and not of_kind:
        remedy = f"This rig has no {kind}: add one to `instruments:` (`labrig doctor --types`)."
        yield Mistake(path, f"there is no {kind} '{name}'", remedy, name)
    elif name not in rig.instruments:
        yield _unknown(path, kind, name, of_kind)
    elif rig.instruments[name].type in types and name not in of_kind:
        entry = rig.instruments[name]
        yield Mistake(
            path,
            f"'{name}' is a {types[entry.type].kind} ({entry.type}), not a {kind}",
            f"Name a {kind}: {', '.join(of_kind) or 'this rig has none'}.",
            name,
        )


def _instrument(
    rig: Rig, name: str, entry: InstrumentEntry, types: Mapping[str, InstrumentType]
) -> Iterator[Mistake]:
    path: KeyPath = ("instruments", name)
    if entry.port not in rig.ports:
        yield _unknown((*path, "port"), "port", entry.port, rig.ports)
    if entry.type not in types:
        yield _no_type((*path, "type"), entry.type)
        return
    yield from _settings((*path, "settings"), entry, types[entry.type])


def _no_type(path: KeyPath, name: str) -> Mistake:
    installed = installed_types()
    try:
        installed[name]
    except BrokenType as error:
        what = f"instrument type '{name}' cannot be used"
        return Mistake(path, what, f"{str(error)[0].upper()}{str(error)[1:]}.", name)
    except KeyError:
        pass
    guess = did_you_mean(name, list(installed))
    known = f"Known types: {', '.join(sorted(installed))}."
    remedy = known if guess.startswith("There") else f"{guess} {known}"
    return Mistake(path, f"instrument type '{name}' is not installed", remedy, name)


def _settings(path: KeyPath, entry: InstrumentEntry, kind: InstrumentType) -> Iterator[Mistake]:
    known = [field.name for field in dataclasses.fields(kind.settings)]
    remedy = f"Settings of a {kind.name}: {', '.join(known)}."
    hints = get_type_hints(kind.settings)
    sound = True
    for key, value in entry.settings.items():
        if key not in known:
            sound = False
            what = f"a {kind.name} has no setting '{key}'"
            yield Mistake((*path, key), what, did_you_mean(key, known), value)
            continue
        try:
            TypeAdapter(hints[key]).validate_python(value, strict=True)
        except ValidationError as error:
            sound = False
            wanted = str(error.errors(include_url=False)[0]["msg"])
            wanted = wanted.replace("Input should be a valid", "it should be a valid")
            wanted = wanted.replace("Input should", "it should").replace("integer", "whole number")
            what = f"{value!r} will not do: {wanted}"
            yield Mistake((*path, key), what, remedy, value)
    if not sound:
        return
    try:
        kind.settings(**entry.settings)
    except (TypeError, ValueError) as error:
        # settings name the field they complain of; that is where the mistake stands
        at = [key for key in entry.settings if key in str(error)][:1]
        yield Mistake((*path, *at), str(error), remedy)


def _texts(rig: Rig) -> Iterator[Mistake]:
    """Addresses and settings hold no control characters: those come of a path in double quotes."""
    texts: list[tuple[KeyPath, object]] = [
        (("ports", name, "address"), port.address) for name, port in rig.ports.items()
    ]
    texts += [
        (("instruments", name, "settings", key), value)
        for name, entry in rig.instruments.items()
        for key, value in entry.settings.items()
    ]
    for path, text in texts:
        if isinstance(text, str) and not text.isprintable():
            yield Mistake(
                path,
                f"{text!r} holds a character that cannot be seen",
                "Write a path in single quotes, or with forward slashes: 'C:/videos/new'.",
                text,
            )
        if isinstance(text, float) and not math.isfinite(text):
            yield Mistake(path, f"{text} is not a finite number", "Write a number.", text)
        if isinstance(text, str) and not text.strip():
            yield Mistake(path, "nothing stands here", "Write it, or remove the line.", text)


def _ports(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    """Instruments that share a port must agree on it, and each be told from the others there."""
    for port in rig.ports:
        sharing = {n: e for n, e in rig.instruments.items() if e.port == port and e.type in types}
        if len(sharing) < 2:
            continue
        names = list(sharing)
        first = types[sharing[names[0]].type]
        seen: dict[Hashable, str] = {}
        lonely: list[tuple[str, InstrumentType]] = []
        for name, entry in sharing.items():
            kind = types[entry.type]
            path: KeyPath = ("instruments", name)
            if (kind.link, kind.serial) != (first.link, first.serial):
                yield Mistake(
                    (*path, "port"),
                    f"'{name}' ({kind.name}) and '{names[0]}' ({first.name}) cannot share port "
                    f"'{port}': they speak differently",
                    "Give each its own port.",
                    port,
                )
                continue
            key, told = _bus_key(entry, kind)
            if not told:
                continue  # its settings are wrong, and that is said where they stand
            if key is None:
                lonely.append((name, kind))
                continue
            if key in seen:
                yield Mistake(
                    (*path, "settings"),
                    f"'{name}' and '{seen[key]}' share port '{port}' and both have "
                    f"{_in_words(key)}",
                    "Give each its own address, here and on the instrument.",
                )
            seen.setdefault(key, name)
        for name, kind in lonely:
            other = next(n for n in names if n != name)
            yield Mistake(
                ("instruments", name, "port"),
                f"'{name}' and '{other}' share port '{port}', and a {kind.name} has no address to "
                "tell them apart",
                "Give each its own port.",
                port,
            )


def _bus_key(entry: InstrumentEntry, kind: InstrumentType) -> tuple[Hashable | None, bool]:
    """What tells an instrument from others of its port; whether its settings allow to say."""
    try:
        return kind.bus_key(kind.settings(**entry.settings)), True
    except (TypeError, ValueError):
        return None, False


def _in_words(key: Hashable) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return f"address {', '.join(str(part) for part in parts)}"


def _wells(rig: Rig, path: KeyPath, wells: Iterable[str]) -> Iterator[Mistake]:
    """Wells are chambers of the rig, each named once."""
    seen: set[str] = set()
    plate = PLATES[rig.plate]
    for index, well in enumerate(wells):
        if well not in plate:
            yield Mistake((*path, index), *plate.lacks(well), well)
        elif well not in rig.chambers.wells:
            yield Mistake(
                (*path, index),
                f"well {well} is not among the rig's chambers",
                "Add it to chambers.wells, or name one of those.",
                well,
            )
        if well in seen:
            yield Mistake((*path, index), f"well {well} stands here twice", "Remove one.", well)
        seen.add(well)


def _chambers(rig: Rig) -> Iterator[Mistake]:
    yield from _wells(rig, ("chambers", "wells"), rig.chambers.wells)
    if rig.chambers.closed:
        for key, value in (
            ("channel_width", rig.chambers.channel_width_mm),
            ("channel_height", rig.chambers.channel_height_mm),
        ):
            if value is None:
                yield Mistake(
                    ("chambers",),
                    f"a closed chamber needs its {key}, for the shear on the cells",
                    f"Add `{key}: ... mm`.",
                )


def _lines(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    fed: dict[tuple[str, str, bool], str] = {}
    for name, line in rig.lines.items():
        path: KeyPath = ("lines", name)
        if line.reservoir and line.reservoir not in rig.reservoirs:
            yield _unknown((*path, "reservoir"), "reservoir", line.reservoir, rig.reservoirs)
        yield from _is(rig, types, (*path, "pump"), line.pump, "pump")
        yield from _wells(rig, (*path, "wells"), line.wells)
        if not line.reservoir and not line.from_chamber:
            continue  # told where it is said that it begins nowhere
        place = line.carries if line.carries == "medium" else (line.role or line.carries)
        for index, well in enumerate(line.wells):
            # beside a line from a chamber, one of its role brings the vehicle
            other = fed.setdefault((place, well, bool(line.from_chamber)), name)
            if other != name:
                yield Mistake(
                    (*path, "wells", index),
                    f"well {well} already has line '{other}' for {place}",
                    "Give the two lines different roles, or take the well from one.",
                    well,
                )


def _selectors(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    behind: dict[str, str] = {}
    at_valve: dict[str, str] = {}
    for name, selector in rig.selectors.items():
        path: KeyPath = ("selectors", name)
        yield from _is(rig, types, (*path, "valve"), selector.valve, "valve")
        if (first := at_valve.setdefault(selector.valve, name)) != name:
            yield Mistake(
                (*path, "valve"),
                f"valve '{selector.valve}' is already that of selector '{first}'",
                f"Put the lines of both under '{first}' (`line: [a, b]`), or name another valve.",
                selector.valve,
            )
        for line in selector.lines:
            if line not in rig.lines:
                yield _unknown((*path, "line"), "line", line, rig.lines)
            elif (other := behind.setdefault(line, name)) != name:
                yield Mistake(
                    (*path, "line"),
                    f"line '{line}' is already behind selector '{other}'",
                    "A line has one selector: give its positions to one valve.",
                    line,
                )
        yield from _positions(rig, name)
        yield from _of_the_head(rig, name, types)


def _of_the_head(rig: Rig, name: str, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    """Positions that the valve's head has."""
    selector = rig.selectors[name]
    entry = rig.instruments.get(selector.valve)
    kind = types.get(entry.type) if entry is not None else None
    if entry is None or kind is None or kind.positions is None:
        return
    try:
        there = kind.positions(kind.settings(**entry.settings))
    except (TypeError, ValueError):
        return  # told where the settings stand
    for position in selector.positions:
        if position >= 1 and str(position) not in there:
            yield Mistake(
                ("selectors", name, "positions", position),
                f"valve '{selector.valve}' has no position {position}",
                f"It has: {', '.join(there)}.",
                position,
            )


def _positions(rig: Rig, name: str) -> Iterator[Mistake]:
    selector, path = rig.selectors[name], ("selectors", name)
    for position, reservoir in selector.positions.items():
        here: KeyPath = (*path, "positions", position)
        if reservoir not in rig.reservoirs:
            yield _unknown(here, "reservoir", reservoir, rig.reservoirs)
        if position < 1:
            what = f"there is no position {position}"
            yield Mistake(here, what, "Positions are counted from 1.", position)
    if selector.safe not in selector.positions:
        there = ", ".join(map(str, selector.positions))
        yield Mistake(
            (*path, "safe"),
            f"selector '{name}' has no position {selector.safe}",
            f"Name the position of the vehicle or the medium: {there}.",
            selector.safe,
        )
    for line in selector.lines:
        own = rig.lines[line].reservoir if line in rig.lines else ""
        if own and own not in selector.positions.values():
            yield Mistake(
                ("lines", line, "reservoir"),
                f"line '{line}' is behind selector '{name}', which has no position for '{own}'",
                f"Name one of its reservoirs ({', '.join(selector.positions.values())}), or add "
                f"a position for '{own}'.",
                own,
            )


def _outflow(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    outflow = rig.outflow
    if outflow is None:
        if rig.lines:
            yield Mistake(
                ("lines",),
                "liquid comes in, and nothing says how it leaves",
                "Add `outflow:` with kind and waste_volume: wells would overflow.",
            )
        return
    if outflow.pump is not None:
        yield from _is(rig, types, ("outflow", "pump"), outflow.pump, "pump")
    elif outflow.kind == "pumped":
        yield Mistake(("outflow",), "a pumped outflow needs its pump", "Add `pump: NAME`.")


def _electrodes(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    channels: dict[tuple[str, int], str] = {}
    wired: dict[str, str] = {}
    for name, electrodes in rig.electrodes.items():
        path: KeyPath = ("electrodes", name)
        yield from _is(rig, types, (*path, "stimulator"), electrodes.stimulator, "stimulator")
        yield from _wells(rig, (*path, "wells"), electrodes.wells)
        other = channels.setdefault((electrodes.stimulator, electrodes.channel), name)
        if other != name:
            yield Mistake(
                (*path, "channel"),
                f"channel {electrodes.channel} of '{electrodes.stimulator}' already drives "
                f"'{other}'",
                "List all wells of a channel in one entry, or use another channel.",
                electrodes.channel,
            )
        for index, well in enumerate(electrodes.wells):
            first = wired.setdefault(well, name)
            if first != name:
                yield Mistake(
                    (*path, "wells", index),
                    f"well {well} already has the electrodes '{first}'",
                    "A well has one pair of electrodes.",
                    well,
                )


def _lights(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    for name, light in rig.lights.items():
        path: KeyPath = ("lights", name)
        yield from _is(rig, types, (*path, "stimulator"), light.stimulator, "stimulator")
        yield from _wells(rig, (*path, "wells"), light.wells)
    yield from light_mistakes(rig)


def _optics(rig: Rig, types: Mapping[str, InstrumentType]) -> Iterator[Mistake]:
    yield from _is(rig, types, ("stage", "instrument"), rig.stage.instrument, "stage")
    for channel, optics in rig.optics.items():
        yield from _is(rig, types, ("optics", channel, "camera"), optics.camera, "camera")
    if rig.probe is not None:
        yield from _is(rig, types, ("probe",), rig.probe, "probe")
    calibrated = [*rig.instruments, *{o.objective: None for o in rig.optics.values()}]
    for index, calibration in enumerate(rig.calibrations):
        if calibration.of not in calibrated:
            path: KeyPath = ("calibrations", index, "of")
            yield _unknown(path, "instrument or objective", calibration.of, calibrated)
