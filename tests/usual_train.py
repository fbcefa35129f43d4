"""The train that tests of a stimulator play: 10 s of biphasic pulses at 10 Hz."""

from __future__ import annotations

from labrig_drivers.kinds import PulseTrain

TRAIN = PulseTrain(
    phase_ms=0.4,
    amplitude_v=7.5,
    biphasic=True,
    frequency_hz=10,
    burst_s=10,
    gap_s=0,
    duration_s=10,
)
