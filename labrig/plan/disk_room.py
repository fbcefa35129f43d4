"""What a run needs of its disk, and what of its pictures gives way first where that is not there.

Pure. In this order, and no further than needed: channels that the protocol calls secondary, then
every second round of the others, then three of four. Films, and pictures after a step of people,
are never left out by rule; nor is anything else that a run writes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from labrig.plan.consumables import PictureSize
from labrig.plan.plan import Plan
from labrig.plan.timeline import Film, Frame, Picture, Timeline

START_SHARE = 1.3
"""Free space over need, below which a run is refused [P]."""
ROW_BYTES = 2500
"""[P] Of journal, wire log and report for an entry: a week of 96 wells took 2.4 kB each [C]."""
RECORD_BYTES = 64 * 1024 * 1024
"""[P] Of all that does not grow with the plan: plate, report, the journal's reserve."""

Stage = Literal[0, 1, 2, 3]
"""How much gives way: 0 nothing, 1 secondary channels, 2 and every second round, 3 and more."""
KEEP_EVERY: Mapping[Stage, int] = {0: 1, 1: 1, 2: 2, 3: 4}


def record_bytes(timeline: Timeline) -> int:
    """What is written besides pictures, at most."""
    return RECORD_BYTES + ROW_BYTES * len(timeline)


def need_bytes(plan: Plan) -> int:
    """What a run writes, pictures before compression."""
    return plan.forecast.image_bytes + record_bytes(plan.timeline)


@dataclass(frozen=True, slots=True)
class Sizes:
    """How large the pictures of a plan are, and which give way first."""

    of: Mapping[str, PictureSize]

    @classmethod
    def of_plan(cls, plan: Plan) -> Sizes:
        """As the plan has them."""
        return cls({size.channel: size for size in plan.pictures})

    def bytes(self, entry: Picture) -> int:
        """Of one picture, before compression; 0 where the plan does not say."""
        size = self.of.get(entry.channel)
        if size is None:
            return 0
        return size.film_frame_bytes * entry.frames if isinstance(entry, Film) else size.bytes

    def gives_way(self, entry: Picture, stage: Stage) -> bool:
        """Whether it is left out at this stage."""
        every = self.keeps_every(entry, stage)
        return not every or (isinstance(entry, Frame) and entry.round % every != 0)

    def keeps_every(self, entry: Picture, stage: Stage) -> int:
        """Of the rounds of a picture like it, one of how many is taken at this stage; 0: none."""
        if stage == 0 or not isinstance(entry, Frame) or entry.after:
            return 1
        size = self.of.get(entry.channel)
        return 0 if size is not None and size.secondary else KEEP_EVERY[stage]


def why_words(stage: Stage, secondary: bool) -> str:
    """Why one was left out, for its row."""
    if secondary:
        return "the disk is short of room, and its channel is secondary"
    return f"the disk is short of room: one round of {KEEP_EVERY[stage]} is kept"
