"""What a picture or film shows of a culture, and what is written down as the truth of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labrig.twin.culture import Culture
from labrig.twin.trains import Train

Numbers = Mapping[str, Mapping[str, float]]
LONGEST_TWITCH_S = 1.0
_TIRED_FOR = 3.0
"""Pulses longer ago than so many recovery times have left nothing [P]."""


def shown(culture: Culture, numbers: Numbers) -> dict[str, float]:
    """The state of a culture in plain numbers."""
    death, twitch = culture.death, culture.twitch
    return {
        "log_diameter": culture.log_diameter,
        "log_contraction": culture.log_contraction,
        "fused": culture.fusion.fused,
        "coverage": min(1.0, death.coverage(numbers)),
        "pyknotic": death.pyknotic(numbers),
        "nuclei": math.exp(culture.fusion.log_nuclei) * (1.0 - death.lost),
        "nuclei_per_tube": math.exp(culture.fusion.log_per_tube),
        "detached": death.detached(numbers),
        "fast_log": culture.fibres.fast,
        "slow_log": culture.fibres.slow,
        "time_to_peak_s": twitch.time_to_peak_s(numbers),
        "half_relaxation_s": twitch.half_relaxation_s(numbers),
        "fatigue_per_pulse": twitch.fatigue_per_pulse(numbers),
        "threshold_v": twitch.threshold_v(numbers),
        "threshold_log_sd": numbers["threshold"]["log_sd"],
        "clusters": math.exp(culture.log_clusters),
    }


def pulses_shown(
    trains: Sequence[Train], since_s: float, now_s: float, fatigue: Mapping[str, float]
) -> dict[str, Any]:
    """What a film from ``since_s`` to ``now_s`` shows of trains.

    The last pulses before it are among them: their twitch may not be over. ``tired_pulses`` is how
    many pulses of the train that was already running still weigh on its first response.
    """
    times = sorted(
        round(t - since_s, 6)
        for train in trains
        for t in train.pulses_between_s(since_s - LONGEST_TWITCH_S, now_s)
    )
    during = [t.amplitude_v for t in trains if t.start_s <= now_s and t.ends_s >= since_s]
    tau_s = fatigue["recovers_s"]
    tired = sum(
        math.exp((t - since_s) / tau_s)
        for train in trains
        if train.start_s < since_s <= train.ends_s
        for t in train.pulses_between_s(since_s - _TIRED_FOR * tau_s, since_s - LONGEST_TWITCH_S)
    )
    return {
        "pulses_s": times,
        "amplitude_v": round(max(during, default=0.0), 6),
        "tired_pulses": round(tired, 3),
    }
