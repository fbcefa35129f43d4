"""What each instrument of a bench does in a run, and for which wells."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.error_rules import Action
from labrig.plan.packed import packed
from labrig.plan.plan import Plan
from labrig.rig.bench import BenchSpec
from labrig.run.handlers import feeds
from labrig_drivers.instrument import installed_types

_MUTE: Mapping[str, Action] = {
    "pump": "level", "stimulator": "train", "stage": "move", "probe": "reading", "valve": "valve",
    "controller": "climate",
}  # fmt: skip
"""By kind of instrument, what cannot be done while it does not answer."""


def actions_of(bench: BenchSpec) -> dict[str, Action]:
    """By instrument, what cannot be done while it does not answer."""
    types = installed_types()
    kinds = {i.name: types[i.type].kind for i in bench.instruments}
    return {name: _MUTE[kind] for name, kind in kinds.items() if kind in _MUTE}


def wells_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By instrument, whom it serves."""
    found: dict[str, dict[str, None]] = {}
    for entry in packed(plan.timeline).specimens():
        found.setdefault(entry.instrument, {}).update(dict.fromkeys(entry.wells))
    return {name: tuple(wells) for name, wells in found.items()}


def suspended_by_outages(bench: BenchSpec) -> tuple[str, ...]:
    """Pumps and stimulators: one that feeds the cells keeps its flow all the same."""
    types = installed_types()
    return tuple(i.name for i in bench.instruments if types[i.type].kind in ("pump", "stimulator"))


def missed_when_mute(plan: Plan, bench: BenchSpec) -> frozenset[str]:
    """Pumps that feed the cells, and stimulators. Without additives alone no cell starves."""
    return frozenset(
        name
        for name, action in actions_of(bench).items()
        if action == "train" or (action == "level" and feeds(plan, name))
    )
