"""What the page does about an amendment: proposes it, shows it, and offers it to the runner."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from labrig.display.legend import is_blind
from labrig.launch.amending import (
    Objection,
    Proposal,
    objections,
    offer,
    propose,
    told,
    told_paths,
    withdraw,
)
from labrig.plan.store import PlanFormatError, read_plan
from labrig.problems import FileProblems
from labrig.run.control_client import CommandRefused
from labrig.web.access import Person
from labrig.web.live_runs import ShownRun, door_of

AS = "protocol.yaml"
"""What a text that was sent is called in what is said of it."""


class NoProtocol(CommandRefused):
    """The text that was sent is none; the message names every mistake in it, a line each."""


@dataclass(frozen=True, slots=True)
class Shown:
    """An amendment as it is shown before anybody signs it.

    Attributes:
        seen: stands for the very text that was looked at.
        from_s: the boundary, on the run's clock.
        changed: dotted paths of the protocol.
        differences: in words, what changes from then on.
        possible: nothing speaks against it.
    """

    seen: str
    number: int
    from_s: float
    changed: tuple[str, ...]
    differences: tuple[str, ...]
    objections: tuple[Objection, ...]
    possible: bool


def text_in_force(run: ShownRun) -> str | None:
    """The protocol by which a run goes on; None: it would tell arms that are coded, or is gone.

    Raises:
        CommandRefused: nothing of the run's plan can be read.
    """
    try:
        if is_blind(read_plan(run.folder)):
            return None
        return [run.folder.protocol, *_amended(run)][-1].read_text(encoding="utf-8")
    except (OSError, ValueError, PlanFormatError) as error:
        raise CommandRefused(f"the run's protocol cannot be read: {error}") from None


def _amended(run: ShownRun) -> list[Path]:
    numbers = range(2, len(run.folder.amended_plans) + 2)
    return [run.folder.amended_protocol(number) for number in numbers]


def looked_at(run: ShownRun, text: str) -> Shown:
    """What a changed protocol would change, and what speaks against it.

    Raises:
        NoRunner: none answers.
        NoProtocol: the text is none.
        CommandRefused: there is no text, or the run's own files cannot be read.
    """
    with _proposed(run, text) as proposal:
        return Shown(
            _seen(text), proposal.number, proposal.from_s, told_paths(proposal), told(proposal),
            objections(proposal), proposal.possible,
        )  # fmt: skip


def amend(run: ShownRun, person: Person, text: str, seen: str, by: str, reason: str) -> str:
    """Put a changed protocol in force from the next boundary on.

    Who sits at the bench may sign under the own name; who has logged in signs as that person.

    Args:
        run: which.
        person: at the page.
        text: the protocol.
        seen: as :func:`looked_at` gave it.
        by: as typed.
        reason: why.

    Raises:
        NoRunner: none answers.
        CommandRefused: it was not taken; the message says why.
    """
    if not reason:
        raise CommandRefused("an amendment needs a reason: it goes into journal and report")
    if seen != _seen(text):
        raise CommandRefused(
            "the text is not the one that was looked at: look at what changes first"
        )
    with _proposed(run, text) as proposal:
        if not proposal.possible:
            first = next(one for one in objections(proposal) if one.refuses)
            raise CommandRefused(f"it is refused by now: {first.code or first.where}: {first.why}")
        try:
            args = offer(run.folder, proposal, (by if person.here else "") or person.name, reason)
        except OSError as error:
            raise CommandRefused(f"the disk refuses it: {error}") from None
        try:
            door_of(run).amend(args)
        except CommandRefused:
            withdraw(run.folder, args)
            raise
    return f"Amended: plan {proposal.number}"


def _seen(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


@contextmanager
def _proposed(run: ShownRun, text: str) -> Iterator[Proposal]:
    if not text.strip():
        raise CommandRefused("there is no protocol: choose its file, or write it")
    now_s = float(door_of(run).status()["now_s"])
    with tempfile.TemporaryDirectory(prefix="labrig-amend-") as folder:
        path = Path(folder) / AS
        # As a browser sends a text: its lines would else be two.
        path.write_text(text.replace("\r\n", "\n") + "\n", encoding="utf-8")
        try:
            yield propose(run.folder, path, now_s)
        except FileProblems as error:
            raise NoProtocol(str(error).replace(str(path), AS)) from None
        except (PlanFormatError, OSError) as error:
            raise CommandRefused(f"it cannot be worked out: {error}") from None
