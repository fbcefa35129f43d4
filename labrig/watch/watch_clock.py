"""Seconds of the watch: they go on while it is dead, and no change of the time of day moves them.

Within one boot they follow the steady clock; over a reboot the time of day is all there is, and
what it says of a past that would lie in the future counts as no time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from labrig.record.clock import boot_id, steady_s


@dataclass(frozen=True, slots=True)
class Anchor:
    """One moment, by every clock there is.

    Attributes:
        watch_s: on the watch's own axis.
        steady_s: of the computer, within ``boot``.
        utc: time of day, ISO 8601.
    """

    watch_s: float
    boot: str
    steady_s: float
    utc: str


class WatchClock:
    """Shows the seconds of the watch.

    Args:
        before: a moment that an earlier watch wrote down; None: this is the first.
        steady / utc_now / boot: the computer's clocks.
    """

    def __init__(
        self,
        before: Anchor | None = None,
        steady: Callable[[], float] = steady_s,
        utc_now: Callable[[], datetime] = lambda: datetime.now(UTC),
        boot: Callable[[], str] = boot_id,
    ) -> None:
        self._steady = steady
        self._utc_now = utc_now
        self._boot = boot()
        self._zero_s = steady() - (0.0 if before is None else self._since(before))

    def now_s(self) -> float:
        """Seconds of the watch."""
        return self._steady() - self._zero_s

    def utc(self) -> str:
        """The time of day, for people."""
        return self._utc_now().isoformat(timespec="seconds")

    def anchor(self) -> Anchor:
        """This moment, for a watch to come."""
        return Anchor(self.now_s(), self._boot, self._steady(), self.utc())

    def _since(self, before: Anchor) -> float:
        if before.boot == self._boot and self._steady() >= before.steady_s:
            return before.watch_s + self._steady() - before.steady_s
        passed = self._utc_now() - datetime.fromisoformat(before.utc)
        return before.watch_s + max(0.0, passed.total_seconds())
