"""Whether the bench can hold the surroundings that the protocol asks for, and cells bear them."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.climate_schedule import (
    arm_words,
    is_held,
    set_points,
    steps_of,
    stretches,
    wells_of,
)
from labrig.plan.findings import Finding
from labrig.plan.heat_physics import cem43_min
from labrig.protocol.climate import KEYS, ClimateStep
from labrig.rig.climate import SAFE, ClimateEntry
from labrig_drivers.kinds import quantity_of

MOST_CEM43_MIN = 15.0
"""[C] What 42 °C for an hour comes to, which cultures of muscle are given at most [K]."""
COLD_C = 30.0
"""[K] Below it, and above 39 °C, a culture is not kept: it is treated."""


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``climate.*``, and ``design.shared-heater``."""
    yield from _nobody_sets(draft)
    for index, step in enumerate(draft.protocol.environment.steps):
        where = f"protocol: environment.set.{index}"
        yield from _on(draft, where, step)
        yield from _apart(draft, where, step)
    for name, entry in draft.rig.climate.items():
        if is_held(draft.protocol, name, entry):
            yield from _reach(draft, name, entry)
            yield from _heat(draft, name, entry)
            yield from _settles(draft, name, entry)
            yield from _own_sensor(draft, name, entry)


def _nobody_sets(draft: Draft) -> Iterator[Finding]:
    """What is asked for at first, and no controller of the rig sets for every well."""
    env, rig = draft.protocol.environment, draft.rig
    for key, quantity in KEYS.items():
        wanted = env.at_first(quantity)
        usual = None if quantity == "o2_percent" else SAFE[key]
        if wanted is None or wanted == usual:
            continue
        reached = {
            well
            for entry in rig.climate.values()
            if entry.quantity == quantity
            for well in wells_of(rig, entry)
        }
        lacking = [well for well in rig.chambers.wells if well not in reached]
        if not lacking:
            continue
        told = quantity_of(quantity)
        value = f"{wanted:g} {told.unit_label}"
        who = "nothing on this rig" if not reached else f"nothing of wells {', '.join(lacking)}"
        yield Finding(
            "climate.no-controller",
            "block",
            f"protocol: environment.{key}",
            f"the protocol wants {told.words} at {value}, and {who} sets it: written alone it "
            "heats and mixes nothing, and would only move the alarm",
            f"add the controller to the rig's `climate:`, or set the incubator to {value} by hand "
            "and take that upon you with an override",
            overridable=True,
        )


def _on(draft: Draft, where: str, step: ClimateStep) -> Iterator[Finding]:
    """Every quantity of a step needs an entry of the rig that it comes to."""
    rig, wells = draft.rig, draft.plan.wells
    if step.on is not None and step.on not in rig.climate:
        there = ", ".join(rig.climate) or "nothing"
        yield Finding(
            "climate.no-controller", "block", f"{where}.on",
            f"the rig has no '{step.on}' in its climate: it has {there}",
            "name one of those, or leave `on:` out: all that set it then do",
        )  # fmt: skip
        return
    for quantity, value in step.values.items():
        told = quantity_of(quantity)
        setting = [n for n, e in rig.climate.items() if e.quantity == quantity]
        if step.on is not None:
            setting = [name for name in setting if name == step.on]
        if not setting:
            named = f"'{step.on}'" if step.on else "nothing on this rig"
            yield Finding(
                "climate.no-controller", "block", where,
                f"{named} sets no {told.words}, which is to be {value:g} {told.unit_label} at "
                f"{step.at_s / 3600:g} h",
                "add a controller to the rig's `climate:`, or remove the step",
            )  # fmt: skip
        elif wells and not any(step in steps_of(draft.protocol, rig, wells, n) for n in setting):
            yield Finding(
                "design.shared-heater", "block", where,
                f"{told.words} of its own is asked for arms {', '.join(step.arms)}, and every one "
                f"of {', '.join(setting)} holds wells of other arms too: what it holds comes to "
                "all of its wells",
                "give each heater wells of its own (climate.NAME.wells), or do without `arms:`",
            )  # fmt: skip


def _apart(draft: Draft, where: str, step: ClimateStep) -> Iterator[Finding]:
    protocol = draft.protocol
    if not step.arms:
        if len(protocol.arms) > 1:
            yield Finding(
                "design.one-heater-unit", "note", where,
                "these surroundings come to every arm alike: no arm of this run is without them, "
                "and their unit is the plate (n = 1)",
                "nothing, if arms are compared under them; else give some arms heaters of their "
                "own (`arms:`), or run another plate without",
            )  # fmt: skip
        return
    left_out = [
        arm for arm in protocol.arms if arm not in step.arms and not arm_words(protocol, arm)
    ]
    if not left_out:
        yield Finding(
            "design.one-heater-unit", "warn", where,
            "every arm has surroundings of its own: none is left as the incubator is",
            "leave one arm without, as the control",
        )  # fmt: skip


def _reach(draft: Draft, name: str, entry: ClimateEntry) -> Iterator[Finding]:
    kind = draft.types[draft.rig.instruments[entry.instrument].type]
    settings = draft.rig.instruments[entry.instrument].settings
    if kind.sets is None:
        return
    can = {quantity.key: quantity for quantity in kind.sets(kind.settings(**settings))}
    limits = can.get(entry.quantity)
    if limits is None:
        return
    points = set_points(draft.protocol, draft.rig, draft.plan.wells, name)
    safe = [float(s.value) for s in draft.plan.safe
            if (s.instrument, s.quantity) == (entry.instrument, entry.quantity)]  # fmt: skip
    beyond = sorted({v for v in (*(v for _, v in points), *safe) if not limits.plausible(v)})
    if beyond:
        values = ", ".join(f"{value:g}" for value in beyond)
        yield Finding(
            "climate.out-of-reach", "block", f"rig: climate.{name}",
            f"{entry.instrument} is to hold {values} {limits.unit_label} {limits.words}, and may "
            f"be sent {limits.low:g} to {limits.high:g} {limits.unit_label}",
            "correct the protocol, or what the rig's settings of it allow",
        )  # fmt: skip


def _heat(draft: Draft, name: str, entry: ClimateEntry) -> Iterator[Finding]:
    if entry.sets != "temperature":
        return
    points = set_points(draft.protocol, draft.rig, draft.plan.wells, name)
    held = stretches(points, draft.protocol.duration_s)
    minutes = cem43_min(held)
    hottest = max(value for _, value in held)
    if minutes > MOST_CEM43_MIN * 1.000001:
        yield Finding(
            "climate.too-hot", "block", f"rig: climate.{name}",
            f"up to {hottest:g} °C comes to {minutes:.3g} equivalent minutes at 43 °C, limit "
            f"{MOST_CEM43_MIN:g} [C]: what 42 °C for an hour is [K]. More kills the cells",
            "shorten it, or lower the temperature: each degree less bears four times as long",
            overridable=True,
        )  # fmt: skip
    coldest = min(value for _, value in held)
    if coldest < COLD_C:
        yield Finding(
            "climate.cold", "warn", f"rig: climate.{name}",
            f"{coldest:g} °C: below {COLD_C:g} °C myotubes hardly live on [K]",
            "keep it short, or say why",
        )  # fmt: skip


def _settles(draft: Draft, name: str, entry: ClimateEntry) -> Iterator[Finding]:
    points = set_points(draft.protocol, draft.rig, draft.plan.wells, name)
    short = [
        (seconds, value)
        for seconds, value in stretches(points, draft.protocol.duration_s)[1:]
        if seconds < entry.settles_s
    ]
    if short:
        told = quantity_of(entry.quantity)
        seconds, value = short[0]
        yield Finding(
            "climate.never-settled", "warn", f"rig: climate.{name}.settles",
            f"{value:g} {told.unit_label} is held for {seconds / 60:g} min, and {name} needs "
            f"{entry.settles_s / 60:g} min to come there: the cells hardly get it",
            "hold it longer, or measure how soon the wells follow and write that as `settles:`",
        )  # fmt: skip


def _own_sensor(draft: Draft, name: str, entry: ClimateEntry) -> Iterator[Finding]:
    changes = len(set_points(draft.protocol, draft.rig, draft.plan.wells, name)) > 1
    if entry.probe is None and changes:
        yield Finding(
            "climate.own-sensor", "note", f"rig: climate.{name}.probe",
            f"what {name} holds is told by its own sensor alone, which is not in the wells",
            "hang a probe into a well and name it, or measure once how the wells follow",
        )  # fmt: skip
