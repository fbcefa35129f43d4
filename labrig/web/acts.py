"""What people do on the page: through the runner's door, or by the command of a terminal.

A deed waits in no queue of the page: it has threads of its own, so that a stop goes out while
pictures are being rendered, runners that hang are being looked at, and instruments that answer
late are asked for those who launch.
"""

from __future__ import annotations

import asyncio
import logging
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from labrig.display.times import clock_s, zone_named
from labrig.durable import DamagedFile, read_json
from labrig.launch.runner_child import detached
from labrig.run.control_client import CommandRefused, NoRunner, RunnerClient
from labrig.run.grace import GRACE_S
from labrig.run.lease import runner_lives
from labrig.run.stop_file import StopRequest, write_stop
from labrig.run_folder import RunFolder
from labrig.watch.seeing_to import see_to
from labrig.web.access import Person
from labrig.web.live_runs import ShownRun, door_of

T = TypeVar("T")
_log = logging.getLogger(__name__)


class Acts:
    """Deeds at a run, each in a thread that is kept free for them; and all else that people do."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(8, "acts")
        self._others = ThreadPoolExecutor(8, "other acts")

    async def do(self, deed: Callable[[], T]) -> T:
        """Do it at a run, and come back with what it gave or raised."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, deed)

    async def aside(self, deed: Callable[[], T]) -> T:
        """Do what may take a minute: nothing at a run waits for it."""
        return await asyncio.get_running_loop().run_in_executor(self._others, deed)

    def close(self) -> None:
        """Wait for nothing."""
        self._threads.shutdown(wait=False)
        self._others.shutdown(wait=False)


def stop(run: ShownRun, person: Person, reason: str = "") -> str:
    """Stop a run, whatever its runner is up to; returns what is to be said.

    As from a shell, it goes into the run folder as well: a runner that hangs finds it there when
    it wakes, and whoever takes over from one that dies. The bench of a dead one is taken over only
    to be made safe.

    Raises:
        CommandRefused: the runner said no, or the run has ended.
        OSError: no runner answered, and the disk refuses too.
    """
    request = StopRequest.now(reason, person.name, GRACE_S)
    return _stopped(run, request, lambda: make_safe(run, person), "STOP taken")


def abort(run: ShownRun, person: Person, reason: str, *, sure: bool) -> str:
    """Everything into its safe state at once and for good; medium ends as the rig says.

    Raises:
        CommandRefused: no reason, nobody is sure, or as of :func:`stop`.
        OSError: as of :func:`stop`.
    """
    if not reason:
        raise CommandRefused("an abort needs a reason: it goes into journal and report")
    if not sure:
        raise CommandRefused("tick that you are sure: an abort cannot be taken back")
    request = StopRequest.now(reason, person.name, 0.0, abort=True)

    def end() -> None:
        _command(run.folder, "abort", "--by", person.name, "--reason", reason)

    return _stopped(run, request, end, "ABORT taken")


def _stopped(
    run: ShownRun, request: StopRequest, of_a_dead_one: Callable[[], None], told: str
) -> str:
    # Beside the door, not before it: a slow disk must not hold up a stop.
    threading.Thread(target=_put_into_folder, args=(run.folder, request), daemon=True).start()
    try:
        door_of(run).stop(
            request.reason, request.command_id, request.by, request.asked_utc, request.grace_s,
            request.abort,
        )  # fmt: skip
    except NoRunner:
        if not runner_lives(run.folder.root):
            if (ended := _ended(run.folder)) in ("finished", "stopped"):
                raise CommandRefused(
                    f"the run has {ended} already: nothing is left to stop"
                ) from None
            of_a_dead_one()
            return "Its runner is dead: its bench is taken over only to make it safe"
        write_stop(run.folder.stop, request)
        return "Its runner does not answer: the stop lies in its folder for when it wakes"
    return told


def _ended(folder: RunFolder) -> str:
    """How it ended; empty where nobody has written that."""
    try:
        return str(read_json(folder.outcome)["condition"])
    except (OSError, DamagedFile, KeyError):
        return ""


def _put_into_folder(folder: RunFolder, request: StopRequest) -> None:
    if runner_lives(folder.root):
        try:
            write_stop(folder.stop, request)
        except OSError as error:
            _log.warning("the stop of %s is not in its folder: %s", folder.root.name, error)


def take_back(run: ShownRun, person: Person) -> str:
    """Let the run go on after a stop that was a mistake. Raises NoRunner, CommandRefused."""
    door_of(run).take_back(by=person.name)
    return "The stop is taken back"


def hold(run: ShownRun, person: Person, reason: str = "") -> str:
    """No event begins, no impulse is given; perfusion goes on. Raises NoRunner, CommandRefused."""
    door_of(run).hold(reason, by=person.name)
    return "HOLD taken"


def at_boundary(run: ShownRun, person: Person, what: str, reason: str) -> str:
    """Hold or stop it once nothing is in progress. Raises NoRunner, CommandRefused."""
    door = door_of(run)
    match what:
        case "hold":
            door.hold(reason, by=person.name, at_boundary=True)
        case "stop":
            door.stop_at_boundary(reason, by=person.name, grace_s=GRACE_S)
        case "withdraw hold":
            door.withdraw_hold(by=person.name)
            return "Withdrawn: it goes on"
        case "withdraw stop":
            door.take_back(by=person.name)
            return "Withdrawn: it goes on"
        case _:
            raise CommandRefused(f"nothing can be done at a boundary that is called {what!r}")
    return f"Taken: it is {'held' if what == 'hold' else 'stopped'} at its next boundary"


def go_on(run: ShownRun, person: Person) -> str:
    """End a hold. Raises NoRunner, CommandRefused."""
    door_of(run).resume(by=person.name)
    return "GO ON taken"


def answer(run: ShownRun, person: Person, question: str, choice: str) -> str:
    """Answer a question that stands. Raises NoRunner, CommandRefused."""
    door_of(run).answer(question, choice, by=person.name)
    return "Answer taken"


def sign(run: ShownRun, person: Person, step: str, act: str, given: Mapping[str, str]) -> str:
    """Say that a step of people begins, was done, or is refused.

    Who sits at the bench may sign under the own name whoever the page takes them for; who has
    logged in from elsewhere signs as that person.

    Args:
        run: the step's.
        person: at the page.
        step: key of its question.
        act: begin, done or refuse.
        given: ``by``, ``when`` (HH:MM by the bench's clock) and ``reason``, as typed.

    Raises:
        NoRunner, CommandRefused: it was not taken.
    """
    by = given.get("by", "").strip() if person.here else ""
    door = door_of(run)
    done_s = _done_s(run, door, given) if act == "done" else None
    door.step(step, act, by or person.name, done_s, given.get("reason", "").strip())
    return {"begin": "Begun: impulses and pictures pause", "done": "Signed"}.get(act, "Noted")


def refill(run: ShownRun, person: Person, given: Mapping[str, str]) -> str:
    """Say that a bottle was filled up, a syringe changed or the waste emptied.

    ``given``: ``supply``, ``choice`` (begin or done), ``to_ml``, ``by``, ``when``, ``reason``, as
    typed; who may sign under which name as of a step.

    Raises:
        NoRunner, CommandRefused: it was not taken.
    """
    by = given.get("by", "").strip() if person.here else ""
    act = given.get("choice", "done")
    door = door_of(run)
    text = given.get("to_ml", "").strip().replace(",", ".")
    try:
        to_ml = float(text) if text else None
    except ValueError:
        raise CommandRefused(f"{text!r} is no volume in mL") from None
    done_s = _done_s(run, door, given) if act == "done" else None
    reason = given.get("reason", "").strip()
    door.refill(given.get("supply", ""), act, by or person.name, to_ml, done_s, reason)
    return "Begun: its pump stands, where it has one" if act == "begin" else "Signed"


def reading(run: ShownRun, person: Person, given: Mapping[str, str]) -> str:
    """Enter what somebody measured by hand.

    ``given``: ``meter``, ``value``, ``by``, ``when``, ``reason``, as typed; who may sign under
    which name as of a step.

    Raises:
        NoRunner, CommandRefused: it was not taken.
    """
    by = given.get("by", "").strip() if person.here else ""
    text = given.get("value", "").strip().replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        raise CommandRefused(f"{text!r} is no number") from None
    door, meter = door_of(run), given.get("meter", "")
    done_s = _done_s(run, door, given)
    note = given.get("reason", "").strip()
    remark = door.reading(meter, value, by or person.name, done_s, note).get("warning", "")
    return f"Entered: {meter} {text}" + (f". But {remark}" if remark else "")


def _done_s(run: ShownRun, door: RunnerClient, given: Mapping[str, str]) -> float | None:
    """When it happened, on the run's clock, as somebody typed it; None: now."""
    when = given.get("when", "").strip()
    if not when:
        return None
    status = door.status()
    zone = zone_named(read_json(run.folder.identity).get("zone"))
    done_s = clock_s(when, str(status["utc"]), float(status["now_s"]), zone)
    if done_s is None:
        raise CommandRefused(f"{when!r} is no time of day: write it like 22:10")
    return done_s


def note(run: ShownRun, person: Person, text: str) -> str:
    """Write what a person did or saw into the journal. Raises NoRunner, CommandRefused."""
    door_of(run).note(text, by=person.name)
    return "Note written"


def looking(run: ShownRun, person: Person, about: str, title: str) -> str:
    """Into the journal, and to the watch, which then calls nobody else about it.

    Raises:
        NoRunner, CommandRefused: the note was not taken.
        DamagedFile, OSError: the watch cannot be told; it goes on calling.
    """
    note(run, person, f"I am looking: {title}")
    calls = see_to(run.name, about, person.name)
    return "Noted; nobody else is called about it" if calls else "Noted"


def note_text(text: str, wells: str, when: str) -> str:
    """A note as it stands in the journal: of which wells, and when it was if not now.

    Raises:
        CommandRefused: it says nothing.
    """
    if not text:
        raise CommandRefused("the note is empty: say what was done or seen")
    of = f" ({wells})" if wells else ""
    at = f" [at {when}]" if when else ""
    return f"{text}{of}{at}"


def make_safe(run: ShownRun, person: Person) -> None:
    """Have a dead runner's bench taken over only to stop it. Raises OSError."""
    _command(run.folder, "stop", "--final", "--by", person.name)


def take_over(run: ShownRun, person: Person) -> str:
    """Have a dead runner's run taken over and followed.

    Raises:
        CommandRefused: a runner lives.
        OSError: the command cannot be started.
    """
    if runner_lives(run.folder.root):
        raise CommandRefused("its runner lives: there is nothing to take over")
    _command(run.folder, "resume", "--by", person.name)
    return "It is being taken over"


def _command(folder: RunFolder, verb: str, *options: str) -> subprocess.Popen[Any]:
    """Start ``labrig VERB RUN``, detached: it outlives the page."""
    with folder.follow_log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "labrig", verb, str(folder.root), "--json", *options],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            **detached(),
        )
