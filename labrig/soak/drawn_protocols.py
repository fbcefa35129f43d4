"""From a number to a protocol and a rig of the catalogue's kind, small enough to be played."""

from __future__ import annotations

import copy
import random
from collections.abc import Callable
from functools import cache
from typing import Any

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.plan.timeline import PEOPLE, Dose, PersonStep
from labrig.rig.fault_kinds import COMPUTER, COMPUTER_FAULTS, PEOPLE_FAULTS, WORLD, WORLD_FAULTS
from labrig.soak.drawn_benches import other_bench
from labrig.soak.drawn_plans import POISON
from labrig.soak.drawn_troubles import rules_of
from labrig.soak.night import Death, Visit
from labrig.soak.protocol_night import ProtocolNight
from labrig.soak.shrinking import NotPlayable
from labrig.twin.spec import FaultSpec
from labrig.yaml_file import read_yaml
from labrig_drivers.instrument import installed_types

DRAWS = 12
"""[P] Protocols drawn for one night until one compiles without a block."""
_ROWS = "ABCD"
Document = dict[str, Any]


def protocol_night(seed: int) -> ProtocolNight:
    """The same night for the same number, for ever.

    Raises:
        NotPlayable: none of :data:`DRAWS` protocols can start.
    """
    rng = random.Random(f"protocol night {seed}")
    for _ in range(DRAWS):
        night = ProtocolNight(seed, _protocol(rng), _rig(rng))
        try:
            duration_s = night.plan.forecast.duration_s
        except NotPlayable:
            continue
        _trouble(rng, night, duration_s)
        return night
    raise NotPlayable(f"night {seed}: none of {DRAWS} protocols can start")


def other_night(seed: int, bench: str) -> ProtocolNight:
    """The same night for the same number, for ever: on another bench of the catalogue.

    Args:
        seed: of the night.
        bench: of :data:`labrig.soak.drawn_benches.BENCHES`.

    Raises:
        NotPlayable: none of :data:`DRAWS` protocols can start.
    """
    rng = random.Random(f"other night {seed}")
    for _ in range(DRAWS):
        protocol, rig = other_bench(rng, bench)
        rules_of(rng, protocol, rig)
        night = ProtocolNight(seed, protocol, rig)
        try:
            duration_s = night.plan.forecast.duration_s
        except NotPlayable:
            continue
        _trouble(rng, night, duration_s)
        return night
    raise NotPlayable(f"night {seed}: none of {DRAWS} protocols on the bench of {bench} can start")


@cache
def _catalogue(name: str) -> Document:
    data: Document = read_yaml(catalogue_folder() / name).data
    return data


def _rig(rng: random.Random) -> Document:
    """The demonstration bench with one to three of its columns of wells."""
    rig = copy.deepcopy(_catalogue(DEMO_RIG))
    count = rng.choice([1, 1, 1, 2, 2, 3])
    columns = rng.sample(range(1, 7), count)
    return with_wells(rig, {f"{row}{column}" for row in _ROWS for column in columns})


def with_wells(rig: Document, wells: set[str]) -> Document:
    """A rig with only these of its wells, and nothing that reaches none of them."""
    rig = copy.deepcopy(rig)
    for part in ("lines", "electrodes"):
        for name, one in list(rig[part].items()):
            one["wells"] = [well for well in one["wells"] if well in wells]
            if not one["wells"]:
                del rig[part][name]
    rig["chambers"]["wells"] = [well for well in rig["chambers"]["wells"] if well in wells]
    pumps = {line["pump"] for line in rig["lines"].values()}
    bottles = {line["reservoir"] for line in rig["lines"].values()}
    moved = ("new_era_ne1000", "leadfluid_bt")
    rig["instruments"] = {
        name: one
        for name, one in rig["instruments"].items()
        if one["type"] not in moved or name in pumps
    }
    rig["reservoirs"] = {n: one for n, one in rig["reservoirs"].items() if n in bottles}
    ports = {one["port"] for one in rig["instruments"].values()}
    rig["ports"] = {name: one for name, one in rig["ports"].items() if name in ports}
    rig["calibrations"] = [c for c in rig["calibrations"] if c["of"] in rig["instruments"]]
    return rig


def _protocol(rng: random.Random) -> Document:
    protocol = copy.deepcopy(_catalogue(DEMO_PROTOCOL))
    hours = rng.choice([0.75, 1.0, 1.5, 2.0, 3.0])
    baseline_h = rng.choice([0.25, 0.5])
    protocol["phases"] = [
        {"name": "baseline", "duration": f"{baseline_h} h", "factors": "off", "stimulation": "off"},
        {"name": "treatment", "duration": f"{hours - baseline_h} h"},
    ]
    protocol["perfusion"]["flow"] = f"{rng.choice([0.5, 1.0, 1.5])} mL/h"
    protocol["randomisation"]["seed"] = rng.randrange(10**6)
    protocol["imaging"]["interval"] = f"{rng.choice([10, 15, 30])} min"
    protocol["imaging"]["films"]["at"] = [f"{round(hours * rng.uniform(0.6, 0.95), 2)} h"]
    _patterns(rng, protocol)
    _arms(rng, protocol, baseline_h, hours)
    if rng.random() < 0.3:
        step = {
            "name": "feed", "at": f"{round(rng.uniform(0.2, 0.8) * hours, 2)} h",
            "do": "change-medium", "to": "differentiation", "within": "20 min",
            "pumps": rng.choice(["hold", "run"]), "if_missed": rng.choice(["censor", "go-on"]),
        }  # fmt: skip
        protocol["steps"] = [step]
    return protocol


def _patterns(rng: random.Random, protocol: Document) -> None:
    tonic = protocol["patterns"]["tonic_10hz_2mean"]
    frequency_hz = rng.choice([5, 10, 20])
    on_s, off_s = rng.choice([(10, 40), (5, 20), (2, 8)])
    mean_hz = frequency_hz * on_s / (on_s + off_s)
    tonic.update(
        frequency=f"{frequency_hz} Hz", train_on=f"{on_s} s", train_off=f"{off_s} s",
        mean_rate=f"{mean_hz:g} Hz", amplitude=f"{rng.choice([8, 12, 15])} V",
    )  # fmt: skip


def _arms(rng: random.Random, protocol: Document, baseline_h: float, hours: float) -> None:
    boluses = [
        {
            "factor": "leucine", "stock": "leucine-stock",
            "at": f"{round(rng.uniform(0.1, 0.9) * hours, 3)} h",
            "volume": f"{rng.choice([20, 50, 80])} uL", "rate": f"{rng.choice([3, 6])} mL/h",
        }
        for _ in range(rng.randint(0, 2))
    ]  # fmt: skip
    arms = protocol["arms"]
    scale = rng.choice([0.5, 1.0])
    targets = {
        name: f"{scale * ng_ml} ng/mL"
        for name, ng_ml in (("CNTF", 10.0), ("BDNF", 50.0), ("NT-4/5", 50.0))
    }
    changed = rng.random() < 0.3
    for arm in arms.values():
        arm["boluses"] = boluses
        if "targets" in arm:
            arm["targets"] = targets
            if changed:
                del arm["targets"]
                turn_h = round(baseline_h + (hours - baseline_h) * rng.uniform(0.3, 0.7), 2)
                arm["program"] = [
                    {"from": f"{baseline_h} h", "targets": targets},
                    {"from": f"{turn_h} h", "targets": "none"},
                ]


def _trouble(rng: random.Random, night: ProtocolNight, duration_s: float) -> None:
    moments = _moments(rng, night, duration_s)
    if rng.random() < 0.6:
        night.faults += _of_instruments(rng, night, moments)
    if rng.random() < 0.4:
        night.faults += _of_the_world(rng, night, moments)
    for name in ("unplug", "disk_full", "disk_read_only", "journal_locked", "pause", "sleep",
                 "clock_step", "kill"):  # fmt: skip
        if rng.random() < 0.12:
            from_s = moments()
            value = rng.choice(COMPUTER_FAULTS[name].values)
            of = rng.choice(["", *sorted(night.rig["ports"])]) if name == "unplug" else ""
            until_s = from_s + rng.choice([2.0, 30.0, 300.0])
            night.faults.append(FaultSpec(COMPUTER, name, from_s, until_s, value, of))
    if any(isinstance(entry, PersonStep) for entry in night.plan.timeline) and rng.random() < 0.5:
        name = rng.choice(sorted(PEOPLE_FAULTS))
        value = PEOPLE_FAULTS[name].values[0]
        night.faults.append(FaultSpec(PEOPLE, name, 0.0, float("inf"), value))
    if rng.random() < 0.3:
        how = rng.choice(["after_rows", "after_writes"])
        night.deaths.append(Death(how, rng.randint(1, 3000), rng.choice([1.0, 20.0, 200.0])))
    if rng.random() < 0.5:
        night.visits += _visits(rng, moments)


def _moments(rng: random.Random, night: ProtocolNight, duration_s: float) -> Callable[[], float]:
    acts = [entry.offset_s for entry in night.plan.timeline if isinstance(entry, Dose)]

    def moment() -> float:
        if acts and rng.random() < 0.5:
            return round(max(0.5, rng.choice(acts) + rng.uniform(-3.0, 70.0)), 3)
        return round(rng.uniform(1.0, duration_s), 3)

    return moment


def _of_instruments(
    rng: random.Random, night: ProtocolNight, moment: Callable[[], float]
) -> list[FaultSpec]:
    types = {name: one["type"] for name, one in night.rig["instruments"].items()}
    faults: list[FaultSpec] = []
    for _ in range(rng.randint(1, 4)):
        name = rng.choice(sorted(types))
        declared = installed_types()[types[name]].faults
        if not declared:
            continue
        fault = rng.choice(sorted(declared))
        from_s = moment()
        until_s = from_s + rng.choice([1.0, 30.0, 300.0, 1e6])
        if not any((f.instrument, f.name) == (name, fault) for f in faults):
            value = rng.choice(declared[fault].values)
            faults.append(FaultSpec(name, fault, from_s, until_s, value))
    return faults


def _of_the_world(
    rng: random.Random, night: ProtocolNight, moment: Callable[[], float]
) -> list[FaultSpec]:
    faults = []
    for _ in range(rng.randint(1, 2)):
        name = rng.choice(sorted(WORLD_FAULTS))
        of = {
            "bubble": rng.choice(sorted(night.rig["lines"])),
            "clog": rng.choice(sorted(night.rig["lines"])),
            "leak": rng.choice(sorted(night.rig["lines"])),
            "run_dry": rng.choice(sorted(night.rig["reservoirs"])),
        }.get(name, "")
        from_s = moment()
        value = rng.choice(WORLD_FAULTS[name].values)
        faults.append(FaultSpec(WORLD, name, from_s, from_s + rng.choice([60.0, 900.0]), value, of))
    return faults


def _visits(rng: random.Random, moment: Callable[[], float]) -> list[Visit]:
    visits: list[Visit] = []
    if rng.random() < 0.3:
        visits.append(Visit(at_s := moment(), "stop, perhaps", rng.choice(POISON)))
        if rng.random() < 0.7:
            visits.append(Visit(at_s + rng.choice([1.0, 40.0, 61.0]), "take back"))
    for _ in range(rng.randint(0, 2)):
        from_s = moment()
        visits.append(Visit(from_s, "hold", rng.choice(POISON)))
        visits.append(Visit(from_s + rng.choice([5.0, 60.0, 400.0]), "resume"))
    for _ in range(rng.randint(0, 3)):
        choice = rng.choice(["do", "skip", "redo", "assume_done", "restart", "leave"])
        visits.append(Visit(moment(), "answer", choice))
    if rng.random() < 0.3:
        visits.append(Visit(moment(), "note", rng.choice(POISON)))
    return visits
