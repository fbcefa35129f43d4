"""Rows of kind ``dose``: the life of one bolus (`docs/dose.md` tells it)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from labrig.record.detail import PERHAPS_WITHIN, WITHIN, left_out
from labrig.record.vocabulary import Classification


@dataclass(frozen=True, slots=True)
class SentDose:
    """What is known of a dose whose bytes may have gone out.

    Attributes:
        sent_s: when they would have.
        acknowledged: the pump had taken the command.
        before_ul: the pump's counter right before, None where it keeps none.
        level_ul_min: the continuous rate it was running at right before.
        counter_step_ul, counter_range_ul: how that counter read then, as in
            :class:`labrig_drivers.kinds.PumpState`.
        power_lost: it had told before, to this very driver, that it had lost its power.
        others_asked: somebody else may have met what the pump had to tell since.
    """

    volume_ul: float
    rate_ul_min: float
    sent_s: float
    acknowledged: bool
    before_ul: float | None
    level_ul_min: float
    counter_step_ul: float = 0.0
    counter_range_ul: float | None = None
    power_lost: bool = False
    others_asked: bool = False


@dataclass(frozen=True, slots=True)
class Bounds:
    """Between which volumes, µL, a dose has come."""

    at_least_ul: float
    at_most_ul: float


@dataclass(frozen=True, slots=True)
class DoseNamed:
    """Which dose; ``volume_ul`` is of the part that was sent last."""

    instrument: str
    wells: tuple[str, ...]
    factor: str
    volume_ul: float


@dataclass(frozen=True, slots=True)
class DoseSent:
    """On disk before any byte of it goes out."""

    ROWS: ClassVar = (("dose", "sent"),)
    instrument: str
    wells: tuple[str, ...]
    sent: SentDose = field(metadata=WITHIN)


@dataclass(frozen=True, slots=True)
class DoseAcknowledged:
    """Its pump took the command."""

    ROWS: ClassVar = (("dose", "acknowledged"),)


@dataclass(frozen=True, slots=True)
class DoseConfirmed:
    """It came.

    Attributes:
        delivered_ul: as counted.
        at_most_ul: a coarse counter may hide that so much came.
    """

    ROWS: ClassVar = (("dose", "confirmed"),)
    delivered_ul: float | None = None
    classification: Classification = "unknown"
    at_most_ul: float | None = left_out(None)
    dose: DoseNamed | None = field(default=None, metadata=PERHAPS_WITHIN)


@dataclass(frozen=True, slots=True)
class DoseUnknown:
    """Nobody knows whether, or how much of it, came; settled once there is a ``resolution``.

    Attributes:
        delivered_ul: as counted; None where nothing counted it.
        resolution: what is done about it, in words; empty: a person is asked.
    """

    ROWS: ClassVar = (("dose", "unknown"),)
    MARK: ClassVar = "delivered_ul"
    delivered_ul: float | None
    classification: Classification = "unknown"
    resolution: str = left_out("")
    bounds: Bounds | None = field(default=None, metadata=PERHAPS_WITHIN)
    dose: DoseNamed | None = field(default=None, metadata=PERHAPS_WITHIN)


@dataclass(frozen=True, slots=True)
class RestNotGiven:
    """A part had come before, and the rest of it is not given: an earlier row says how much."""

    ROWS: ClassVar = (("dose", "unknown"),)
    MARK: ClassVar = "resolution"
    resolution: str
    classification: str | None = left_out(None)
    dose: DoseNamed | None = field(default=None, metadata=PERHAPS_WITHIN)


@dataclass(frozen=True, slots=True)
class Counted:
    """What came of a part of a dose, µL; ``delivered_ul`` is None where nothing counted it."""

    delivered_ul: float | None
    at_least_ul: float
    at_most_ul: float


@dataclass(frozen=True, slots=True)
class DoseAgain:
    """It, or what is left of it, is given again.

    Attributes:
        classification: of the part that was sent before.
        left_ul: from now on only so much of it; None: all of it, as nothing came.
        came: of that part.
    """

    ROWS: ClassVar = (("dose", "intent"),)
    MARK: ClassVar = "classification"
    classification: Classification
    left_ul: float | None = left_out(None)
    came: Counted | None = field(default=None, metadata=PERHAPS_WITHIN)


@dataclass(frozen=True, slots=True)
class DoseFailed:
    """Its pump refused it, or says twice that nothing of it came."""

    ROWS: ClassVar = (("dose", "failed"),)
    MARK: ClassVar = "what"
    what: str
    delivered_ul: float = 0.0
