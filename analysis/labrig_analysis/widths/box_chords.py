"""Chords of a mask across its oriented box: how published tools take widths (mode `obb9`)."""

from __future__ import annotations

import cv2
import numpy as np

from labrig_analysis.arrays import Mask
from labrig_analysis.tubes.centreline import Points


def box_chords(mask: Mask) -> list[tuple[Points, Points, float]]:
    """(one end, other end, axis in rad) at 10 % ... 90 % of the long axis, perpendicular to it.

    Args:
        mask: (y, x) bool, one object.
    """
    contours, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    contour = max(contours, key=len).reshape(-1, 2).astype(np.float64)
    box = cv2.boxPoints(cv2.minAreaRect(contour.astype(np.float32))).astype(np.float64)
    first, second = box[1] - box[0], box[2] - box[1]
    axis, side = (first, second) if np.hypot(*first) >= np.hypot(*second) else (second, first)
    length, breadth = float(np.hypot(*axis)), float(np.hypot(*side))
    if length == 0:
        return []
    axis, across = axis / length, np.array([-axis[1], axis[0]]) / length
    centre = box.mean(axis=0)
    offsets = np.arange(-breadth / 2 - 1, breadth / 2 + 1, 0.25)
    chords = []
    for part in np.arange(1, 10) / 10:
        at = centre + axis * (part - 0.5) * length + across * offsets[:, None]
        column, row = np.rint(at).astype(int).T
        valid = (column >= 0) & (row >= 0) & (column < mask.shape[1]) & (row < mask.shape[0])
        inside = np.flatnonzero(valid)[mask[row[valid], column[valid]]]
        if len(inside):
            ends = at[inside[[0, -1]]]
            chords.append((ends[0], ends[1], float(np.arctan2(axis[1], axis[0]))))
    return chords
