"""Flow, dilution and what the tubing does to a factor."""

from __future__ import annotations

import math
from collections.abc import Iterator

from labrig.plan import perfusion_physics as physics
from labrig.plan.checks.draft import Draft, Limit
from labrig.plan.findings import Finding
from labrig.plan.targets import held_ng_ml, targeted_factors
from labrig.plan.timeline import FlowLevel
from labrig.protocol.contents import STABLE_H, contents, half_life_h
from labrig.protocol.segments import Segment, segments
from labrig.rig.graph import dead_volume_ul

SHEAR = Limit(0.5, 1.0, "dyn/cm²", "[P]; no limit for myotubes was found", overridable=False)
OSMOLALITY = Limit(1.05, None, "× that of the medium", "10 % already affects cells [S]")
SOLVENT = Limit(0.1, 0.5, "%", "[K]", overridable=False)
QUANTISATION = 0.10
LOST_IN_LINE = 0.10
EXCHANGES_PER_H = (0.05, 5.0)


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``perfusion.*`` and ``factor.*`` that need the whole plan."""
    if draft.protocol.perfusion is not None:
        yield from _exchange(draft)
        yield from _quantisation(draft)
        yield from _solvent(draft)
        yield from _lines(draft)
    yield from _assumed(draft)


def _exchange(draft: Draft) -> Iterator[Finding]:
    chambers = draft.rig.chambers
    asked = {
        (arm, segment.flow): segment
        for arm in draft.protocol.arms
        for segment in reversed(segments(draft.protocol, arm))
    }
    for (arm, its), segment in sorted(asked.items(), key=lambda item: item[1].start_s):
        flow = its.mean_ml_h
        where = f"protocol: arms.{arm}.flow"
        if flow == 0:
            yield _unrefreshed(arm, segment)
            continue
        rate = flow / chambers.volume_ml
        if not EXCHANGES_PER_H[0] <= rate <= EXCHANGES_PER_H[1]:
            yield Finding(
                "perfusion.exchange-rate",
                "warn",
                where,
                f"the chamber is exchanged {rate:.3g} times an hour, usual is "
                f"{EXCHANGES_PER_H[0]:g} to {EXCHANGES_PER_H[1]:g} ([P])",
                "check flow and chamber volume",
            )
        factor = physics.osmolality_factor(flow, chambers.evaporation_ul_h / 1000.0)
        finding = OSMOLALITY.judge(
            "perfusion.osmolality",
            where,
            "osmolality from evaporation",
            factor,
            "raise the flow, or lower evaporation (lid, humidity)",
        )
        if finding is not None:
            yield finding
        width, height = chambers.channel_width_mm, chambers.channel_height_mm
        if chambers.closed and width is not None and height is not None:
            shear = physics.shear_closed_dyn_cm2(width, height, its.rate_ml_h / 60.0)
            finding = SHEAR.judge(
                "perfusion.shear",
                where,
                "wall shear",
                shear,
                "lower the flow or use a higher channel",
            )
            if finding is not None:
                yield finding


def _unrefreshed(arm: str, segment: Segment) -> Finding:
    return Finding(
        "perfusion.no-flow",
        "note",
        f"protocol: arms.{arm}.flow",
        f"the wells of {arm} are not refreshed from {segment.start_s / 3600:g} h on: unfed "
        "myotubes starve [K], which is what such an arm is for",
        "nothing where that is meant; a pause between spells is written as "
        "`flow: {rate: ..., on: ..., every: ...}`",
    )


def _quantisation(draft: Draft) -> Iterator[Finding]:
    """One step of the pump against the target, for the first well of each arm."""
    protocol = draft.protocol
    contents = {c.well: c for c in draft.plan.chambers}
    done: set[tuple[str, str]] = set()
    for well in draft.plan.wells:
        for inlet in contents[well.well].inlets:
            if inlet.pump not in draft.pumps:
                continue
            step_ml_h = draft.pumps[inlet.pump].limits().step_ul_min * inlet.share * 60 / 1000
            for factor, strength in inlet.contents_ng_ml:
                asked = [
                    (value, demand.arms[well.arm].asked.flow.mean_ml_h)
                    for demand in draft.demands
                    if (value := held_ng_ml(protocol, demand.arms[well.arm].asked, factor)) > 0
                ]
                if not asked or (well.arm, factor) in done:
                    continue
                target, flow_ml_h = min(asked)
                done.add((well.arm, factor))
                error = physics.quantisation_error_ng_ml(
                    step_ml_h,
                    strength,
                    draft.rig.chambers.volume_ml,
                    flow_ml_h,
                    half_life_h(protocol, factor),
                )
                if error > QUANTISATION * target:
                    yield Finding(
                        "perfusion.quantisation",
                        "warn",
                        f"protocol: arms.{well.arm}.targets.{factor}",
                        f"one step of pump {inlet.pump} moves it by {error:.3g} ng/mL, "
                        f"{error / target:.0%} of {target:.3g} ng/mL; limit "
                        f"{QUANTISATION:.0%} ([P])",
                        f"use a weaker stock than {inlet.solution}, or a smaller syringe",
                    )


def _solvent(draft: Draft) -> Iterator[Finding]:
    protocol = draft.protocol
    for arm in protocol.arms:
        percent = max(
            (
                sum(
                    protocol.stocks[stock].solvent_percent * flow
                    for stock, flow in demand.solutions[arm].flows_ml_h.items()
                )
                / flow
                for demand in draft.demands
                if (flow := demand.arms[arm].asked.flow.mean_ml_h) > 0
            ),
            default=0.0,
        )
        finding = SOLVENT.judge(
            "perfusion.solvent",
            f"protocol: arms.{arm}",
            "solvent in the well",
            percent,
            "use a stronger stock or less solvent in it",
        )
        if finding is not None:
            yield finding


def _lines(draft: Draft) -> Iterator[Finding]:
    """Lines that are not filled, and factors that age in a warm line."""
    levels = [entry for entry in draft.plan.timeline if isinstance(entry, FlowLevel)]
    slowest: dict[str, float] = {}
    for level in levels:
        if level.rate_ul_min > 0:
            rate = min(level.rate_ul_min, slowest.get(level.instrument, math.inf))
            slowest[level.instrument] = rate
    lost: dict[str, tuple[str, float, float]] = {}
    for name, line in draft.rig.lines.items():
        solution = draft.carried[name]
        held = contents(draft.protocol, solution) if solution in draft.protocol.stocks else {}
        if not held or line.pump not in slowest:
            continue
        wait_h = dead_volume_ul(line) / slowest[line.pump] / 60.0
        if not line.primed:
            yield _not_primed(
                name, wait_h, line.inner_diameter_mm, line.length_mm, slowest[line.pump]
            )
        for factor in held:
            share = 1.0 - 2.0 ** (-wait_h / half_life_h(draft.protocol, factor))
            if share > LOST_IN_LINE and share > lost.get(factor, ("", 0.0, 0.0))[1]:
                lost[factor] = (name, share, wait_h)
    for factor, (name, share, wait_h) in lost.items():
        yield Finding(
            "perfusion.line-residence",
            "note",
            f"rig: lines.{name}",
            f"{factor} stays {wait_h:.1f} h in the line and loses {share:.0%} if the line is "
            "warm; the plan counts no loss there [C]",
            "keep the line cold up to the well, or use a thinner or shorter one; if it must be "
            f"warm, put the loss into recovery of {factor}",
        )


def _not_primed(
    name: str, wait_h: float, diameter_mm: float, length_mm: float, rate_ul_min: float
) -> Finding:
    front = physics.taylor_aris(diameter_mm, length_mm, rate_ul_min * 60 / 1000)
    spread = (
        f"the front is spread over {physics.RISE_10_90 * front.sigma_s / 60:.0f} min"
        if front.valid
        else "too short a line for Taylor's estimate of its spread"
    )
    return Finding(
        "perfusion.not-primed",
        "warn",
        f"rig: lines.{name}.primed",
        f"its dead volume delays the factor by {wait_h:.1f} h ({spread}) [C]",
        "prime the line to its tip before t0 and set primed: true",
    )


def _assumed(draft: Draft) -> Iterator[Finding]:
    """What an assumed half-life leaves open, at the steady state of the default flow."""
    protocol = draft.protocol
    used = {f for arm in protocol.arms for f in targeted_factors(protocol, arm)}
    for loss in draft.plan.factors:
        if loss.basis == "measured" or loss.factor not in used or protocol.perfusion is None:
            continue
        if loss.half_life_h >= STABLE_H:
            continue  # a conditioned medium of which nobody said one
        where = f"protocol: factors.{loss.factor}.half_life"
        if loss.low_h == loss.high_h:
            yield Finding(
                "factor.half-life-assumed",
                "note",
                where,
                f"{loss.half_life_h:g} h is assumed, without a range: how far the concentration "
                "may be off is not known",
                "give its range (`low:`, `high:`), or measure it (a well without cells, effluent "
                "at 0, 4, 8, 24 h) and say measured",
            )
            continue
        volume, flow = draft.rig.chambers.volume_ml, protocol.perfusion.flow_ml_h
        at = physics.retained_fraction(volume, flow, loss.half_life_h)
        low = physics.retained_fraction(volume, flow, loss.low_h) / at
        high = physics.retained_fraction(volume, flow, loss.high_h) / at
        yield Finding(
            "factor.half-life-assumed",
            "note",
            where,
            f"{loss.half_life_h:g} h is assumed ({loss.low_h:g} to {loss.high_h:g} h): the "
            f"concentration may be {low:.0%} to {high:.0%} of what is shown [C]",
            "measure it (a well without cells, effluent at 0, 4, 8, 24 h) and say measured",
        )
