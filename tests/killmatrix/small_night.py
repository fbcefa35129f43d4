"""The nights of the matrix: short, with one of everything that a runner does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from labrig.plan.amending import Kept
from labrig.plan.plan import Plan
from labrig.plan.timeline import (
    ClimateLevel,
    Dose,
    Film,
    FlowLevel,
    Frame,
    Lateness,
    PersonStep,
    Reading,
    StimulationLevel,
    TimelineEntry,
    TrainSpec,
    ValveLevel,
)
from labrig.soak.drawn_plans import SAFE, WELLS, plan_of
from labrig.soak.night import SeededNight

END_S = 420.0
AMENDED_FROM_S = 250.0
"""In the midst of a dose."""
STEP = "step/feed/0"
INSTRUMENTS: Mapping[str, tuple[str, dict[str, Any]]] = {
    "base": ("leadfluid_bt", {"address": 1}),
    "dose0": ("new_era_ne1000", {"address": 0, "watchdog_s": 200}),
    "dose1": ("new_era_ne1000", {"address": 1, "syringe_diameter_mm": 10.0}),
    "pulses": ("pulse_pal_2", {}),
    "stage": ("asi_ms2000", {}),
    "probe": ("vaisala_gmp25x", {}),
    "valve": ("hamilton_mvp", {"valve": "8-port"}),
    "heater": ("watlow_pm", {}),
}
ON_ONE_LINE = {"dose1": "dose0"}


@dataclass(frozen=True)
class Visit:
    """What a person does, and when; who finds no runner tries again when there is one."""

    at_s: float
    what: str


@dataclass(frozen=True)
class SmallNight:
    """A night and its people."""

    night: SeededNight
    visits: tuple[Visit, ...]


def _timeline() -> list[TimelineEntry]:
    late, tonic = Lateness("once_within", 60.0), TrainSpec(
        1, "tonic", 0.4, 5.0, True, 10.0, 2.0, 0.0, 2.0, 20.0, 20
    )  # fmt: skip
    timeline: list[TimelineEntry] = [
        FlowLevel("flow-base-0", 0.0, "night", "base", 30.0, WELLS),
        FlowLevel("flow-base-1", 200.0, "night", "base", 15.0, WELLS),
        FlowLevel("flow-dose0-0", 0.0, "night", "dose0", 0.0, WELLS),
        FlowLevel("flow-dose1-0", 0.0, "night", "dose1", 6.0, WELLS),
        FlowLevel("flow-dose1-1", 290.0, "night", "dose1", 9.0, WELLS),
        StimulationLevel("stim-0", 0.0, "night", "pulses", (tonic,), WELLS),
        StimulationLevel("stim-1", 330.0, "night", "pulses", (), WELLS),
        StimulationLevel("stim-2", 350.0, "night", "pulses", (tonic,), WELLS),
        ValveLevel("valve-0", 0.0, "night", "valve", "2", WELLS),
        ValveLevel("valve-1", 180.0, "night", "valve", "4", WELLS),
        ClimateLevel("heat-0", 0.0, "night", "heater", "temperature_c", 37.0, WELLS),
        ClimateLevel("heat-1", 215.0, "night", "heater", "temperature_c", 39.0, WELLS),
        Film("film-0", 300.0, "night", "cam", "stage", "A1", 0, "phase", 100.0, 50.0, 5.0, 50.0,
             100, late),
        PersonStep(STEP, 100.0, "night", "feed", "change-medium", "change the medium",
                   "change the medium", 200.0, 250.0, 20.0, 60.0, 1, "flag", WELLS, 1.0, "dm"),
    ]  # fmt: skip
    doses: list[tuple[float, str, float, Any]] = [
        (30.0, "dose0", 10.0, "redo"), (60.0, "dose1", 5.0, "assume_done"),
        (245.0, "dose0", 5.0, "redo"), (310.0, "dose1", 10.0, "ask"),
        (385.0, "dose0", 10.0, "redo"),
    ]  # fmt: skip
    timeline += [
        Dose(f"{pump}-{at_s:.0f}", at_s, "night", pump, ul, 20.0, WELLS, "CNTF", late, rule)
        for at_s, pump, ul, rule in doses
    ]
    timeline += [
        Frame(f"frame-{n}", 70.0 * n, "night", "cam", "stage", WELLS[n % 2], 0, "phase", n,
              9000.0 * (n % 2), -300.0 * n, 10.0, late)
        for n in range(6)
    ]  # fmt: skip
    timeline += [
        Reading(f"reading-{at_s:g}", at_s, "night", "probe", Lateness("skip"))
        for at_s in (0.0, 260.0)
    ]
    return timeline


PEOPLE = (Visit(110.0, "begin"), Visit(130.0, "done"), Visit(240.0, "hold"), Visit(270.0, "resume"))
NIGHTS: Mapping[str, tuple[Visit, ...]] = {
    "finished": PEOPLE,
    "stopped": (*PEOPLE, Visit(395.0, "stop")),
    "taken back": (Visit(250.0, "stop, perhaps"), Visit(262.0, "take back")),
    "amended": (*PEOPLE[:2], Visit(205.0, "amend")),
}
"""By name, what people do in it. The stop comes in the middle of a dose and of a train."""


def amended_plan(old: Plan) -> Plan:
    """From :data:`AMENDED_FROM_S` on: more flow, one dose less and one more, later pictures."""
    left_out = {"dose1-310", "frame-5"}
    timeline = [entry for entry in old.timeline if entry.key not in left_out]
    timeline += [
        FlowLevel("flow-base-2", AMENDED_FROM_S, "night", "base", 30.0, WELLS),
        Dose("dose1-340", 340.0, "night", "dose1", 5.0, 20.0, WELLS, "CNTF",
             Lateness("once_within", 60.0), "redo"),
        Frame("frame-6", 370.0, "night", "cam", "stage", "A1", 0, "phase", 6, 0.0, 0.0, 10.0,
              Lateness("once_within", 60.0)),
    ]  # fmt: skip
    joined = Kept(old, AMENDED_FROM_S, 2).joined(tuple(timeline), old.phases)
    return replace(old, timeline=joined)


def small_night(name: str) -> SmallNight:
    """One of :data:`NIGHTS`."""
    plan = plan_of(_timeline(), dict(INSTRUMENTS), END_S, "off")
    assert {safe.instrument for safe in SAFE} <= set(INSTRUMENTS)
    return SmallNight(SeededNight(0, plan, dict(INSTRUMENTS), ON_ONE_LINE, {}), NIGHTS[name])
