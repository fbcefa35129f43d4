"""Tubes of a field in a few numbers: widths in means that differ in what counts, cover, order."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, LabelImage

if TYPE_CHECKING:
    import pandas as pd

Values = npt.NDArray[np.float64]


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
    p10_um: float
    """Tenth percentile over tubes, each once; the tails fall first where one kind of fibre goes."""
    p50_um: float
    p90_um: float


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
        return FieldWidths(0, nan, nan, nan, nan, nan, nan, nan, nan)
    p10, p50, p90 = np.percentile(width, (10, 50, 90)).tolist()
    return FieldWidths(
        n_tubes=len(width),
        mean_um=float(width.mean()),
        length_weighted_mean_um=float(np.average(width, weights=length)),
        thickest_point_mean_um=float(thickest.mean()),
        geometric_mean_um=float(np.exp(np.log(width).mean())),
        below_10_um_share=float((width < 10).mean()),
        p10_um=p10,
        p50_um=p50,
        p90_um=p90,
    )


def area_fraction(labels: LabelImage) -> float:
    """Part of the field that tubes cover, 0 to 1.

    Known bias: high, as the mask takes in light that the optics spread beyond a tube. Drawn tubes
    of 10, 20 and 40 px have 1.4, 1.2 and 1.1 times their true area at a blur of SD 1 px, and 1.6,
    1.3 and 1.15 times at 2 px. Fields of one magnification and one focus compare with each other,
    others do not.

    Args:
        labels: (y, x), 0 the background.

    >>> area_fraction(np.array([[0, 1], [2, 0]]))
    0.5
    """
    return float(np.count_nonzero(labels) / labels.size)


def alignment(orientations_deg: Values, areas_um2: Values) -> float:
    """Length of the mean doubled-angle vector, area-weighted: 1 all parallel, 0 no direction.

    Doubling makes 0 and 180 degrees the same direction (Mardia & Jupp 2000, Directional
    Statistics, ch. 1).

    Known bias: few tubes look aligned by chance; one tube alone gives 1, and n tubes of random
    direction and equal area about 0.9 / sqrt(n).

    Args:
        orientations_deg: (n,) of the long axis of each tube.
        areas_um2: (n,) the weight of each tube.

    Returns:
        0 to 1; NaN without a tube.

    >>> round(alignment(np.array([10.0, -170.0, 10.0]), np.array([1.0, 5.0, 2.0])), 6)
    1.0
    """
    if not areas_um2.sum():
        return np.nan
    doubled = np.exp(2j * np.radians(orientations_deg))
    return float(abs((areas_um2 * doubled).sum()) / areas_um2.sum())
