"""Chips of two wells, and the calibrated lights that reach them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from labrig.name_types import FileName, WellName
from labrig.quantities import Mm2, MwPerMm2, Nm, Volts
from labrig.strict_model import Strict

if TYPE_CHECKING:
    from labrig.rig.models import Rig

Name = FileName
Side = Literal["nerve", "muscle"]


class Chip(Strict):
    """Two wells of the plate, joined by a link that axons pass: one culture, one unit.

    ``head`` is the side whose liquid stands higher, so that what little flows through the link
    flows away from it: the side that must not be exposed to what the other one gets. ``as
    planned``: the side that the protocol's arms do not treat.
    """

    nerve: WellName
    muscle: WellName
    link: Literal["microgrooves", "gel"] = "microgrooves"
    head: Literal["nerve", "muscle", "as planned"] = "as planned"

    @property
    def wells(self) -> dict[str, str]:
        """By compartment."""
        return {"nerve": self.nerve, "muscle": self.muscle}


class LightPoint(Strict):
    """One measurement with a power meter."""

    volts: Volts = Field(ge=0, description="at the LED driver's input")
    irradiance_mw_mm2: MwPerMm2 = Field(alias="irradiance", ge=0, description="at the cells")


class Light(Strict):
    """An LED whose driver a stimulator channel controls; its wells are lit together.

    Between the points of its calibration the irradiance is interpolated; beyond them it is not
    known, and no plan goes there.
    """

    stimulator: Name
    channel: int = Field(ge=1)
    wells: tuple[WellName, ...] = Field(min_length=1)
    wavelength_nm: Nm = Field(alias="wavelength", gt=0)
    area_mm2: Mm2 = Field(alias="area", gt=0, description="lit area of one well")
    calibration: tuple[LightPoint, ...] = Field(
        min_length=2, description="of rising volts, the LED's threshold among them"
    )
    calibrated: date
    valid_days: int = Field(default=90, ge=1)
    by: str = Field(default="", description="who measured, with what")


def volts_for(light: Light, irradiance_mw_mm2: float) -> float | None:
    """What the channel gives for an irradiance; None outside what was measured.

    0 is always 0 V: a dark channel needs no calibration.
    """
    if irradiance_mw_mm2 == 0:
        return 0.0
    for low, high in pairwise(light.calibration):
        if low.irradiance_mw_mm2 <= irradiance_mw_mm2 <= high.irradiance_mw_mm2:
            span = high.irradiance_mw_mm2 - low.irradiance_mw_mm2
            share = (irradiance_mw_mm2 - low.irradiance_mw_mm2) / span
            return round(low.volts + share * (high.volts - low.volts), 4)
    return None


def chip_of_well(rig: Rig) -> Mapping[str, tuple[str, str]]:
    """By well, its chip and its compartment."""
    return {
        well: (name, side) for name, chip in rig.chips.items() for side, well in chip.wells.items()
    }


def light_of(rig: Rig, well: str) -> str | None:
    """Name of the light that reaches a well, if any."""
    return next((name for name, light in rig.lights.items() if well in light.wells), None)
