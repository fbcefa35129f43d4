"""Whether liquids and disk last until the end."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.disk_room import START_SHARE, need_bytes
from labrig.plan.drawn import courses_of
from labrig.plan.findings import Finding
from labrig.plan.foreseen import Depletion
from labrig.plan.refills import RESERVE, asked_too_late, stretches
from labrig.plan.supply_steps import WASTE
from labrig.plan.timeline import PersonStep
from labrig.plan.words import hours


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``supplies.*`` that need the whole plan."""
    yield from _reservoirs(draft)
    yield from _waste(draft)
    yield from _after_the_end(draft)
    yield from _tubes(draft)
    yield from _disk(draft)
    yield from _cold(draft)
    yield from _lots(draft)


def _reservoirs(draft: Draft) -> Iterator[Finding]:
    for item in draft.plan.forecast.depletion:
        where = f"rig: reservoirs.{item.reservoir}"
        fits = item.of_a_filling_ml * RESERVE <= item.available_ml * 1.0001
        if item.refills_s:
            yield Finding(
                "supplies.refill",
                "note",
                f"{where}.refill",
                f"a filling is {item.available_ml:.3g} mL, the run draws {item.needed_ml:.3g} mL: "
                f"people are asked to fill it at {_times(item.refills_s)} [C]",
                "see that somebody is there, or use a larger one",
            )
        if fits:
            continue
        dry = "" if item.dry_at_s is None else f", dry after {item.dry_at_s / 3600:.1f} h"
        told = f"the run draws {item.needed_ml:.3g} mL"
        if item.refills_s:
            told = (
                f"between two fillings the run draws up to {item.between_ml:.3g} mL, where people "
                "come as late as they may"
            )
        yield Finding(
            "supplies.reservoir",
            "block",
            where,
            f"{told}, usable are {item.available_ml:.3g} mL{dry}; "
            f"{RESERVE:g} times the need is asked for ([P])",
            f"use a larger reservoir, a stronger stock or a lower flow, {_filled(draft, item)}",
            overridable=item.dry_at_s is None,
        )


def _filled(draft: Draft, item: Depletion) -> str:
    """How people can keep it from running dry, by what the rig already says of it."""
    asked = draft.rig.reservoirs[item.reservoir].refill
    if asked is None:
        return "or have people fill it in time (`refill: {within: 1 h}`)"
    if asked.at_s:
        return "or have people fill it sooner and more often (`refill: at`), or leave `at` out"
    return (
        "or have people come sooner: one who comes as late as "
        f"`refill: {{within: {asked.within_s / 60:g} min}}` lets them comes too late"
    )


def _times(times_s: tuple[float, ...]) -> str:
    shown = ", ".join(hours(at_s) for at_s in times_s[:4])
    return shown if len(times_s) <= 4 else f"{shown} and {len(times_s) - 4} more times"


def _waste(draft: Draft) -> Iterator[Finding]:
    outflow = draft.rig.outflow
    if outflow is None:
        return
    drawn = sum(item.needed_ml for item in draft.plan.forecast.depletion)
    steps = [e for e in draft.plan.timeline if isinstance(e, PersonStep) and e.supply == WASTE]
    most, full_at_s = drawn, None
    if steps:
        most, full_at_s = stretches(courses_of(draft.plan)[WASTE], steps, outflow.waste_ml)
        times = tuple(step.offset_s for step in steps)
        yield Finding(
            "supplies.refill",
            "note",
            "rig: outflow.empty",
            f"{drawn:.4g} mL flow out, the waste bottle holds {outflow.waste_ml:g} mL: people are "
            f"asked to empty it at {_times(times)} [C]",
            "see that somebody is there, or use a larger one",
        )
    if most > outflow.waste_ml:
        after = "" if full_at_s is None else f", full after {full_at_s / 3600:.1f} h"
        yield Finding(
            "supplies.waste",
            "block",
            "rig: outflow.waste_volume",
            f"{most:.4g} mL flow out, the waste bottle holds {outflow.waste_ml:g} mL{after} [C]",
            "use a larger waste bottle, or have people empty it (`empty: {within: 1 h}`)",
        )


def _after_the_end(draft: Draft) -> Iterator[Finding]:
    ends_s = draft.plan.forecast.duration_s
    for name, times_s in asked_too_late(draft.rig, draft.plan.supplies, ends_s).items():
        where = "outflow.empty" if name == WASTE else f"reservoirs.{name}.refill"
        yield Finding(
            "supplies.refill-after-end",
            "warn",
            f"rig: {where}.at",
            f"the run is over after {hours(ends_s)}: nobody is asked at "
            f"{_times(tuple(times_s))} [C]",
            "name times within the run, or leave `at` out: it is then asked for as the run needs",
        )


def _tubes(draft: Draft) -> Iterator[Finding]:
    for item in draft.plan.wear:
        runs_h = draft.plan.forecast.duration_s / 3600.0
        if item.sort == "tube" and item.left_h < runs_h:
            yield Finding(
                "supplies.tube",
                "warn",
                f"rig: lines ({item.pump})",
                f"the tube in {item.pump} has {max(item.left_h, 0.0):.3g} h left of its life, the "
                f"run lasts {runs_h:.3g} h [C]: an old tube delivers less, and tears",
                "put a new tube in and set `tube_used: 0 h`",
            )


def _disk(draft: Draft) -> Iterator[Finding]:
    need = need_bytes(draft.plan)
    if draft.free_bytes is not None and draft.free_bytes < START_SHARE * need:
        yield Finding(
            "supplies.disk",
            "block",
            "protocol: imaging",
            f"the run writes up to {need / 1e9:.3g} GB: "
            f"{draft.plan.forecast.image_bytes / 1e9:.3g} GB of pictures before compression, the "
            f"rest its record; {draft.free_bytes / 1e9:.3g} GB are free, {START_SHARE:g} times the "
            "need is asked for ([P])",
            "free some space, choose another disk, or take fewer sites, channels or rounds",
        )


def _cold(draft: Draft) -> Iterator[Finding]:
    warm = [
        item.reservoir
        for item in draft.plan.loading
        if not draft.rig.reservoirs[item.reservoir].cold
        and item.solution in draft.protocol.stocks
        and draft.protocol.stocks[item.solution].half_life_cold_h is not None
    ]
    if warm:
        yield Finding(
            "supplies.stock-not-cold",
            "warn",
            f"rig: reservoirs ({', '.join(warm)})",
            "their stock is said to decay at 4 °C, and they are not kept cold: it decays faster "
            "than planned",
            "cool them and set cold: true",
        )


def _lots(draft: Draft) -> Iterator[Finding]:
    without = sorted({item.solution for item in draft.plan.loading if not item.lot})
    if without:
        yield Finding(
            "supplies.lot-missing",
            "note",
            "protocol: stocks",
            f"no lot is recorded for {', '.join(without)}",
            "write the lot; a reviewer will ask",
        )
