"""What a rig file may set for a Lead Fluid / Golander BT-F or BT-L flow pump."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class LeadFluidSettings:
    """A pump as it stands on the bench.

    Attributes:
        address: Modbus address.
        direction: which way the head turns to push liquid towards the culture.
        min_rate_ul_min: least flow of this head and tubing; the default is only the least that
            the pump's register holds, so set it to what was calibrated.
        max_rate_ul_min: most flow of this head and tubing, likewise.
    """

    address: int = 1
    direction: Literal["clockwise", "counterclockwise"] = "clockwise"
    min_rate_ul_min: float = 0.001
    max_rate_ul_min: float = 999_900.0

    def __post_init__(self) -> None:
        if not 1 <= self.address <= 247:
            raise ValueError(f"address is {self.address}; a Modbus address is 1 to 247")
        if self.direction not in ("clockwise", "counterclockwise"):
            raise ValueError(
                f"direction is {self.direction!r}; write clockwise or counterclockwise"
            )
        if not 0.001 <= self.min_rate_ul_min < self.max_rate_ul_min <= 999_900.0:
            raise ValueError(
                f"min_rate_ul_min {self.min_rate_ul_min:g} and max_rate_ul_min "
                f"{self.max_rate_ul_min:g} must lie in order between 0.001 and 999900"
            )
