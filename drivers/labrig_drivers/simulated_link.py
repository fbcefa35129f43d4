"""Scripted trouble on a simulated instrument's line. Shared by simulators, never by drivers."""

from __future__ import annotations

import random

from labrig_drivers.simulated_faults import FaultSchedule

DEFAULT_LATENESS_S = 2.0


class SpoiltReplies:
    """Applies the faults ``corrupt_reply``, ``repeat_reply`` and ``late_reply`` to replies.

    Args:
        faults: the instrument's script; ``late_reply`` is ``value`` seconds late, 2 when 0.
        seed: which bit of a corrupt reply turns.
    """

    def __init__(self, faults: FaultSchedule, seed: int) -> None:
        self._faults = faults
        self._seed = seed
        # Made when first needed: most lines spoil nothing, and a bench of many is written down.
        self._random: random.Random | None = None
        self._late: list[tuple[float, bytes]] = []

    def send(self, reply: bytes, now_s: float) -> bytes:
        """What of the reply goes out now."""
        if reply and self._faults.active("corrupt_reply", now_s):
            reply = self._corrupted(reply)
        if self._faults.active("repeat_reply", now_s):
            reply += reply
        if reply and (late := self._faults.active("late_reply", now_s)):
            self._late.append((now_s + (late.value or DEFAULT_LATENESS_S), reply))
            return b""
        return reply

    def _corrupted(self, reply: bytes) -> bytes:
        if self._random is None:
            self._random = random.Random(self._seed)
        at = self._random.randrange(len(reply))
        turned = reply[at] ^ (1 << self._random.randrange(8))
        return reply[:at] + bytes([turned]) + reply[at + 1 :]

    def due(self, now_s: float) -> bytes:
        """Late replies whose time has come."""
        if not self._late:
            return b""
        sent = b"".join(data for due_s, data in self._late if due_s <= now_s)
        self._late = [(due_s, data) for due_s, data in self._late if due_s > now_s]
        return sent

    def next_due_s(self) -> float:
        """When the next late reply goes; infinity for never."""
        return min((due_s for due_s, _ in self._late), default=float("inf"))
