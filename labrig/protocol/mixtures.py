"""Mixtures: what is dosed as one thing and is several, or is a medium that cells have conditioned.

A target names a mixture by its strength: ``1 x`` is what ``parts`` say, ``33 %`` a third of it. A
stock holds one at a multiple: ``{mixture: overload, strength: 50 x}``.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from labrig.name_types import Name
from labrig.quantities import Hours, NgPerMl
from labrig.strict_model import Strict


class Mixture(Strict):
    """Several factors dosed together, or a conditioned medium."""

    kind: Literal["parts", "conditioned-medium"] = "parts"
    parts_ng_ml: dict[Name, Annotated[NgPerMl, Field(gt=0)]] = Field(
        default_factory=dict,
        alias="parts",
        description="what stands in a well at 1 x, by factor; nothing of a conditioned medium",
    )
    control: Name | None = Field(
        default=None,
        description="of a conditioned medium: the stock of medium conditioned by control cells, "
        "which every other arm gets in its place",
    )
    role: Literal["nerve", "insult", "hormone", "nutrient", "drug", "other"] = "other"
    half_life_h: Hours | None = Field(
        default=None,
        alias="half_life",
        gt=0,
        description="of a conditioned medium's effect at 37 °C; omitted: it is taken as stable",
    )
    note: str = ""
