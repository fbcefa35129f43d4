"""What each arm gets over the whole run, a sentence an arm."""

from __future__ import annotations

from labrig.plan.sides import side_arm, sided
from labrig.protocol.compartments import compartments_of
from labrig.protocol.models import Protocol
from labrig.protocol.programme_words import arm_words


def arm_texts(protocol: Protocol) -> dict[str, str]:
    """By arm: its factors, impulses, flow and boluses; of a chip, of both sides."""
    split = sided(protocol)
    texts = {}
    for arm in protocol.arms:
        told = []
        for side in compartments_of(protocol):
            text = arm_words(split, side_arm(arm, side))
            told.append(f"{side} side: {text}" if side else text)
        texts[arm] = "; ".join(told)
    return texts
