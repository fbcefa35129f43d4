"""What is put into a worker's mailbox, and what comes back to the dispatcher."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from labrig.plan.timeline import TimelineEntry
from labrig.record.kinds.doses import DoseUnknown, RestNotGiven, SentDose
from labrig.record.kinds.levels import NotDone
from labrig.record.rows import State
from labrig.run.measured import Measured
from labrig.run.mode import Cause, Mode

CommandName = Literal[
    "stop", "stop-at-boundary", "take-back", "hold", "resume", "answer", "note", "phase", "weigh",
    "unfollowed", "followed", "step", "capture", "refill", "amend", "reading",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Order:
    """Do this.

    Attributes:
        epoch: of the run when it was given; stale ones never reach a wire.
        next_s: when the next event of its series is due, for the ``coalesce`` rule.
        because: ``due`` by the clock; ``answered``: the operator said do it, however late.
        rest: the entry is what is left of a dose of which some may have come.
        tries: how often the dose was sent before this process.
        held_since_s: since when a hold has kept back what the operator or a rule had said is to
            be done however late; it counts as late from then on.
    """

    entry: TimelineEntry
    epoch: int
    next_s: float | None = None
    because: Literal["due", "answered"] = "due"
    rest: bool = False
    tries: int = 0
    held_since_s: float | None = None

    @property
    def instrument(self) -> str:
        """Whose worker it goes to; a picture goes to the stage's."""
        return self.entry.instrument

    def undone(self, state: State, reason: str) -> tuple[State, NotDone | RestNotGiven]:
        """State of the row which says that it was not begun, and what that says."""
        if self.rest:
            # Not as a whole: the row before says what came of the rest of it.
            return "unknown", RestNotGiven(f"its rest was not given: {reason}")
        return state, NotDone(reason, self.entry.offset_s)


@dataclass(frozen=True, slots=True)
class Settle:
    """Find out what became of a dose that was under way when the runner died.

    Attributes:
        sent: by its last ``sent`` row.
        acknowledged: the journal says that the pump had taken the command.
        told: its last row, where the pump had told what came and the operator had been asked;
            else None.
        others_asked: a third process may have asked the pump in between, and heard its alarm.
    """

    order: Order
    sent: SentDose
    acknowledged: bool
    told: DoseUnknown | None = None
    others_asked: bool = False


@dataclass(frozen=True, slots=True)
class Decided:
    """The operator's answer to what a worker asked; ``by_default``: nobody's, but its rule's."""

    key: str
    choice: str
    epoch: int
    by_default: bool = False


@dataclass(frozen=True, slots=True)
class Halt:
    """Safe state, now. ``epoch`` is the raised one; ``abort``: as the rig says of an abort."""

    epoch: int
    abort: bool = False


@dataclass(frozen=True, slots=True)
class HoldChanged:
    """A hold began or ended: do as the desk says by now.

    It carries no word of its own, so that a hold and a resume which overtake each other on
    their way end as the last one given.
    """


@dataclass(frozen=True, slots=True)
class Suspend:
    """Until it is released, this instrument into its safe state.

    An interlock has tripped; or, by a step, hands are at the plate: then a pump stands though it
    feeds the cells.
    """

    instrument: str
    rule: str
    by: Cause = "interlock"


@dataclass(frozen=True, slots=True)
class Release:
    """What suspended it is over: on with what is due, if nothing else suspends it."""

    instrument: str
    rule: str


@dataclass(frozen=True, slots=True)
class InMode:
    """From a worker to a handler: be in this mode from now on. ``epoch`` is the port's."""

    mode: Mode
    epoch: int


@dataclass(frozen=True, slots=True)
class Finish:
    """The run is over: leave the instrument as the end of a run should find it."""


@dataclass(frozen=True, slots=True)
class Close:
    """Every port has come to its end: let go of yours. Until then a stop still reaches all."""


@dataclass(frozen=True, slots=True)
class TakenUpAgain:
    """A stop was taken back: end, and say nothing of what waits. All is asked and set afresh."""


ForWorker = (
    Order
    | Settle
    | Decided
    | Halt
    | HoldChanged
    | Suspend
    | Release
    | Finish
    | Close
    | TakenUpAgain
)


@dataclass(frozen=True, slots=True)
class Ended:
    """All is left as an end should find it but ``unsafe``, whose state could not be confirmed.

    Said once more when a stop has come after it.
    """

    port: str
    unsafe: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Closed:
    """Nothing is done on this port any more: a stop that came before is carried out by now."""

    port: str


@dataclass(frozen=True, slots=True)
class Died:
    """A worker ended with an exception nobody foresaw; nobody looks after ``unsafe`` any more."""

    port: str
    what: str
    unsafe: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class GiveUp:
    """An event that was too late ends its arm. ``state`` and ``undone`` are its last row."""

    entry: TimelineEntry
    state: State
    undone: NotDone | RestNotGiven


@dataclass(frozen=True, slots=True)
class Command:
    """What the operator or the conductor asks of the dispatcher."""

    id: str
    name: CommandName
    args: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class HoldWells:
    """By an error rule, nothing of these wells is to begin until a person says so."""

    wells: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Asked:
    """A question was put that is answered by default when nobody does: look when."""


ForDispatcher = Command | GiveUp | HoldWells | Asked | Measured | Ended | Closed | Died
