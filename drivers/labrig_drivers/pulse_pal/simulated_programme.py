"""What one output of the simulated Pulse Pal is programmed to do, and the card it is stored on."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field

TIME_NAMES = (
    "phase1",
    "inter_phase",
    "phase2",
    "inter_pulse",
    "burst",
    "inter_burst",
    "train",
    "delay",
)
CYCLES_PER_S = 20_000
REST_CODE = 32_768
DEFAULT_LINKS = bytes((1, 1, 1, 1, 0, 0, 0, 0))
DEFAULT_FILE = "default.pps"
"""Read when the unit is switched on."""


def _default_times() -> dict[str, int]:
    return dict(zip(TIME_NAMES, (2, 2, 2, 20, 0, 0, 20_000, 0), strict=True))


@dataclass(slots=True)
class Programme:
    """The parameters of one output, as the firmware's defaults set them. Voltages as codes."""

    times: dict[str, int] = field(default_factory=_default_times)
    phase1_code: int = 49_152
    phase2_code: int = 16_384
    resting_code: int = REST_CODE
    biphasic: int = 0
    custom_id: int = 0
    custom_target: int = 0
    custom_loop: int = 0
    uses_bursts: bool = False

    def recompute_bursts(self) -> None:
        """Bursts are a stored flag in the firmware, set when parameters arrive."""
        self.uses_bursts = self.times["burst"] > 0 and self.times["inter_burst"] > 0
        if self.custom_target == 1:
            self.uses_bursts = True
        elif self.custom_id > 0:
            self.uses_bursts = False

    @property
    def period_cycles(self) -> int:
        """From the beginning of a pulse to that of the next."""
        return self._pulse_cycles + self.times["inter_pulse"]

    @property
    def _pulse_cycles(self) -> int:
        times = self.times
        second = times["inter_phase"] + times["phase2"] if self.biphasic else 0
        return times["phase1"] + second

    def code_at(self, cycles: int) -> int:
        """What the output stands at, so many cycles into its train: a phase's code or rest."""
        times = self.times
        into_burst = cycles
        if self.uses_bursts and times["burst"] + times["inter_burst"]:
            into_burst = cycles % (times["burst"] + times["inter_burst"])
            if into_burst >= times["burst"]:
                return self.resting_code
        into = into_burst % self.period_cycles if self.period_cycles else 0
        if self.uses_bursts and into_burst - into + times["phase1"] >= times["burst"]:
            return self.resting_code  # the firmware starts no pulse so close to the burst's end
        if into < times["phase1"]:
            return self.phase1_code
        if self.biphasic and times["phase1"] + times["inter_phase"] <= into < self._pulse_cycles:
            return self.phase2_code
        return self.resting_code


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole settings file: the programmes of channels 1 to 4, and the trigger inputs."""

    programmes: Mapping[int, Programme]
    links: bytes = DEFAULT_LINKS
    modes: bytes = bytes(2)

    def as_file(self) -> bytes:
        """The 178 bytes that the card holds and op 85 tells."""
        channels = b"".join(
            struct.pack("<8I", *(p.times[name] for name in TIME_NAMES))
            + struct.pack("<B3H", p.biphasic, p.phase1_code, p.phase2_code, p.resting_code)
            + bytes((p.custom_id, p.custom_target, p.custom_loop))
            for _, p in sorted(self.programmes.items())
        )
        inputs = b"".join(
            self.modes[n : n + 1] + self.links[4 * n : 4 * n + 4] for n in range(len(self.modes))
        )
        return channels + inputs

    def as_programme(self) -> bytes:
        """The same 178 bytes in the order of op 73, as op 90 tells them after loading."""
        programmes = [p for _, p in sorted(self.programmes.items())]
        return (
            b"".join(struct.pack("<8I", *(p.times[n] for n in TIME_NAMES)) for p in programmes)
            + b"".join(
                struct.pack("<3H", p.phase1_code, p.phase2_code, p.resting_code) for p in programmes
            )
            + b"".join(
                bytes((p.biphasic, p.custom_id, p.custom_target, p.custom_loop)) for p in programmes
            )
            + self.links
            + self.modes
        )
