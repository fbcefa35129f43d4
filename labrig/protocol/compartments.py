"""Cultures of two compartments: motor neurons on one side of a link, muscle on the other.

A chip is one culture and one experimental unit; its two wells are compartments of it. What an arm
does is said by compartment (``arms.NAME.nerve``, ``arms.NAME.muscle``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from labrig.strict_model import Strict

if TYPE_CHECKING:
    from labrig.protocol.arms import Arm, ArmPart
    from labrig.protocol.imaging import Channel
    from labrig.protocol.models import Protocol

CompartmentName = Literal["nerve", "muscle"]
COMPARTMENTS: tuple[CompartmentName, ...] = ("nerve", "muscle")
WHOLE = ""
"""The compartment of a culture that has none: the well."""


class Compartment(Strict):
    """The cells of one side."""

    cells: str = Field(min_length=1)
    opsin: str | None = Field(
        default=None, description="by which light moves them, e.g. ChR2-H134R; None: none"
    )
    days: float | None = Field(default=None, ge=0, description="in culture at the start")


class CulturedCompartments(Strict):
    """Both sides of every chip."""

    nerve: Compartment
    muscle: Compartment


def compartments_of(protocol: Protocol) -> tuple[str, ...]:
    """The compartments of one culture; one without name where a well is the culture."""
    return (WHOLE,) if protocol.culture.compartments is None else COMPARTMENTS


def arm_part(protocol: Protocol, arm: str, compartment: str = WHOLE) -> Arm | ArmPart:
    """What an arm does in a compartment; in :data:`WHOLE`, the arm itself.

    Raises:
        ValueError: the protocol's cultures have no such compartment.
    """
    from labrig.protocol.arms import ArmPart

    if compartment not in compartments_of(protocol):
        raise ValueError(f"the cultures of {protocol.name} have no compartment {compartment!r}")
    whole = protocol.arms[arm]
    if compartment == WHOLE:
        return whole
    own = whole.nerve if compartment == "nerve" else whole.muscle
    return ArmPart() if own is None else own


def taken_in(protocol: Protocol, channel: Channel) -> tuple[str, ...]:
    """The compartments that a channel is taken of: what labrig measures is muscle."""
    if protocol.culture.compartments is None:
        return (WHOLE,)
    return channel.compartments or ("muscle",)


def opsins_of(protocol: Protocol) -> dict[str, str | None]:
    """By compartment, the opsin of its cells."""
    sides = protocol.culture.compartments
    return {} if sides is None else {"nerve": sides.nerve.opsin, "muscle": sides.muscle.opsin}
