"""Geometry of multi-well plates, and which wells they have.

Area, usual volume and depth are those of the Nunc bulletin on culture plates [S]; pitch and
diameter are the usual ones [K] (only the 9 mm of a 96-well is standard, ANSI/SLAS 4-2004 [S]).
Vendors differ: a rig file gives its own pitch and diameter.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from labrig.places import Place


@dataclass(frozen=True, slots=True)
class Plate:
    """One format of plate.

    Attributes:
        area_cm2: growth area of a well.
        volume_ml: usual volume of medium in a well.
        depth_mm: of that medium.
        pitch_mm: centre to centre.
        diameter_mm: of a well at its bottom.
    """

    name: str
    rows: int
    columns: int
    area_cm2: float
    volume_ml: float
    depth_mm: float
    pitch_mm: float
    diameter_mm: float

    def wells(self) -> tuple[str, ...]:
        """Every well, row by row: A1, A2, ..."""
        return tuple(
            Place(row, column).name for row in range(self.rows) for column in range(self.columns)
        )

    def __contains__(self, well: str) -> bool:
        place = Place.of(well)
        return place.row < self.rows and place.column < self.columns

    def lacks(self, well: str) -> tuple[str, str]:
        """What to tell of a well that it has not, and how to mend it."""
        there = self.wells()
        return f"a {self.name} plate has no well {well}", f"It has {there[0]} to {there[-1]}."

    def edge(self, well: str) -> bool:
        """Whether the well lies on the rim, where evaporation is strongest."""
        place = Place.of(well)
        return place.row in (0, self.rows - 1) or place.column in (0, self.columns - 1)


PLATES: Mapping[str, Plate] = MappingProxyType(
    {
        plate.name: plate
        for plate in (
            Plate("6-well", 2, 3, 9.5, 3.0, 3.2, 39.12, 34.8),
            Plate("12-well", 3, 4, 3.5, 2.0, 5.7, 26.01, 22.1),
            Plate("24-well", 4, 6, 2.0, 1.0, 5.0, 19.3, 15.6),
            Plate("48-well", 6, 8, 1.0, 0.5, 5.0, 13.0, 11.0),
            Plate("96-well", 8, 12, 0.33, 0.2, 6.0, 9.0, 6.4),
        )
    }
)
