"""Both sides of a chip as cultures of their own: what liquid, impulses and light are planned by.

Lines, pumps and channels reach one side of a chip, so nearly all of the compiler need not know of
chips: it is given a protocol whose arms are the sides of arms, ``insult.nerve`` and
``insult.muscle``, and wells with those arms. A place in it (``arms.insult.nerve.targets``) is the
same place in the file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labrig.plan.plan import WellPlan
from labrig.protocol.arms import Arm, ArmPart
from labrig.protocol.compartments import COMPARTMENTS, arm_part
from labrig.protocol.models import Protocol

OF_AN_ARM_ONLY = frozenset({"role", "nerve", "muscle", "note"})
"""What an arm has and its sides have not."""


def side_arm(arm: str, compartment: str) -> str:
    """What the side of an arm is called; the arm itself where a well is a culture."""
    return f"{arm}.{compartment}" if compartment else arm


def sided(protocol: Protocol) -> Protocol:
    """The protocol with an arm for each side of an arm; itself where cultures have no sides."""
    if protocol.culture.compartments is None:
        return protocol
    arms: dict[str, Arm] = {}
    for name, whole in protocol.arms.items():
        for side in COMPARTMENTS:
            part = arm_part(protocol, name, side)
            own = {key: getattr(part, key) for key in ArmPart.model_fields}
            arms[side_arm(name, side)] = whole.model_copy(
                update={**own, "nerve": None, "muscle": None}
            )
    culture = protocol.culture.model_copy(update={"compartments": None})
    return protocol.model_copy(update={"arms": arms, "culture": culture})


def sided_wells(wells: Sequence[WellPlan]) -> tuple[WellPlan, ...]:
    """The wells, each with its side's arm; themselves where they are cultures."""
    return tuple(
        replace(well, arm=side_arm(well.arm, well.compartment)) if well.compartment else well
        for well in wells
    )
