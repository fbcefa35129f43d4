"""What a stimulator's channels drive: electrode pairs, and lights by their calibration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from labrig.protocol.impulses import LightPattern, Pattern
from labrig.rig.chips import Light, volts_for
from labrig.rig.models import Rig


@dataclass(frozen=True, slots=True)
class Emitter:
    """One channel and the wells that it reaches. ``light``: None for electrodes."""

    stimulator: str
    channel: int
    wells: tuple[str, ...]
    light: Light | None = None

    def plays(self, pattern: Pattern) -> bool:
        """Whether it can: light for light, electrodes for the others."""
        return isinstance(pattern, LightPattern) is (self.light is not None)

    def driven(self, pattern: Pattern) -> Pattern:
        """What the channel plays: of light, the volts that the calibration says.

        An irradiance outside of what was measured is 0 V: the check ``light.outside-calibration``
        lets no such plan start.
        """
        if self.light is None or not isinstance(pattern, LightPattern):
            return pattern
        volts = volts_for(self.light, pattern.irradiance_mw_mm2) or 0.0
        return pattern.model_copy(update={"amplitude_v": volts})


def emitters(rig: Rig) -> Mapping[str, Emitter]:
    """By name of the electrode pair or light in the rig."""
    pairs = {n: Emitter(e.stimulator, e.channel, e.wells) for n, e in rig.electrodes.items()}
    lights = {n: Emitter(e.stimulator, e.channel, e.wells, e) for n, e in rig.lights.items()}
    return {**pairs, **lights}
