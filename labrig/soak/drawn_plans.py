"""From a number to a night: a small bench, a short plan, and everything that goes wrong in it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import Any, Literal, get_args

from labrig.plan.dose_model import ChamberPlan, Draw, FactorLoss, Inlet
from labrig.plan.foreseen import Depletion, Forecast
from labrig.plan.plan import PhaseSpan, Plan, WellPlan
from labrig.plan.run_rules import RunRules, SafeState
from labrig.plan.timeline import (
    ClimateLevel,
    Dose,
    Film,
    FlowLevel,
    Frame,
    Lateness,
    Level,
    Reading,
    StimulationLevel,
    TimelineEntry,
    TrainSpec,
    ValveLevel,
)
from labrig.rig.fault_kinds import COMPUTER, COMPUTER_FAULTS
from labrig.soak.night import Death, SeededNight, Visit
from labrig.twin.spec import FaultSpec
from labrig_drivers.instrument import installed_types

LEVELS_UL_MIN = (0.0, 6.0, 9.0, 15.0, 30.0)
DOSE_RATES_UL_MIN = (12.0, 20.0, 40.0)
"""None of them a level, so that a dose can be told from a level by its flow."""
WELLS = ("A1", "A2")
LARGE_WELLS = tuple(f"{row}{column}" for row in "ABCDEFGH" for column in range(1, 13))
"""Entries of such a night name the first two; all 96 are fed."""
SIMULATED = ("new_era_ne1000", "leadfluid_bt", "pulse_pal_2", "asi_ms2000", "vaisala_gmp25x")
"""In this order for ever: it is drawn from, and a seed is a night."""
SETTINGS = ("hamilton_mvp", "watlow_pm")
"""Only in nights from :data:`WITH_SETTINGS` on, whose valves and heaters are drawn apart."""
WITH_SETTINGS = 100_000
WITH_MORE_TROUBLE = 200_000
"""Nights from here on meet what simulators learnt later, and all that befalls computers."""
LATER = frozenset(
    {(kind, "repeat_reply") for kind in (*SIMULATED, *SETTINGS)}
    | {("vaisala_gmp25x", "stale"), ("leadfluid_bt", "reset"), ("asi_ms2000", "corrupt_reply")}
)
"""Faults that no seed below :data:`WITH_MORE_TROUBLE` draws."""
FAULTS = {name: dict(installed_types()[name].faults) for name in (*SIMULATED, *SETTINGS)}
SAFE = (SafeState("valve", "position", "1"), SafeState("heater", "temperature_c", "37"))
POISON = ("fine", "Kühlschrank", "\ud83d", "half \udcfc", "'; DROP TABLE journal; --", "x" * 4000,
          "\x00\x01\x02", "<script>alert(1)</script>", "")  # fmt: skip


def seeded_night(seed: int) -> SeededNight:
    """The same night for the same number, for ever."""
    rng = random.Random(f"night {seed}")
    duration_s = rng.choice([600.0, 900.0, 1500.0])
    instruments, shared_port, counted = _bench(rng)
    timeline = _timeline(rng, instruments, duration_s)
    if seed >= WITH_SETTINGS:
        timeline += _settings(random.Random(f"settings {seed}"), instruments, duration_s)
    plan = plan_of(timeline, instruments, duration_s, rng.choice(["off", "keep"]))
    night = SeededNight(seed, plan, instruments, shared_port, counted)
    moments = _moments(rng, timeline, duration_s)
    # Swarm: each kind of trouble is there or not, so that none always hides another.
    if rng.random() < 0.6:
        night.faults += _faults(rng, instruments, moments)
    if rng.random() < 0.2:
        name = rng.choice(sorted(instruments))
        from_s = moments()
        until_s = from_s + rng.choice([2, 30, 200])
        cable = FaultSpec(COMPUTER, "unplug", from_s, until_s, of=shared_port.get(name, name))
        night.faults.append(cable)
    if rng.random() < 0.2:
        from_s = moments()
        until_s = from_s + rng.choice([3.0, 40.0, 300.0])
        night.faults.append(FaultSpec(COMPUTER, "disk_full", from_s, until_s))
    if rng.random() < 0.5:
        night.deaths += _deaths(rng, night, moments)
    if rng.random() < 0.5:
        night.visits += _visits(rng, moments, duration_s)
    if seed >= WITH_SETTINGS:
        own = random.Random(f"faults of settings {seed}")
        there = {n: its for n, its in instruments.items() if its[0] in SETTINGS}
        known = {(fault.instrument, fault.name) for fault in night.faults}
        more = _faults(own, there, _moments(own, timeline, duration_s))
        night.faults += [fault for fault in more if (fault.instrument, fault.name) not in known]
    if seed >= WITH_MORE_TROUBLE:
        own = random.Random(f"more trouble {seed}")
        night.faults += _more(own, night, _moments(own, timeline, duration_s))
    return night


def large_night(seed: int) -> SeededNight:
    """A night of 96 wells and 54 pumps, on seven lines, for a quarter of an hour."""
    rng = random.Random(f"large night {seed}")
    duration_s = 900.0
    instruments: dict[str, tuple[str, dict[str, Any]]] = {
        f"base{n}": ("leadfluid_bt", {"address": n + 1}) for n in range(6)
    }
    instruments |= {
        f"dose{n}": ("new_era_ne1000", {"address": n % 8, "syringe_diameter_mm": 10.0})
        for n in range(48)
    }
    shared = {f"base{n}": "base0" for n in range(6)}
    shared |= {f"dose{n}": f"dose{n - n % 8}" for n in range(48)}
    instruments |= {
        "pulses": ("pulse_pal_2", {"volts_per_volt": 1.0}),
        "stage": ("asi_ms2000", {"x_sign": 1, "y_sign": 1}),
        "probe": ("vaisala_gmp25x", {}),
    }
    timeline = _timeline(rng, instruments, duration_s)
    plan = plan_of(timeline, instruments, duration_s, rng.choice(["off", "keep"]), LARGE_WELLS)
    night = SeededNight(seed, plan, instruments, shared, {})
    moments = _moments(rng, timeline, duration_s)
    for _ in range(rng.randint(1, 4)):
        night.faults += _faults(rng, instruments, moments)
    if rng.random() < 0.5:
        night.deaths += _deaths(rng, night, moments)
    if rng.random() < 0.5:
        night.visits += _visits(rng, moments, duration_s)
    night.faults += _more(rng, night, moments)
    return night


def _more(
    rng: random.Random, night: SeededNight, moment: Callable[[], float]
) -> Iterator[FaultSpec]:
    """Of the computer, and what simulators learnt later; each is there or not."""
    for name in ("pause", "sleep", "disk_read_only", "journal_locked", "clock_step", "dst"):
        if rng.random() < 0.15:
            from_s = moment()
            value = rng.choice(COMPUTER_FAULTS[name].values)
            until_s = from_s + rng.choice([1.0, 20.0, 130.0])
            yield FaultSpec(COMPUTER, name, from_s, until_s, value)
    for name, (kind, _) in night.instruments.items():
        for fault in sorted(other for other in FAULTS[kind] if (kind, other) in LATER):
            if rng.random() < 0.1:
                from_s = moment()
                yield FaultSpec(name, fault, from_s, from_s + rng.choice([1.0, 20.0, 130.0, 1e6]))


def _bench(
    rng: random.Random,
) -> tuple[dict[str, tuple[str, dict[str, Any]]], dict[str, str], dict[str, float]]:
    instruments: dict[str, tuple[str, dict[str, Any]]] = {}
    counted: dict[str, float] = {}
    shared: dict[str, str] = {}
    peristaltic = rng.randint(0, 2)
    for number in range(peristaltic):
        instruments[f"base{number}"] = ("leadfluid_bt", {"address": number + 1})
    for number in range(rng.randint(0 if peristaltic else 1, 4)):
        name = f"dose{number}"
        diameter_mm = rng.choice([14.43, 10.0])
        settings = {"address": number, "syringe_diameter_mm": diameter_mm}
        if rng.random() < 0.5:
            settings["watchdog_s"] = rng.choice([200, 240])
        instruments[name] = ("new_era_ne1000", settings)
        # near the end of four digits, or where the fourth digit is coarse
        counted[name] = rng.choice([0.0, 0.0, 0.0, 990.0, 1500.0, 9990.0])
    if rng.random() < 0.5:
        shared = {n: n[:-1] + "0" for n in instruments}
    if rng.random() < 0.7:
        instruments["pulses"] = ("pulse_pal_2", {"volts_per_volt": rng.choice([1.0, 2.0])})
    if rng.random() < 0.7:
        signs = {"x_sign": rng.choice([1, -1]), "y_sign": rng.choice([1, -1])}
        instruments["stage"] = ("asi_ms2000", signs)
    if rng.random() < 0.5:
        instruments["probe"] = ("vaisala_gmp25x", {})
    return instruments, shared, counted


def _timeline(
    rng: random.Random, instruments: dict[str, tuple[str, dict[str, Any]]], duration_s: float
) -> list[TimelineEntry]:
    timeline: list[TimelineEntry] = []
    for name, (kind, _) in instruments.items():
        if kind in ("new_era_ne1000", "leadfluid_bt"):
            timeline += _flow(rng, name, kind, duration_s)
        elif kind == "pulse_pal_2":
            timeline += _stimulation(rng, name, duration_s)
        elif kind == "asi_ms2000":
            timeline += _pictures(rng, name, duration_s)
        elif kind == "vaisala_gmp25x":
            timeline += [
                Reading(f"reading-{at_s}", float(at_s), "night", name, Lateness("skip"))
                for at_s in range(0, int(duration_s), 300)
            ]
    return timeline


def _flow(rng: random.Random, name: str, kind: str, duration_s: float) -> list[TimelineEntry]:
    changes_s = [0.0, *(rng.uniform(30.0, duration_s - 30.0) for _ in range(rng.randint(0, 2)))]
    levels = LEVELS_UL_MIN if kind == "new_era_ne1000" else LEVELS_UL_MIN[1:]
    flows: list[TimelineEntry] = [
        FlowLevel(f"flow-{name}-{at_s:.0f}", round(at_s, 1), "night", name, rng.choice(levels),
                  WELLS)
        for at_s in sorted(changes_s)
    ]  # fmt: skip
    for number in range(rng.randint(0, 4)):
        at_s = round(rng.uniform(5.0, duration_s - 5.0), 1)
        lateness = rng.choice([
            Lateness("once_within", 60.0), Lateness("skip"), Lateness("ask"),
            Lateness("abort_arm", 60.0), Lateness("once_within", 600.0),
        ])  # fmt: skip
        flows.append(Dose(
            f"{name}-bolus{number}", at_s, "night", name, rng.choice([2.5, 5.0, 10.0, 20.0]),
            rng.choice(DOSE_RATES_UL_MIN), WELLS, "CNTF", lateness,
            rng.choice(["assume_done", "redo", "ask"]),
        ))  # fmt: skip
    return flows


def _stimulation(rng: random.Random, name: str, duration_s: float) -> list[TimelineEntry]:
    # At one moment it has one level: of two nobody could say which came last.
    ends_s = sorted({round(rng.uniform(20.0, duration_s), 1) for _ in range(rng.randint(0, 3))})
    levels: list[TimelineEntry] = []
    for at_s in [0.0, *ends_s]:
        channels = rng.sample([1, 2, 3, 4], rng.randint(0, 3))
        trains = tuple(_train(rng, channel) for channel in channels)
        levels.append(StimulationLevel(f"stim-{len(levels)}", at_s, "night", name, trains, WELLS))
    return levels


def _settings(
    rng: random.Random, instruments: dict[str, tuple[str, dict[str, Any]]], duration_s: float
) -> list[TimelineEntry]:
    """A valve, a heater or both, which change now and then."""
    which = rng.choice([("valve",), ("heater",), ("valve", "heater")])
    changes_s = [0.0, *sorted(round(rng.uniform(5.0, duration_s), 1) for _ in range(3))]
    found: list[TimelineEntry] = []
    if "valve" in which:
        instruments["valve"] = ("hamilton_mvp", {"valve": rng.choice(["8-port", "4-port"])})
        found += [
            ValveLevel(f"valve-{n}", at_s, "night", "valve", rng.choice("1234"), WELLS)
            for n, at_s in enumerate(changes_s)
        ]
    if "heater" in which:
        instruments["heater"] = ("watlow_pm", {})
        found += [
            ClimateLevel(f"heat-{n}", at_s, "night", "heater", "temperature_c",
                         rng.choice([37.0, 39.0, 41.5]), WELLS)
            for n, at_s in enumerate(changes_s)
        ]  # fmt: skip
    return found


def _train(rng: random.Random, channel: int) -> TrainSpec:
    volts = rng.choice([5.0, 8.0, 0.0])
    if rng.random() < 0.7:
        frequency_hz = rng.choice([2.0, 10.0, 20.0])
        duration_s = rng.choice([1.0, 5.0, 9.5])
        every_s = rng.choice([10.0, 30.0, 50.0])
        count = round(frequency_hz * duration_s)
        return TrainSpec(channel, "tonic", 0.4, volts, True, frequency_hz, duration_s, 0.0,
                         duration_s, every_s, count)  # fmt: skip
    # bursts of half a second every two seconds
    return TrainSpec(channel, "phasic", 0.4, volts, rng.random() < 0.5, 100.0, 0.5, 1.5, 8.5,
                     rng.choice([10.0, 40.0]), 250)  # fmt: skip


def _pictures(rng: random.Random, stage: str, duration_s: float) -> list[TimelineEntry]:
    every_s = rng.choice([60.0, 120.0, 290.0])
    places = [(0.0, 0.0), (9000.0, 0.0), (9000.0, -9000.0), (-4500.0, 300.0)]
    pictures: list[TimelineEntry] = []
    for number in range(int(duration_s // every_s)):
        for field_number in range(rng.randint(1, 2)):
            x_um, y_um = places[(number + field_number) % len(places)]
            pictures.append(Frame(
                f"frame-{number}-{field_number}", number * every_s, "night", "cam", stage,
                WELLS[field_number], 0, "phase", number, x_um, y_um, 10.0,
                Lateness("once_within", 50.0),
            ))  # fmt: skip
    if rng.random() < 0.5:
        pictures.append(Film(
            "film-0", round(rng.uniform(10.0, duration_s - 20.0), 1), "night", "cam", stage, "A1",
            0, "phase", 100.0, 50.0, 5.0, 50.0, 100, Lateness("once_within", 100.0),
        ))  # fmt: skip
    return pictures


def _moments(
    rng: random.Random, timeline: list[TimelineEntry], duration_s: float
) -> Callable[[], float]:
    """Bad moments: close to something that happens, or anywhere."""
    acts = [e.offset_s for e in timeline if isinstance(e, (*get_args(Level), Dose))]

    def moment() -> float:
        if acts and rng.random() < 0.7:
            at_s = rng.choice(acts) + rng.choice([0.0, 0.001, 1.0, rng.uniform(-3.0, 70.0)])
            return round(max(at_s, 0.5), 3)
        return round(rng.uniform(1.0, duration_s), 3)

    return moment


def _faults(
    rng: random.Random,
    instruments: dict[str, tuple[str, dict[str, Any]]],
    moment: Callable[[], float],
) -> list[FaultSpec]:
    faults: list[FaultSpec] = []
    for _ in range(rng.randint(1, 3)):
        name = rng.choice(sorted(instruments))
        kind = instruments[name][0]
        declared = FAULTS[kind]
        fault = rng.choice([other for other in declared if (kind, other) not in LATER])
        from_s = moment()
        # three draws whatever the fault is: a seed is the same night for ever
        drawn = {"rate_error": rng.choice((0, 1)), "drift": rng.choice((0, 1)),
                 "late_reply": rng.choice((0, 1))}  # fmt: skip
        values = declared[fault].values
        value = values[drawn.get(fault, drawn["drift"]) % len(values)]
        until_s = from_s + rng.choice([1.0, 20.0, 130.0, 1e6])
        if not any(f.instrument == name and f.name == fault for f in faults):
            faults.append(FaultSpec(name, fault, from_s, until_s, value))
    return faults


def _deaths(rng: random.Random, night: SeededNight, moment: Callable[[], float]) -> list[Death]:
    deaths: list[Death] = []
    for _ in range(rng.randint(1, 3)):
        back_s = rng.choice([1.0, 20.0, 200.0])
        how = rng.choice(["at_s", "after_rows", "after_writes", "power_cut"])
        match how:
            case "after_rows":
                deaths.append(Death(how, rng.randint(1, 80), back_s))
            case "after_writes":
                deaths.append(Death(how, rng.randint(1, 200), back_s))
            case _:
                deaths.append(Death("at_s", at_s := moment(), back_s))
                if how == "power_cut":
                    night.faults += [
                        FaultSpec(name, "reboot", at_s, at_s + 1.0)
                        for name, (kind, _) in night.instruments.items()
                        if "reboot" in FAULTS[kind]
                    ]
    return deaths


def _stop(at_s: float, text: str) -> list[Visit]:
    """For good, or one that somebody may take back, in time or not."""
    rng = random.Random(repr(at_s))
    if rng.random() < 0.3:
        return [Visit(at_s, "stop", text)]
    visits = [Visit(at_s, "stop, perhaps", text)]
    if rng.random() < 0.8:
        visits.append(Visit(at_s + rng.choice([0.01, 5.0, 40.0, 59.9, 61.0]), "take back"))
    if rng.random() < 0.3:
        visits.append(Visit(at_s + rng.choice([0.02, 10.0, 600.0]), "stop", text))
    return visits


def _visits(rng: random.Random, moment: Callable[[], float], duration_s: float) -> list[Visit]:
    visits: list[Visit] = []
    if rng.random() < 0.3:
        visits += _stop(moment(), rng.choice(POISON))
    for _ in range(rng.randint(0, 2)):
        from_s = moment()
        visits.append(Visit(from_s, "hold", rng.choice(POISON)))
        visits.append(Visit(from_s + rng.choice([5.0, 60.0, 400.0]), "resume"))
    for _ in range(rng.randint(0, 4)):
        choice = rng.choice(["do", "skip", "redo", "assume_done", "restart", "leave"])
        visits.append(Visit(rng.uniform(1.0, duration_s), "answer", choice))
    if rng.random() < 0.4:
        visits.append(Visit(moment(), "note", rng.choice(POISON)))
    return visits


def plan_of(
    timeline: list[TimelineEntry],
    instruments: dict[str, tuple[str, dict[str, Any]]],
    duration_s: float,
    additives_on_stop: Literal["off", "keep"],
    wells: tuple[str, ...] = WELLS,
) -> Plan:
    """A plan of two wells, or others, that every pump feeds."""
    pumps = [n for n, (k, _) in instruments.items() if k in ("new_era_ne1000", "leadfluid_bt")]
    additive = {name: name.startswith("dose") for name in pumps}
    inlets = tuple(
        Inlet(f"{name}-line", name, 1.0 / len(wells), "stock" if additive[name] else "medium",
              (("CNTF", 1000.0),) if additive[name] else (), 0.0, 0.0, None)
        for name in pumps
    )  # fmt: skip
    return Plan(
        protocol_name="seeded", protocol_sha256="0" * 64, rig_name="bench", rig_sha256="1" * 64,
        pilot=True, seed=1, plate="24-well",
        wells=tuple(WellPlan(w, "arm", "d1", "A1", "1", False) for w in wells),
        loading=(), phases=(PhaseSpan("night", 0.0, duration_s),), timeline=tuple(timeline),
        findings=(),
        forecast=Forecast(duration_s, 0, 0, 0,
                          tuple(Depletion(f"{n}-r", 10.0, 50.0, None) for n in pumps), (), ()),
        factors=(FactorLoss("CNTF", 12.0, 6.0, 24.0, "assumed"),),
        chambers=tuple(ChamberPlan(w, 1.0, inlets) for w in wells),
        draws=tuple(Draw(f"{n}-r", n, "additive" if additive[n] else "medium", 1) for n in pumps),
        rules=RunRules(additives_on_stop=additives_on_stop),
        safe=tuple(safe for safe in SAFE if safe.instrument in instruments),
    )  # fmt: skip
