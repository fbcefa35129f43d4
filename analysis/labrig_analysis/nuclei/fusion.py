"""Which nuclei lie in which tube, and what share of all nuclei has fused.

Fusion index = nuclei in tubes with at least `min_nuclei` nuclei / all nuclei. Laboratories differ
in `min_nuclei` (1, 2 or 3) and in what "in" means, and the choice alone moves the index by several
points; so both are arguments here and columns of every table.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage
from labrig_analysis.labels.run_lengths import encode_runs
from labrig_analysis.setting_limits import check_limits

InsideRule = Literal["centroid", "overlap_25", "overlap_50", "overlap_75"]
INSIDE_RULES: tuple[InsideRule, ...] = ("centroid", "overlap_25", "overlap_50", "overlap_75")
_LEAST_OVERLAP = {"overlap_25": 0.25, "overlap_50": 0.50, "overlap_75": 0.75}


@dataclass(frozen=True)
class FusionSettings:
    """The definition in force."""

    inside_rule: InsideRule = "overlap_50"
    """A nucleus is in a tube when half of its area is. On 79 outlined fields of myotubes this came
    closer to the annotators' index than centroids did (`benchmarks/accuracy.py`): nuclei bulge."""
    min_nuclei: int = 2
    """A tube counts as a myotube from this many nuclei on (2: Myotube Analyzer; some use 3)."""
    mature_nuclei: int = 5
    """A tube counts as mature from this many nuclei on (common practice)."""

    def __post_init__(self) -> None:
        if self.inside_rule not in INSIDE_RULES:
            raise ValueError(
                f"inside_rule is {self.inside_rule!r}; choose {', '.join(INSIDE_RULES)}"
            )
        check_limits(self, {"min_nuclei": (1, math.inf), "mature_nuclei": (1, math.inf)})

    @property
    def definition(self) -> str:
        """One cell for a results table, e.g. `in>=2|overlap_50|mature>=5`."""
        return f"in>={self.min_nuclei}|{self.inside_rule}|mature>={self.mature_nuclei}"


class Overlaps(NamedTuple):
    """For each nucleus 1..n (row n - 1), where it lies."""

    tube_at_centroid: npt.NDArray[np.int32]
    """Tube label under the centroid; 0 outside all tubes."""
    tube: npt.NDArray[np.int32]
    """Tube that covers most of the nucleus; 0 for none."""
    share: npt.NDArray[np.float64]
    """Part of the nucleus's area that `tube` covers, 0 to 1."""


class Proportion(NamedTuple):
    """A share with its 95 % interval; NaN when there is nothing to divide by."""

    value: float
    low: float
    high: float


def overlap_nuclei(
    nuclei: LabelImage, tubes: LabelImage, centroids_yx: npt.NDArray[np.float64]
) -> Overlaps:
    """Lay nuclei over tubes.

    Args:
        nuclei: (y, x) labels 1..n without gaps.
        tubes: (y, x) tube labels, the same shape.
        centroids_yx: (n, 2) in px.

    Raises:
        ValueError: when the two label images differ in shape.
    """
    if nuclei.shape != tubes.shape:
        raise ValueError(
            f"nuclei are {nuclei.shape} and tubes {tubes.shape}: label images of one field "
            "must have one shape"
        )
    count, tube_count = len(centroids_yx), int(tubes.max(initial=0))
    areas = np.zeros(count + 1)
    keys, covers = [], []
    tubes = np.ascontiguousarray(tubes)
    for runs in encode_runs(nuclei):
        areas += np.bincount(runs.label, runs.length, count + 1)
        pixels, run = runs.pixels(tubes.shape[1])
        band = runs.label[run] * (tube_count + 1) + tubes.ravel()[pixels]
        # Neighbouring pixels mostly have one nucleus and one tube: sort stretches, not pixels.
        starts = np.flatnonzero(np.diff(band, prepend=-1))
        keys.append(band[starts])
        covers.append(np.diff(starts, append=len(band)))
    pairs, row = np.unique(np.concatenate(keys), return_inverse=True)
    covered = np.bincount(row, np.concatenate(covers), len(pairs)).astype(np.int64)
    nucleus, tube = pairs // (tube_count + 1), pairs % (tube_count + 1)
    best_tube, best = np.zeros(count, np.int32), np.zeros(count, np.int64)
    inside = tube > 0
    order = np.argsort(covered[inside], kind="stable")
    # The last write wins, so the tube that covers most of a nucleus stays.
    best_tube[nucleus[inside][order] - 1] = tube[inside][order]
    best[nucleus[inside][order] - 1] = covered[inside][order]
    rows = np.clip(np.rint(centroids_yx).astype(int), 0, np.array(tubes.shape) - 1)
    return Overlaps(
        tubes[rows[:, 0], rows[:, 1]].astype(np.int32), best_tube, best / np.maximum(areas[1:], 1)
    )


def assign_tubes(overlaps: Overlaps, rule: InsideRule) -> npt.NDArray[np.int32]:
    """The tube each nucleus is in under a rule; 0 for none."""
    if rule == "centroid":
        return overlaps.tube_at_centroid
    return np.where(overlaps.share >= _LEAST_OVERLAP[rule], overlaps.tube, 0).astype(np.int32)


def nuclei_per_tube(
    tube_of_nucleus: npt.NDArray[np.int32], tube_count: int
) -> npt.NDArray[np.int64]:
    """(tube_count,) nuclei in tube 1, 2, ..."""
    return np.bincount(tube_of_nucleus, minlength=tube_count + 1)[1:]


def fusion_index(
    tube_of_nucleus: npt.NDArray[np.int32], tube_count: int, min_nuclei: int
) -> Proportion:
    """Share of nuclei that lie in tubes with at least `min_nuclei` nuclei.

    Known bias: two tubes seen as one raise it for `min_nuclei` above 1, and a nucleus above or
    below a tube counts as inside it.

    Args:
        tube_of_nucleus: (n,) tube of every countable nucleus (pyknotic ones left out), 0 for none.
        tube_count: number of tubes in the field.
        min_nuclei: 1 gives the differentiation index (share of nuclei in MyHC-positive cells).

    >>> fusion_index(np.array([1, 1, 2, 0], np.int32), 2, min_nuclei=2).value
    0.5
    """
    per_tube = nuclei_per_tube(tube_of_nucleus, tube_count)
    return wilson_interval(int(per_tube[per_tube >= min_nuclei].sum()), len(tube_of_nucleus))


def wilson_interval(successes: int, trials: int) -> Proportion:
    """A share and its 95 % score interval (Wilson 1927, J Am Stat Assoc 22:209).

    Nuclei of one tube are not independent, so across fields this interval is too narrow; it says
    how well one field's own share is known.

    >>> share, low, high = wilson_interval(8, 10)
    >>> share, round(low, 3), round(high, 3)
    (0.8, 0.49, 0.943)
    """
    if trials == 0:
        return Proportion(np.nan, np.nan, np.nan)
    z = 1.959963984540054
    share = successes / trials
    centre = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z / (1 + z**2 / trials) * (share * (1 - share) / trials + z**2 / (4 * trials**2)) ** 0.5
    return Proportion(share, max(0.0, centre - half), min(1.0, centre + half))
