"""Rows of kind ``frame`` and ``film``."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import ClassVar

from labrig.record.detail import PERHAPS_WITHIN, WITHIN, left_out


@dataclass(frozen=True, slots=True)
class Reached:
    """Where the stage came to rest, µm, and whether that is as near as it must be."""

    x_reached_um: float
    y_reached_um: float
    position_verified: bool


@dataclass(frozen=True, slots=True)
class Where:
    """Of which place a picture was to be taken.

    Attributes:
        field: of the well, from 0.
        round: of imaging; None of a film.
        reached: None where the stage did not get there.
    """

    camera: str
    well: str
    field: int
    channel: str
    x_asked_um: float
    y_asked_um: float
    round: int | None = left_out(None)
    reached: Reached | None = dataclasses.field(default=None, metadata=PERHAPS_WITHIN)


@dataclass(frozen=True, slots=True)
class Stored:
    """What the camera process stored, and when it was taken; times in s from t0.

    Attributes:
        path: within the run folder's ``images`` or ``films``.
        bytes: on disk.
        saturated_fraction: of its pixels, at the top of the scale.
        offset_s / begun_s: when it was due, and when the stage set off.
        lateness_s: from when it was due until it was taken.
        doubts: why it may be of no use, of :data:`labrig.record.doubts.DOUBTS`.
    """

    path: str
    sha256: str
    focus: float | None = None
    exposure_ms: float | None = None
    bytes: int | None = None
    saturated_fraction: float | None = None
    offset_s: float | None = None
    begun_s: float | None = None
    lateness_s: float = 0.0
    doubts: tuple[str, ...] = left_out(())


@dataclass(frozen=True, slots=True)
class FrameTaken:
    """One picture was taken and stored."""

    ROWS: ClassVar = (("frame", "confirmed"),)
    where: Where = field(metadata=WITHIN)
    stored: Stored = field(metadata=WITHIN)


@dataclass(frozen=True, slots=True)
class FilmTaken:
    """One film was taken and stored; ``frame_rate_hz`` as the camera delivered it."""

    ROWS: ClassVar = (("film", "confirmed"),)
    where: Where = field(metadata=WITHIN)
    stored: Stored = field(metadata=WITHIN)
    frame_rate_hz: float | None = None


@dataclass(frozen=True, slots=True)
class PictureMissed:
    """No picture came from stage and camera, and why."""

    ROWS: ClassVar = (("frame", "missed"), ("film", "missed"))
    MARK: ClassVar = "camera"
    reason: str
    where: Where = field(metadata=WITHIN)
