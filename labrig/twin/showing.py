"""What a picture or film shows of a culture, and what is written down as the truth of it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from labrig.twin.culture import Culture
from labrig.twin.culture.junction import Junction

Numbers = Mapping[str, Mapping[str, float]]


def shown(culture: Culture, junction: Junction | None, numbers: Numbers) -> dict[str, float]:
    """The state of a culture in plain numbers; ``junction`` is that of its chip."""
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
        "terminals": 1.0 if junction is None else junction.innervated,
        "neurites": 1.0 if junction is None else junction.neurites,
        "fidelity": 1.0 if junction is None else junction.passes(1.0, numbers["synapse"]),
        "nerve": 1.0 if junction is None else junction.nerve,
        "nt4": 1.0 + numbers["synapse"]["own_nt4"] * culture.trained,
        "myogenin": 1.0 - numbers["synapse"]["less_myogenin"] * culture.trained,
    }


def defocus_um(optics: Mapping[str, float], now_s: float) -> float:
    """How far a stand has drifted out of focus that warms up and comes to rest, in µm."""
    return optics["drift_um"] * (1.0 - math.exp(-now_s / 3600.0 / optics["settles_h"]))
