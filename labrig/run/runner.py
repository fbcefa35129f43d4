"""The runner: one run of one plan on one bench, from its start or from where it was cut off."""

from __future__ import annotations

import logging
import math
import shutil
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from labrig.durable import write_json
from labrig.error_rules import Action
from labrig.plan.disk_room import START_SHARE, need_bytes
from labrig.plan.plan import Plan
from labrig.record.checkpoint import recover
from labrig.record.clock import Clock, Mailbox, boot_id
from labrig.record.conclusion import (
    RunOutcome,
    condition_of,
    ended_s,
    ledger_of,
    outcome_json,
    remembering,
    shortfalls_of,
)
from labrig.record.consumption import reservoirs_now
from labrig.record.integrity import refuse_if_lost
from labrig.record.journal import Journal, open_journal
from labrig.record.kinds.other_deviations import (
    ClockWentBack,
    FolderBack,
    FolderLost,
    Gap,
    JournalDamaged,
)
from labrig.record.kinds.runs import RunAdopted, RunReplanned
from labrig.record.ledger import ledger_json
from labrig.record.origin import started_from
from labrig.record.recount import fates_of
from labrig.record.recovery import RunState
from labrig.record.reserve import Reserve
from labrig.record.rows import JournalError
from labrig.record.said import entry_of_run
from labrig.record.supplies_now import Supplies, SupplyNow
from labrig.record.undone import args_of
from labrig.record.weights import contradiction
from labrig.rig.bench import (
    BenchSpec,
    OpenPort,
    OpenTransport,
    PortSpec,
    open_port,
)
from labrig.run.amendments import Amendments, left_out, plan_in_force
from labrig.run.at_boundary import AtBoundary, Waiting
from labrig.run.at_once import AtOnce
from labrig.run.board import Board
from labrig.run.captures import Captures, steps_v_of
from labrig.run.chain_audit import ChainAudit
from labrig.run.commands import Commands, IdTaken
from labrig.run.control import ControlServer
from labrig.run.desk import Desk
from labrig.run.disk_room import DiskRoom
from labrig.run.dispatcher import Dispatcher
from labrig.run.folder_watch import FolderWatch
from labrig.run.gaps import LongOutages
from labrig.run.grace import Grace, StandingStop
from labrig.run.handlers import Handlers, feeds
from labrig.run.hosted_stage import hosted_port, looked_after, ports_with_workers
from labrig.run.imaging import Attach
from labrig.run.imaging_link import Imaging
from labrig.run.lease import Fence, take_lease
from labrig.run.liveness import Liveness, LivenessWatch, ThreadState
from labrig.run.orders import Asked, Command, ForDispatcher, ForWorker, HoldWells
from labrig.run.person_steps import People, PersonSteps
from labrig.run.port_gate import GatedTransport, Leave
from labrig.run.port_link import PortLink, identify
from labrig.run.register import Door
from labrig.run.rules_of_a_run import rules_of_a_run
from labrig.run.status import Status
from labrig.run.stop_file import StopRequest, read_stop
from labrig.run.workers import Worker
from labrig.run_folder import RunFolder
from labrig_drivers.errors import InstrumentError, LinkError
from labrig_drivers.instrument import installed_types
from labrig_drivers.kinds import Identity
from labrig_drivers.transports.base import Transport

DISPATCHER = "dispatcher"
DIED = "the runner was not running"
TAKEN_BACK = "the run was stopped, and the stop was taken back"
AMENDED = "the protocol was amended"
"""Why nobody looked after the bench before it was taken over."""
OF_THE_PROCESS = frozenset({"worker", "journal", "disk", "hung"})
"""Alarms about the process that raised them: they end with it."""
_log = logging.getLogger(__name__)


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
        self._leaves: dict[str, Leave] = {}
        self._liveness = Liveness(clock)
        self._seen: dict[str, Identity] = {}
        self._stopped_again: StandingStop | None = None
        self._supplies = Supplies(plan)
        self._again = TAKEN_BACK
        self._first_plan = plan
        self._free_bytes = free_bytes or partial(_free_bytes, folder)
        self._room: DiskRoom | None = None

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
        asked = self._stop_in_folder(state)
        if asked is not None and not state.begun:
            raise RunOver(
                f"the start in {self._folder.root} was called off by "
                f"{asked.by or 'somebody'} before it began "
                f"({asked.reason or 'no reason given'})."
            )
        self._plan = plan_in_force(self._folder, state, self._first_plan)
        self._supplies = Supplies(self._plan)
        if not state.begun:
            self._refuse_without_room()
        journal.epoch = state.epoch + 1
        journal.follow(follower)
        journal.anchor(self._folder.anchors, self._anchor_also)
        fence = Fence(journal.epoch)
        desk = Desk(self._clock, journal, fence, Board(), state.consumption, self._reserve)
        desk.held = state.condition == "held"
        self._leaves = {p.name: Leave(fence) for p in ports_with_workers(self._bench)}
        self._liveness = Liveness(self._clock)
        self._workers = []
        # What an earlier process left, which failed, is no longer how the run ended.
        self._folder.outcome.unlink(missing_ok=True)
        self._reserve.keep()
        return self._run(desk, state, before)

    def _refuse_without_room(self) -> None:
        """What was enough when the run was prepared may be gone when its time comes."""
        needed = START_SHARE * need_bytes(self._plan)
        if self._plan.pictures and (free := self._free_bytes()) < needed:
            raise RunOver(
                f"the start in {self._folder.root} is refused: {free / 1e9:.3g} GB are free on its "
                f"disk, and {needed / 1e9:.3g} GB are asked for. Free some space, then start anew."
            )

    def _is_stopped(self, state: RunState) -> bool:
        return state.stop_asked is not None or self._stop_in_folder(state) is not None

    def _stop_in_folder(self, state: RunState) -> StopRequest | None:
        """One that lies in the folder, if it was not taken back before a slow disk took it."""
        asked = read_stop(self._folder.stop)
        if asked is None or state.stop_asked is not None:
            return asked
        if state.commands.get(asked.command_id, {}).get("command") != "stop":
            return asked
        self._folder.stop.unlink(missing_ok=True)
        return None

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

    def _run(self, desk: Desk, state: RunState, before: str) -> RunOutcome | None:
        if state.begun:
            # Cells live on while ports are opened; at a start, t0 is when all is ready.
            self._clock.begin()
        opened = self._open_ports(strictly=not state.begun)
        self._clock.begin()
        self._write_start(desk, state, before)
        news = self._clock.mailbox("dispatcher")
        captures = Captures(
            steps_v_of(self._plan), desk, state.captures.values(), self._capture_patience_s
        )
        for assay, found in self._captures_beforehand.items():
            captures.freeze(assay, found)
        boxes = self._make_workers(desk, state, opened, news, captures)
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
            self._plan.rules, desk, boxes, _suspended_by_outages(self._bench), at_once.hold,
            at_once.resume, partial(_stop_by_answer, commands),
        )  # fmt: skip
        dispatcher = Dispatcher(
            self._plan, desk, news, boxes, state, interlocks, steps,
            self._liveness.of(DISPATCHER), grace, outages, at_once.hold, at_boundary,
        )  # fmt: skip
        rules = self._plan.rules
        at_boundary.go_by(
            at_once.hold, partial(_stop_at_boundary, commands),
            lambda: bool(desk.awaited) or steps.begun or not all(w.idle for w in self._workers),
        )  # fmt: skip
        desk.troubles.go_by(
            self._plan.errors, desk, at_once.hold,
            lambda wells, why: news.put(HoldWells(wells, why)),
            _wells_of(self._plan), _actions_of(self._bench), lambda: news.put(Asked()),
            rules.viable_gap_s if rules.longer_gap == "hold" else math.inf,
            _missed_when_mute(self._plan, self._bench),
        )  # fmt: skip
        desk.held_wells = frozenset(state.held_units)
        if state.left_too_long:
            outages.take_up()
            if not self._is_stopped(state):
                outages.tell_again()
        elif before == DIED and state.begun and not self._is_stopped(state):
            outages.met(state.last_s, self._clock.now_s())
        control = ControlServer(
            lambda: self._status(
                desk, dispatcher, grace, amendments.accepted, at_boundary.standing
            ).to_json(),
            commands.take,
            self._folder.control,
        )
        failures: tuple[str, ...] = ()
        audit = ChainAudit(self._folder.journal, partial(self._distrust, desk))
        # The door first: on the wall clock, what follows acts at once, and can be stopped.
        self._announce(self._opened_door(control))
        watch = FolderWatch(
            self._folder.root,
            self._folder.stop,
            partial(self._found_in_folder, commands, state),
            partial(self._folder_lost, desk),
        )
        asked = self._stop_in_folder(state)
        if state.stop_asked is not None:
            # Accepted by a runner that died before it was carried out.
            at_once.act(Command("adopted", "stop", {**state.stop_asked, "grace_s": "0"}))
        elif asked is not None:
            # Whoever asked found no run that went on; none is to begin for a minute.
            asked = replace(asked, grace_s=0.0)
            state.stop_asked = asked.args
            self._carry_out(commands, asked)
        elif (due := at_boundary.take_stop_due()) is not None:
            # Its boundary came while no runner lived: nothing begins any more.
            state.stop_asked = due.stop_args
            _stop_at_boundary(commands, due)
        for command_id, row in state.undone.items():
            news.put(Command(command_id, row["command"], args_of(row)))
        watch.open()
        liveness = LivenessWatch(
            self._liveness, partial(_alarm_of, desk), lambda name: desk.board.clear("hung", name)
        )
        liveness.start()
        try:
            if state.begun:
                audit.start()
            self._clock.start("dispatcher", dispatcher.run)
            for worker in self._workers:
                self._clock.start(worker.port, worker.run)
            self._clock.join()
        except ExceptionGroup as group:
            failures = tuple(repr(error) for error in group.exceptions)
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
        return self._conclude(desk, dispatcher, failures, amendments.accepted)

    def _opened_door(self, control: ControlServer) -> Door:
        try:
            return control.open()
        except OSError:
            # On a full disk, where no file of an earlier runner's door could be written over.
            if not self._reserve.give_up():
                raise
            control.close()
            return control.open()

    def _found_in_folder(self, commands: Commands, state: RunState, asked: StopRequest) -> None:
        if self._stop_in_folder(state) is not None:
            self._carry_out(commands, asked)

    def _carry_out(self, commands: Commands, asked: StopRequest) -> None:
        """A stop that lies in the run folder, as if it had come through the door."""
        try:
            commands.take("stop", asked.command_id, asked.args)
        except IdTaken:
            commands.take("stop", f"{asked.command_id}-stop", asked.args)

    def _folder_lost(self, desk: Desk, lost: bool) -> None:
        if not lost:
            desk.board.clear("folder", "run folder")
            desk.deviation(FolderBack(folder=str(self._folder.root)))
            return
        desk.deviation(FolderLost(folder=str(self._folder.root)))
        desk.alarm(
            "folder", "run folder", f"{self._folder.root} was renamed, moved or deleted.",
            "Put it back under its name. The run goes on and feeds the cells; pictures cannot be "
            "stored meanwhile. `labrig stop` without a folder still reaches it.",
        )  # fmt: skip

    def _conclude(
        self, desk: Desk, dispatcher: Dispatcher, failures: tuple[str, ...], plan: Plan
    ) -> RunOutcome:
        self._reserve.give_up()
        desk.journal.note()
        # Read once more rather than held: the journal of a week is larger than a runner may be.
        until_s = ended_s(desk.journal.rows("run")) or self._clock.now_s()
        states: dict[str, str] = {}
        rows = remembering(desk.journal.rows(), states)
        ledger, problem = ledger_of(plan, rows, until_s)
        failures += problem
        for balance in ledger.reservoirs if ledger is not None else ():
            if balance.agrees is False:
                desk.deviation(contradiction(balance))
        said = desk.board.condition
        shortfalls: tuple[str, ...] = ()
        if said == "finished" and ledger is not None:
            shortfalls = shortfalls_of(plan, states, ledger)
        condition = condition_of(said, failures, shortfalls)
        outcome = RunOutcome(
            condition, said in ("finished", "stopped"), desk.board.counts(),
            tuple(dispatcher.unsafe), failures, shortfalls,
        )  # fmt: skip
        try:
            if ledger is not None:
                write_json(self._folder.ledger, ledger_json(ledger))
            write_json(self._folder.outcome, outcome_json(outcome, *desk.journal.head))
        except OSError as error:
            # The journal has it all: whoever finds the folder can conclude from it.
            _log.error(
                "how the run ended (%s) cannot be written: %s. `labrig status` on its folder "
                "writes it.", outcome.condition, error,
            )  # fmt: skip
        return outcome

    def _distrust(self, desk: Desk, what: str) -> None:
        """The journal that this run was taken over from is not what was written."""
        desk.deviation(JournalDamaged(what=what))
        desk.alarm(
            "journal-damaged", "journal", what,
            "The run goes on with what the journal says since. Keep the file; look at the doses "
            "before, and stop the run if they are in doubt.",
        )  # fmt: skip

    def _open_ports(self, strictly: bool) -> dict[str, OpenPort | None]:
        """Open every port; at a start, also see that everybody is there."""
        opened: dict[str, OpenPort | None] = {}
        try:
            for spec in ports_with_workers(self._bench):
                opened[spec.name] = None
                try:
                    opened[spec.name] = self._open(spec.name)
                except LinkError:
                    if strictly:
                        raise
            if strictly:
                for port in opened.values():
                    self._see_everybody(port)
        except InstrumentError:
            for port in opened.values():
                if port is not None:
                    port.close()
            raise
        return opened

    def _see_everybody(self, port: OpenPort | None) -> None:
        """Who is missing, or is not who the rig file says? Raises InstrumentError."""
        for name, driver in () if port is None else port.drivers.items():
            self._seen[name] = identify(driver)

    def _open(self, port: str) -> OpenPort:
        spec = self._bench.port(port)
        if not self._bench.on_port(port):
            return hosted_port(
                self._bench, spec, self._camera, self._leaves[port], self._clock.now_s
            )

        def open_gated(spec: PortSpec) -> Transport:
            return GatedTransport(self._open_transport(spec), self._leaves[port], self._clock.now_s)

        return open_port(self._bench, spec, open_gated)

    def _write_start(self, desk: Desk, state: RunState, before: str) -> None:
        now_s = desk.clock.now_s()
        if not state.begun:
            started = started_from(self._folder.root, self._plan.protocol_name)
            desk.intend(entry_of_run(started))
            return
        fates = fates_of(self._plan.timeline, state)
        desk.board.take_over(state.counts, fates)
        self._tell_of_amendments(desk, state)
        # On a full disk it is written later: the cells are fed all the same.
        if before != AMENDED:
            desk.of_run(RunAdopted(epoch=desk.fence.epoch))
            desk.deviation(Gap(from_s=state.last_s, to_s=now_s, cause=before))
        said = desk.clock.utc()
        if state.boot_id != boot_id() and said < datetime.fromisoformat(state.last_utc):
            at = said.isoformat(timespec="seconds")
            desk.deviation(ClockWentBack(utc=at, last_utc=state.last_utc))
            desk.alarm(
                "clock", "this computer", f"Its clock says {at}, before the run's last entry "
                f"({state.last_utc}): nobody knows how long the bench was left alone.",
                "Set its clock. The run goes on from its last entry as if no time had passed; all "
                "that is planned comes later by that time.",
            )  # fmt: skip
        for well, from_s in state.censored.items():
            desk.board.censor((well,), from_s)
        desk.board.show_again(state.alarms, state.questions)
        for alarm in desk.board.alarms():
            if alarm.code in OF_THE_PROCESS:
                desk.board.clear(alarm.code, alarm.about)

    def _tell_of_amendments(self, desk: Desk, state: RunState) -> None:
        if not state.amendments:
            return
        number = max(amended.number for amended in state.amendments.values())
        gone = left_out(self._folder, state, self._first_plan, self._plan)
        if gone:
            desk.skip(gone, f"left out by an amendment (plan {number})")
        desk.of_run(RunReplanned(number))

    def _make_workers(
        self,
        desk: Desk,
        state: RunState,
        opened: Mapping[str, OpenPort | None],
        news: Mailbox[ForDispatcher],
        captures: Captures,
    ) -> dict[str, Mailbox[ForWorker]]:
        """One worker a port, stimulators first, so that a stop reaches them first."""
        types = installed_types()
        room = self._room = DiskRoom(self._plan, desk, self._free_bytes)
        handlers = Handlers(self._plan, desk, state, self._camera, self._attachment, captures, room)
        boxes: dict[str, Mailbox[ForWorker]] = {}

        def stimulators_first(port: str) -> bool:
            return all(types[i.type].kind != "stimulator" for i in looked_after(self._bench, port))

        for port in sorted(opened, key=stimulators_first):
            instruments = looked_after(self._bench, port)
            box = self._clock.mailbox(port)
            serial_numbers = {i.name: i.serial_number for i in instruments}
            link = PortLink(
                opened[port],
                self._seen,
                partial(self._open, port),
                state.identities,
                serial_numbers,
            )
            worker = Worker(
                port, desk, box, news, link, self._leaves[port], self._liveness.of(port)
            )
            for instrument in sorted(instruments, key=lambda i: types[i.type].kind != "stimulator"):
                worker.add(handlers.of(instrument, worker.pause_until))
                boxes[instrument.name] = box
            self._workers.append(worker)
        return boxes

    def _status(
        self,
        desk: Desk,
        dispatcher: Dispatcher,
        grace: Grace,
        plan: Plan,
        waiting: Waiting | None,
    ) -> Status:
        now_s, board = desk.clock.now_s(), desk.board
        threads = self._liveness.states()
        return Status(
            protocol=self._plan.protocol_name,
            pilot=self._plan.pilot,
            now_s=now_s,
            utc=desk.clock.utc().isoformat(timespec="seconds"),
            duration_s=plan.forecast.duration_s,
            epoch=desk.fence.epoch,
            condition=board.condition,
            phase=board.phase,
            held=desk.held,
            stop=grace.standing,
            at_boundary=waiting,
            alive=all(thread.alive for thread in threads),
            threads=threads,
            journal_works=desk.journal_works,
            alarms=board.alarms(),
            questions=board.questions(),
            counters=board.counts(),
            readings=board.readings(),
            modes=board.modes(),
            censored_from_s=board.censored_from_s(),
            upcoming=tuple(dispatcher.upcoming(10)),
            reservoirs=reservoirs_now(self._plan, desk.consumption, now_s),
            supplies=(*self._supplies.now(desk.consumption, now_s), *self._disk_now()),
        )

    def _disk_now(self) -> tuple[SupplyNow, ...]:
        disk = None if self._room is None else self._room.now()
        return () if disk is None else (disk,)

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


_MUTE: Mapping[str, Action] = {
    "pump": "level", "stimulator": "train", "stage": "move", "probe": "reading", "valve": "valve",
    "controller": "climate",
}  # fmt: skip
"""By kind of instrument, what cannot be done while it does not answer."""


def _actions_of(bench: BenchSpec) -> dict[str, Action]:
    types = installed_types()
    kinds = {i.name: types[i.type].kind for i in bench.instruments}
    return {name: _MUTE[kind] for name, kind in kinds.items() if kind in _MUTE}


def _wells_of(plan: Plan) -> dict[str, tuple[str, ...]]:
    """By instrument, whom it serves."""
    found: dict[str, dict[str, None]] = {}
    for entry in plan.timeline:
        found.setdefault(entry.instrument, {}).update(dict.fromkeys(entry.wells))
    return {name: tuple(wells) for name, wells in found.items()}


def _suspended_by_outages(bench: BenchSpec) -> tuple[str, ...]:
    """Pumps and stimulators: one that feeds the cells keeps its flow all the same."""
    types = installed_types()
    return tuple(i.name for i in bench.instruments if types[i.type].kind in ("pump", "stimulator"))


def _missed_when_mute(plan: Plan, bench: BenchSpec) -> frozenset[str]:
    """Pumps that feed the cells, and stimulators. Without additives alone no cell starves."""
    return frozenset(
        name
        for name, action in _actions_of(bench).items()
        if action == "train" or (action == "level" and feeds(plan, name))
    )


def _alarm_of(desk: Desk, thread: ThreadState) -> None:
    what = f"the thread {thread.name} hangs: {thread.in_words()}."
    desk.alarm(
        "hung", thread.name, what,
        "`labrig stop` and `labrig hold` still work. Look at its instruments and the disk; send "
        "the run folder to whoever looks after labrig.",
    )  # fmt: skip
