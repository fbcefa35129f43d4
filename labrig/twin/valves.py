"""Valves put before the lines of a simulated bench."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labrig.twin.liquid import Plumbing, Reservoir
from labrig.twin.spec import SelectorSpec


def put_valves(
    plumbing: Plumbing, selectors: Iterable[SelectorSpec], reservoirs: Mapping[str, Reservoir]
) -> dict[str, list[str]]:
    """Let lines draw through their valves; by valve, the lines behind it.

    A valve of which nothing was heard stands where its tube was filled.
    """
    behind: dict[str, list[str]] = {}
    for selector in selectors:
        line = plumbing.lines[selector.line]
        line.choices = {at: reservoirs[name] for at, name in selector.positions}
        line.select(selector.filled_with)
        if selector.tube_ul > 0.0:
            filling = line.choices.get(selector.filled_with)
            line.plugs = [(selector.tube_ul, filling)]
        behind.setdefault(selector.valve, []).append(selector.line)
    return behind
