"""Numbers of labels."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage
from labrig_analysis.labels.run_lengths import encode_runs

_ROW_STEP = 8


def relabel_sequential(labels: LabelImage) -> LabelImage:
    """The same objects numbered 1..n in their order; unchanged where they are already.

    Tables have a row per object; a number that nothing carries (an object swallowed by another, or
    deleted by a person) would shift every row after it.

    uint16 and int32 stay what they are, all others become int32.

    >>> relabel_sequential(np.array([[0, 2, 2, 7]]))
    array([[0, 1, 1, 2]], dtype=int32)
    """
    kind = labels.dtype if labels.dtype in (np.uint16, np.int32) else np.int32
    # Mostly no number is missing, and some of the rows show that already.
    for rows in (labels[::_ROW_STEP], labels):
        there = label_areas(rows) > 0
        if len(there) > labels.max(initial=0) and there[1:].all():
            return labels.astype(kind, copy=False)
    there[0] = False
    number = there.cumsum(dtype=kind)
    number[~there] = 0
    return np.asarray(number[labels])


def narrowed(labels: LabelImage) -> LabelImage:
    """The same labels in uint16 where they fit, else int32: fields of 25 MP weigh 50 MB less."""
    fit = int(labels.max(initial=0)) < 2**16
    return labels.astype(np.uint16 if fit else np.int32, copy=False)


def label_areas(labels: LabelImage) -> npt.NDArray[np.int64]:
    """Pixels of each number from 0 to the largest there is.

    >>> label_areas(np.array([[0, 2, 2, 2]]))
    array([1, 0, 3])
    """
    areas = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    for runs in encode_runs(labels):
        np.add.at(areas, runs.label, runs.length)
    areas[0] = labels.size - areas.sum()
    return areas
