"""How odd a field looks among the others: what a person wants to see first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

READOUTS = (
    "tube_area_fraction", "tubes", "diameter_mean_um", "tube_length_mean_um", "alignment",
    "nuclei", "nucleus_area_median_um2", "fusion_index",
)  # fmt: skip
LEAST_FIELDS = 5
"""[P] Fewer fields do not tell what is usual."""
ODD = 3.5
"""A modified z above this is an outlier (Iglewicz & Hoaglin 1993, How to detect and handle
outliers)."""
DEFINITION = (
    "Failed fields first, then flagged ones, then the others; within each by oddness: the greatest "
    "distance of one of its read-outs from the median of all fields, in robust standard "
    "deviations (1.4826 × the median absolute deviation; where more than half of the fields are "
    f"alike, 1.2533 × the mean absolute deviation). Above {ODD:g} it is an outlier."
)
_RANK = {"failed": 0, "flagged": 1}


@dataclass(frozen=True, slots=True)
class Oddness:
    """One field among all.

    Attributes:
        field: its name.
        score: :data:`DEFINITION`; 0 where nothing tells.
        readout: the one that is furthest off; "" for none.
        usual: its median over all fields.
    """

    field: str
    score: float
    readout: str
    usual: float


def by_oddness(rows: Sequence[Mapping[str, Any]]) -> list[tuple[Mapping[str, Any], Oddness]]:
    """Rows of ``fields.csv``, None for what is not known, the ones to look at first in front."""
    usual = {name: _usual(rows, name) for name in READOUTS}
    found = [(row, _oddness(row, usual)) for row in rows]
    return sorted(found, key=lambda f: (_RANK.get(f[0]["status"], 2), -f[1].score, f[1].field))


def _oddness(row: Mapping[str, Any], usual: Mapping[str, tuple[float, float] | None]) -> Oddness:
    scores = {
        name: abs(float(row[name]) - known[0]) / known[1]
        for name, known in usual.items()
        if known is not None and row.get(name) is not None
    }
    readout = max(scores, key=lambda name: scores[name], default="")
    median, _ = usual.get(readout) or (0.0, 0.0)
    return Oddness(str(row["field"]), scores.get(readout, 0.0), readout, median)


def _usual(rows: Sequence[Mapping[str, Any]], name: str) -> tuple[float, float] | None:
    """Median and robust standard deviation; None where they tell nothing."""
    import numpy as np

    known = np.array([float(row[name]) for row in rows if row.get(name) is not None])
    if len(known) < LEAST_FIELDS:
        return None
    median = float(np.median(known))
    off = np.abs(known - median)
    spread = 1.4826 * float(np.median(off)) or 1.2533 * float(off.mean())
    return (median, spread) if spread > 0 else None
