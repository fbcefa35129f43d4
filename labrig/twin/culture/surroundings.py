"""What a culture lives in for one step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

NORMAL: Mapping[str, float] = {"amino_acids": 1.0, "calcium": 1.0, "glucose": 1.0, "serum": 1.0}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """Liquid and air.

    Attributes:
        factors_ng_ml: by the names of ``responses.toml``.
        freshness: of the medium, 0 spent to 1.
        medium: its components over normal.
        temperature_c: of the culture.
        co2_percent: of the air.
        o2_percent: of the air.
    """

    factors_ng_ml: Mapping[str, float]
    freshness: float = 1.0
    medium: Mapping[str, float] = field(default_factory=lambda: NORMAL)
    temperature_c: float = 37.0
    co2_percent: float = 5.0
    o2_percent: float = 20.0
