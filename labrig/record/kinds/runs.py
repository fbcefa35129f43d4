"""Rows of kind ``run``: what happened to the run as a whole, or to who is on its ports."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from labrig.record.detail import PERHAPS_WITHIN, left_out


@dataclass(frozen=True, slots=True)
class Origin:
    """Run id, and chain of the commitment, by ``run.json``."""

    run: str | None
    commitment: Any


@dataclass(frozen=True, slots=True)
class RunStarted:
    """t0.

    Attributes:
        plan: the protocol's name.
        sha256: by file of the run folder; None: there was none. Empty in runs of an older labrig.
    """

    KEY: ClassVar = "started"
    plan: str | None = left_out(None)
    origin: Origin | None = field(default=None, metadata=PERHAPS_WITHIN)
    sha256: Mapping[str, str | None] | None = left_out(None)


@dataclass(frozen=True, slots=True)
class RunAdopted:
    """A runner took over what another had begun."""

    KEY: ClassVar = "adopted"
    epoch: int | None = None


@dataclass(frozen=True, slots=True)
class RunHeld:
    """Nothing begins from now on."""

    KEY: ClassVar = "held"
    reason: str = ""
    by: str = ""


@dataclass(frozen=True, slots=True)
class RunResumed:
    """It goes on after a hold."""

    KEY: ClassVar = "resumed"
    by: str = ""


@dataclass(frozen=True, slots=True)
class RunStopped:
    """It was stopped; nothing is begun after it. ``aborted``: as the rig says of an abort."""

    KEY: ClassVar = "stopped"
    reason: str = ""
    by: str = ""
    aborted: bool = left_out(False)


@dataclass(frozen=True, slots=True)
class RunFinished:
    """It came to its end; nothing is begun after it."""

    KEY: ClassVar = "finished"


@dataclass(frozen=True, slots=True)
class RunAmended:
    """Its protocol was amended: another plan is in force from ``from_s`` on.

    Attributes:
        number: of the new plan; 2 is that of the first amendment.
        plan_sha256 / before_sha256: of the files of the new plan and of the one before.
        protocol_sha256: of the new protocol's file.
        changed: dotted paths of the protocol.
        differences: what is otherwise from then on, in words.
        by: names, as they were given.
    """

    KEY: ClassVar = "amended"
    number: int
    from_s: float
    plan_sha256: str
    before_sha256: str
    protocol_sha256: str
    changed: tuple[str, ...]
    differences: tuple[str, ...]
    reason: str
    by: str


@dataclass(frozen=True, slots=True)
class RunReplanned:
    """From here on the run is under way by the plan of this number."""

    KEY: ClassVar = "replanned"
    number: int


@dataclass(frozen=True, slots=True)
class Attached:
    """Who answered on a port.

    Attributes:
        identity: vendor, model, firmware, serial_number (`labrig_drivers.kinds.Identity`).
    """

    KEY: ClassVar = "attached"
    instrument: str
    identity: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class PhaseEntered:
    """A phase that was entered by command."""

    KEY: ClassVar = "phase"
    name: str


@dataclass(frozen=True, slots=True)
class LeftRunning:
    """A pump that feeds the cells runs on without a watchdog."""

    KEY: ClassVar = "left-running"
    instrument: str


@dataclass(frozen=True, slots=True)
class StageMarked:
    """A stage's controller bears a mark that lost power wipes out."""

    KEY: ClassVar = "stage-marked"
    instrument: str


@dataclass(frozen=True, slots=True)
class TrainTriggered:
    """A train is about to be triggered; its ``train`` row follows.

    Attributes:
        level: key of the level that it belongs to.
        index: which train of the level; ``pulses``: how many, by channel.
    """

    KEY: ClassVar = "stimulation-triggered"
    level: str
    instrument: str
    index: int
    pulses: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Silenced:
    """A hold, a stop or the end cut off what a stimulator played, no earlier than ``from_s``."""

    KEY: ClassVar = "stimulation-silenced"
    instrument: str
    from_s: float | None = None


@dataclass(frozen=True, slots=True)
class MadeSafe:
    """A stop, an interlock or the end brought a valve or controller to its safe setting.

    Of a valve ``quantity`` is ``position``.
    """

    KEY: ClassVar = "made-safe"
    instrument: str
    quantity: str
    value: str


@dataclass(frozen=True, slots=True)
class CaptureFrozen:
    """What a staircase found on a channel, from now on for the whole run.

    Attributes:
        volts: the lowest amplitude that its cultures follow; None: none was found, and ``why``.
    """

    KEY: ClassVar = "capture-frozen"
    assay: str
    instrument: str
    channel: int
    volts: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class Unfollowed:
    """Nobody measures the run's pictures."""

    KEY: ClassVar = "unfollowed"


@dataclass(frozen=True, slots=True)
class Followed:
    """Somebody measures its pictures again."""

    KEY: ClassVar = "followed"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What has changed in the state of the run since the one before (`labrig.record.checkpoint`).

    Attributes:
        fold: number of the fold that made it.
        changes: ``[field, key, value]``; ``[field, key]`` for what is no more.
        whole: fields that are not kept key by key, all of them; in the last row of several.
    """

    ROWS: ClassVar = (("checkpoint", "noted"),)
    fold: int
    changes: tuple[Any, ...]
    whole: Mapping[str, Any] | None = left_out(None)
