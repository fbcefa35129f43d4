"""What a rig file may set for a New Era syringe pump."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class NewEraSettings:
    """A pump as it stands on the bench.

    Attributes:
        address: 0–99, as set on the pump; pumps may be daisy-chained.
        syringe_diameter_mm: inner diameter; every rate and volume rests on it. The default is
            a BD 10 mL plastic syringe.
        syringe_volume_ul: what a full syringe holds; None leaves dispenses unbounded by it.
        watchdog_s: 0 for Basic mode; 1–255 for Safe mode, in which frames carry a CRC and the
            pump stops itself when the host is silent for so long.
    """

    address: int = 0
    syringe_diameter_mm: float = 14.43
    syringe_volume_ul: float | None = None
    watchdog_s: int = 0

    def __post_init__(self) -> None:
        if not 0 <= self.address <= 99:
            raise ValueError(f"address is {self.address}; a New Era pump has 0 to 99")
        if not 0.1 <= self.syringe_diameter_mm <= 50.0:
            raise ValueError(
                f"syringe_diameter_mm is {self.syringe_diameter_mm:g}; the NE-1000 takes 0.1 to 50"
            )
        if not 0 <= self.watchdog_s <= 255:
            raise ValueError(
                f"watchdog_s is {self.watchdog_s}; write 0 for Basic mode or 1 to 255 seconds"
            )
