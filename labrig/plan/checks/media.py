"""Media, mixtures and the valves that switch them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from labrig.plan import perfusion_physics as physics
from labrig.plan.checks.culture import FUSED_AFTER_DAYS
from labrig.plan.checks.draft import Draft
from labrig.plan.figures import figure
from labrig.plan.findings import Finding
from labrig.plan.selection import Selection, each
from labrig.plan.timeline import FlowLevel
from labrig.protocol.amounts import molar_text
from labrig.protocol.contents import half_life_h, parts_of, recovery
from labrig.protocol.segments import segments
from labrig.rig.graph import tube_volume_ul

DELAY_SHARE = 0.25
"""Of the shortest stretch that a valve selects, from which its delay is more than a note [P]."""

OSMOLALITY_APART = 0.10
"""10 % already affects cells [S], as of evaporation."""

DECAYS_BELOW = 0.95
"""A part of a mixture that stands below this share of what is asked is told [P]."""

_SERUM = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``selector.*``, ``medium.*`` and ``mixture.*`` that need the whole plan."""
    for course in each(draft.selected):
        yield from _safe(draft, course)
    yield from _delays(draft)
    yield from _media(draft)
    yield from _parts(draft)
    yield from _idle(draft)


def _safe(draft: Draft, course: Selection) -> Iterator[Finding]:
    """Where something is wrong the valve must bring nothing that acts."""
    solution = course.solutions.get(course.safe, "")
    stock = draft.protocol.stocks.get(solution)
    if stock is not None and (stock.contents_ng_ml or stock.mixture):
        yield Finding(
            "selector.safe",
            "warn",
            f"rig: selectors.{course.selector}.safe",
            f"its safe position {course.safe} brings {solution}: a stop or an interlock would go "
            "on dosing",
            "make the position of the vehicle the safe one, and name a vehicle for the stock",
        )


def _delays(draft: Draft) -> Iterator[Finding]:
    """How late what a valve selects arrives; told once for valves that are alike."""
    told: dict[tuple[str, str, str], list[str]] = {}
    for course in each(draft.selected):
        if len(course.steps) < 2:
            continue
        line = course.lines[0]
        rate = _slowest_ul_min(draft, draft.rig.lines[line].pump)
        if rate is None:
            continue
        tube_ul = tube_volume_ul(draft.rig, line)
        delay_s = tube_ul / rate * 60.0
        ends = [*(at_s for at_s, _ in course.steps[1:]), draft.protocol.duration_s]
        shortest_s = min(e - s for (s, _), e in zip(course.steps, ends, strict=True))
        severity = "warn" if delay_s > DELAY_SHARE * shortest_s else "note"
        why = (
            f"what it selects arrives {figure(delay_s / 3600, 3)} h later: {figure(tube_ul, 3)} µL "
            f"lie behind the valve, at {figure(rate, 3)} µL/min; its shortest stretch is "
            f"{figure(shortest_s / 3600, 3)} h. Forecast, ledger and report count it [C]"
        )
        remedy = "use a thinner or shorter tube behind the valve, or a weaker stock at more flow"
        told.setdefault((severity, why, remedy), []).append(course.selector)
    for (severity, why, remedy), names in told.items():
        yield Finding(
            "selector.delay",
            "warn" if severity == "warn" else "note",
            "rig: selectors" + (f".{names[0]}" if len(names) == 1 else f" ({', '.join(names)})"),
            why,
            remedy,
        )


def _slowest_ul_min(draft: Draft, pump: str) -> float | None:
    rates = [
        entry.rate_ul_min
        for entry in draft.plan.timeline
        if isinstance(entry, FlowLevel) and entry.instrument == pump and entry.rate_ul_min > 0
    ]
    return min(rates, default=None)


def _media(draft: Draft) -> Iterator[Finding]:
    protocol = draft.protocol
    if protocol.perfusion is None:
        return
    own = {arm: segments(protocol, arm) for arm in protocol.arms}
    used = {segment.medium for course in own.values() for segment in course}
    carriers = {stock.carrier for stock in protocol.stocks.values()}
    steps = {step.to for step in protocol.steps}
    unused = [name for name in protocol.media if name not in used | carriers | steps]
    if unused:
        yield Finding(
            "medium.unused",
            "note",
            f"protocol: media ({', '.join(unused)})",
            "nothing names it: neither perfusion, a phase, an arm, a stock's carrier, nor a step",
            "name it where it is to be given, or leave it out",
        )
    told: set[tuple[str, str]] = set()
    for course in own.values():
        for before, after in pairwise(course):
            pair = (before.medium, after.medium)
            if before.medium != after.medium and pair not in told:
                told.add(pair)
                yield from _change(draft, *pair, after.start_s)
    usual = protocol.perfusion.medium
    for name in sorted(used - {usual}):
        if (usual, name) not in told and (name, usual) not in told:
            yield from _osmolality(draft, usual, name)


def _change(draft: Draft, before: str, after: str, at_s: float) -> Iterator[Finding]:
    protocol = draft.protocol
    yield from _osmolality(draft, before, after)
    days = protocol.culture.days_differentiated
    sera = [_serum_percent(protocol.media[name].serum) for name in (before, after)]
    if days is None or None in sera or sera[0] == sera[1]:
        return
    at_days = days + at_s / 86400.0
    if at_days < FUSED_AFTER_DAYS:
        yield Finding(
            "medium.serum-near-fusion",
            "note",
            f"protocol: media.{after}",
            f"serum goes from {sera[0]:g} % to {sera[1]:g} % at day {at_days:.1f}, before the "
            f"tubes have fused (day {FUSED_AFTER_DAYS:g} [K]): serum itself decides how many do",
            "count it as the start of differentiation, or compare only arms that change alike",
        )


def _serum_percent(text: str) -> float | None:
    if not text:
        return None
    found = _SERUM.search(text)
    return float(found[1]) if found else 0.0


def _osmolality(draft: Draft, one: str, other: str) -> Iterator[Finding]:
    media = draft.protocol.media
    first, second = media[one].osmolality, media[other].osmolality
    if first is None or second is None:
        return
    if abs(second / first - 1.0) > OSMOLALITY_APART:
        yield Finding(
            "medium.osmolality",
            "warn",
            f"protocol: media.{other}.osmolality",
            f"{other} has {second:g} mOsm/kg, {one} {first:g}: {OSMOLALITY_APART:.0%} already "
            "affects cells [S]",
            "bring them together (mannitol, NaCl), or add an arm with the same osmolality alone",
        )


def _parts(draft: Draft) -> Iterator[Finding]:
    """A mixture is dosed by dilution: what of it decays stands below what is asked."""
    protocol = draft.protocol
    if protocol.perfusion is None:
        return
    volume_ml, flow = draft.rig.chambers.volume_ml, protocol.perfusion.flow_ml_h
    for name, mixture in protocol.mixtures.items():
        if mixture.kind == "conditioned-medium":
            continue
        stands = {
            part: physics.retained_fraction(volume_ml, flow, half_life_h(protocol, part))
            * recovery(protocol, part)
            for part in parts_of(protocol, name)
        }
        if all(share >= DECAYS_BELOW for share in stands.values()):
            continue
        low = ", ".join(f"{p} {share:.0%}" for p, share in stands.items() if share < DECAYS_BELOW)
        mixed = ", ".join(
            f"{part}: {_amount(draft, part, each / stands[part])}"
            for part, each in parts_of(protocol, name).items()
        )
        yield Finding(
            "mixture.parts-decay",
            "note",
            f"protocol: mixtures.{name}",
            f"it is dosed by dilution, so at {flow:g} mL/h what decays stands below its part: "
            f"{low} of it [C]",
            f"mix it by what is lost: `parts: {{{mixed}}}`; or leave it, and report what stood "
            "there",
        )


def _amount(draft: Draft, part: str, ng_ml: float) -> str:
    mass_kda = draft.protocol.factors[part].molar_mass_kda
    if mass_kda is None:
        return f"{figure(ng_ml, 3)} ng/mL"
    return molar_text(float(f"{ng_ml:.3g}"), mass_kda).replace("µ", "u")


def _idle(draft: Draft) -> Iterator[Finding]:
    """Lines of wells that are not used run with their pump unless they are taken out."""
    used = {well.well for well in draft.plan.wells}
    idle: dict[str, list[str]] = {}
    for name, line in draft.rig.lines.items():
        if used and not used & set(line.wells):
            idle.setdefault(line.pump, []).append(name)
    running = {
        entry.instrument
        for entry in draft.plan.timeline
        if isinstance(entry, FlowLevel) and entry.rate_ul_min > 0
    }
    lines = [name for pump, names in idle.items() if pump in running for name in names]
    if lines:
        yield Finding(
            "supplies.idle-lines",
            "note",
            f"rig: lines ({', '.join(lines)})",
            "they lead to wells that this protocol does not use, and their pumps run: the plan "
            "counts nothing through them",
            "take these tubes out of the pump, or clamp them",
        )
