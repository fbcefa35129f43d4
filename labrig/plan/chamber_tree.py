"""A chamber and those whose effluent flows into it.

Standard library only: the runner loads this.
"""

from __future__ import annotations

from collections.abc import Iterator

from labrig.plan.dose_model import ChamberPlan, Inlet


def with_sources(chamber: ChamberPlan) -> Iterator[ChamberPlan]:
    """It, and every chamber that it gets effluent of, directly or by way of others."""
    yield chamber
    for inlet in chamber.inlets:
        if inlet.source is not None:
            yield from with_sources(inlet.source)


def all_inlets(chamber: ChamberPlan) -> tuple[Inlet, ...]:
    """Of it and its sources."""
    return tuple(inlet for each in with_sources(chamber) for inlet in each.inlets)


def pumps_of(chamber: ChamberPlan) -> frozenset[str]:
    """On which what it holds depends."""
    return frozenset(inlet.pump for inlet in all_inlets(chamber))


def wells_of(chamber: ChamberPlan) -> frozenset[str]:
    """What people do in one of these changes what it holds."""
    return frozenset(each.well for each in with_sources(chamber))
