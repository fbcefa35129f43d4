"""Which rates a New Era pump can hold: from its settings alone, without a pump."""

from __future__ import annotations

import math

from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import PumpLimits
from labrig_drivers.new_era import codec
from labrig_drivers.new_era.settings import NewEraSettings

# Plunger speeds, cm/h and cm/min: NE-1000 manual section 12; NE-1000X from the AL-4000 sheet.
_SPEED_MIN_CM_H, _SPEED_MAX_CM_MIN = 0.004205, 5.1005
_SPEED_MIN_CM_H_X, _SPEED_MAX_CM_MIN_X = 0.008276531, 18.08

_WIDEST_10_ML_MM = 16.0
"""Plastic 10 mL syringes are 14 to 16 mm wide, those of 20 mL 19 mm and more."""

_COARSEST_STEP_AND_RANGE_UL = {"UL": (1.0, 1e4), "ML": (100.0, 1e7)}
"""Of the counter's four digits: from 1000 µL on whole µL, from 100 mL on tenths of a mL."""


class NewEraRates:
    """Satisfies :class:`labrig_drivers.kinds.PumpRates`.

    Args:
        settings: the pump as it stands on the bench.
        name: as the rig file calls it, for what it refuses.
        model: as the pump says it; the plain NE-1000 until it was asked.
    """

    def __init__(
        self, settings: NewEraSettings, name: str = "a New Era pump", model: str = "NE-1000"
    ) -> None:
        self._settings = settings
        self._name = name
        self._extended = "X" in model

    def limits(self) -> PumpLimits:
        """From plunger speed and syringe area."""
        area_cm2 = math.pi / 4 * (self._settings.syringe_diameter_mm / 10) ** 2
        slowest_cm_h = _SPEED_MIN_CM_H_X if self._extended else _SPEED_MIN_CM_H
        fastest_cm_min = _SPEED_MAX_CM_MIN_X if self._extended else _SPEED_MAX_CM_MIN
        slowest_ul_min = slowest_cm_h * area_cm2 * 1000 / 60
        number, unit = codec.rate_setting(slowest_ul_min)
        decimals = len(number.partition(".")[2])
        return PumpLimits(
            slowest_ul_min,
            fastest_cm_min * area_cm2 * 1000,
            10.0**-decimals * codec.UL_MIN_PER_RATE_UNIT[unit],
            *_COARSEST_STEP_AND_RANGE_UL[self.counter_unit()],
        )

    def quantised(self, rate_ul_min: float) -> float:
        """The rate that the pump's four digits hold. Raises OutOfRange."""
        if rate_ul_min == 0:
            return 0.0
        number, unit = self.setting(rate_ul_min)
        return float(number) * codec.UL_MIN_PER_RATE_UNIT[unit]

    def setting(self, rate_ul_min: float) -> tuple[str, str]:
        """Number and unit as the pump is told them. Raises OutOfRange."""
        limits = self.limits()
        if not limits.min_rate_ul_min <= rate_ul_min <= limits.max_rate_ul_min:
            raise OutOfRange(
                self._name,
                f"cannot pump {rate_ul_min:g} µL/min with a syringe of "
                f"{self._settings.syringe_diameter_mm:g} mm.",
                f"It holds {limits.min_rate_ul_min:.3g} to {limits.max_rate_ul_min:.4g} µL/min: "
                "take another syringe or rate.",
            )
        return codec.rate_setting(rate_ul_min)

    def counter_unit(self) -> str:
        """µL where its four digits hold the syringe: the finer witness of small doses."""
        settings = self._settings
        if settings.syringe_volume_ul is None:
            return "UL" if settings.syringe_diameter_mm <= _WIDEST_10_ML_MM else "ML"
        return "UL" if settings.syringe_volume_ul <= 10_000 else "ML"
