"""Whether a well can take its boluses, and a syringe give them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from labrig.plan.checks.draft import Draft
from labrig.plan.findings import Finding
from labrig.plan.perfusion_physics import UL_MIN_PER_ML_H
from labrig.plan.targets import most_flow_ml_h
from labrig.plan.timeline import Dose, FlowLevel
from labrig.protocol.plates import PLATES

WELL_DEPTH_MM: Mapping[str, float] = {
    "6-well": 17.4,
    "12-well": 17.5,
    "24-well": 17.4,
    "48-well": 17.4,
    "96-well": 10.7,
}
"""Bottom to rim; usual ones [K]."""

MOST_OF_A_WELL = 0.5
"""Share of a well's liquid from which a bolus replaces the medium rather than adding to it [P]."""


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``dose.*`` that need the whole plan."""
    yield from _whole_wells(draft)
    yield from _overflow(draft)
    yield from _syringes(draft)


def _doses(draft: Draft) -> list[Dose]:
    return [entry for entry in draft.plan.timeline if isinstance(entry, Dose)]


def _shares(draft: Draft, pump: str, well: str) -> float:
    """Of what a pump moves through each of its lines, the part that reaches the well."""
    lines = draft.rig.lines.values()
    return sum(1.0 / len(ln.wells) for ln in lines if ln.pump == pump and well in ln.wells)


def _whole_wells(draft: Draft) -> Iterator[Finding]:
    volume_ul = draft.rig.chambers.volume_ml * 1000.0
    for dose in _doses(draft):
        into_ul = dose.volume_ul * max(_shares(draft, dose.instrument, w) for w in dose.wells)
        if into_ul >= MOST_OF_A_WELL * volume_ul:
            yield Finding(
                "dose.whole-well",
                "block",
                f"rig: instruments.{dose.instrument} ({dose.offset_s / 3600:g} h)",
                f"a bolus of {into_ul:.4g} µL goes into wells of {volume_ul:g} µL: from "
                f"{MOST_OF_A_WELL:.0%} on it replaces the medium [P]",
                "give a smaller bolus of a stronger stock",
                overridable=True,
            )


def _overflow(draft: Draft) -> Iterator[Finding]:
    rig = draft.rig
    if rig.outflow is None or rig.chambers.closed or draft.protocol.perfusion is None:
        return
    # mm × cm² × 100 = µL
    holds_ul = WELL_DEPTH_MM[rig.plate] * PLATES[rig.plate].area_cm2 * 100.0
    headroom_ul = holds_ul - rig.chambers.volume_ml * 1000.0
    moves = [entry for entry in draft.plan.timeline if isinstance(entry, FlowLevel | Dose)]
    for well in draft.plan.wells:
        # a pump draws the same from every well: what the arm with the most flow needs
        arms = [well.arm] if rig.outflow.pump is None else list(draft.protocol.arms)
        most = max(most_flow_ml_h(draft.protocol, arm) for arm in arms)
        drains = most * rig.outflow.ratio * UL_MIN_PER_ML_H
        rise_ul, at_s = _rise(draft, moves, well.well, drains)
        if rise_ul > max(0.0, headroom_ul):
            yield Finding(
                "dose.overflow",
                "block",
                f"rig: chambers (well {well.well}, {at_s / 3600:.3g} h)",
                f"liquid rises by {rise_ul:.4g} µL, and a {rig.plate} well has room for "
                f"{max(0.0, headroom_ul):.4g} µL above its {rig.chambers.volume_ml:g} mL [K]; the "
                f"outflow takes {drains:.4g} µL/min",
                "give smaller or slower boluses, or a stronger outflow (outflow.ratio)",
            )


def _rise(
    draft: Draft, moves: Sequence[FlowLevel | Dose], well: str, drains_ul_min: float
) -> tuple[float, float]:
    """The most that stands above the outflow's height, in µL, and when."""
    changes: list[tuple[float, float]] = []
    held: dict[str, float] = {}
    pumps = {line.pump for line in draft.rig.lines.values() if well in line.wells}
    shares = {pump: _shares(draft, pump, well) for pump in pumps}
    for entry in moves:
        share = shares.get(entry.instrument, 0.0)
        if share == 0:
            continue
        if isinstance(entry, FlowLevel):
            change = (entry.rate_ul_min - held.get(entry.instrument, 0.0)) * share
            held[entry.instrument] = entry.rate_ul_min
            changes.append((entry.offset_s, change))
        elif entry.rate_ul_min > 0:
            lasts_s = entry.volume_ul / entry.rate_ul_min * 60.0
            changes.append((entry.offset_s, entry.rate_ul_min * share))
            changes.append((entry.offset_s + lasts_s, -entry.rate_ul_min * share))
    most = (0.0, 0.0)
    above_ul = inflow = now_s = 0.0
    for at_s, change in sorted(changes):
        above_ul = max(0.0, above_ul + (inflow - drains_ul_min) * (at_s - now_s) / 60.0)
        most = max(most, (above_ul, at_s))
        inflow, now_s = inflow + change, at_s
    return most


def _syringes(draft: Draft) -> Iterator[Finding]:
    for dose in _doses(draft):
        entry = draft.rig.instruments[dose.instrument]
        kind = draft.types[entry.type]
        if kind.syringe is None:
            continue
        holds_ul = kind.syringe(kind.settings(**entry.settings)).volume_ul
        if holds_ul is not None and dose.volume_ul > holds_ul:
            yield Finding(
                "dose.more-than-syringe",
                "block",
                f"rig: instruments.{dose.instrument} ({dose.offset_s / 3600:g} h)",
                f"a bolus of {dose.volume_ul:.4g} µL from a syringe of {holds_ul:g} µL",
                "give less of a stronger stock, or use a larger syringe",
            )
