"""What a segmentation of myotubes is, and what may be set about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, get_args

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage
from labrig_analysis.tubes.phase_masks import PhaseMask


@dataclass(frozen=True)
class TubeSettings:
    """What counts as a tube. Lengths are in µm; no grey level is fixed anywhere."""

    working_pixel_um: float = 0.7
    """Finer images are averaged down to about this before tubes are looked for: the thinnest tube,
    5 µm, is then still 7 px wide."""
    ground_um: float = 90.0
    """SD of the Gaussian window that follows uneven illumination; wider than any tube."""
    level_factor: float = 1.0
    """Mask level as a multiple of the level at which outlines are seen (see
    `fluorescence.mask_level`). Lower takes in more of the dim tubes and of the haze."""
    min_area_um2: float = 120.0
    """Smaller objects are debris."""
    min_length_um: float = 40.0
    """Shorter objects are debris or single cells; half of it for objects cut by the border."""
    max_roundness: float = 0.6
    """Objects rounder than this are debris or single cells: 4 pi area / perimeter^2, 1 for a
    disc."""
    max_hole_um2: float = 200.0
    """Holes up to this area in a tube are nuclei or vacuoles and are filled; larger ones are the
    background between the tubes of a network."""
    min_contrast_to_noise: float = 4.0
    """The mask level is at least this many noise SDs above the background."""
    phase_mask: PhaseMask = "rules"
    """Without a stain: tubes by grey level alone, or (``learned``) without what a network that was
    trained on drawn cultures takes for sheets of cells and their rims (`tubes.sheets`)."""

    def __post_init__(self) -> None:
        if self.phase_mask not in get_args(PhaseMask):
            known = " or ".join(get_args(PhaseMask))
            raise ValueError(f"TubeSettings.phase_mask is {self.phase_mask!r}; give {known}")
        for name, value in vars(self).items():
            if name != "phase_mask" and not value > 0:
                raise ValueError(f"TubeSettings.{name} is {value}; give a positive number")


class TubeLabels(NamedTuple):
    """Tubes of one plane."""

    labels: LabelImage
    """(y, x) uint16, int32 from 65,536 tubes on: 0 is background, 1..n are tubes without gaps."""
    clusters: npt.NDArray[np.int32]
    """(n + 1,): the connected object that each label is part of; `clusters[0]` is 0. Tubes that
    were parted at a crossing or a contact share one."""
    reasons: tuple[str, ...]
    """Why a reader should doubt the result; empty when nothing is wrong."""
    kind: str
    """`tube` (stained) or `tube-like object` (phase contrast, brightfield)."""
    level: float
    """Mask level above the background, in grey levels of the image; NaN when blank."""
    is_seen: bool = True
    """Whether what was found, also that nothing was, says something about the culture: False where
    the plane shows no background or no light to tell tubes by."""

    @property
    def n_tubes(self) -> int:
        """Number of labels."""
        return len(self.clusters) - 1


def no_tubes(
    shape: tuple[int, ...], reasons: tuple[str, ...], kind: str, is_seen: bool
) -> TubeLabels:
    """The answer for a field in which there is nothing, or in which nothing can be seen."""
    blank = np.zeros(shape, np.uint16)
    return TubeLabels(blank, np.zeros(1, np.int32), reasons, kind, float("nan"), is_seen)
