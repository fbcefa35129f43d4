"""Rows of kind ``step``: what people did at the plate; and deviations of it.

Times in s from t0. When a row was written is when it was entered; ``done_s`` is when it happened.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from labrig.record.detail import left_out


@dataclass(frozen=True, slots=True)
class StepBegun:
    """Hands are at the plate from ``begun_s`` on: impulses and pictures pause.

    Attributes:
        holds: pumps that stand meanwhile.
    """

    ROWS: ClassVar = (("step", "sent"),)
    by: str
    begun_s: float
    holds: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepSigned:
    """One of two people says that it was done; a second one is still to sign.

    Attributes:
        begun_s: None: nobody had said that it began, and nothing was paused.
    """

    ROWS: ClassVar = (("step", "acknowledged"),)
    by: str
    done_s: float
    begun_s: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class StepDone:
    """It was done, and everybody who should has signed.

    Attributes:
        late_s: after the end of its time; 0: in time.
        begun_s: None: nobody had said that it began, and nothing was paused.
    """

    ROWS: ClassVar = (("step", "confirmed"),)
    by: tuple[str, ...]
    done_s: float
    late_s: float = 0.0
    begun_s: float | None = None
    note: str = ""


@dataclass(frozen=True, slots=True)
class StepRefused:
    """Somebody decided that it is not done."""

    ROWS: ClassVar = (("step", "refused"),)
    MARK: ClassVar = "by"
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class StepLate:
    """A step was done ``late_s`` after its time."""

    CODE: ClassVar = "step-late"
    key: str
    wells: tuple[str, ...]
    late_s: float
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class StepMissed:
    """Nobody did it, or somebody decided against it; and why.

    Attributes:
        refused_by: "" where nobody decided.
    """

    CODE: ClassVar = "step-missed"
    key: str
    wells: tuple[str, ...]
    reason: str
    refused_by: str = left_out("")


@dataclass(frozen=True, slots=True)
class StepHeldTooLong:
    """Hands were still at the plate when the cells had to be fed: the pumps went on."""

    CODE: ClassVar = "step-held-too-long"
    key: str
    wells: tuple[str, ...]
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class StepNotPaused:
    """It was done though nobody had said that it began: impulses and pumps were not paused."""

    CODE: ClassVar = "step-not-paused"
    key: str
    wells: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class StepOneSignature:
    """Two people should have signed that it was done, and one did."""

    CODE: ClassVar = "step-one-signature"
    key: str
    wells: tuple[str, ...]
    by: str
