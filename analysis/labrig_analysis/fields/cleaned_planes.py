"""Planes without what a program burned into them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from labrig_analysis.arrays import GreyImage
from labrig_analysis.images.annotations import annotation_boxes, without_annotations
from labrig_analysis.images.planes import grey_plane


def cleaned_planes(planes: Mapping[str, GreyImage]) -> tuple[dict[str, GreyImage], list[str]]:
    """The planes with scale bars and text filled from around them, and what was left out.

    What one plane shows is left out of all: in a colour picture a white bar lies in every colour.

    Args:
        planes: (y, x) by channel, of one size.

    Raises:
        TypeError, ValueError: a plane that is no grey plane.
    """
    boxes = []
    for name, plane in planes.items():
        seen = grey_plane(plane, f"{name} plane")
        if not seen.is_blank:
            boxes += annotation_boxes(seen.pixels)
    if not boxes:
        return dict(planes), []
    left, top = min(box.left for box in boxes), min(box.top for box in boxes)
    right = max(box.left + box.width for box in boxes)
    bottom = max(box.top + box.height for box in boxes)
    why = (
        f"a scale bar or text is burned in between x {left} to {right} and y {top} to {bottom} px: "
        "what is under it was left out; export without it"
    )
    cleaned = {name: without_annotations(np.asarray(p), boxes) for name, p in planes.items()}
    return cleaned, [why]
