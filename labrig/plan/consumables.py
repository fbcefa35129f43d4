"""What is filled, refilled and worn: reservoirs, the waste, tubes, room on the disk."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Loading:
    """What the technician fills a reservoir with before the start.

    ``fills``: of lines behind a selector, those that are filled with it to the tip.
    """

    reservoir: str
    solution: str
    volume_ml: float
    lines: tuple[str, ...]
    contents: str
    lot: str
    fills: tuple[str, ...] = ()


SupplySort = Literal["bottle", "syringe", "waste"]


@dataclass(frozen=True, slots=True)
class Supply:
    """What people can fill up, change or empty while a run goes on.

    Attributes:
        name: of the reservoir; ``waste`` for the waste bottle.
        full_ml: what it holds when full, ``unusable_ml`` of which is never drawn.
        within_s / takes_s: of a step about it.
        stands: pumps that stand meanwhile.
        wells: that it feeds.
    """

    name: str
    sort: SupplySort
    full_ml: float
    unusable_ml: float
    within_s: float
    takes_s: float
    stands: tuple[str, ...]
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wear:
    """What ends by time of use or by its date, and not by volume.

    Attributes:
        of: the pump, or what is calibrated.
        pump: whose running hours count; "": a date does.
        left_h: at t0: hours of running, or hours until its date.
    """

    of: str
    sort: Literal["tube", "calibration"]
    pump: str
    left_h: float


@dataclass(frozen=True, slots=True)
class PictureSize:
    """Of one optical channel, before compression: a picture with its levels, a film's frame.

    ``secondary``: its pictures give way first when the disk is short of room.
    """

    channel: str
    bytes: int
    film_frame_bytes: int
    secondary: bool = False
