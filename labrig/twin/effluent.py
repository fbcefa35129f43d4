"""Lines of the simulated bench that take what leaves one chamber to others.

A line begins at the height of the outflow: it takes what flows in there and no more, and air beyond
that. Its tube is a row of plugs, each as the chamber was on average while it entered. Written apart
from ``labrig.plan.effluent_tube``, as all liquid of the twin.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

LONGEST_S = 300.0
"""What a chamber holds is taken as its mean over so long, s."""

Held = tuple[dict[str, float], float]
"""Solutes in ng/mL, and how fresh the medium is."""


@dataclass(slots=True)
class Effluent:
    """One such line.

    Attributes:
        source: the chamber it begins in.
        plugs: what stands in the tube from the tip on, as ``[µL, solutes, freshness]``.
    """

    source: str
    wells: tuple[str, ...]
    rate_ul_min: float = 0.0
    plugs: list[tuple[float, dict[str, float], float]] = field(default_factory=list)

    def flowing_ul_min(self, comes_in_ul_min: float) -> float:
        """What it moves where so much flows into the chamber that it begins in."""
        return max(0.0, min(self.rate_ul_min, comes_in_ul_min))

    def pushed_out(self, volume_ul: float, entering: Held) -> Held:
        """What leaves at the tip, mixed, while so much of another liquid enters."""
        self.plugs.append((volume_ul, *entering))
        left_ul, mass, fresh = volume_ul, dict[str, float](), 0.0
        while left_ul > 1e-12 and self.plugs:
            plug_ul, solutes, freshness = self.plugs[0]
            part_ul = min(left_ul, plug_ul)
            for name, ng_ml in solutes.items():
                mass[name] = mass.get(name, 0.0) + ng_ml * part_ul
            fresh += freshness * part_ul
            left_ul -= part_ul
            if plug_ul - part_ul > 1e-9:
                self.plugs[0] = (plug_ul - part_ul, solutes, freshness)
            else:
                self.plugs.pop(0)
        return {name: amount / volume_ul for name, amount in mass.items()}, fresh / volume_ul


def mean_of(before: Held, after: Held) -> Held:
    """Between two moments that are not far apart."""
    names = before[0].keys() | after[0].keys()
    solutes = {n: (before[0].get(n, 0.0) + after[0].get(n, 0.0)) / 2.0 for n in names}
    return solutes, (before[1] + after[1]) / 2.0


def downstream(effluents: Iterable[tuple[str, Effluent]]) -> dict[str, Effluent]:
    """In the order in which liquid passes them: what feeds a source comes before its line."""
    waiting, ordered = dict(effluents), dict[str, Effluent]()
    while waiting:
        fed = {well for line in waiting.values() for well in line.wells}
        free = [name for name, line in waiting.items() if line.source not in fed]
        if not free:
            raise ValueError(f"effluent goes round: {', '.join(waiting)}")
        for name in free:
            ordered[name] = waiting.pop(name)
    return ordered
