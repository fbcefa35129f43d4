"""What an arm does over time: entries of ``arms.NAME.program``, and patterns that take turns.

Entries are in order of time, and what an entry does not name goes on: a key, and within
``targets`` a factor. ``for`` ends an entry as if it had not been there, ``every`` repeats it.
:mod:`labrig.protocol.segments` writes a programme out.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Discriminator, Field, Tag

from labrig.name_types import Name
from labrig.quantities import MlPerHour, NgPerMl, Seconds, Ul
from labrig.strict_model import Strict

NONE = "none"
"""What stops all targets, or the impulses."""


class MixedPattern(Strict):
    """Patterns that take turns: the first for ``each``, then the next, and again from the first."""

    sequence: tuple[Name, ...] = Field(min_length=2, description="patterns of this protocol")
    each_s: Seconds = Field(alias="each", gt=0, description="how long each of them plays")
    source: str = ""


class IntermittentFlow(Strict):
    """A flow that comes in spells, with nothing between them."""

    rate_ml_h: MlPerHour = Field(alias="rate", gt=0, description="total inflow while it flows")
    on_s: Seconds = Field(alias="on", gt=0)
    every_s: Seconds = Field(alias="every", gt=0, description="from one beginning to the next")


def _held_or_in_spells(value: object) -> str:
    return "=spells" if isinstance(value, (dict, IntermittentFlow)) else "=held"


# Told apart by shape, so that an error speaks only of what was meant.
AnyFlow = Annotated[
    Annotated[MlPerHour, Field(ge=0), Tag("=held")] | Annotated[IntermittentFlow, Tag("=spells")],
    Discriminator(_held_or_in_spells),
]


def _none_or_named(value: object) -> str:
    return "=none" if isinstance(value, str) else "=named"


AnyTargets = Annotated[
    Annotated[Literal["none"], Tag("=none")]
    | Annotated[dict[Name, Annotated[NgPerMl, Field(ge=0)]], Tag("=named")],
    Discriminator(_none_or_named),
]


class ProgrammedBolus(Strict):
    """One bounded dose into each well, by its volume or by the concentration that it makes."""

    factor: Name
    stock: Name | None = Field(default=None, description="omitted: the only one that holds it")
    volume_ul: Annotated[Ul, Field(gt=0)] | None = Field(
        default=None, alias="volume", description="into each well"
    )
    reach_ng_ml: Annotated[NgPerMl, Field(gt=0)] | None = Field(
        default=None,
        alias="reach",
        description="in a chamber that had none of it, right after the bolus, in place of volume",
    )
    rate_ml_h: Annotated[MlPerHour, Field(gt=0)] | None = Field(
        default=None, alias="rate", description="omitted: the bolus takes one minute [P]"
    )


class Entry(Strict):
    """One entry of a programme."""

    from_s: Annotated[Seconds, Field(ge=0)] | None = Field(
        default=None, alias="from", description="omitted: from the start"
    )
    at_s: Annotated[Seconds, Field(ge=0)] | None = Field(
        default=None, alias="at", description="when a bolus is given"
    )
    for_s: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None, alias="for", description="then as if this entry had not been there"
    )
    every_s: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None, alias="every", description="again and again, from one beginning to the next"
    )
    until_s: Annotated[Seconds, Field(gt=0)] | None = Field(
        default=None, alias="until", description="of `every`; omitted: to the end of the run"
    )
    label: Name | None = Field(
        default=None, description="a name for the moment it begins, for films and outcomes"
    )
    targets: AnyTargets | None = Field(
        default=None, description="a factor that is not named goes on; none: all of them stop"
    )
    pattern: Name | None = Field(default=None, description="none: no impulses")
    flow: AnyFlow | None = Field(default=None, description="total inflow of a well")
    medium: Name | None = None
    bolus: ProgrammedBolus | None = None

    @property
    def begins_s(self) -> float:
        """When it first takes effect."""
        return next((at for at in (self.from_s, self.at_s) if at is not None), 0.0)

    @property
    def sets(self) -> tuple[str, ...]:
        """The keys that it changes."""
        keys = ("targets", "pattern", "flow", "medium", "bolus")
        return tuple(key for key in keys if getattr(self, key) is not None)


Program = tuple[Entry, ...]
