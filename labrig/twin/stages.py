"""A simulated stage of the imaging process, for types that have no byte protocol to simulate."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from labrig.durable import read_json, write_text_whole
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import Identity, StageLimits

SPEED_UM_S = 5_000.0
"""[P] Of each axis."""


@dataclass(frozen=True, slots=True)
class _Move:
    """From a place to a place, begun at a time."""

    from_um: tuple[float, float]
    to_um: tuple[float, float]
    began_s: float

    @property
    def takes_s(self) -> float:
        return max(abs(b - a) for a, b in zip(self.from_um, self.to_um, strict=True)) / SPEED_UM_S

    def at_um(self, now_s: float) -> tuple[float, float]:
        share = 1.0 if not self.takes_s else min(1.0, (now_s - self.began_s) / self.takes_s)
        x_um, y_um = (a + share * (b - a) for a, b in zip(self.from_um, self.to_um, strict=True))
        return round(x_um, 3), round(y_um, 3)


class SimulatedStage:
    """Satisfies ``labrig_drivers.kinds.Stage``; its place outlives the process, as a stage's does.

    Args:
        name: as in the rig file.
        travel: where it may be sent.
        path: file that holds its last move.
        now: seconds on the run's clock.
    """

    def __init__(
        self, name: str, travel: StageLimits, path: Path, now: Callable[[], float]
    ) -> None:
        self._name, self._travel, self._path, self._now = name, travel, path, now

    def identify(self) -> Identity:
        """A simulated stage says so."""
        return Identity("labrig", "simulated stage", "1")

    def close(self) -> None:
        """Nothing is held."""

    def limits(self) -> StageLimits:
        """As the rig file gives them."""
        return self._travel

    def position_um(self) -> tuple[float, float]:
        """Where it stands, or is on its way."""
        return self._last().at_um(self._now())

    def move_to(self, x_um: float, y_um: float) -> None:
        """Set out for a place. Raises OutOfRange."""
        reach = self._travel
        if not (
            reach.x_min_um <= x_um <= reach.x_max_um and reach.y_min_um <= y_um <= reach.y_max_um
        ):
            raise OutOfRange(
                self._name,
                f"cannot go to {x_um:g}, {y_um:g} µm.",
                f"It goes from {reach.x_min_um:g}, {reach.y_min_um:g} to {reach.x_max_um:g}, "
                f"{reach.y_max_um:g} µm.",
            )
        self._keep(_Move(self.position_um(), (x_um, y_um), self._now()))

    def moving(self) -> bool:
        """Whether it has not arrived."""
        last = self._last()
        return self._now() < last.began_s + last.takes_s

    def stop(self) -> None:
        """Stand where it is."""
        here_um = self.position_um()
        self._keep(_Move(here_um, here_um, self._now()))

    def _last(self) -> _Move:
        if not self._path.exists():
            return _Move((0.0, 0.0), (0.0, 0.0), -math.inf)
        kept = read_json(self._path)
        from_um, to_um = ((float(x), float(y)) for x, y in (kept["from_um"], kept["to_um"]))
        return _Move(from_um, to_um, float(kept["began_s"]))

    def _keep(self, move: _Move) -> None:
        kept = {"from_um": move.from_um, "to_um": move.to_um, "began_s": move.began_s}
        write_text_whole(self._path, json.dumps(kept))
