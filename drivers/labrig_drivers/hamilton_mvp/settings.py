"""What a rig file may set for a Hamilton MVP."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

PORTS = {
    "8-port": 8, "6-port": 6, "4-port": 4, "3-port": 3, "2-port-180": 2, "2-port-90": 2,
}  # fmt: skip
"""By type of valve head, how many positions it has."""


@dataclass(frozen=True, slots=True)
class HamiltonMvpSettings:
    """A valve positioner as it stands on the bench.

    Attributes:
        address: its letter, by its place in the chain: a is the first.
        valve: the head that is mounted; the positioner keeps it too, and is asked.
        turns: which way: what lies between two positions is passed on the way.
        reply_timeout_s: how long to wait for an answer.
    """

    address: str = "a"
    valve: Literal["8-port", "6-port", "4-port", "3-port", "2-port-180", "2-port-90"] = "8-port"
    turns: Literal["clockwise", "counterclockwise"] = "clockwise"
    reply_timeout_s: float = 0.5

    def __post_init__(self) -> None:
        if len(self.address) != 1 or not "a" <= self.address <= "p":
            raise ValueError(f"address is {self.address!r}; write a letter from a to p")
        if self.valve not in PORTS:
            raise ValueError(f"valve is {self.valve!r}; write one of {', '.join(PORTS)}")
        if self.turns not in ("clockwise", "counterclockwise"):
            raise ValueError(f"turns is {self.turns!r}; write clockwise or counterclockwise")
        if not 0.05 <= self.reply_timeout_s <= 5.0:
            raise ValueError(f"reply_timeout_s is {self.reply_timeout_s}; write 0.05 to 5")


def positions(settings: HamiltonMvpSettings) -> tuple[str, ...]:
    """Names of its positions: their numbers, as printed on the head."""
    return tuple(str(number) for number in range(1, PORTS[settings.valve] + 1))
