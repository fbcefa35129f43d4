"""Read a label image that a person has edited, and say what is wrong with one that is none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

from labrig_analysis.fields.inputs import MOST_LABELS
from labrig_measure.errors import MeasureError

_WANTED = "0 for the background and a number per object, saved as 16- or 32-bit TIFF"


def read_labels(path: Path, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """The numbers of a label image, as they were drawn.

    Args:
        path: TIFF of integers, or of floats that are whole numbers, as ImageJ's 32-bit images are.
        shape: (y, x) of the field.

    Raises:
        MeasureError: no such file, damaged, a colour picture, of another size, or with numbers
            that are no labels.
    """
    if not path.exists():
        raise MeasureError(
            f"{path} is gone. Put it back; {path.parent / 'original' / path.name} is the "
            "program's own, without edits"
        )
    try:
        image: NDArray[np.generic] = tifffile.imread(path)
    # tifffile raises nearly anything on a damaged file; the person needs its name.
    except Exception as error:
        raise MeasureError(f"{path} cannot be read ({error}): save it as TIFF again") from error
    if image.ndim == 3 and min(image.shape[0], image.shape[-1]) in (3, 4):
        raise MeasureError(
            f"{path} is a colour picture {image.shape}, which has no numbers of objects: save the "
            "label image itself, not a coloured copy of it (Flatten, RGB Color, a screenshot)"
        )
    if image.shape != shape:
        raise MeasureError(
            f"{path} has shape {image.shape} and its field {shape}: give a label image of the "
            "whole field, not cropped or scaled, and one plane"
        )
    if image.dtype.kind not in "uif":
        raise MeasureError(f"{path} is {image.dtype}: give {_WANTED}")
    least, most = float(image.min()), float(image.max())
    if not np.isfinite(least + most) or (image % 1).any():
        raise MeasureError(f"{path} holds fractions or no numbers at all: give {_WANTED}")
    if least < 0 or most > MOST_LABELS:
        raise MeasureError(
            f"{path} holds labels from {least:.0f} to {most:.0f}, and 0 to {MOST_LABELS} are "
            f"possible, none negative: give {_WANTED}"
        )
    return image.astype(np.int32)
