"""What each arm gets over the whole run, a sentence an arm."""

from __future__ import annotations

from labrig.plan.climate_schedule import arm_words as surroundings_words
from labrig.plan.sides import side_arm, sided
from labrig.protocol.compartments import compartments_of
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import with_given
from labrig.protocol.programme_words import arm_words

NOTHING = "nothing is added"


def arm_texts(protocol: Protocol) -> dict[str, str]:
    """By arm: factors, impulses, flow, boluses, surroundings; of a chip, of both its sides."""
    split = sided(with_given(protocol))
    texts = {}
    for arm in protocol.arms:
        told = []
        for side in compartments_of(protocol):
            text = arm_words(split, side_arm(arm, side))
            told.append(f"{side} side: {text or NOTHING}" if side else text)
        told.append(surroundings_words(protocol, arm))
        texts[arm] = "; ".join(part for part in told if part) or NOTHING
    return texts
