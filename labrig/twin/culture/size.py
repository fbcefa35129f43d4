"""Diameter and twitch: what each origin adds or takes, and what of a loss becomes permanent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from labrig.twin.culture.relaxing import toward
from labrig.twin.culture.signals import ORIGINS

Numbers = Mapping[str, Mapping[str, float]]


def _parts() -> dict[str, float]:
    return dict.fromkeys(ORIGINS, 0.0)


@dataclass(slots=True)
class Size:
    """Logarithms, summed over origins.

    Attributes:
        diameter, contraction: what each origin adds now.
        usual_diameter, usual_contraction: of nerve: what the culture has got used to.
        lasting: what was lost for good, 0 or less.
    """

    diameter: dict[str, float] = field(default_factory=_parts)
    contraction: dict[str, float] = field(default_factory=_parts)
    usual_diameter: float = 0.0
    usual_contraction: float = 0.0
    lasting: float = 0.0

    @property
    def log_diameter(self) -> float:
        """Over the donor's own."""
        return sum(self.diameter.values()) + self.lasting

    @property
    def log_contraction(self) -> float:
        """Over the donor's own."""
        return sum(self.contraction.values()) + self.lasting

    def missed(self, support: float) -> float:
        """How much of its usual support is missing, log diameter."""
        return max(0.0, self.usual_diameter - max(0.0, support))

    def deprived(self, support: float) -> float:
        """The share of its usual support that is missing, 0 to 1."""
        if self.usual_diameter < 1e-6:
            return 0.0
        return self.missed(support) / self.usual_diameter

    def step(
        self,
        hours: float,
        diameter: Mapping[str, float],
        contraction: Mapping[str, float],
        numbers: Numbers,
    ) -> None:
        """Follow what is pushed, by origin."""
        memory, lasting = numbers["memory"], numbers["lasting"]
        missed = self.deprived(diameter["nerve"]) * lasting["disuse"]
        for origin in ORIGINS:
            nerve = origin == "nerve"
            self.diameter[origin] = toward(
                self.diameter[origin],
                diameter[origin] - (missed * self.usual_diameter if nerve else 0.0),
                hours,
                memory[f"{origin}_diameter_h"],
            )
            self.contraction[origin] = toward(
                self.contraction[origin],
                contraction[origin] - (missed * self.usual_contraction if nerve else 0.0),
                hours,
                memory[f"{origin}_contraction_h"],
            )
        self.usual_diameter = _usual(self.usual_diameter, self.diameter["nerve"], hours, memory)
        self.usual_contraction = _usual(
            self.usual_contraction, self.contraction["nerve"], hours, memory
        )
        lost = max(0.0, self.usual_diameter - self.diameter["nerve"])
        lost += max(0.0, -self.diameter["muscle"])
        room = max(0.0, 1.0 + self.lasting / lasting["most"])
        self.lasting -= lasting["per_h"] * lost * room * hours
        self.lasting = toward(self.lasting, 0.0, hours, lasting["heals_h"])


def _usual(usual: float, now: float, hours: float, memory: Mapping[str, float]) -> float:
    tau_h = memory["accustomed_h"] if now > usual else memory["forgets_h"]
    return toward(usual, max(0.0, now), hours, tau_h)
