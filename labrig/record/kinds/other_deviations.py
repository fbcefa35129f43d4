"""Deviations of stage, camera, air and links, of the runner and its journal.

Times in s from t0.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from labrig.record.detail import WITHIN
from labrig.record.kinds.pictures import Where


@dataclass(frozen=True, slots=True)
class MissedPicture:
    """No picture came, and why."""

    CODE: ClassVar = "picture-missed"
    key: str
    reason: str


@dataclass(frozen=True, slots=True)
class PositionOff:
    """A picture was taken though the stage did not arrive exactly."""

    CODE: ClassVar = "position"
    key: str
    where: Where = field(metadata=WITHIN)


@dataclass(frozen=True, slots=True)
class StageLost:
    """The stage does not stand where it was left, but here."""

    CODE: ClassVar = "stage-lost"
    instrument: str
    x_um: float
    y_um: float
    what: str


@dataclass(frozen=True, slots=True)
class StageHomedByOperator:
    """A person said that its coordinates are right again."""

    CODE: ClassVar = "stage-homed-by-operator"
    instrument: str


@dataclass(frozen=True, slots=True)
class DiskShort:
    """The disk will not hold all pictures that are to come; or does again.

    Attributes:
        stage: 0 all are taken again, 1 none of secondary channels, 2 besides that every second
            round of the others is left out, 3 three of four.
        needed_gb: by all that are still to come.
        channels: those that are secondary.
    """

    CODE: ClassVar = "disk-short"
    stage: int
    free_gb: float
    needed_gb: float
    channels: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Saturated:
    """A picture's pixels are at the top of the scale; ``instrument`` is camera and channel."""

    CODE: ClassVar = "saturated"
    instrument: str
    key: str
    fraction: float


@dataclass(frozen=True, slots=True)
class BadPicture:
    """A picture that may be of no use was kept; ``instrument`` is camera and channel.

    Attributes:
        doubts: of :data:`labrig.record.doubts.DOUBTS`.
    """

    CODE: ClassVar = "bad-picture"
    instrument: str
    key: str
    doubts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class EnvironmentOff:
    """CO2 or temperature is more than twice its warning limit off, from now on."""

    CODE: ClassVar = "environment-off"
    instrument: str
    from_s: float


@dataclass(frozen=True, slots=True)
class EnvironmentWasOff:
    """From when to when that was so."""

    CODE: ClassVar = "environment"
    instrument: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class EnvironmentUnseen:
    """The probe gives no value, or one that cannot be trusted."""

    CODE: ClassVar = "environment-unseen"
    instrument: str
    from_s: float
    what: str


@dataclass(frozen=True, slots=True)
class EnvironmentSeen:
    """It does again."""

    CODE: ClassVar = "environment-seen"
    instrument: str
    from_s: float | None
    to_s: float


@dataclass(frozen=True, slots=True)
class InterlockTripped:
    """A rule of the rig stands: ``quantity`` of ``instrument`` (or of a reservoir of that name).

    Attributes:
        value: that broke it first; None: there was none to be trusted.
        action: alarm, hold or suspend.
        suspends: instruments that are in their safe state until it is over.
    """

    CODE: ClassVar = "interlock"
    rule: str
    instrument: str
    quantity: str
    value: float | None
    from_s: float
    action: str
    suspends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class InterlockOver:
    """Its cause is gone: what it suspended goes on by itself."""

    CODE: ClassVar = "interlock-over"
    rule: str
    instrument: str
    from_s: float
    to_s: float
    suspends: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SettingChanged:
    """A valve or controller was found at another setting than was set; it is set again.

    Of a valve ``quantity`` is ``position``.
    """

    CODE: ClassVar = "setting-changed"
    instrument: str
    quantity: str
    found: str
    wanted: str


@dataclass(frozen=True, slots=True)
class CaptureUnknown:
    """Channels whose amplitude is a share of a threshold that is not known, or is too high.

    ``done``: they are ``silent``, or get the ``fallback`` of the protocol.
    """

    CODE: ClassVar = "capture-unknown"
    instrument: str
    channels: tuple[int, ...]
    capture: str
    done: str


@dataclass(frozen=True, slots=True)
class LinkLost:
    """An instrument does not answer; ``wire``: the last bytes both ways."""

    CODE: ClassVar = "link-lost"
    instrument: str
    what: str = ""
    wire: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FailedByBug:
    """An error of labrig's own with one instrument; treated like a lost link."""

    CODE: ClassVar = "failed-by-bug"
    instrument: str
    what: str = ""
    wire: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LinkRestored:
    """An instrument answers again."""

    CODE: ClassVar = "link-restored"
    instrument: str
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class LeftUnattended:
    """When the run ended the state of these could not be confirmed."""

    CODE: ClassVar = "left-unattended"
    instruments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class WorkerDied:
    """The thread of a port ended; the other ports go on."""

    CODE: ClassVar = "worker-died"
    port: str = ""
    what: str = "worker-died"


@dataclass(frozen=True, slots=True)
class DispatcherDied:
    """Nobody gives orders any more: everything was made safe."""

    CODE: ClassVar = "dispatcher-died"
    what: str = "dispatcher-died"


@dataclass(frozen=True, slots=True)
class Gap:
    """Nothing could be done from when to when."""

    CODE: ClassVar = "gap"
    from_s: float
    to_s: float
    cause: str = ""


@dataclass(frozen=True, slots=True)
class OutageTooLong:
    """Nobody looked after the run for longer than its cells can do without: it is held."""

    CODE: ClassVar = "outage"
    from_s: float
    to_s: float
    limit_s: float


@dataclass(frozen=True, slots=True)
class OutageOver:
    """A person said that it goes on after that."""

    CODE: ClassVar = "outage-over"
    by: str


@dataclass(frozen=True, slots=True)
class RuleApplied:
    """An error rule did more than to have something tried again.

    Attributes:
        about: an instrument, or the key of what was to be done.
        does: hold_unit, hold_run or ask.
        tries: how often it had been tried again.
    """

    CODE: ClassVar = "error-rule"
    action: str
    error: str
    about: str
    does: str
    tries: int
    what: str


@dataclass(frozen=True, slots=True)
class UnitHeld:
    """No dose and no picture of these wells begins until a person says so."""

    CODE: ClassVar = "unit-held"
    wells: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class UnitReleased:
    """A person said that they go on."""

    CODE: ClassVar = "unit-released"
    wells: tuple[str, ...]
    by: str


@dataclass(frozen=True, slots=True)
class AnswerByDefault:
    """Nobody had answered a question in its time: its rule did."""

    CODE: ClassVar = "answer-by-default"
    question: str
    choice: str


@dataclass(frozen=True, slots=True)
class ClockWentBack:
    """After a reboot the time of day was before the run's last row."""

    CODE: ClassVar = "clock-went-back"
    utc: str
    last_utc: str


@dataclass(frozen=True, slots=True)
class JournalRestored:
    """Rows that had to wait for the disk are written, with their true times."""

    CODE: ClassVar = "journal-restored"
    from_s: float
    to_s: float


@dataclass(frozen=True, slots=True)
class RowDropped:
    """Stands in place of a row that no journal can hold; says what it was."""

    CODE: ClassVar = "row-dropped"
    kind: str
    of: str
    state: str
    detail: str
    why: str


@dataclass(frozen=True, slots=True)
class JournalDamaged:
    """Rows before the last checkpoint were edited or damaged."""

    CODE: ClassVar = "journal-damaged"
    what: str


@dataclass(frozen=True, slots=True)
class FolderLost:
    """The run folder was renamed, moved or deleted; the run goes on."""

    CODE: ClassVar = "folder-lost"
    folder: str


@dataclass(frozen=True, slots=True)
class FolderBack:
    """It is there again."""

    CODE: ClassVar = "folder-back"
    folder: str


@dataclass(frozen=True, slots=True)
class UnblindedEarly:
    """The arms of a blinded run were told before its measures were closed; ``what`` they lacked."""

    CODE: ClassVar = "unblinded-early"
    by: str
    reason: str
    what: str
