"""Components of media, which mix in a chamber as any solute does."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.twin.culture.surroundings import NORMAL
from labrig.twin.responses import Responses
from labrig.twin.spec import ReservoirSpec, TwinSpec

_PREFIX = "medium of: "


class Components:
    """Which components differ anywhere on a bench; those that do not are left at normal.

    A component that the protocol doses as a factor is counted there: its media are without it.

    Args:
        spec: the bench.
        responses: say which factors are components.
    """

    def __init__(self, spec: TwinSpec, responses: Responses) -> None:
        known = [responses.known_as(f.name) for f in spec.factors]
        self._dosed = {responses.factors[name].supplies for name in known if name} - {""}
        self._differ = sorted(
            {
                component
                for components in (*(r.components for r in spec.reservoirs), *spec.by_hand.values())
                for component in components
            }
            - self._dosed
        )
        self._by_hand = spec.by_hand

    def of_reservoir(self, reservoir: ReservoirSpec) -> dict[str, float]:
        """As solutes of this reservoir."""
        return {_PREFIX + c: reservoir.components.get(c, 1.0) for c in self._differ}

    def of_medium(self, medium: str) -> dict[str, float]:
        """As solutes of a medium that people put in; an unknown one is normal."""
        components = self._by_hand.get(medium, {})
        return {_PREFIX + c: components.get(c, 1.0) for c in self._differ}

    def at_first(self) -> dict[str, float]:
        """As solutes of a chamber that is filled."""
        return {_PREFIX + c: 1.0 for c in self._differ}

    def read(self, held: Mapping[str, float]) -> Mapping[str, float]:
        """Components over normal in a chamber."""
        if not self._differ:
            return NORMAL
        return {**NORMAL, **{c: held.get(_PREFIX + c, 1.0) for c in self._differ}}

    def left_out_of(self, held: Mapping[str, float]) -> dict[str, float]:
        """The factors alone."""
        return {name: ng_ml for name, ng_ml in held.items() if not name.startswith(_PREFIX)}
