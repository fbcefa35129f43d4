"""Rows about people: commands, notes, alarms, questions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from labrig.record.detail import left_out

WEIGHED = "weighed:"
"""How the key of a row of kind ``note`` begins that holds a weight."""
FILLED = "filled:"
"""How one begins that says how far a reservoir was filled."""
ANSWERED = "answer:"
"""How one begins that says by whom a question was answered."""
ENTERED = "entered:"
"""How one begins that holds what a person measured by hand."""
RESULTS = "results:"
"""How one begins that says which table from elsewhere was taken."""


@dataclass(frozen=True, slots=True)
class CommandTaken:
    """A command that was accepted: its reply, and its arguments.

    Attributes:
        at_s: when, on the run's clock.
        warning: what may keep it from being carried out.
        first: it was written before it was carried out; whoever takes the run over makes up for
            one that was not (:mod:`labrig.record.undone`).
    """

    ROWS: ClassVar = (("command", "acknowledged"),)
    accepted: bool = False
    command: str = ""
    at_s: float = 0.0
    args: Mapping[str, Any] | None = None
    warning: str = left_out("")
    first: bool = left_out(False)


@dataclass(frozen=True, slots=True)
class NoteWritten:
    """An operator's own words."""

    ROWS: ClassVar = (("note", "noted"),)
    MARK: ClassVar = "text"
    text: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerNoted:
    """By whom a question was answered."""

    ROWS: ClassVar = (("note", "noted"),)
    MARK: ClassVar = "choice"
    choice: str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ReservoirWeighed:
    """A reservoir's weight.

    Attributes:
        when: ``before`` or ``after`` the run.
        grams: a number, or as a person wrote it.
    """

    ROWS: ClassVar = (("note", "noted"),)
    MARK: ClassVar = "grams"
    reservoir: str
    when: str
    grams: float | str
    by: str = ""


@dataclass(frozen=True, slots=True)
class ReservoirFilled:
    """A bottle was filled up, a syringe changed, or the waste emptied.

    Attributes:
        reservoir: its name; ``waste`` for the waste bottle.
        added_ml: what came in, by what its pumps had drawn before; of the waste, what went out.
        to_ml: what it holds since then, its unusable rest included; of the waste, its room.
        done_s: when it happened, s from t0.
    """

    ROWS: ClassVar = (("note", "noted"),)
    MARK: ClassVar = "added_ml"
    reservoir: str
    added_ml: float
    to_ml: float
    done_s: float
    by: str = ""


@dataclass(frozen=True, slots=True)
class ValueEntered:
    """A person measured something by hand.

    Attributes:
        meter: as the rig calls it.
        quantity: with its unit in its name.
        done_s: when it was measured, s from t0; it may have been entered later.
    """

    ROWS: ClassVar = (("note", "noted"),)
    MARK: ClassVar = "meter"
    meter: str
    quantity: str
    value: float
    done_s: float
    by: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class ResultsImported:
    """A table from elsewhere was taken; the newest version of a name counts.

    Attributes:
        file: in the run's ``results``; ``source``: as it was called.
        rows: that were joined.
        reason: why it replaces the version before; "" of the first.
    """

    ROWS: ClassVar = (("note", "noted"),)
    MARK: ClassVar = "table_sha256"
    name: str
    file: str
    table_sha256: str
    version: int
    rows: int
    by: str = ""
    reason: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class ArmsTold:
    """The codes of a blinded run's arms were opened.

    Attributes:
        measures_utc: when the measures had been closed; "" where they had not.
        measures_chain: of the line of their manifest that was in force.
        key_sha256: of the key that was opened.
    """

    ROWS: ClassVar = (("note", "noted"),)
    MARK: ClassVar = "key_sha256"
    by: str
    reason: str
    measures_utc: str
    measures_chain: str
    key_sha256: str


@dataclass(frozen=True, slots=True)
class AlarmRaised:
    """Something a person should act on now; ``about`` is the instrument or well."""

    ROWS: ClassVar = (("alarm", "raised"),)
    code: str
    about: str
    what: str
    remedy: str


@dataclass(frozen=True, slots=True)
class AlarmCleared:
    """It stood from ``from_s`` until now."""

    ROWS: ClassVar = (("alarm", "cleared"),)
    code: str
    about: str
    from_s: float


@dataclass(frozen=True, slots=True)
class QuestionAsked:
    """Something only the operator can decide.

    Attributes:
        facts: the figures behind it. Of a pump that stands: ``rate_ul_min``, ``from_s``; of one
            that stalled in a dose: ``dosing``; of a dose: ``volume_ul`` that was asked for,
            ``at_least_ul`` and ``at_most_ul`` that came, ``rest`` where more was given before; of
            an event: ``late_s``.
    """

    ROWS: ClassVar = (("question", "asked"),)
    what: str
    options: tuple[str, ...]
    facts: Mapping[str, Any] | None = left_out(None)


@dataclass(frozen=True, slots=True)
class QuestionAnswered:
    """It was answered."""

    ROWS: ClassVar = (("question", "answered"),)
    choice: str


@dataclass(frozen=True, slots=True)
class QuestionWithdrawn:
    """Nobody needs to answer it any more."""

    ROWS: ClassVar = (("question", "withdrawn"),)
