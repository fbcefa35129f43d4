"""Factors, the stocks that hold them, and media."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from labrig.name_types import Name
from labrig.protocol.amounts import Strength, kilodaltons
from labrig.protocol.compartments import CompartmentName
from labrig.quantities import Hours, Millimolar, NgPerMl, Percent
from labrig.strict_model import Strict
from labrig.units import Unit

KDa = Annotated[float, Unit("kDa"), BeforeValidator(kilodaltons)]


class HalfLife(Strict):
    """How fast a factor is lost in medium at 37 °C, and how that is known."""

    value_h: Hours = Field(alias="value", gt=0)
    basis: Literal["assumed", "measured"]
    low_h: Hours | None = Field(
        default=None, alias="low", description="lower end of the credible range"
    )
    high_h: Hours | None = Field(default=None, alias="high", description="upper end")
    source: str = ""


class Factor(Strict):
    """A substance whose concentration in the chamber is controlled."""

    role: Literal["nerve", "insult", "hormone", "nutrient", "drug", "other"]
    half_life: HalfLife
    molar_mass_kda: KDa | None = Field(
        default=None, alias="molar_mass", description="in kDa or g/mol: amounts may then be molar"
    )
    recovery: float = Field(
        default=1.0, gt=0, le=1, description="fraction that survives the tubing"
    )
    lot: str = ""
    note: str = ""


class Stock(Strict):
    """A solution to be loaded into a reservoir: factors in a carrier."""

    contents_ng_ml: dict[Name, NgPerMl] = Field(default_factory=dict, alias="contents")
    carrier: str = Field(description="e.g. '0.1 % BSA'; equal in a stock and its vehicle")
    solvent: str = ""
    solvent_percent: Percent = Field(default=0.0, alias="solvent_fraction", ge=0)
    vehicle: Name | None = Field(
        default=None, description="the stock that arms without it get instead"
    )
    half_life_cold_h: Hours | None = Field(
        default=None, alias="half_life_cold", description="at 4 °C"
    )
    mixture: Name | None = Field(
        default=None, description="in place of contents: a mixture, at its strength"
    )
    strength: Strength | None = None
    from_side: CompartmentName | None = Field(
        default=None,
        alias="from",
        description="a conditioned medium that no bottle holds: the effluent of this side of the "
        "same chip, brought by a line with `from_chamber`",
    )
    lot: str = ""

    @property
    def of_mixture(self) -> float:
        """At which strength it holds its mixture; effluent is undiluted by definition."""
        return 1.0 if self.from_side is not None else self.strength or 0.0


class Medium(Strict):
    """A base medium; what it is made of is known to the simulated culture as far as it is said."""

    description: str
    serum: str = Field(default="", description="e.g. '2 % horse serum'")
    glucose_mm: Millimolar | None = Field(default=None, alias="glucose", ge=0)
    calcium_mm: Millimolar | None = Field(default=None, alias="calcium", ge=0)
    amino_acids_percent: Percent | None = Field(
        default=None, alias="amino_acids", ge=0, description="of the complete medium's; free: 0 %"
    )
    osmolality: float | None = Field(
        default=None, gt=0, description="mOsm/kg; media that replace each other are compared"
    )
    lot: str = ""
