"""Effluent of one side of a chip for the other: whether there is enough, what else it brings."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.concentration import FlowStep, line_flows
from labrig.plan.dose_model import ChamberPlan, Inlet
from labrig.plan.figures import figure
from labrig.plan.findings import Finding
from labrig.plan.forecast import flow_steps
from labrig.plan.timeline import FlowLevel
from labrig.rig.graph import dead_volume_ul

MISSED = 0.01
"""Share of what a line is to draw that may be air before it is refused [P]."""
STEADY = 0.95


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``effluent.*``, of a protocol split into sides."""
    steps = flow_steps([e for e in draft.plan.timeline if isinstance(e, FlowLevel)])
    used = [(c, i) for c in draft.plan.chambers for i in c.inlets if i.source is not None]
    for _, inlet in used:
        yield from _pump(draft, inlet)
    yield from _overdrawn(draft, used, steps)
    yield from _late(draft, used, steps)
    yield from _comes_along(draft)
    if used and draft.protocol.blinding is not None:
        pumps = ", ".join(dict.fromkeys(inlet.pump for _, inlet in used))
        yield Finding(
            "effluent.seen",
            "note",
            f"rig: instruments ({pumps})",
            "these pumps run where an arm gets effluent, and stand still where it does not: who "
            "looks at them knows the arm, and the run is blinded",
            "cover them, or let somebody else look after the bench",
        )


def _pump(draft: Draft, inlet: Inlet) -> Iterator[Finding]:
    """It must take at one end and give at the other."""
    entry = draft.rig.instruments[inlet.pump]
    kind = draft.types[entry.type]
    outflow = draft.rig.outflow
    if kind.syringe is not None:
        why = f"{inlet.pump} is a syringe pump: it pushes what is in its syringe and draws nothing"
    elif outflow is not None and outflow.pump == inlet.pump:
        why = f"{inlet.pump} takes liquid to the waste, and cannot also bring it into a well"
    else:
        return
    yield Finding(
        "effluent.pump",
        "block",
        f"rig: lines.{inlet.line}.pump",
        why,
        "move the line with a peristaltic pump of its own, which turns from "
        f"{draft.rig.lines[inlet.line].from_chamber} towards the well that is fed",
    )


def _overdrawn(
    draft: Draft, used: list[tuple[ChamberPlan, Inlet]], steps: list[FlowStep]
) -> Iterator[Finding]:
    """More than flows into a source cannot be drawn out of it; told once, of the worst."""
    found = []
    for chamber, inlet in used:
        missed = _missed(draft, inlet, steps)
        if missed is not None and missed[0] > MISSED:
            found.append((*missed, chamber, inlet))
    if not found:
        return
    share, (at_s, rate, comes_in), chamber, inlet = max(found, key=lambda each: each[0])
    source = draft.rig.lines[inlet.line].from_chamber
    others = dict.fromkeys(its.line for *_, its in found if its.line != inlet.line)
    yield Finding(
        "effluent.overdrawn",
        "block",
        f"rig: lines.{inlet.line}",
        f"it is to take {figure(rate, 3)} µL/min out of {source} at {at_s / 3600:g} h, and "
        f"{figure(comes_in, 3)} µL/min flow in there, evaporation taken off: it would draw air "
        f"for {share:.0%} of what {chamber.well} is to get [C]"
        + (f"; likewise {', '.join(others)}" if others else ""),
        f"ask for less of it in {chamber.well}, or give the side of {source} more flow",
    )


def _missed(
    draft: Draft, inlet: Inlet, steps: list[FlowStep]
) -> tuple[float, tuple[float, float, float]] | None:
    """Share of what a line is to draw that would be air; when first, wanted and there, µL/min."""
    if inlet.source is None:
        return None
    wanted_ul = air_ul = 0.0
    first: tuple[float, float, float] | None = None
    lost_ul_min = draft.rig.chambers.evaporation_ul_h / 60.0
    ends = [step.at_s for step in steps[1:]] + [draft.plan.forecast.duration_s]
    for step, end_s in zip(steps, ends, strict=True):
        rate = step.rates_ul_min.get(inlet.pump, 0.0)
        if rate <= 0 or end_s <= step.at_s:
            continue
        flows = line_flows(inlet.source, step.rates_ul_min)
        comes_in = max(0.0, sum(flows[i.line] for i in inlet.source.inlets) - lost_ul_min)
        wanted_ul += rate * (end_s - step.at_s) / 60.0
        air_ul += max(0.0, rate - comes_in) * (end_s - step.at_s) / 60.0
        if rate > comes_in and first is None:
            first = (step.at_s, rate, comes_in)
    return None if first is None else (air_ul / wanted_ul, first)


def _late(
    draft: Draft, used: list[tuple[ChamberPlan, Inlet]], steps: list[FlowStep]
) -> Iterator[Finding]:
    """When it arrives, and when it is as conditioned as it will be; of the slowest."""
    found = []
    for chamber, inlet in used:
        rate = max((step.rates_ul_min.get(inlet.pump, 0.0) for step in steps), default=0.0)
        if rate > 0 and inlet.source is not None:
            in_tube_h = dead_volume_ul(draft.rig.lines[inlet.line]) / rate / 60.0
            found.append((in_tube_h, inlet, chamber, _steady_h(draft, chamber, inlet)))
    if not found:
        return
    in_tube_h, inlet, chamber, steady_h = max(found, key=lambda each: each[0])
    told = (
        f"; {chamber.well} has {STEADY:.0%} of its share {steady_h:.1f} h after the pump starts"
        if steady_h is not None
        else f"; {chamber.well} never has {STEADY:.0%} of its share in this run"
    )
    yield Finding(
        "effluent.delay",
        "note",
        f"rig: lines.{inlet.line}",
        f"effluent is {in_tube_h * 60:.0f} min in the tube{told}: chambers begin with fresh "
        "medium, and 100 % is what cells that secrete steadily make of it at the protocol's flow "
        "[P]",
        "read outcomes after that time; measure what the effluent really holds (a `sample` step)",
    )


def _steady_h(draft: Draft, chamber: ChamberPlan, inlet: Inlet) -> float | None:
    mixture = draft.protocol.stocks[inlet.solution].mixture
    for curve in draft.plan.forecast.curves:
        if curve.well == chamber.well and curve.factor == mixture:
            begins = next(
                (t for t, v in zip(curve.times_s, curve.target_ng_ml, strict=True) if v > 0), None
            )
            for time, value, target in zip(
                curve.times_s, curve.values_ng_ml, curve.target_ng_ml, strict=True
            ):
                if begins is not None and target > 0 and value >= STEADY * target:
                    return (time - begins) / 3600.0
            return None
    return 0.0


def _comes_along(draft: Draft) -> Iterator[Finding]:
    """What the source side is dosed with arrives with its effluent."""
    arm_of = {well.well: well.arm for well in draft.plan.wells}
    told: set[tuple[str, str]] = set()
    for chamber in draft.plan.chambers:
        for inlet in chamber.inlets:
            if inlet.source is None:
                continue
            for factor in (loss.factor for loss in draft.plan.factors):
                arm = arm_of[chamber.well]
                if (arm, factor) in told or not any(
                    its.brings(factor) for its in inlet.source.inlets
                ):
                    continue
                told.add((arm, factor))
                yield Finding(
                    "effluent.comes-along",
                    "warn",
                    f"protocol: arms.{arm}",
                    f"{factor} is given to {inlet.source.well}, whose effluent {chamber.well} "
                    f"gets: it gets the {factor} that is left in it, too. What of the effect is "
                    "its own and what the conditioned medium's, no arm tells",
                    f"add an arm that gives {chamber.well}'s side as much {factor} without "
                    "effluent; the forecast shows the concentration",
                )
