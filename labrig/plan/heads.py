"""Which side of a chip stands higher, so that what seeps through the link harms no contrast."""

from __future__ import annotations

from labrig.protocol.arms import Arm, ArmPart
from labrig.protocol.compartments import COMPARTMENTS, arm_part
from labrig.protocol.models import Protocol

PLANNED = "as planned"


def treated_sides(protocol: Protocol, arm: str) -> tuple[str, ...]:
    """The sides that an arm holds something in, of those that differ between arms.

    What every arm gets alike on a side (a block at the end) treats none of them.
    """
    return tuple(
        side
        for side in COMPARTMENTS
        if _held(arm_part(protocol, arm, side))
        and len({_what(arm_part(protocol, other, side)) for other in protocol.arms}) > 1
    )


def planned_head(protocol: Protocol) -> str:
    """The side that stands higher in every chip where the rig leaves it to the plan.

    The one that no arm treats: liquid seeps from it to the treated side, never back. One for all
    chips, so that the head is no second difference between arms. Where arms treat both sides, or
    none, the nerve's: axons are the more easily harmed [P].
    """
    treated = {side for arm in protocol.arms for side in treated_sides(protocol, arm)}
    return "muscle" if treated == {"nerve"} else "nerve"


def _held(part: Arm | ArmPart) -> bool:
    return (
        bool(part.boluses)
        or bool(part.program)
        or any(
            not isinstance(target, (int, float)) or target > 0 for target in part.targets.values()
        )
    )


def _what(part: Arm | ArmPart) -> str:
    return repr(
        (sorted(part.targets.items(), key=lambda item: item[0]), part.boluses, part.program)
    )
