"""Which rates a Lead Fluid pump can hold: from its settings alone, without a pump."""

from __future__ import annotations

from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import PumpLimits
from labrig_drivers.leadfluid import codec
from labrig_drivers.leadfluid.settings import LeadFluidSettings


class LeadFluidRates:
    """Satisfies :class:`labrig_drivers.kinds.PumpRates`.

    Args:
        settings: the pump as it stands on the bench.
        name: as the rig file calls it, for what it refuses.
    """

    def __init__(self, settings: LeadFluidSettings, name: str = "a Lead Fluid pump") -> None:
        self._settings = settings
        self._name = name

    def limits(self) -> PumpLimits:
        """As the rig file gives them for this head and tubing."""
        settings = self._settings
        return PumpLimits(settings.min_rate_ul_min, settings.max_rate_ul_min, 0.001)

    def quantised(self, rate_ul_min: float) -> float:
        """The pump's 32-bit float of this rate. Raises OutOfRange."""
        if rate_ul_min == 0:
            return 0.0
        self.check(rate_ul_min)
        number, unit = codec.number_and_unit(rate_ul_min)
        return number * codec.UL_PER_UNIT[unit]

    def check(self, rate_ul_min: float) -> None:
        """Raises OutOfRange for a rate that this head and tubing do not give."""
        limits = self.limits()
        if not limits.min_rate_ul_min <= rate_ul_min <= limits.max_rate_ul_min:
            raise OutOfRange(
                self._name,
                f"cannot pump {rate_ul_min:g} µL/min.",
                f"With this head and tubing it holds {limits.min_rate_ul_min:g} to "
                f"{limits.max_rate_ul_min:g} µL/min.",
            )
