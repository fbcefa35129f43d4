"""The first words of a runner in the journal, and what it shows of the runners before it."""

from __future__ import annotations

from datetime import datetime

from labrig.plan.plan import Plan
from labrig.record.clock import boot_id
from labrig.record.kinds.other_deviations import ClockWentBack, Gap
from labrig.record.kinds.runs import RunAdopted, RunReplanned
from labrig.record.origin import started_from
from labrig.record.recount import fates_of
from labrig.record.recovery import RunState
from labrig.record.said import entry_of_run
from labrig.run.amendments import left_out
from labrig.run.desk import Desk
from labrig.run_folder import RunFolder

DIED = "the runner was not running"
TAKEN_BACK = "the run was stopped, and the stop was taken back"
AMENDED = "the protocol was amended"
"""Why nobody looked after the bench before it was taken over."""
OF_THE_PROCESS = frozenset({"worker", "journal", "disk", "hung"})
"""Alarms about the process that raised them: they end with it."""


def write_first_rows(
    desk: Desk, folder: RunFolder, state: RunState, first_plan: Plan, plan: Plan, why: str
) -> None:
    """Write that the run began, or that it is taken over.

    Args:
        desk: clock, journal and board.
        folder: the run folder.
        state: what the journal says was done before.
        first_plan: by which the run began.
        plan: by which it goes on.
        why: nobody looked after a run that had begun.
    """
    if not state.begun:
        desk.intend(entry_of_run(started_from(folder.root, plan.protocol_name)))
        return
    now_s = desk.clock.now_s()
    desk.board.take_over(state.counts, fates_of(plan.timeline, state))
    if state.amendments:
        _tell_of_amendments(desk, folder, state, first_plan, plan)
    # On a full disk it is written later: the cells are fed all the same.
    if why != AMENDED:
        gap = Gap(from_s=state.last_s, to_s=now_s, cause=why)
        desk.of_run(RunAdopted(epoch=desk.fence.epoch), gap)
    _tell_of_the_clock(desk, state)
    for well, from_s in state.censored.items():
        desk.board.censor((well,), from_s)
    desk.board.show_again(state.alarms, state.questions)
    for alarm in desk.board.alarms():
        if alarm.code in OF_THE_PROCESS:
            desk.board.clear(alarm.code, alarm.about)


def _tell_of_amendments(
    desk: Desk, folder: RunFolder, state: RunState, first_plan: Plan, plan: Plan
) -> None:
    number = max(amended.number for amended in state.amendments.values())
    gone = left_out(folder, state, first_plan, plan)
    if gone:
        desk.skip(gone, f"left out by an amendment (plan {number})")
    desk.of_run(RunReplanned(number))


def _tell_of_the_clock(desk: Desk, state: RunState) -> None:
    said = desk.clock.utc()
    if state.boot_id == boot_id() or said >= datetime.fromisoformat(state.last_utc):
        return
    at = said.isoformat(timespec="seconds")
    desk.deviation(ClockWentBack(utc=at, last_utc=state.last_utc))
    desk.alarm(
        "clock", "this computer", f"Its clock says {at}, before the run's last entry "
        f"({state.last_utc}): nobody knows how long the bench was left alone.",
        "Set its clock. The run goes on from its last entry as if no time had passed; all "
        "that is planned comes later by that time.",
    )  # fmt: skip
