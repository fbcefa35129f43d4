"""How long a stop can be taken back: the bench is safe already, only the run has not ended yet."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

GRACE_S = 60.0
"""So long a person's stop can be taken back; the bench is safe at once."""
LONGEST_S = 600.0
"""[P] Cells may do without doses and impulses for so long while somebody makes up their mind."""


@dataclass(frozen=True, slots=True)
class StandingStop:
    """A stop that has been carried out and can be taken back.

    Attributes:
        since_s / until_s: on the run's clock; at the second the run ends.
        by / reason: as who stopped it gave them.
    """

    since_s: float
    until_s: float
    by: str
    reason: str


def grace_s_of(args: Mapping[str, Any]) -> float | None:
    """For how many seconds of people's time a stop wants to be open; None: it does not say well."""
    try:
        grace_s = float(args.get("grace_s") or 0.0)
    except (TypeError, ValueError):
        return None
    return grace_s if 0 <= grace_s <= LONGEST_S else None


class Grace:
    """Of one run: opened by a stop, and ended once, either by time or by who takes it back."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._state: Literal["none", "open", "taken back", "over"] = "none"
        self._standing: StandingStop | None = None
        self._again: StandingStop | None = None

    def stopped(self, stop: StandingStop) -> None:
        """A stop was carried out. One that nobody may take back ends what another opened."""
        with self._lock:
            if self._state == "taken back":
                self._again = stop
            elif stop.until_s <= stop.since_s:
                self._state = "over"
            elif self._state == "none":
                self._state, self._standing = "open", stop

    @property
    def again(self) -> StandingStop | None:
        """A stop that came after one was taken back: the run must not be taken up without it."""
        with self._lock:
            return self._again

    @property
    def standing(self) -> StandingStop | None:
        """The stop that can be taken back, if any."""
        with self._lock:
            return self._standing if self._state == "open" else None

    def take_back(self) -> bool:
        """The run is to go on; False when it is too late, or nothing was stopped."""
        with self._lock:
            if self._state != "open":
                return False
            self._state = "taken back"
            return True

    def end(self) -> bool:
        """The run ends; False when the stop was taken back before."""
        with self._lock:
            if self._state == "taken back":
                return False
            self._state = "over"
            return True
