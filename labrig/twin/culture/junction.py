"""Motor neurons beside a muscle, and what passes between them, in one chip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from labrig.twin.culture.relaxing import toward
from labrig.twin.culture.signals import Signals


@dataclass(slots=True)
class Junction:
    """Over the usual, 1 for a healthy culture.

    Attributes:
        nerve: health of the motor neurons.
        neurites: their length.
        innervated: tubes with a working terminal.
        log_transmission: what is in the muscle's liquid does to transmission, at the last step.
    """

    nerve: float = 1.0
    neurites: float = 1.0
    innervated: float = 1.0
    log_transmission: float = 0.0

    def step(
        self,
        hours: float,
        nerve: Signals,
        muscle: Signals,
        log_clusters: float,
        log_muscle: float,
        numbers: Mapping[str, float],
    ) -> None:
        """Let nerve and muscle act on each other.

        Args:
            hours: how long.
            nerve: what factors say to the neurons.
            muscle: and to the muscle.
            log_clusters: of receptors on the muscle, over the usual.
            log_muscle: diameter of the muscle over its own.
            numbers: of the synapse.
        """
        self.log_transmission = muscle.log_transmission
        health = min(1.2, math.exp(nerve.log_nerve))
        self.nerve = toward(self.nerve, health, hours, numbers["nerve_h"])
        owed = numbers["feeds_back"]
        fed = 1.0 - owed + owed * min(1.2, math.exp(log_muscle))
        length = self.nerve * fed * math.exp(nerve.log_neurites)
        self.neurites = toward(self.neurites, length, hours, numbers["neurites_h"])
        held = min(1.0, math.exp(0.5 * log_clusters))
        target = min(1.0, self.neurites * self.nerve) * held
        way = "innervates_h" if target > self.innervated else "denervates_h"
        self.innervated = toward(self.innervated, target, hours, numbers[way])

    def passes(self, frequency_hz: float, numbers: Mapping[str, float]) -> float:
        """The chance that an impulse of the nerve moves the muscle."""
        tired = max(0.0, 1.0 - numbers["fails_per_hz"] * max(0.0, frequency_hz - 0.5))
        healthy = min(1.0, self.innervated) * min(1.0, self.nerve)
        return numbers["transmits"] * tired * healthy * math.exp(self.log_transmission)

    def trophic(self, nerve_level: float, numbers: Mapping[str, float]) -> tuple[float, float]:
        """Log diameter and contraction that the nerve gives; more where it fires."""
        supply = self.innervated * (0.5 + 0.5 * nerve_level)
        return (
            numbers["trophic_log_diameter"] * supply,
            numbers["trophic_log_contraction"] * supply,
        )

    def log_agrin(self) -> float:
        """What the nerve's agrin adds to the muscle's clusters, 0 for the usual innervation."""
        return 0.6 * math.log(max(0.1, self.innervated))
