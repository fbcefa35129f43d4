"""Numbers of labels."""

from __future__ import annotations

import numpy as np

from labrig_analysis.arrays import LabelImage


def without_gaps(labels: LabelImage) -> LabelImage:
    """The same objects numbered 1..n in their order, int32; unchanged where they are already.

    Tables have a row an object; a number that nothing carries (an object swallowed by another, or
    deleted by a person) would shift every row after it.

    >>> without_gaps(np.array([[0, 2, 2, 7]]))
    array([[0, 1, 1, 2]], dtype=int32)
    """
    there = np.bincount(labels.ravel()) > 0
    if there[1:].all():
        return labels.astype(np.int32, copy=False)
    there[0] = False
    number = there.cumsum(dtype=np.int32)
    number[~there] = 0
    return np.asarray(number[labels], dtype=np.int32)
