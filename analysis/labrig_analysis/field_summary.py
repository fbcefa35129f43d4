"""One width for a field: three means that answer different questions, and the geometric one."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from labrig_analysis.arrays import Columns

if TYPE_CHECKING:
    import pandas as pd


class FieldWidths(NamedTuple):
    """Width of the tubes of one field in µm; NaN when no tube was measured."""

    n_tubes: int
    """Tubes with a width."""
    mean_um: float
    """Every tube counts once, as in manual practice; dominated by short tubes and fragments."""
    length_weighted_mean_um: float
    """Every µm of tube counts once: the width at a random place on a tube. Unlike the plain mean
    it does not change when a tube is cut in two."""
    thickest_point_mean_um: float
    """Mean of each tube's widest chord; biased high by bulges, used where tubes are spindles."""
    geometric_mean_um: float
    """exp(mean(log)): the natural average, as widths are log-normal."""
    below_10_um_share: float
    """Share of the tubes thinner than 10 µm, the lower tail."""


def summarise_field(tubes: pd.DataFrame | Columns) -> FieldWidths:
    """Summarise the `tubes` table of `measure_diameters`.

    >>> import pandas as pd
    >>> summarise_field(pd.DataFrame({
    ...     "diameter_mean_um": [10.0, 40.0], "diameter_max_um": [12.0, 50.0],
    ...     "length_um": [300.0, 100.0]})).length_weighted_mean_um
    17.5
    """
    names = ("diameter_mean_um", "length_um", "diameter_max_um")
    columns = np.array([np.asarray(tubes[name], float) for name in names])
    width, length, thickest = columns[:, np.isfinite(columns[0])]
    if not len(width):
        nan = float("nan")
        return FieldWidths(0, nan, nan, nan, nan, nan)
    return FieldWidths(
        n_tubes=len(width),
        mean_um=float(width.mean()),
        length_weighted_mean_um=float(np.average(width, weights=length)),
        thickest_point_mean_um=float(thickest.mean()),
        geometric_mean_um=float(np.exp(np.log(width).mean())),
        below_10_um_share=float((width < 10).mean()),
    )
