"""What a rig file may set for a Vaisala GMP251 or GMP252 probe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class VaisalaSettings:
    """A probe as it hangs in the incubator.

    Attributes:
        address: Modbus address; 240 leaves the factory.
        model: GMP251 gives percent CO2 (the incubator probe), GMP252 ppm; the probe itself
            says only "GMP25X".
    """

    address: int = 240
    model: Literal["GMP251", "GMP252"] = "GMP251"

    def __post_init__(self) -> None:
        if not 1 <= self.address <= 247:
            raise ValueError(f"address is {self.address}; a Modbus address is 1 to 247")
        if self.model not in ("GMP251", "GMP252"):
            raise ValueError(f"model is {self.model!r}; write GMP251 or GMP252")
