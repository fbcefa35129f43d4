"""Plans for the small bench of a rehearsal, entry by entry."""

from __future__ import annotations

from typing import Any

from rehearsal import CAMERA, DEFAULT_BENCH, Death

from labrig.plan.dose_model import ChamberPlan, Draw, FactorLoss, Inlet
from labrig.plan.foreseen import Depletion, Forecast
from labrig.plan.plan import PhaseSpan, Plan, WellPlan
from labrig.plan.run_rules import RunRules
from labrig.plan.timeline import (
    Dose,
    Film,
    FlowLevel,
    Frame,
    Lateness,
    Reading,
    StimulationLevel,
    TrainSpec,
)
from labrig_drivers.simulation import Fault

GRACE = Lateness("once_within", 900.0)


def make_plan(timeline: list[Any], duration_s: float, **changes: Any) -> Plan:
    """A plan of two wells A1 and A2, fed by ``base`` and dosed by ``dose``."""
    wells = ("A1", "A2")
    inlets = (
        Inlet("base-line", "base", 0.5, "medium", (), 0.0, 0.0, None),
        Inlet("dose-line", "dose", 0.5, "stock", (("CNTF", 1000.0),), 0.0, 0.0, None),
    )
    parts: dict[str, Any] = {
        "protocol_name": "rehearsal",
        "protocol_sha256": "0" * 64,
        "rig_name": "bench",
        "rig_sha256": "1" * 64,
        "pilot": True,
        "seed": 1,
        "plate": "24-well",
        "wells": tuple(WellPlan(w, "arm", "d1", "A1", "1", False) for w in wells),
        "loading": (),
        "phases": (PhaseSpan("night", 0.0, duration_s),),
        "timeline": tuple(timeline),
        "findings": (),
        "forecast": Forecast(duration_s, 0, 0, 0, (Depletion("bottle", 10.0, 50.0, None),), (), ()),
        "factors": (FactorLoss("CNTF", 12.0, 6.0, 24.0, "assumed"),),
        "chambers": tuple(ChamberPlan(w, 1.0, inlets) for w in wells),
        "draws": (
            Draw("bottle", "base", "medium", 1),
            Draw("syringe", "dose", "additive", 1),
        ),
    }
    return Plan(**(parts | changes))


def flow(at_s: float, rate_ul_min: float, pump: str = "base") -> FlowLevel:
    return FlowLevel(f"flow-{pump}-{at_s:g}", at_s, "night", pump, rate_ul_min, ("A1", "A2"))


def dose(at_s: float, volume_ul: float = 20.0, **changes: Any) -> Dose:
    parts: dict[str, Any] = {
        "key": f"dose-{at_s:g}", "offset_s": at_s, "phase": "night", "instrument": "dose",
        "volume_ul": volume_ul, "rate_ul_min": 20.0, "wells": ("A1", "A2"), "factor": "CNTF",
        "lateness": GRACE, "on_unknown": "assume_done",
    }  # fmt: skip
    return Dose(**(parts | changes))


def stimulate(at_s: float, every_s: float = 50.0, amplitude_v: float = 5.0) -> StimulationLevel:
    train = TrainSpec(1, "tonic", 0.4, amplitude_v, True, 10.0, 5.0, 0.0, 5.0, every_s, 50)
    return StimulationLevel(f"stim-{at_s:g}", at_s, "night", "pulses", (train,), ("A1",))


def silence(at_s: float) -> StimulationLevel:
    return StimulationLevel(f"stim-{at_s:g}", at_s, "night", "pulses", (), ("A1",))


def frame(at_s: float, number: int, x_um: float = 0.0, **changes: Any) -> Frame:
    parts: dict[str, Any] = {
        "key": f"frame-{number}", "offset_s": at_s, "phase": "night", "camera": "cam",
        "stage": "stage", "well": "A1", "field": 0, "channel": "phase", "round": number,
        "x_um": x_um, "y_um": 0.0, "exposure_ms": 10.0, "lateness": Lateness("once_within", 300.0),
    }  # fmt: skip
    return Frame(**(parts | changes))


def film(at_s: float) -> Film:
    return Film(
        "film-1", at_s, "night", "cam", "stage", "A1", 0, "phase", 100.0, 0.0, 5.0, 50.0, 10,
        Lateness("once_within", 600.0),
    )  # fmt: skip


def reading(at_s: float) -> Reading:
    return Reading(f"reading-{at_s:g}", at_s, "night", "probe", Lateness("skip"))


class Script:
    """The builders above, as the fixture ``script`` gives them."""

    plan = staticmethod(make_plan)
    flow = staticmethod(flow)
    dose = staticmethod(dose)
    stimulate = staticmethod(stimulate)
    silence = staticmethod(silence)
    frame = staticmethod(frame)
    film = staticmethod(film)
    reading = staticmethod(reading)
    draw = staticmethod(lambda reservoir, pump, carries: Draw(reservoir, pump, carries, 1))
    rules = RunRules
    bench = DEFAULT_BENCH
    camera = tuple(CAMERA)
    Fault = Fault
    Lateness = Lateness
    Death = Death

    @staticmethod
    def night(duration_s: float = 3600.0) -> Plan:
        """An hour with everything in it."""
        timeline: list[Any] = [flow(0.0, 30.0), flow(0.0, 0.0, "dose"), stimulate(0.0)]
        timeline += [dose(at_s) for at_s in (610.0, 1810.0)]
        timeline += [frame(at, i, 500.0 * (i % 3)) for i, at in enumerate(range(0, 3600, 300))]
        timeline += [reading(at_s) for at_s in range(0, 3600, 600)]
        timeline += [flow(1800.0, 60.0), silence(2700.0), film(3000.0)]
        return make_plan([e for e in timeline if e.offset_s < duration_s], duration_s)
