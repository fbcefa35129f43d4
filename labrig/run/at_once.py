"""What an operator's command does before anybody else takes a turn.

Stop and hold must work while the dispatcher hangs, so the door's own thread carries them to the
workers; the dispatcher hears of them like of any other command.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from labrig.record.clock import Mailbox
from labrig.record.kinds.runs import RunHeld, RunResumed
from labrig.run.amendments import Amendments
from labrig.run.at_boundary import BOUNDARY, WAITING, AtBoundary
from labrig.run.captures import Captures, thresholds_from
from labrig.run.commands import BadCommand
from labrig.run.desk import Desk
from labrig.run.grace import Grace, StandingStop, grace_s_of
from labrig.run.orders import Command, ForDispatcher, Halt, HoldChanged
from labrig.run.stop_file import YES
from labrig.run.workers import Worker

WRITTEN_WITHIN_S = 0.05
"""Bytes that had passed the gate before the stop are out within this, or their port hangs."""


OVER = frozenset({"stopping", "stopped", "finished", "failed"})


class AtOnce:
    """Carries commands from the door.

    Args:
        desk: clock, journal, fence and board.
        workers: all of them, in the order in which a stop is to reach them.
        dispatcher: its mailbox.
        grace: knows whether a stop can be taken back.
        captures: capture thresholds.
        stop_file: where a stop that was asked for lies, which ends with being taken back.
        amendments: of the running protocol.
        at_boundary: a hold or stop that waits until nothing is in progress.
    """

    def __init__(
        self,
        desk: Desk,
        workers: Sequence[Worker],
        dispatcher: Mailbox[ForDispatcher],
        grace: Grace,
        captures: Captures,
        stop_file: Path,
        amendments: Amendments,
        at_boundary: AtBoundary,
    ) -> None:
        self._at_boundary = at_boundary
        self._amendments = amendments
        self._captures = captures
        self._desk = desk
        self._workers = workers
        self._dispatcher = dispatcher
        self._grace = grace
        self._stop_file = stop_file
        self._holding = threading.Lock()

    def act(self, command: Command) -> None:
        """Do what cannot wait, and pass the command on.

        Raises:
            BadCommand: there is nothing to hold, or to take back, any more.
        """
        condition = self._desk.board.condition
        verb = {"hold": "hold", "resume": "resume", "stop-at-boundary": "stop"}.get(command.name)
        if verb is not None and condition in OVER:
            raise BadCommand(f"the run is {condition}: there is nothing to {verb} any more")
        match command.name:
            case "stop":
                self._stop(command.args)
            case "take-back":
                self._take_back()
            case "stop-at-boundary":
                self._wait("stop", command)
            case "hold" if command.args.get("at") == BOUNDARY:
                if not self._desk.held:
                    self._wait("hold", command)
            case "hold":
                self._hold(command.args)
            case "capture":
                # Here, because workers may be waiting for it, and the dispatcher for them.
                found = thresholds_from(str(command.args["thresholds"]))
                self._captures.freeze(str(command.args["assay"]), found)
            case "resume" if command.args.get("only") == WAITING:
                if not self._at_boundary.withdraw("hold"):
                    raise BadCommand(
                        "no hold waits for its boundary any more; where the run is held by now, "
                        "`labrig resume` lets it go on"
                    )
            case "resume":
                self._at_boundary.withdraw("hold")
                self._resume(command.args)
            case "amend":
                self._amendments.accept(command.args)
        self._dispatcher.put(command)

    def hold(self, reason: str, by: str) -> None:
        """For whoever is not a person at the door: hold the run, if there is one to hold."""
        if self._desk.board.condition not in OVER:
            self._hold({"reason": reason, "by": by})

    def resume(self, by: str) -> None:
        """For the answer of a person to a question: go on after a hold."""
        if self._desk.board.condition not in OVER:
            self._resume({"by": by})

    def _stop(self, args: Mapping[str, Any]) -> None:
        # The epoch first: nothing begun before may still switch anything on.
        epoch = self._desk.fence.raise_epoch()
        for worker in self._workers:
            worker.mailbox.put_first(Halt(epoch, args.get("abort") == YES))
        self._desk.journal.epoch = epoch
        until_s = time.monotonic() + WRITTEN_WITHIN_S
        for worker in self._workers:
            worker.leave.await_written(max(0.0, until_s - time.monotonic()))
        since_s, grace_s = self._desk.clock.now_s(), grace_s_of(args)
        until_s = since_s + self._desk.clock.lasting_s(grace_s) if grace_s else since_s
        by, reason = str(args.get("by", "")), str(args.get("reason", ""))
        self._grace.stopped(StandingStop(since_s, until_s, by, reason))

    def _wait(self, what: Literal["hold", "stop"], command: Command) -> None:
        now_s = self._desk.clock.now_s()
        if not self._at_boundary.ask(what, command.id, command.args, now_s):
            waiting = self._at_boundary.standing
            by = (waiting.by if waiting is not None else "") or "somebody"
            raise BadCommand(
                f"the run will be stopped at its next boundary, as {by} asked for: `labrig "
                "take-back` first, then repeat it; or stop or hold it now"
            )

    def _take_back(self) -> None:
        if self._grace.standing is None:
            if self._at_boundary.withdraw("stop"):
                return
            raise BadCommand("no stop stands that could be taken back; the run was not changed")
        if not self._desk.journal_works:
            raise BadCommand(
                "the journal cannot be written: the stop stays. Free the disk of the run folder, "
                "then take it back"
            )
        try:
            # The row of this command comes after it: whoever dies in between leaves a stop.
            self._stop_file.unlink(missing_ok=True)
        except OSError as error:
            raise BadCommand(
                f"the stop stays: {self._stop_file} cannot be deleted ({error})"
            ) from error
        if not self._grace.take_back():
            raise BadCommand("too late to take the stop back: the run is ending")

    def _hold(self, args: Mapping[str, Any]) -> None:
        # A rule holds from the dispatcher's thread: not in the midst of a person's resume.
        with self._holding:
            if self._desk.held:
                return
            self._desk.held = True
            self._tell_workers()
            if self._desk.board.condition == "running":
                self._desk.board.condition = "held"
            self._desk.of_run(RunHeld(reason=args.get("reason", ""), by=args.get("by", "")))

    def _resume(self, args: Mapping[str, Any]) -> None:
        with self._holding:
            if not self._desk.held:
                return
            # Written first: a runner that takes over must not begin what this one still held back.
            self._desk.of_run(RunResumed(by=args.get("by", "")))
            self._desk.held = False
            self._tell_workers()
            if self._desk.board.condition == "held":
                self._desk.board.condition = "running"

    def _tell_workers(self) -> None:
        for worker in self._workers:
            worker.mailbox.put_before_undue(HoldChanged())
