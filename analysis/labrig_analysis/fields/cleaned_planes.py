"""Planes without what is no part of the culture: what a program burned in, the wall of the well."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import cv2
import numpy as np

from labrig_analysis.arrays import GreyImage, LabelImage, Mask
from labrig_analysis.images.annotations import annotation_boxes, without_annotations
from labrig_analysis.images.nucleus_spots import SPOT_PIXEL_UM, nucleus_spots
from labrig_analysis.images.planes import grey_pixels, is_blank
from labrig_analysis.images.well_wall import Tone, well_wall, without_wall
from labrig_analysis.labels.relabelling import label_areas, relabel_sequential

_WALL_TONES: Mapping[str, tuple[Tone, ...]] = {"tubes": ("bright",), "phase": ("dark", "bright")}
"""What the wall may look like: the ground of a stained plane is as dark as it. Not looked for among
nuclei, of which a heap is wide and bright too."""

# A wall has its halo of 30 um in it, and what shines in that.
_BESIDE_UM = 45.0
# Of the share of the field that nuclei take: in a patch of the culture they lie as in the rest of
# it, and specks on a wall take less.
_LEAST_OF_SPOTS = 0.25


class CleanedPlanes(NamedTuple):
    """What is left of a field to be measured."""

    planes: dict[str, GreyImage]
    """(y, x) by channel, filled where nothing of the culture shows."""
    flags: list[str]
    """What was left out, in words."""
    wall: Mask | None
    """(y, x) where the wall of the well lies, which is no part of the field; None without one."""

    def outside_wall(self, labels: LabelImage, least_px: float = 1.0) -> LabelImage:
        """Labels, 1..n without gaps, of what was not found where the wall is filled.

        Args:
            labels: (y, x).
            least_px: an object of which less is left outside is dropped.
        """
        if self.wall is None:
            return labels
        outside = np.where(self.wall, 0, labels)
        gone = label_areas(outside) < least_px
        outside[gone[outside]] = 0
        return relabel_sequential(outside)

    @property
    def wall_share(self) -> float:
        """Share of the picture that the wall takes."""
        return 0.0 if self.wall is None else float(self.wall.mean())


def cleaned_planes(planes: Mapping[str, GreyImage], pixel_size_um: float) -> CleanedPlanes:
    """The planes with scale bars, text and the wall of the well filled, and what was left out.

    What one plane shows is left out of all: in a colour picture a white bar lies in every colour.

    Args:
        planes: (y, x) by channel, of one size.
        pixel_size_um: width of a pixel in the specimen.

    Raises:
        TypeError, ValueError: a plane that is no grey plane.
    """
    pixels = {name: grey_pixels(plane, f"{name} plane") for name, plane in planes.items()}
    boxes = [box for plane in pixels.values() for box in annotation_boxes(plane)]
    flags = []
    if boxes:
        left, top = min(box.left for box in boxes), min(box.top for box in boxes)
        right = max(box.left + box.width for box in boxes)
        bottom = max(box.top + box.height for box in boxes)
        flags.append(
            f"a scale bar or text is burned in between x {left} to {right} and y {top} to {bottom} "
            "px: what is under it was left out; export without it"
        )
    cleaned = {name: without_annotations(np.asarray(p), boxes) for name, p in planes.items()}
    if boxes:
        pixels = {name: grey_pixels(plane, f"{name} plane") for name, plane in cleaned.items()}
    wall = _wall(pixels, pixel_size_um)
    if wall is not None:
        cleaned = {name: without_wall(plane, wall) for name, plane in cleaned.items()}
        flags.append(
            f"the wall of the well covers {wall.mean():.0%} of the picture with its halo: it was "
            "left out, and the field is what is beside it"
        )
    return CleanedPlanes(cleaned, flags, wall)


def _wall(planes: Mapping[str, GreyImage], pixel_size_um: float) -> Mask | None:
    found: Mask | None = None
    for name, tones in _WALL_TONES.items():
        if name not in planes:
            continue
        plane = planes[name]
        wall = None if is_blank(plane) else well_wall(plane, pixel_size_um, tones)
        if wall is not None and not _holds_nuclei(wall, planes, pixel_size_um):
            found = wall if found is None else found | wall
    return found


def _holds_nuclei(wall: Mask, planes: Mapping[str, GreyImage], pixel_size_um: float) -> bool:
    """Whether nuclei are seen in it: then it is a plain patch of the culture."""
    nuclei = planes.get("nuclei")
    if nuclei is None or is_blank(nuclei):
        return False
    spots = nucleus_spots(nuclei, pixel_size_um)
    if spots is None:
        return False
    # Nuclei beside the wall lie in its rim.
    small = cv2.resize(wall.astype(np.uint8), spots.shape[::-1], interpolation=cv2.INTER_NEAREST)
    reach = 2 * round(_BESIDE_UM / SPOT_PIXEL_UM) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach, reach))
    within = cv2.erode(small, disc) > 0
    return bool(within.any() and spots[within].mean() > _LEAST_OF_SPOTS * spots[small == 0].mean())
