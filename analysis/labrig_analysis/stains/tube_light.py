"""How bright each tube is in its own stain (myosin heavy chain), above the background beside it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, GreyImage, LabelImage
from labrig_analysis.images.planes import grey_pixels, is_blank
from labrig_analysis.labels.run_lengths import encode_runs

DEFINITION = "mean in outline less background beside chords"


def tube_light(plane: GreyImage, tubes: LabelImage, points: Columns) -> npt.NDArray[np.float64]:
    """Mean grey level of each tube less the background that its chords found beside it.

    In grey levels of the camera: fields compare where exposure, gain and staining were the same.

    Known bias: the outline holds light that the optics spread, so thin tubes read dimmer than
    wide ones of the same stain.

    Args:
        plane: (y, x), tubes bright.
        tubes: (y, x) labels 1..n without gaps.
        points: ``tube`` and ``background`` of each place where a width was taken
            (`diameter.diameter_columns`).

    Returns:
        (n,) NaN where the plane is blank, or no chord saw what is beside the tube.
    """
    count = int(tubes.max(initial=0))
    pixels = grey_pixels(plane).ravel()
    beside = np.full(count, np.nan)
    known = np.isfinite(points["background"])
    level = points["background"][known]
    sums = np.bincount(points["tube"][known], level, count + 1)[1:]
    chords = np.bincount(points["tube"][known], minlength=count + 1)[1:]
    np.divide(sums, chords, out=beside, where=chords > 0)
    if is_blank(pixels) or not count:
        return np.full(count, np.nan)
    width = tubes.shape[1]
    light, area = np.zeros(count + 1), np.zeros(count + 1)
    for runs in encode_runs(tubes):
        if not len(runs.label):
            continue
        first = runs.row * width + runs.column
        begin, end = int(first[0]), int(first[-1] + runs.length[-1])
        # Sums of stretches at once, those between runs too, which are dropped.
        edges = np.column_stack([first, first + runs.length]).ravel()[:-1] - begin
        sums = np.add.reduceat(pixels[begin:end].astype(np.float64), edges)[::2]
        light += np.bincount(runs.label, sums, count + 1)
        area += np.bincount(runs.label, runs.length, count + 1)
    return np.asarray(light[1:] / area[1:] - beside, float)
