"""The status of a runner as it is now, gathered from its parts for whoever asks at its door."""

from __future__ import annotations

from labrig.plan.plan import Plan
from labrig.record.consumption import reservoirs_now
from labrig.record.supplies_now import Supplies, SupplyNow
from labrig.run.amendments import Amendments
from labrig.run.at_boundary import AtBoundary
from labrig.run.desk import Desk
from labrig.run.disk_room import DiskRoom
from labrig.run.dispatcher import Dispatcher
from labrig.run.grace import Grace
from labrig.run.liveness import Liveness
from labrig.run.status import Status


class StatusNow:
    """Of one runner.

    Args:
        plan: in force.
        desk: clock, fence and board.
        liveness: what each thread does.
        room: how long the disk lasts.
        dispatcher: what comes next.
        grace: a stop that can be taken back.
        amendments: when the run will be over, as last amended.
        at_boundary: a hold or stop that waits.
    """

    def __init__(
        self,
        plan: Plan,
        desk: Desk,
        liveness: Liveness,
        room: DiskRoom,
        dispatcher: Dispatcher,
        grace: Grace,
        amendments: Amendments,
        at_boundary: AtBoundary,
    ) -> None:
        self._plan = plan
        self._desk = desk
        self._liveness = liveness
        self._room = room
        self._dispatcher = dispatcher
        self._grace = grace
        self._amendments = amendments
        self._at_boundary = at_boundary
        self._supplies = Supplies(plan)

    def look(self) -> Status:
        """As of now."""
        desk, board = self._desk, self._desk.board
        now_s = desk.clock.now_s()
        threads = self._liveness.states()
        return Status(
            protocol=self._plan.protocol_name,
            pilot=self._plan.pilot,
            now_s=now_s,
            utc=desk.clock.utc().isoformat(timespec="seconds"),
            duration_s=self._amendments.accepted.forecast.duration_s,
            epoch=desk.fence.epoch,
            condition=board.condition,
            phase=board.phase,
            held=desk.held,
            stop=self._grace.standing,
            at_boundary=self._at_boundary.standing,
            alive=all(thread.alive for thread in threads),
            threads=threads,
            journal_works=desk.journal_works,
            alarms=board.alarms(),
            questions=board.questions(),
            counters=board.counts(),
            readings=board.readings(),
            modes=board.modes(),
            censored_from_s=board.censored_from_s(),
            upcoming=tuple(self._dispatcher.upcoming(10)),
            reservoirs=reservoirs_now(self._plan, desk.consumption, now_s),
            supplies=(*self._supplies.now(desk.consumption, now_s), *self._disk()),
        )

    def _disk(self) -> tuple[SupplyNow, ...]:
        disk = self._room.now()
        return () if disk is None else (disk,)
