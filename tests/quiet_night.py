"""A night with a bit of everything and no trouble."""

from __future__ import annotations

from labrig.plan.timeline import (
    Dose,
    Film,
    FlowLevel,
    Frame,
    Lateness,
    Reading,
    StimulationLevel,
    TimelineEntry,
    TrainSpec,
)
from labrig.soak.drawn_plans import WELLS, SeededNight, plan_of

END_S = 600.0
LATE = Lateness("once_within", 60.0)


def quiet_night() -> SeededNight:
    """Two kinds of pumps, doses, trains cut by the next level, pictures, a film, readings."""
    instruments = {
        "base": ("leadfluid_bt", {"address": 1}),
        "dose0": ("new_era_ne1000", {"address": 0, "syringe_diameter_mm": 10.0}),
        "dose1": ("new_era_ne1000", {"address": 1, "watchdog_s": 200}),
        "pulses": ("pulse_pal_2", {}),
        "stage": ("asi_ms2000", {}),
        "probe": ("vaisala_gmp25x", {}),
    }
    tonic = TrainSpec(1, "tonic", 0.4, 5.0, True, 10.0, 5.0, 0.0, 5.0, 50.0, 50)
    phasic = TrainSpec(2, "phasic", 0.4, 8.0, True, 100.0, 0.5, 1.5, 8.5, 10.0, 250)
    timeline: list[TimelineEntry] = [
        FlowLevel("flow-base-0", 0.0, "night", "base", 30.0, WELLS),
        FlowLevel("flow-base-1", 200.0, "night", "base", 15.0, WELLS),
        FlowLevel("flow-base-2", 400.0, "night", "base", 30.0, WELLS),
        FlowLevel("flow-dose0-0", 0.0, "night", "dose0", 0.0, WELLS),
        FlowLevel("flow-dose1-0", 0.0, "night", "dose1", 6.0, WELLS),
        StimulationLevel("stim-0", 0.0, "night", "pulses", (tonic,), WELLS),
        StimulationLevel("stim-1", 252.0, "night", "pulses", (tonic, phasic), WELLS),
        StimulationLevel("stim-2", 575.0, "night", "pulses", (), WELLS),
        Film("film-0", 310.0, "night", "cam", "stage", "A1", 0, "phase", 100.0, 50.0, 5.0, 50.0,
             100, LATE),
    ]  # fmt: skip
    timeline += [
        Dose(f"{pump}-bolus{at_s:.0f}", at_s, "night", pump, 10.0, 20.0, WELLS, "CNTF", LATE, "ask")
        for pump, at_s in (("dose0", 60.0), ("dose0", 300.0), ("dose1", 130.0), ("base", 450.0))
    ]
    timeline += [
        Frame(f"frame-{n}", 60.0 * n, "night", "cam", "stage", WELLS[n % 2], 0, "phase", n,
              9000.0 * (n % 2), -300.0 * n, 10.0, LATE)
        for n in range(10)
    ]  # fmt: skip
    timeline += [
        Reading(f"reading-{at_s}", float(at_s), "night", "probe", Lateness("skip"))
        for at_s in (0, 300)
    ]
    return SeededNight(0, plan_of(timeline, instruments, END_S, "off"), instruments, {}, {})
