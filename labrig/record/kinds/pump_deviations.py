"""Deviations of pumps and of their doses. Times in s from t0."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from labrig.record.detail import WITHIN
from labrig.record.kinds.doses import Bounds
from labrig.record.vocabulary import Classification


@dataclass(frozen=True, slots=True)
class Stalled:
    """A pump stopped itself, or nothing came of what was commanded.

    Attributes:
        alarm: what it says itself; ``dosing``: it happened in a dose.
    """

    CODE: ClassVar = "stall"
    instrument: str
    wells: tuple[str, ...]
    from_s: float
    alarm: str | None = None
    what: str = ""
    dosing: bool = False


@dataclass(frozen=True, slots=True)
class StallGivenUp:
    """It stalled again when tried again: it stands."""

    CODE: ClassVar = "stall-given-up"
    instrument: str
    wells: tuple[str, ...]
    from_s: float


@dataclass(frozen=True, slots=True)
class StallRetried:
    """One of the later tries; ``tries`` were in vain before."""

    CODE: ClassVar = "stall-retried"
    instrument: str
    tries: int


@dataclass(frozen=True, slots=True)
class StallRecovered:
    """Liquid comes again."""

    CODE: ClassVar = "stall-recovered"
    instrument: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class Censored:
    """Wells that lack their flow: their measures count for nothing from ``from_s`` on."""

    CODE: ClassVar = "censored"
    wells: tuple[str, ...]
    from_s: float
    why: str = ""


@dataclass(frozen=True, slots=True)
class Uncensored:
    """The clog that began at ``from_s`` was short enough: they count again."""

    CODE: ClassVar = "uncensored"
    wells: tuple[str, ...]
    from_s: float
    to_s: float | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class RestartedByOperator:
    """A person said that a stalled pump is sound."""

    CODE: ClassVar = "restarted-by-operator"
    instrument: str


@dataclass(frozen=True, slots=True)
class LeftByOperator:
    """A person wants it to stand."""

    CODE: ClassVar = "left-by-operator"
    instrument: str


@dataclass(frozen=True, slots=True)
class RateChanged:
    """A pump was found at another rate than was set; it is set again."""

    CODE: ClassVar = "rate-changed"
    instrument: str
    rate_ul_min: float
    wanted_ul_min: float


@dataclass(frozen=True, slots=True)
class LeftAsFound:
    """After a stop a pump was found off its level, and left so."""

    CODE: ClassVar = "left-as-found"
    instrument: str
    wells: tuple[str, ...]
    rate_ul_min: float
    wanted_ul_min: float


@dataclass(frozen=True, slots=True)
class WatchdogArmed:
    """A pump that feeds the cells will stop by itself."""

    CODE: ClassVar = "watchdog-armed"
    instrument: str
    what: str


@dataclass(frozen=True, slots=True)
class MassBalance:
    """A reservoir's weight contradicts what its pumps believe."""

    CODE: ClassVar = "mass-balance"
    reservoir: str
    weighed_ul: float | None
    believed_ul: float
    believed_most_ul: float
    tolerance_ul: float


@dataclass(frozen=True, slots=True)
class DoseUncertain:
    """Nobody knows whether, or how much of, a dose came.

    Attributes:
        at_least_ul, at_most_ul: between which volumes it did.
        rule: its own ``on_unknown``.
    """

    CODE: ClassVar = "dose-uncertain"
    key: str
    classification: Classification
    delivered_ul: float | None
    bounds: Bounds = field(metadata=WITHIN)
    rule: str


@dataclass(frozen=True, slots=True)
class DoseAlarm:
    """The pump answered the command with an alarm; it is asked what came."""

    CODE: ClassVar = "dose-alarm"
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class DoseRefused:
    """The pump refused the command: nothing came."""

    CODE: ClassVar = "dose-refused"
    key: str
    what: str


@dataclass(frozen=True, slots=True)
class ArmAborted:
    """A dose was so late that the rest of its arm is given up."""

    CODE: ClassVar = "arm-aborted"
    wells: tuple[str, ...]
    because_of: str = ""
