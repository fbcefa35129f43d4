"""Which nuclei are pyknotic: shrunken and condensed, as in dying cells."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from labrig_analysis.labels.region_properties import RegionProperties
from labrig_analysis.setting_limits import check_limits

# With fewer nuclei there is no typical one to compare with.
_FEWEST = 5
_LIMITS = {
    "largest_area": (0.0, math.inf),
    "least_brightness": (0.0, math.inf),
    "least_minor_to_major": (0.0, 1.0),
}


@dataclass(frozen=True)
class PyknosisRule:
    """A nucleus is pyknotic when it is small, bright and compact at once.

    Shrunken, condensed chromatin is what pyknosis looks like in DAPI; the three cuts are a
    proposal, relative to the median nucleus of the same field, and stand in the column
    `pyknosis_definition` of every table.
    """

    largest_area: float = 0.5
    """At most this part of the median area."""
    least_brightness: float = 1.5
    """At least this many times the median mean intensity above background."""
    least_minor_to_major: float = 0.5
    """Compact: the short axis is at least this part of the long one."""

    def __post_init__(self) -> None:
        check_limits(self, _LIMITS)

    @property
    def definition(self) -> str:
        """One cell for a results table, e.g. `area<=0.5|light>=1.5|minor/major>=0.5`."""
        return (
            f"area<={self.largest_area:g}|light>={self.least_brightness:g}"
            f"|minor/major>={self.least_minor_to_major:g}"
        )


def find_pyknotic(
    shapes: RegionProperties, background: float, rule: PyknosisRule
) -> npt.NDArray[np.bool_]:
    """(n,) which nuclei are pyknotic; with fewer than 5 nuclei none is, as there is no typical one.

    Args:
        shapes: of one field.
        background: grey level of the empty parts of the plane.
        rule: the three cuts.
    """
    if len(shapes.areas_px) < _FEWEST:
        return np.zeros(len(shapes.areas_px), bool)
    brightness = shapes.mean_intensities - background
    return (
        (shapes.areas_px <= rule.largest_area * np.median(shapes.areas_px))
        & (brightness >= rule.least_brightness * np.median(brightness))
        & (shapes.minor_px >= rule.least_minor_to_major * shapes.major_px)
        & ~shapes.touches_border
    )
