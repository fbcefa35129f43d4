"""From single cells to tubes: how many fuse, and how many nuclei a tube has."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from labrig.twin.culture.donor import Donor
from labrig.twin.culture.relaxing import approach, toward
from labrig.twin.culture.signals import Signals

Numbers = Mapping[str, Mapping[str, float]]
_MOST_SERUM = 10.0


@dataclass(slots=True)
class Fusion:
    """Cells on their way into tubes.

    Attributes:
        age_h: since the change to differentiation medium.
        fused: share of the tubes that have formed.
        fusible: share of what usually fuses that will.
        log_nuclei: number of nuclei over the usual one.
        log_per_tube: nuclei that tubes took up beyond their own.
    """

    age_h: float
    fused: float
    fusible: float = 1.0
    log_nuclei: float = 0.0
    log_per_tube: float = 0.0

    @classmethod
    def at_age(cls, days: float, donor: Donor, numbers: Mapping[str, float]) -> Fusion:
        """A culture that differentiated so long undisturbed."""
        fusible = max(0.1, 1.0 + numbers["per_passage"] * donor.passages_over)
        ripe_h = max(0.0, days * 24.0 - numbers["onset_h"])
        fused = numbers["most"] * fusible * approach(ripe_h, numbers["tau_h"])
        return cls(days * 24.0, fused, fusible)

    def unfused(self, numbers: Mapping[str, float]) -> float:
        """Share that is still to fuse, 0 to 1."""
        return max(0.0, 1.0 - self.fused / numbers["most"])

    def step(
        self, hours: float, said: Signals, medium: Mapping[str, float], numbers: Mapping[str, float]
    ) -> None:
        """Fuse, multiply and take up nuclei for so long."""
        self.age_h += hours
        young = self.unfused(numbers)
        rich = min(1.0, max(0.0, (medium["serum"] - 1.0) / (_MOST_SERUM - 1.0)))
        if said.fused and young > 0.0:
            change = said.fused * young * approach(hours, numbers["competence_h"])
            self.fusible = min(1.15, max(0.1, self.fusible + change))
        growth = said.log_nuclei_per_day + numbers["growth_per_day"] * rich
        self.log_nuclei = min(math.log(1.5), self.log_nuclei + growth * young * hours / 24.0)
        if self.age_h > numbers["onset_h"]:
            pace = 1.0 - (1.0 - numbers["growth_medium"]) * rich
            target = numbers["most"] * self.fusible
            self.fused = max(self.fused, toward(self.fused, target, hours * pace, numbers["tau_h"]))
        self.log_per_tube = toward(
            self.log_per_tube,
            said.log_nuclei_per_tube * min(1.0, self.fusible),
            hours,
            numbers["recruitment_h"],
        )
