"""How much a culture was driven lately, and what that does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from labrig.twin.culture.donor import Donor
from labrig.twin.culture.relaxing import between, toward

Numbers = Mapping[str, Mapping[str, float]]


@dataclass(slots=True)
class Activity:
    """Mean pulse rates in Hz, tonic and phasic apart, each pulse by the share that followed.

    Attributes:
        pulses: that were felt, counted whole.
        share: of the tubes that followed lately.
    """

    tonic_hz: float = 0.0
    phasic_hz: float = 0.0
    pulses: float = 0.0
    share: float = 0.0

    def pulse(
        self, count: float, *, burst_hz: float, share: float, numbers: Mapping[str, float]
    ) -> None:
        """Count pulses that a train delivered, as an exponential moving mean rate."""
        added = share * count / (numbers["tau_h"] * 3600.0)
        slow, fast = numbers["tonic_below_hz"], numbers["phasic_above_hz"]
        phasic = between(math.log(slow), math.log(fast), math.log(max(burst_hz, 1e-9)))
        self.phasic_hz += added * phasic
        self.tonic_hz += added * (1.0 - phasic)
        self.pulses += count
        self.share = share

    def fade(self, hours: float, tau_h: float) -> None:
        """Let time pass without pulses."""
        self.tonic_hz = toward(self.tonic_hz, 0.0, hours, tau_h)
        self.phasic_hz = toward(self.phasic_hz, 0.0, hours, tau_h)


@dataclass(frozen=True, slots=True)
class Drive:
    """What impulses do to a culture now.

    Attributes:
        tonic, phasic: 0 to 1 together: how much of either pattern.
        level: both.
        pattern: share of the pattern's own effects that is let through.
        log_diameter, log_contraction: of the benefit.
        top: 0 to 1, how nearly all tubes train.
    """

    tonic: float = 0.0
    phasic: float = 0.0
    pattern: float = 1.0
    log_diameter: float = 0.0
    log_contraction: float = 0.0
    top: float = 0.0

    @property
    def level(self) -> float:
        """Of both patterns."""
        return self.tonic + self.phasic


IDLE = Drive()


def driven(
    activity: Activity, blocked: Mapping[str, float], donor: Donor, numbers: Numbers
) -> Drive:
    """What the impulses of the last hours do, in the presence of blockers.

    Args:
        activity: of the culture.
        blocked: by pathway, 0 to 1.
        donor: old ones profit a little less.
        numbers: of ``responses.toml``.
    """
    hertz = activity.tonic_hz + activity.phasic_hz
    if hertz < 1e-6:
        return IDLE
    own, kinetics = numbers["activity"], numbers["kinetics"]
    level = min(1.0, hertz / own["full_at_hz"])
    phasic = level * activity.phasic_hz / hertz
    pattern = 1.0 - blocked.get("MAPK", 0.0)
    heard = (1.0 - own["through_trkb"] * blocked.get("TrkB", 0.0)) * (
        1.0 - own["through_force"] * blocked.get("force", 0.0)
    )
    heard *= own["old_donors"] if donor.old else 1.0
    extra = phasic * pattern
    return Drive(
        tonic=level - phasic,
        phasic=phasic,
        pattern=pattern,
        log_diameter=heard * (own["log_diameter"] * level + own["phasic_log_diameter"] * extra),
        log_contraction=heard
        * (own["log_contraction"] * level + own["phasic_log_contraction"] * extra),
        top=level * between(kinetics["recruitment_from"], 1.0, activity.share),
    )
