"""How a tube twitches: coupling, threshold, speed, fatigue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from labrig.twin.culture.activity import Drive
from labrig.twin.culture.relaxing import toward
from labrig.twin.culture.signals import Signals

Numbers = Mapping[str, Mapping[str, float]]
_UNCOUPLED = 0.98
"""The most of a twitch that a blocker of impulses or force takes [P]."""


@dataclass(slots=True)
class Twitch:
    """Logarithms over the usual.

    Attributes:
        log_coupling: of the amplitude.
        log_threshold: of the amplitude that pulses need.
        pattern_speed, support_speed: of the rise; the first also of the relaxation.
        pattern_fatigue, insult_fatigue: of what each pulse takes from the next.
    """

    log_coupling: float = 0.0
    log_threshold: float = 0.0
    pattern_speed: float = 0.0
    support_speed: float = 0.0
    pattern_fatigue: float = 0.0
    insult_fatigue: float = 0.0

    def step(
        self,
        hours: float,
        said: Signals,
        drive: Drive,
        log_contraction: float,
        air: tuple[float, float],
        calcium: float,
        numbers: Numbers,
    ) -> None:
        """Follow what coupling, impulses and air ask for.

        Args:
            hours: how long.
            said: by factors.
            drive: by impulses.
            log_contraction: to which the amplitude is on its way, for speed goes with it.
            air: CO2 and O2 in percent.
            calcium: of the medium, over normal.
            numbers: of ``responses.toml``.
        """
        kinetics, fatigue = numbers["kinetics"], numbers["fatigue"]
        medium, climate = numbers["medium"], numbers["climate"]
        short = max(0.0, 1.0 - air[1] / climate["low_oxygen_percent"])
        coupling = said.log_coupling + climate["low_oxygen_log_contraction"] * short
        coupling += climate["carbon_dioxide_per_percent"] * abs(air[0] - 5.0)
        for way in ("impulses", "force"):
            if way in said.blocked:
                coupling += math.log(1.0 - _UNCOUPLED * said.blocked[way])
        coupling += medium["calcium_log_contraction"] * math.log(max(0.01, calcium))
        threshold = said.log_threshold + medium["calcium_log_threshold"] * max(0.0, 1.0 - calcium)
        coupling_h = numbers["memory"]["coupling_h"]
        self.log_coupling = toward(self.log_coupling, coupling, hours, coupling_h)
        self.log_threshold = toward(self.log_threshold, threshold, hours, coupling_h)
        speed = kinetics["tonic_log_speed"] * drive.tonic
        speed += kinetics["phasic_log_speed"] * drive.phasic
        speed = speed * drive.pattern + kinetics["full_recruitment"] * drive.top
        self.pattern_speed = toward(self.pattern_speed, speed, hours, kinetics["pattern_h"])
        self.support_speed = toward(
            self.support_speed,
            kinetics["with_contraction"] * log_contraction,
            hours,
            kinetics["support_h"],
        )
        tires = fatigue["tonic_log"] * drive.tonic + fatigue["phasic_log"] * drive.phasic
        self.pattern_fatigue = toward(
            self.pattern_fatigue, tires * drive.pattern, hours, kinetics["pattern_h"]
        )
        self.insult_fatigue = toward(
            self.insult_fatigue,
            said.log_fatigue + climate["low_oxygen_log_fatigue"] * short,
            hours,
            fatigue["insult_h"],
        )

    def time_to_peak_s(self, numbers: Numbers) -> float:
        """Of one twitch."""
        return numbers["kinetics"]["time_to_peak_s"] * math.exp(
            -self.pattern_speed - self.support_speed
        )

    def half_relaxation_s(self, numbers: Numbers) -> float:
        """Of one twitch."""
        return numbers["kinetics"]["half_relaxation_s"] * math.exp(-self.pattern_speed)

    def fatigue_per_pulse(self, numbers: Numbers) -> float:
        """The share of the response that each pulse takes."""
        log = self.pattern_fatigue + self.insult_fatigue
        return min(0.5, numbers["fatigue"]["per_pulse"] * math.exp(log))

    def threshold_v(self, numbers: Numbers) -> float:
        """The amplitude that half of the tubes follow."""
        return numbers["threshold"]["median_v"] * math.exp(self.log_threshold)

    def share_following(self, amplitude_v: float, numbers: Numbers) -> float:
        """The share of the tubes that follow pulses of this amplitude."""
        if amplitude_v <= 0.0:
            return 0.0
        over = math.log(amplitude_v / self.threshold_v(numbers)) / numbers["threshold"]["log_sd"]
        return 0.5 * (1.0 + math.erf(over / math.sqrt(2.0)))
