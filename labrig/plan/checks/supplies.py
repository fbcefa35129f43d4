"""Whether liquids and disk last until the end."""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.checks.draft import Draft
from labrig.plan.plan import Finding
from labrig.plan.supplies import RESERVE

DISK_RESERVE = 1.3
"""Free space over need, below which a run is refused [P]."""


def check(draft: Draft) -> Iterator[Finding]:
    """Findings ``supplies.*`` that need the whole plan."""
    yield from _reservoirs(draft)
    yield from _waste(draft)
    yield from _disk(draft)
    yield from _cold(draft)
    yield from _lots(draft)


def _reservoirs(draft: Draft) -> Iterator[Finding]:
    for item in draft.plan.forecast.depletion:
        if item.needed_ml * RESERVE <= item.available_ml:
            continue
        dry = "" if item.dry_at_s is None else f", dry after {item.dry_at_s / 3600:.1f} h"
        yield Finding(
            "supplies.reservoir",
            "block",
            f"rig: reservoirs.{item.reservoir}",
            f"the run draws {item.needed_ml:.3g} mL, usable are {item.available_ml:.3g} mL{dry}; "
            f"{RESERVE:g} times the need is asked for ([P])",
            "use a larger reservoir, a stronger stock or a lower flow",
            overridable=item.dry_at_s is None,
        )


def _waste(draft: Draft) -> Iterator[Finding]:
    outflow = draft.rig.outflow
    drawn = sum(item.needed_ml for item in draft.plan.forecast.depletion)
    if outflow is not None and drawn > outflow.waste_ml:
        yield Finding(
            "supplies.waste",
            "block",
            "rig: outflow.waste_volume",
            f"{drawn:.4g} mL flow out, the waste bottle holds {outflow.waste_ml:g} mL [C]",
            "use a larger waste bottle",
        )


def _disk(draft: Draft) -> Iterator[Finding]:
    need = draft.plan.forecast.image_bytes
    if draft.free_bytes is not None and draft.free_bytes < DISK_RESERVE * need:
        yield Finding(
            "supplies.disk",
            "block",
            "protocol: imaging",
            f"pictures need {need / 1e9:.3g} GB before compression, "
            f"{draft.free_bytes / 1e9:.3g} GB are free; {DISK_RESERVE:g} times the need is asked "
            "for ([P])",
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
