"""Whether the bench can be what the rig file says it is."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.figures import figure
from labrig.plan.findings import Finding
from labrig.rig.graph import selector_of
from labrig_drivers.instrument import Syringe

SHORTEST_MM, LONGEST_MM = 20.0, 150.0
"""How long a full syringe's barrel can be: volume over area [P]. The syringes in the NE-1000's own
table, from 10 µL (0.49 mm wide) to 140 mL (38.4 mm), are 50 to 125 mm long [C]."""

LEAST_MM, MOST_MM = 2.0, 1000.0
"""Where only the reservoir's volume is known, a larger syringe may be filled in part, or the rig
may be loose with volumes; beyond these a decimal point has slipped [P]."""

SIMULATED = "sim"
_WINDOWS_PORT = re.compile(r"COM[0-9]+", re.IGNORECASE)


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``bench.*``."""
    yield from _syringes(draft)
    yield from _unused(draft)
    yield from _ports(draft)
    yield from _unwitnessed(draft)
    yield from _watchdogs(draft)


def _syringes(draft: Draft) -> Iterator[Finding]:
    for name, entry in draft.rig.instruments.items():
        kind = draft.types[entry.type]
        if kind.syringe is None:
            continue
        served = {n: line for n, line in draft.rig.lines.items() if line.pump == name}
        behind = [n for n in served if selector_of(draft.rig, n) is not None]
        reservoirs = list(
            dict.fromkeys(line.reservoir for line in served.values() if line.reservoir)
        )
        if behind:
            yield _syringe_behind_valve(name, behind)
        if len(reservoirs) > 1:
            yield Finding(
                "bench.syringe-shared",
                "block",
                f"rig: instruments.{name}",
                f"one syringe pump cannot empty {len(reservoirs)} reservoirs "
                f"({', '.join(reservoirs)})",
                "give each line the pump of its own syringe: look for a mistaken pump: name",
            )
        syringe = kind.syringe(kind.settings(**entry.settings))
        for reservoir in reservoirs:
            yield from _syringe_size(name, syringe, draft.rig.reservoirs[reservoir].volume_ml)


def _syringe_behind_valve(name: str, lines: list[str]) -> Finding:
    return Finding(
        "bench.syringe-behind-valve",
        "block",
        f"rig: instruments.{name}",
        f"a syringe pump pushes what is in its own syringe, and line {', '.join(lines)} is to draw "
        "through a valve",
        "move the line with a peristaltic pump, which draws from the reservoir that is selected",
    )


def _syringe_size(name: str, syringe: Syringe, reservoir_ml: float) -> Iterator[Finding]:
    area_mm2 = math.pi * syringe.inner_diameter_mm**2 / 4.0
    said = syringe.volume_ul is not None
    volume_ml = syringe.volume_ul / 1000.0 if syringe.volume_ul is not None else reservoir_ml
    length_mm = volume_ml * 1000.0 / area_mm2
    usual = SHORTEST_MM <= length_mm <= LONGEST_MM
    impossible = not (usual if said else LEAST_MM <= length_mm <= MOST_MM)
    if impossible or length_mm > LONGEST_MM:
        yield Finding(
            "bench.syringe-size",
            "block" if impossible else "warn",
            f"rig: instruments.{name}.settings",
            f"{volume_ml:g} mL in a syringe {syringe.inner_diameter_mm:g} mm wide would be "
            f"{figure(length_mm, 3)} mm long; syringes are {SHORTEST_MM:g} to {LONGEST_MM:g} mm "
            "[P], and every volume rests on the width",
            "measure the inner diameter, or take it from the maker's table; look for a slipped "
            "decimal point",
            overridable=impossible,
        )
    if said and reservoir_ml > 1.1 * volume_ml:
        yield Finding(
            "bench.syringe-volume",
            "warn",
            f"rig: instruments.{name}.settings",
            f"the reservoir is said to hold {reservoir_ml:g} mL, its syringe {volume_ml:g} mL",
            "write the same volume in both places",
        )


def _unused(draft: Draft) -> Iterator[Finding]:
    rig = draft.rig
    used = {line.pump for line in rig.lines.values()}
    used |= {pair.stimulator for pair in rig.electrodes.values()}
    used |= {optics.camera for optics in rig.optics.values()}
    used |= {name for entry in rig.climate.values() for name in (entry.instrument, entry.probe)
             if name}  # fmt: skip
    used.add(rig.stage.instrument)
    used |= {name for name in (rig.probe, rig.outflow and rig.outflow.pump) if name}
    used |= {entry.instrument for entry in draft.plan.timeline}
    drawn = {line.reservoir for line in rig.lines.values()}
    drawn |= {name for s in rig.selectors.values() for name in s.positions.values()}
    used |= {selector.valve for selector in rig.selectors.values()}
    for what, names in (
        ("instruments", [name for name in rig.instruments if name not in used]),
        ("reservoirs", [name for name in rig.reservoirs if name not in drawn]),
    ):
        if names:
            yield Finding(
                "bench.unused",
                "note",
                f"rig: {what} ({', '.join(names)})",
                "no line, electrode, channel or probe of the rig uses "
                + ("it" if len(names) == 1 else "them"),
                "remove what is not on the bench, or mend a mistaken name in what should use it",
            )


def _ports(draft: Draft) -> Iterator[Finding]:
    ports = draft.rig.ports
    simulated = [name for name, port in ports.items() if port.address == SIMULATED]
    # a camera alone may serve pictures from a folder on a simulated bench
    real = {
        entry.port
        for entry in draft.rig.instruments.values()
        if ports[entry.port].address != SIMULATED and draft.types[entry.type].kind != "camera"
    }
    if simulated and real:
        yield Finding(
            "bench.ports-mixed",
            "warn",
            f"rig: ports ({', '.join(simulated)})",
            "these ports are on the simulated bench and the others are real: a run starts with "
            "--simulate only, and then none is real",
            "write where they are plugged in: `labrig doctor` lists what there is",
        )
    for name, port in ports.items():
        windows = draft.system.startswith("win")
        if _WINDOWS_PORT.fullmatch(port.address) and not windows:
            elsewhere = "this computer is not one with Windows, which has such ports"
        elif port.address.startswith("/dev/") and windows:
            elsewhere = "this computer has Windows, and its serial ports are COM1, COM2, ..."
        else:
            continue
        yield Finding(
            "bench.port-elsewhere",
            "warn",
            f"rig: ports.{name}.address",
            f"{port.address} cannot be opened here: {elsewhere}",
            "write where it is plugged in here: `labrig doctor` lists what there is",
        )


def _pumps_of_lines(draft: Draft) -> dict[str, bool]:
    """Pumps whose lines carry something in this run; whether that is medium."""
    pumps: dict[str, bool] = {}
    for name, line in draft.rig.lines.items():
        if draft.carried.get(name):
            pumps[line.pump] = pumps.get(line.pump, False) or line.carries == "medium"
    return pumps


def _unwitnessed(draft: Draft) -> Iterator[Finding]:
    rig = draft.rig
    blind = {
        name: medium
        for name, medium in _pumps_of_lines(draft).items()
        if not draft.types[rig.instruments[name].type].drive_watched
    }
    if blind:
        medium = [name for name, brings in blind.items() if brings]
        yield Finding(
            "bench.unwitnessed",
            "warn",
            f"rig: instruments ({', '.join(blind)})",
            f"nothing witnesses {'the medium' if medium else 'what these pumps deliver'}: they "
            "count their own turns, and a stall, an empty bottle or a worn tube is not noticed",
            "weigh each bottle before and after the run and compare with the plan; look at the "
            "tips during the night",
        )


def _watchdogs(draft: Draft) -> Iterator[Finding]:
    for name, medium in _pumps_of_lines(draft).items():
        entry = draft.rig.instruments[name]
        kind = draft.types[entry.type]
        watchdog_s = kind.heartbeat_s(kind.settings(**entry.settings))
        if medium and watchdog_s:
            yield Finding(
                "bench.medium-watchdog",
                "block",
                f"rig: instruments.{name}.settings.watchdog_s",
                f"this pump brings medium and stops itself {watchdog_s:g} s after the host's last "
                "word: after every stop, end or crash the wells would starve",
                "write `watchdog_s: 0` for pumps that bring medium (decision 8)",
                overridable=True,
            )
