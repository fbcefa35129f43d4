"""When a simulator's scripted faults are on. Shared by simulators, never by drivers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from labrig_drivers.simulation import Fault


class FaultSchedule:
    """The faults of one simulated instrument.

    Args:
        faults: scripted states, in any order.
        known: names the simulator implements.
        instrument: for the error message.

    Raises:
        ValueError: a fault is not known to the simulator.
    """

    def __init__(self, faults: Sequence[Fault], known: Collection[str], instrument: str) -> None:
        for fault in faults:
            if fault.name not in known:
                raise ValueError(
                    f"{instrument}: the simulator knows no fault {fault.name!r}; "
                    f"it knows {', '.join(sorted(known))}"
                )
        self._faults = tuple(faults)
        self._edges = sorted({edge for f in faults for edge in (f.from_s, f.until_s)})

    def active(self, name: str, now_s: float) -> Fault | None:
        """The fault of this name that is on now."""
        for fault in self._faults:
            if fault.name == name and fault.from_s <= now_s < fault.until_s:
                return fault
        return None

    def starts(self, name: str, at_s: float) -> bool:
        """Whether a fault of this name begins at exactly this moment."""
        return any(fault.name == name and fault.from_s == at_s for fault in self._faults)

    def last_start_s(self, name: str, now_s: float) -> float | None:
        """When a fault of this name last began, up to now; None for never."""
        starts = [f.from_s for f in self._faults if f.name == name and f.from_s <= now_s]
        return max(starts, default=None)

    def next_edge_s(self, after_s: float) -> float | None:
        """When a fault next begins or ends, strictly after ``after_s``; None for never."""
        for edge in self._edges:
            if after_s < edge < float("inf"):
                return edge
        return None
