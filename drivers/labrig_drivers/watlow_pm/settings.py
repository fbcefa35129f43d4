"""What a rig file may set for a Watlow EZ-ZONE PM."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from labrig_drivers.kinds import CO2, O2, TEMPERATURE, Quantity

_QUANTITIES = {"temperature": TEMPERATURE, "co2": CO2, "o2": O2}


@dataclass(frozen=True, slots=True)
class WatlowPmSettings:
    """A controller as it is wired: a heater with its sensor, or a gas valve with a gas sensor.

    Attributes:
        address: Modbus address; 1 leaves the factory.
        holds: what its sensor measures. A gas sensor's input must be scaled to percent.
        least_c, most_c: set points that may be sent, of temperature.
        least_percent, most_percent: likewise, of a gas.
    """

    address: int = 1
    holds: Literal["temperature", "co2", "o2"] = "temperature"
    least_c: float = 25.0
    most_c: float = 43.0
    least_percent: float = 0.0
    most_percent: float = 21.0

    def __post_init__(self) -> None:
        if not 1 <= self.address <= 247:
            raise ValueError(f"address is {self.address}; a Modbus address is 1 to 247")
        if self.holds not in _QUANTITIES:
            raise ValueError(f"holds is {self.holds!r}; write one of {', '.join(_QUANTITIES)}")
        if not -20.0 <= self.least_c < self.most_c <= 95.0:
            raise ValueError(
                f"least_c is {self.least_c} and most_c {self.most_c}; write -20 to 95, most above "
                "least"
            )
        if not 0.0 <= self.least_percent < self.most_percent <= 100.0:
            raise ValueError(
                f"least_percent is {self.least_percent} and most_percent {self.most_percent}; "
                "write 0 to 100, most above least"
            )


def sets(settings: WatlowPmSettings) -> tuple[Quantity, ...]:
    """What it can be told to hold, with its limits."""
    quantity = _QUANTITIES[settings.holds]
    if quantity is TEMPERATURE:
        return (replace(quantity, low=settings.least_c, high=settings.most_c),)
    return (replace(quantity, low=settings.least_percent, high=settings.most_percent),)


def measures(settings: WatlowPmSettings) -> tuple[Quantity, ...]:
    """What its sensor measures."""
    return (_QUANTITIES[settings.holds],)
