"""The cells: what they are, and whose."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from labrig.name_types import Name, WellName
from labrig.protocol.compartments import CulturedCompartments
from labrig.strict_model import Strict


class Donor(Strict):
    """Where the cells came from; a pseudonym, never a name."""

    id: Name
    age_group: Literal["young", "old", "unknown"] = "unknown"
    age_years: float | None = Field(
        default=None, alias="age", ge=0, le=130, description="in years, e.g. 78"
    )
    sex: Literal["f", "m"] | None = None
    genotype: str = ""
    morbidity: str = Field(default="", description="e.g. type 2 diabetes")
    passage: int | None = Field(default=None, ge=0)
    person: Name | None = Field(
        default=None,
        description="whose cells these are, where several entries are passages, clones or thaws of "
        "one donor: they count as one donor; omitted: the id",
    )
    lot: str = ""
    wells: tuple[WellName, ...] = Field(default=(), description="empty: every well of the plate")


class CultureRecord(Strict):
    """What a reviewer will ask about the cells."""

    cells: str
    seeding_per_cm2: int | None = Field(default=None, gt=0)
    days_differentiated: float | None = Field(default=None, ge=0)
    operator: str = ""
    mycoplasma_tested: str = ""
    lots: dict[str, str] = Field(default_factory=dict)
    note: str = ""
    compartments: CulturedCompartments | None = Field(
        default=None, description="nerve and muscle side of a chip; omitted: a well is a culture"
    )
