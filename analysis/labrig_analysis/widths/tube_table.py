"""One row per tube: its widths, its size and place, and the nuclei in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, LabelImage
from labrig_analysis.labels.moments import label_moments
from labrig_analysis.nuclei.fusion import FusionSettings, nuclei_per_tube
from labrig_analysis.nuclei.maturity import nuclear_domains_um2
from labrig_analysis.tubes.centreline import Branch
from labrig_analysis.widths.chords import Floats

if TYPE_CHECKING:
    from labrig_analysis.widths.diameter import DiameterSettings


def tube_rows(
    labels: LabelImage,
    lines: list[Branch],
    points: Columns,
    pixel_size_um: float,
    settings: DiameterSettings,
) -> Columns:
    """One row per label; the columns are described at `diameter.measure_diameters`."""
    moments = label_moments(labels)
    last = int(moments.label.max(initial=0))
    used, label = points["use"], points["label"]
    n_points = np.bincount(label[used], minlength=last + 1)[moments.label]
    summaries = _summaries(label[used], points["width_um"][used], points["weight"][used])
    rows = [
        summaries[label] if n >= settings.min_points else _UNMEASURED
        for label, n in zip(moments.label.tolist(), n_points.tolist(), strict=True)
    ]
    widths = np.array(rows).reshape(-1, len(_Summary._fields)).T
    length, branches = _lengths(lines, last)
    edge = np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]])
    return {
        "label": moments.label,
        **{f"diameter_{k}_um": v for k, v in zip(_Summary._fields, widths, strict=True)},
        "n_points": n_points,
        "n_dropped": np.bincount(label, minlength=last + 1)[moments.label] - n_points,
        "length_um": length[moments.label] * pixel_size_um,
        "n_branches": branches[moments.label],
        "area_um2": moments.area_px * pixel_size_um**2,
        "orientation_deg": moments.orientation_deg,
        "elongation": moments.elongation,
        "touches_border": np.isin(moments.label, edge),
        "definition": np.full(len(moments.label), settings.definition),
    }


def add_nuclei(
    table: Columns, tube_of_nucleus: npt.NDArray[np.int32], settings: FusionSettings
) -> Columns:
    """The table with each tube's nuclei, its nuclear domain and what the definition calls it."""
    area_um2 = table["area_um2"]
    count = nuclei_per_tube(tube_of_nucleus, len(area_um2))
    return {
        **table,
        "nuclei": count,
        "nuclear_domain_um2": nuclear_domains_um2(area_um2, count),
        "myotube": count >= settings.min_nuclei,
        "mature": count >= settings.mature_nuclei,
    }


class _Summary(NamedTuple):
    mean: float
    median: float
    min: float
    max: float
    sd: float


_UNMEASURED = _Summary(*[float("nan")] * 5)


def _summaries(label: npt.NDArray[np.int32], width: Floats, weight: Floats) -> dict[int, _Summary]:
    """By label, of the places that count."""
    order = np.argsort(label, kind="stable")
    starts = np.flatnonzero(np.diff(label[order], prepend=-1))
    return {
        int(label[rows[0]]): _summary(width[rows], weight[rows])
        for rows in np.split(order, starts[1:])
        if len(rows)
    }


def _summary(width: Floats, weight: Floats) -> _Summary:
    """Weighted by the length each place stands for: thin stretches hold more places."""
    order = np.argsort(width)
    middle = np.searchsorted(np.cumsum(weight[order]), weight.sum() / 2)
    mean = float(np.average(width, weights=weight))
    sd = float(np.sqrt(np.average((width - mean) ** 2, weights=weight)))
    median = float(width[order][min(middle, len(width) - 1)])
    return _Summary(mean, median, float(width.min()), float(width.max()), sd)


def _lengths(lines: list[Branch], last: int) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Summed branch length with tips added back, and number of branches, by label."""
    length = np.zeros(last + 1)
    branches = np.zeros(last + 1, np.int64)
    for branch in lines:
        tips = sum(
            float(branch.half_width_px[end])
            for end, forks in zip((0, -1), branch.forks, strict=True)
            if not forks
        )
        length[branch.label] += branch.length_px + tips
        branches[branch.label] += 1
    return length, branches
