"""Tubes followed through the night, by arm: what became of them, and how fast they grew."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from labrig.plan.experimental_units import Unit

if TYPE_CHECKING:
    import pandas as pd

MOST_OF_ROUNDS = 0.5
"""A tube's growth rate counts when the tube was seen in this share of the rounds [P]."""


@dataclass(frozen=True, slots=True)
class ArmTracks:
    """One arm's tracks.

    Attributes:
        tubes: tracks; lasting: seen in at least :data:`MOST_OF_ROUNDS` of the rounds.
        fused, lost, appeared, split: how many ended and began so.
        growth_percent_day: of lasting tubes' diameters: tubes averaged to wells, wells to units,
            and the mean, lowest and highest of the units; None without any.
    """

    arm: str
    tubes: int
    lasting: int
    fused: int
    lost: int
    appeared: int
    split: int
    growth_percent_day: tuple[float, float, float] | None


def tracks_by_arm(
    tracks: pd.DataFrame, units: Sequence[Unit], arms: Sequence[str], rounds: int
) -> tuple[ArmTracks, ...]:
    """A row an arm; empty where nothing was tracked.

    Args:
        tracks: ``tracks.csv``, of one kind of tube.
        units: of the run.
        arms: in order.
        rounds: how many rounds the run has.
    """
    if tracks.empty:
        return ()
    unit_of = {well: unit for unit in units for well in unit.wells}
    known = tracks[tracks["well"].isin(unit_of)]
    known = known.assign(
        arm=[unit_of[well].arm for well in known["well"]],
        unit=[unit_of[well].name for well in known["well"]],
    )
    found = []
    for arm in arms:
        own = known[known["arm"] == arm]
        lasting = own[own["rounds"] >= MOST_OF_ROUNDS * rounds]
        slopes = lasting.dropna(subset=["log_slope_per_day"])
        by_well = slopes.groupby(["unit", "well"])["log_slope_per_day"].mean()
        by_unit = [100 * math.expm1(slope) for slope in by_well.groupby("unit").mean()]
        found.append(
            ArmTracks(
                arm=arm,
                tubes=len(own),
                lasting=len(lasting),
                fused=int((own["ended"] == "fused").sum()),
                lost=int((own["ended"] == "lost").sum()),
                appeared=int((own["began"] == "appeared").sum()),
                split=int((own["began"] == "split").sum()),
                growth_percent_day=(
                    (sum(by_unit) / len(by_unit), min(by_unit), max(by_unit)) if by_unit else None
                ),
            )
        )
    return tuple(found)
