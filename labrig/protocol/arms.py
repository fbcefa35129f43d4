"""Arms: what each treatment gives, whole or to one compartment of a chip."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from labrig.name_types import Name
from labrig.protocol.programmes import Program
from labrig.quantities import MlPerHour, NgPerMl, Seconds, Ul
from labrig.strict_model import Strict


class TargetStep(Strict):
    """From this time on, this concentration."""

    at_s: Seconds = Field(alias="at", ge=0)
    concentration_ng_ml: NgPerMl = Field(alias="concentration", ge=0)


def _constant_or_steps(value: object) -> str:
    return "=steps" if isinstance(value, (list, tuple)) else "=constant"


# Told apart by shape, so that an error speaks only of what was meant.
Target = Annotated[
    Annotated[NgPerMl, Field(ge=0), Tag("=constant")]
    | Annotated[tuple[TargetStep, ...], Field(min_length=1), Tag("=steps")],
    Discriminator(_constant_or_steps),
]


class Bolus(Strict):
    """One bounded dose, given once."""

    factor: Name
    stock: Name
    at_s: Seconds = Field(alias="at", ge=0)
    volume_ul: Ul = Field(alias="volume", gt=0, description="into each well")
    rate_ml_h: MlPerHour = Field(alias="rate", gt=0)


class ArmPart(Strict):
    """What an arm does in one compartment of a chip."""

    targets: dict[Name, Target] = Field(default_factory=dict)
    pattern: Name | None = Field(default=None, description="None: neither electrodes nor light")
    flow_ml_h: MlPerHour | None = Field(
        default=None, alias="flow", description="total, if not the default"
    )
    boluses: tuple[Bolus, ...] = ()
    program: Program = Field(
        default=(), description="what changes over time, after what the keys above begin with"
    )
    medium: Name | None = Field(
        default=None, description="a medium of its own; omitted: the phase's, or perfusion's"
    )


class Arm(Strict):
    """One treatment. A bare concentration holds in every phase with ``factors: on``."""

    role: Literal["control", "positive-control", "test"] = "test"
    targets: dict[Name, Target] = Field(default_factory=dict)
    pattern: Name | None = Field(default=None, description="None: no electrodes asked for")
    flow_ml_h: MlPerHour | None = Field(
        default=None, alias="flow", description="total, if not the default"
    )
    boluses: tuple[Bolus, ...] = ()
    program: Program = Field(
        default=(), description="what changes over time, after what the keys above begin with"
    )
    nerve: ArmPart | None = Field(
        default=None, description="on the nerve side; for cultures with compartments"
    )
    muscle: ArmPart | None = Field(
        default=None, description="on the muscle side; for cultures with compartments"
    )
    medium: Name | None = Field(
        default=None, description="a medium of its own; omitted: the phase's, or perfusion's"
    )
    note: str = ""
