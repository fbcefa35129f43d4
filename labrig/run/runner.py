"""The runner: one run of one plan on one bench, from its start or from where it was cut off."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from labrig.plan.disk_room import START_SHARE, need_bytes
from labrig.plan.packed import packed
from labrig.plan.plan import Plan
from labrig.record.checkpoint import recover
from labrig.record.clock import Clock, Mailbox
from labrig.record.conclusion import (
    RunOutcome,
)
from labrig.record.integrity import refuse_if_lost
from labrig.record.journal import Journal, open_journal
from labrig.record.recovery import RunState
from labrig.record.reserve import Reserve
from labrig.record.rows import JournalError
from labrig.record.undone import args_of
from labrig.rig.bench import (
    BenchSpec,
    OpenTransport,
)
from labrig.run.amendments import Amendments, plan_in_force
from labrig.run.at_boundary import AtBoundary, Waiting
from labrig.run.at_once import AtOnce
from labrig.run.bench_ports import BenchPorts
from labrig.run.board import Board
from labrig.run.captures import Captures, steps_v_of
from labrig.run.chain_audit import ChainAudit
from labrig.run.commands import Commands
from labrig.run.control import ControlServer
from labrig.run.desk import Desk
from labrig.run.disk_room import DiskRoom
from labrig.run.dispatcher import Dispatcher
from labrig.run.duties import actions_of, missed_when_mute, suspended_by_outages, wells_of
from labrig.run.first_rows import AMENDED, DIED, TAKEN_BACK, write_first_rows
from labrig.run.folder_watch import FolderWatch
from labrig.run.gaps import LongOutages
from labrig.run.grace import Grace, StandingStop
from labrig.run.handlers import Handlers
from labrig.run.hosted_stage import looked_after
from labrig.run.imaging import Attach
from labrig.run.imaging_link import Imaging
from labrig.run.lease import Fence, take_lease
from labrig.run.liveness import Liveness, LivenessWatch
from labrig.run.orders import Asked, Command, ForDispatcher, ForWorker, HoldWells
from labrig.run.outcome import conclude
from labrig.run.people import People
from labrig.run.person_steps import PersonSteps
from labrig.run.process_alarms import distrust_journal, tell_of_folder, tell_of_thread
from labrig.run.register import Door
from labrig.run.rules_of_a_run import rules_of_a_run
from labrig.run.status_now import StatusNow
from labrig.run.stop_found import StopFound, carry_out
from labrig.run.workers import Worker
from labrig.run_folder import RunFolder
from labrig_drivers.instrument import installed_types

DISPATCHER = "dispatcher"


class RunOver(Exception):
    """The run in this folder has ended; there is nothing to go on with."""


def previous_state(folder: Path) -> RunState:
    """What the journal of a run folder says; a fresh state when it has none.

    Raises:
        JournalError: it cannot be read or trusted.
    """
    refuse_if_lost(folder)
    journal = RunFolder(folder).journal
    return recover(journal)[0] if journal.exists() else RunState()


class Runner:
    """Ties clock, journal, dispatcher and workers together.

    Args:
        plan: what is to be done.
        bench: ports and instruments.
        open_transport: opens one port, real or simulated.
        clock: shows the run's time: 0 at a start, the present when adopting.
        folder: the run folder; its journal says whether this is a start or an adoption.
        camera: the imaging process.
        attachment: see :class:`labrig.run.imaging.ImagingHandler`.
        open_journal: opens the journal.
        announce: tells the register of live runs where the runner answers.
        people: of a simulated bench, who do what steps ask; None: real ones do.
        capture_patience_s: see :class:`labrig.run.captures.Captures`.
        anchor_also: told number and hash of the journal's last row now and then.
        free_bytes: on the disk of the folder; None: as the system says.
        captures_beforehand: by assay and channel, thresholds of a rehearsal.
    """

    def __init__(
        self,
        plan: Plan,
        bench: BenchSpec,
        open_transport: OpenTransport,
        clock: Clock,
        folder: Path,
        camera: Imaging,
        attachment: Attach | None = None,
        open_journal: Callable[[Path, Clock], Journal] = open_journal,
        announce: Callable[[Door], None] = lambda door: None,
        people: People | None = None,
        capture_patience_s: float = 0.0,
        captures_beforehand: Mapping[str, Mapping[str, float | None]] | None = None,
        free_bytes: Callable[[], int] | None = None,
        anchor_also: Callable[[str], None] | None = None,
    ) -> None:
        self._anchor_also = anchor_also
        self._capture_patience_s = capture_patience_s
        self._captures_beforehand = captures_beforehand or {}
        self._plan = plan
        self._bench = bench
        self._open_transport = open_transport
        self._clock = clock
        self._folder = RunFolder(folder)
        self._camera = camera
        self._attachment = attachment
        self._open_journal = open_journal
        self._reserve = Reserve(self._folder.reserve)
        self._announce = announce
        self._people = people
        self._workers: list[Worker] = []
        self._liveness = Liveness(clock)
        self._stopped_again: StandingStop | None = None
        self._again = TAKEN_BACK
        self._first_plan = plan
        self._free_bytes = free_bytes or partial(_free_bytes, folder)

    def run(self) -> RunOutcome:
        """Run to the end, a stop that nobody takes back, or the last worker's failure.

        Returns:
            how it ended; also written to ``outcome.json``, beside ``ledger.json``.

        Raises:
            LeaseHeld: another runner has this folder.
            RunOver: the run has ended before.
            JournalError: the journal cannot be used.
            InstrumentError: at a start only: an instrument is missing or is not what the rig
                file names. An adopted run goes on without it and keeps trying.
        """
        lease = take_lease(self._folder.root)
        try:
            refuse_if_lost(self._folder.root)
            journal = self._opened_journal()
            try:
                outcome = self._take_up(journal, DIED)
                while outcome is None:
                    outcome = self._take_up(journal, self._again)
                return outcome
            finally:
                self._camera.close()
                journal.close()
        finally:
            lease.release()

    def _take_up(self, journal: Journal, before: str) -> RunOutcome | None:
        """Begin, or go on from what the journal says; None: it is to be taken up once more.

        A stop was taken back, or the protocol was amended.

        Args:
            journal: open.
            before: why nobody looked after a run that had begun.
        """
        state, follower = recover(self._folder.journal)
        if state.ended:
            raise RunOver(f"the run in {self._folder.root} has {state.condition} already.")
        if before == TAKEN_BACK:
            # The row that says so may not be written yet.
            state.stop_asked = state.stop_waits = None
        if (again := self._stopped_again) is not None:
            # Its row may come later than this, or before that of the one which was taken back.
            state.stop_asked = {"reason": again.reason, "by": again.by}
        found = StopFound(self._folder.stop, state)
        asked = found.standing()
        if asked is not None and not state.begun:
            raise RunOver(
                f"the start in {self._folder.root} was called off by "
                f"{asked.by or 'somebody'} before it began "
                f"({asked.reason or 'no reason given'})."
            )
        plan = plan_in_force(self._folder, state, self._first_plan)
        self._plan = replace(plan, timeline=packed(plan.timeline))
        if not state.begun:
            self._refuse_without_room()
        journal.epoch = state.epoch + 1
        journal.follow(follower)
        journal.anchor(self._folder.anchors, self._anchor_also)
        fence = Fence(journal.epoch)
        desk = Desk(self._clock, journal, fence, Board(), state.consumption, self._reserve)
        desk.held = state.condition == "held"
        self._liveness = Liveness(self._clock)
        self._workers = []
        # What an earlier process left, which failed, is no longer how the run ended.
        self._folder.outcome.unlink(missing_ok=True)
        self._reserve.keep()
        return self._run(desk, state, found, before)

    def _refuse_without_room(self) -> None:
        """What was enough when the run was prepared may be gone when its time comes."""
        needed = START_SHARE * need_bytes(self._plan)
        if self._plan.pictures and (free := self._free_bytes()) < needed:
            raise RunOver(
                f"the start in {self._folder.root} is refused: {free / 1e9:.3g} GB are free on its "
                f"disk, and {needed / 1e9:.3g} GB are asked for. Free some space, then start anew."
            )

    def _opened_journal(self) -> Journal:
        path = self._folder.journal
        try:
            journal = self._open_journal(path, self._clock)
        except JournalError:
            # Taking over on a full disk, SQLite needs some room even to read.
            if not self._reserve.give_up():
                raise
            return self._open_journal(path, self._clock)
        if not journal.raise_format() and self._reserve.give_up():
            journal.raise_format()
        return journal

    def _run(self, desk: Desk, state: RunState, found: StopFound, before: str) -> RunOutcome | None:
        if state.begun:
            # Cells live on while ports are opened; at a start, t0 is when all is ready.
            self._clock.begin()
        ports = BenchPorts(
            self._bench, self._open_transport, self._camera, self._clock.now_s, desk.fence
        )
        ports.open_all(strictly=not state.begun)
        self._clock.begin()
        write_first_rows(desk, self._folder, state, self._first_plan, self._plan, before)
        news = self._clock.mailbox("dispatcher")
        captures = Captures(
            steps_v_of(self._plan), desk, state.captures.values(), self._capture_patience_s
        )
        for assay, thresholds in self._captures_beforehand.items():
            captures.freeze(assay, thresholds)
        room = DiskRoom(self._plan, desk, self._free_bytes)
        handlers = Handlers(self._plan, desk, state, self._camera, self._attachment, captures, room)
        boxes = self._make_workers(desk, state, ports, news, handlers)
        grace = Grace()
        amendments = Amendments(self._folder, self._plan, desk, state)
        at_boundary = AtBoundary(self._plan, desk, state)
        at_once = AtOnce(
            desk, self._workers, news, grace, captures, self._folder.stop, amendments, at_boundary
        )  # fmt: skip
        interlocks = rules_of_a_run(self._plan, self._bench, desk, state, news, boxes, at_once.hold)
        commands = Commands(
            desk, at_once.act, state.commands, self._dispatcher_hangs,
            {supply.name: supply for supply in self._plan.supplies}, self._plan.by_hand,
        )  # fmt: skip
        steps = PersonSteps(
            self._plan, desk, state, boxes, partial(_stop_for_a_step, commands), self._people
        )
        outages = LongOutages(
            self._plan.rules, desk, boxes, suspended_by_outages(self._bench), at_once.hold,
            at_once.resume, partial(_stop_by_answer, commands),
        )  # fmt: skip
        dispatcher = Dispatcher(
            self._plan, desk, news, boxes, state, interlocks, steps,
            self._liveness.of(DISPATCHER), grace, outages, at_once.hold, at_boundary,
        )  # fmt: skip
        at_boundary.go_by(
            at_once.hold, partial(_stop_at_boundary, commands),
            # What waits in a worker is awaited as soon as its turn comes: so that is asked last.
            lambda: (
                not all(worker.at_rest for worker in self._workers)
                or steps.begun
                or bool(desk.awaited)
            ),
        )  # fmt: skip
        self._go_by_error_rules(desk, news, at_once)
        desk.held_wells = frozenset(state.held_units)
        if state.left_too_long:
            outages.take_up()
            if not found.stopped:
                outages.tell_again()
        elif before == DIED and state.begun and not found.stopped:
            outages.met(state.last_s, self._clock.now_s())
        status = StatusNow(
            self._plan, desk, self._liveness, room, dispatcher, grace, amendments, at_boundary
        )
        control = ControlServer(
            lambda: status.look().to_json(), commands.take, self._folder.control
        )
        # The door first: on the wall clock, what follows acts at once, and can be stopped.
        self._announce(self._opened_door(control))
        watch = FolderWatch(
            self._folder.root,
            self._folder.stop,
            partial(found.take, commands),
            partial(tell_of_folder, desk, self._folder.root),
        )
        _do_what_was_asked_before(state, found, at_once, at_boundary, commands)
        for command_id, row in state.undone.items():
            news.put(Command(command_id, row["command"], args_of(row)))
        watch.open()
        liveness = LivenessWatch(
            self._liveness,
            partial(tell_of_thread, desk),
            lambda name: desk.board.clear("hung", name),
        )
        liveness.start()
        audit = ChainAudit(self._folder.journal, partial(distrust_journal, desk))
        try:
            if state.begun:
                audit.start()
            failures = self._live(dispatcher)
        finally:
            audit.stop()
            liveness.end()
            watch.close()
            control.close()
            commands.close()
        if dispatcher.taken_back or dispatcher.amended:
            self._again = TAKEN_BACK if dispatcher.taken_back else AMENDED
            self._stopped_again = grace.again if dispatcher.taken_back else None
            return None
        self._reserve.give_up()
        unsafe = tuple(dispatcher.unsafe)
        return conclude(desk, self._folder, amendments.accepted, unsafe, failures)

    def _live(self, dispatcher: Dispatcher) -> tuple[str, ...]:
        """Until every thread has ended; by which errors some of them did."""
        try:
            self._clock.start("dispatcher", dispatcher.run)
            for worker in self._workers:
                self._clock.start(worker.port, worker.run)
            self._clock.join()
        except ExceptionGroup as group:
            return tuple(repr(error) for error in group.exceptions)
        return ()

    def _go_by_error_rules(self, desk: Desk, news: Mailbox[ForDispatcher], at_once: AtOnce) -> None:
        rules = self._plan.rules
        desk.troubles.go_by(
            self._plan.errors, desk, at_once.hold,
            lambda wells, why: news.put(HoldWells(wells, why)),
            wells_of(self._plan), actions_of(self._bench), lambda: news.put(Asked()),
            rules.viable_gap_s if rules.longer_gap == "hold" else math.inf,
            missed_when_mute(self._plan, self._bench),
        )  # fmt: skip

    def _opened_door(self, control: ControlServer) -> Door:
        try:
            return control.open()
        except OSError:
            # On a full disk, where no file of an earlier runner's door could be written over.
            if not self._reserve.give_up():
                raise
            control.close()
            return control.open()

    def _make_workers(
        self,
        desk: Desk,
        state: RunState,
        ports: BenchPorts,
        news: Mailbox[ForDispatcher],
        handlers: Handlers,
    ) -> dict[str, Mailbox[ForWorker]]:
        """One worker a port, stimulators first, so that a stop reaches them first."""
        types = installed_types()
        boxes: dict[str, Mailbox[ForWorker]] = {}
        for port in ports.in_order_of_stops():
            box = self._clock.mailbox(port)
            link, leave = ports.link(port, state.identities), ports.leaves[port]
            worker = Worker(port, desk, box, news, link, leave, self._liveness.of(port))
            instruments = looked_after(self._bench, port)
            for instrument in sorted(instruments, key=lambda i: types[i.type].kind != "stimulator"):
                worker.add(handlers.of(instrument, worker.pause_until))
                boxes[instrument.name] = box
            self._workers.append(worker)
        return boxes

    def _dispatcher_hangs(self) -> str:
        hung = self._liveness.hung(DISPATCHER)
        return "" if hung is None else f"the dispatcher hangs ({hung.in_words()})"


def _free_bytes(folder: Path) -> int:
    return shutil.disk_usage(folder).free


def _stop_for_a_step(commands: Commands, reason: str) -> None:
    """By the protocol's rule; as a command, so that whoever takes the run over knows of it."""
    args = {"by": "the protocol", "reason": reason}
    commands.take("stop", f"rule: {reason}", args)


def _stop_at_boundary(commands: Commands, waiting: Waiting) -> None:
    commands.take("stop", waiting.stop_id, waiting.stop_args)


def _stop_by_answer(commands: Commands, reason: str) -> None:
    args = {"by": "an answer", "reason": reason}
    commands.take("stop", f"answer: {reason}", args)


def _do_what_was_asked_before(
    state: RunState,
    found: StopFound,
    at_once: AtOnce,
    at_boundary: AtBoundary,
    commands: Commands,
) -> None:
    """A stop that nobody has carried out yet: nothing begins any more."""
    asked = found.standing()
    if state.stop_asked is not None:
        # Accepted by a runner that died before it was carried out.
        at_once.act(Command("adopted", "stop", {**state.stop_asked, "grace_s": "0"}))
    elif asked is not None:
        # Whoever asked found no run that went on; none is to begin for a minute.
        asked = replace(asked, grace_s=0.0)
        state.stop_asked = asked.args
        carry_out(commands, asked)
    elif (due := at_boundary.take_stop_due()) is not None:
        # Its boundary came while no runner lived.
        state.stop_asked = due.stop_args
        _stop_at_boundary(commands, due)
