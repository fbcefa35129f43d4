"""Fast and slow fibres: the tails of the distribution of widths."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labrig.twin.culture.activity import Drive
from labrig.twin.culture.relaxing import toward


@dataclass(slots=True)
class Fibres:
    """What patterns add to the widest tubes, which are fast, and to the thinnest, which are slow.

    Logarithms of the width at either end of the distribution; the middle keeps its own.
    """

    fast: float = 0.0
    slow: float = 0.0

    def step(self, hours: float, drive: Drive, numbers: Mapping[str, float]) -> None:
        """Follow the patterns."""
        tau_h = numbers["tau_h"]
        fast = numbers["fast_log"] * drive.phasic * drive.pattern
        slow = numbers["slow_log"] * drive.tonic * drive.pattern
        self.fast = toward(self.fast, fast, hours, tau_h)
        self.slow = toward(self.slow, slow, hours, tau_h)
