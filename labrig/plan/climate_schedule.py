"""What the controllers of the surroundings hold over time, and which steps come to which."""

from __future__ import annotations

from collections.abc import Sequence

from labrig.plan.plan import PhaseSpan, WellPlan
from labrig.plan.run_rules import ClimatePlan, SafeState
from labrig.plan.timeline import ClimateLevel
from labrig.protocol.climate import ClimateStep
from labrig.protocol.models import Protocol
from labrig.rig.climate import SAFE, ClimateEntry
from labrig.rig.models import Rig
from labrig_drivers.kinds import quantity_of

WITHIN_O2_PERCENT = 1.0
"""[P] Off by more than this is an alarm, as half a per cent of CO2 is."""


def climate_levels(
    protocol: Protocol, rig: Rig, spans: Sequence[PhaseSpan], wells: Sequence[WellPlan]
) -> tuple[ClimateLevel, ...]:
    """Set points of every controller, each from its time on until its next one."""
    return tuple(
        ClimateLevel(
            key=f"climate/{entry.instrument}/{entry.sets}/{number}",
            offset_s=at_s,
            phase=next((span.name for span in reversed(spans) if span.start_s <= at_s), ""),
            instrument=entry.instrument,
            quantity=entry.quantity,
            value=value,
            wells=wells_of(rig, entry),
        )
        for name, entry in rig.climate.items()
        for number, (at_s, value) in enumerate(set_points(protocol, rig, wells, name))
    )


def climate_plans(protocol: Protocol, rig: Rig) -> tuple[ClimatePlan, ...]:
    """Whose readings are judged by whose set points."""
    env = protocol.environment
    within = {
        "temperature_c": env.warn_temperature_c,
        "co2_percent": env.warn_co2_percent,
        "o2_percent": WITHIN_O2_PERCENT,
    }
    return tuple(
        ClimatePlan(
            name,
            entry.instrument,
            entry.quantity,
            wells_of(rig, entry),
            entry.probe or "",
            within[entry.quantity],
            entry.settles_s,
        )
        for name, entry in rig.climate.items()
        if is_held(protocol, name, entry)
    )


def safe_climate(protocol: Protocol, rig: Rig) -> tuple[SafeState, ...]:
    """What a stop and the end bring controllers to.

    Temperature goes to 37 °C; a gas stays what the run holds, where the rig names nothing else.
    """
    return tuple(
        SafeState(entry.instrument, entry.quantity, f"{_safe(protocol, entry):g}")
        for name, entry in rig.climate.items()
        if is_held(protocol, name, entry)
    )


def _safe(protocol: Protocol, entry: ClimateEntry) -> float:
    own = entry.safe_value()
    if own is None and entry.sets != "temperature":
        own = protocol.environment.at_first(entry.quantity)
    return SAFE[entry.sets] if own is None else own


def is_held(protocol: Protocol, name: str, entry: ClimateEntry) -> bool:
    """Whether the protocol asks for what it sets: O2 is left alone where nobody does."""
    env = protocol.environment
    return env.at_first(entry.quantity) is not None or any(
        entry.quantity in step.values and step.on in (None, name) for step in env.steps
    )


def wells_of(rig: Rig, entry: ClimateEntry) -> tuple[str, ...]:
    """The wells that are in what it holds."""
    return entry.wells or rig.chambers.wells


def steps_of(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan], name: str
) -> tuple[ClimateStep, ...]:
    """The steps that come to one entry of the rig's climate."""
    entry = rig.climate[name]
    inside = set(wells_of(rig, entry))
    arms = {well.arm for well in wells if well.well in inside}
    return tuple(
        step
        for step in protocol.environment.steps
        if entry.quantity in step.values
        and step.on in (None, name)
        and (not step.arms or (arms and arms <= set(step.arms)))
    )


def set_points(
    protocol: Protocol, rig: Rig, wells: Sequence[WellPlan], name: str
) -> tuple[tuple[float, float], ...]:
    """From when on which value, of one entry; empty where it is left alone.

    Of steps that overlap, the one that began last counts.
    """
    entry = rig.climate[name]
    if not is_held(protocol, name, entry):
        return ()
    steps = steps_of(protocol, rig, wells, name)
    base = protocol.environment.at_first(entry.quantity)
    if base is None:
        base = SAFE[entry.sets]
    moments = sorted({0.0, *(s.at_s for s in steps), *(s.end_s for s in steps)})
    found: list[tuple[float, float]] = []
    for at_s in moments:
        if at_s >= protocol.duration_s:
            break
        value = base
        for step in sorted(steps, key=lambda step: step.at_s):
            if step.at_s <= at_s < step.end_s:
                value = step.values[entry.quantity]
        if not found or found[-1][1] != value:
            found.append((at_s, value))
    return tuple(found)


def stretches(
    points: Sequence[tuple[float, float]], duration_s: float
) -> tuple[tuple[float, float], ...]:
    """Lengths in s, and what is held in each."""
    ends = [*(at_s for at_s, _ in points[1:]), duration_s]
    return tuple((end_s - at_s, value) for (at_s, value), end_s in zip(points, ends, strict=True))


def arm_words(protocol: Protocol, arm: str) -> str:
    """What of the surroundings an arm has of its own; "" for none."""
    own = [step for step in protocol.environment.steps if arm in step.arms]
    return "; ".join(
        f"{value:g} {quantity_of(key).unit_label} {quantity_of(key).words} at "
        f"{step.at_s / 3600:g} h" + (f" for {step.for_s / 3600:g} h" if step.for_s else "")
        for step in own
        for key, value in step.values.items()
    )
