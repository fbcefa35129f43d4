"""A whole simulated bench that outlives the runners, with its people."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from labrig.launch.simulated_people import simulated_people
from labrig.rig.bench import OpenTransport
from labrig.run_folder import RunFolder
from labrig.soak.protocol_night import ProtocolNight
from labrig.twin.bench import TwinBench
from labrig.twin.people import SimulatedPeople


class LivingBench:
    """Of one night.

    Args:
        night: whose rig it is.
        folder: of its run.
    """

    def __init__(self, night: ProtocolNight, folder: Path) -> None:
        (folder / "twin").mkdir()
        self.spec = night.bench
        world = night.world()
        self._now: Callable[[], float] = lambda: 0.0
        self._twin = TwinBench(world, self.spec, folder / "twin", lambda: self._now())
        self.people: SimulatedPeople | None = simulated_people(
            night.plan, world, self._twin, RunFolder(folder)
        )

    def opener(self, now: Callable[[], float]) -> OpenTransport:
        """Opens its ports on a clock."""
        self._now = now
        return self._twin.open_transport

    def wait_until(self, at_s: float) -> None:
        """Let what instruments do by themselves happen."""
        self._twin.happen_until(at_s)

    def close(self) -> None:
        """Write what was done."""
        self._twin.close()
