"""What a design of arms can tell at all, and contrasts from one mean per cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt


def estimable(design: npt.ArrayLike, contrast: npt.ArrayLike) -> bool:
    """Whether a design can tell a contrast: it lies in the row space (Searle 1971, ch. 5).

    Args:
        design: (arms, effects) with one row an arm.
        contrast: (effects,) weights.
    """
    rows = np.atleast_2d(np.asarray(design, float))
    wanted = np.asarray(contrast, float)[None, :]
    return bool(np.linalg.matrix_rank(np.vstack([rows, wanted])) == np.linalg.matrix_rank(rows))


def effect_from_cells(
    design: Mapping[str, Sequence[float]], logs: Mapping[str, float], contrast: Sequence[float]
) -> float:
    """A contrast estimated from one mean a cell (arm), by least squares.

    Args:
        design: by arm, its row of effects.
        logs: by arm, the mean of its units' logarithms.
        contrast: weights of the effects.

    Returns:
        the difference of logarithms.

    Raises:
        ValueError: the contrast cannot be told from these arms.
    """
    rows = np.array([design[arm] for arm in logs], float)
    if not estimable(rows, contrast):
        raise ValueError("this contrast is not identifiable with these arms")
    coefficients = np.linalg.lstsq(rows, np.array(list(logs.values())), rcond=None)[0]
    return float(np.asarray(contrast, float) @ coefficients)
