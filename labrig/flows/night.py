"""The night as a Prefect flow: one flow run per run, one task per phase and per step of its work.

The flow attaches to the runner and follows it. Killing the flow stops nothing at the bench;
when Prefect executes the same flow run again (retry, in its page), it takes up following the run
that it had started.
"""

from __future__ import annotations

import os
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from prefect import flow, get_run_logger, task
from prefect.cache_policies import NO_CACHE
from prefect.client.orchestration import get_client
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner

from labrig.flows.parameters import NightParameters
from labrig.launch.offers import (
    DEFAULT_GRACE_S,
    Offer,
    await_answer,
    make_offer,
    offered_by,
)
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.launch.served import SERVED_VARIABLE, Served
from labrig.night.capturing import CaptureTeller
from labrig.night.conduct import LOOK_EVERY_S
from labrig.night.followed import AlreadyFollowed, following
from labrig.night.following import NightEndedEarly, Patience, glance
from labrig.night.processes import processes_here
from labrig.night.steps import REPORT, NightSteps, Step
from labrig.plan.store import read_plan
from labrig.record.vocabulary import DIED
from labrig.run.control_client import NoRunner, connect
from labrig.run_folder import RunFolder

# a task that has to do with the bench: never cached, never retried, nothing kept of it,
# because the journal alone says what was done
ONCE: dict[str, Any] = {"cache_policy": NO_CACHE, "retries": 0, "persist_result": False}
# a step of `labrig.night.steps` works on what the run left, and may be done twice
STEP: dict[str, Any] = {
    "cache_policy": NO_CACHE,
    "retries": 2,
    "retry_delay_seconds": 10,
    "persist_result": False,
}


@task(name="prepare", **ONCE)
def prepare(served: Served, parameters: NightParameters) -> RunFolder:
    """Check and compile the protocol, lay out the run folder."""
    return prepare_run(
        StartRequest(
            protocol=served.protocol(parameters.protocol),
            rig=Path(served.rig),
            runs=Path(served.runs),
            simulate=served.simulate,
            operator=parameters.operator,
            culture=parameters.culture,
            donors=parameters.donors,
        )
    )


@task(name="offer-start", **ONCE)
def offer_start(folder: RunFolder, served: Served) -> None:
    """Offer the start to the keeper of the rig, which accepts or refuses."""
    scheduled = flow_run.get_scheduled_start_time() or datetime.now(UTC)
    make_offer(
        folder,
        Offer(
            due_utc=scheduled.astimezone(UTC).isoformat(timespec="seconds"),
            grace_s=DEFAULT_GRACE_S,
            by=_myself(),
            speed=float("inf") if served.fast else 1.0,
        ),
    )
    await_answer(folder)


@task(name="follow-phase", task_run_name="phase {phase}", **ONCE)
def follow_phase(folder: RunFolder, phase: str) -> dict[str, Any]:
    """Follow the runner until another phase begins or the run has ended; what it counted."""
    entered, patience = False, Patience()
    while True:
        seen = glance(folder)
        if seen.ended or patience.is_over(seen):
            return {"phase": phase, "condition": seen.condition, "counters": seen.counters}
        if seen.phase == phase and not entered:
            entered = True
            _tell_runner(folder, phase)
        if entered and seen.phase not in ("", phase):
            return {"phase": phase, "condition": "over", "counters": seen.counters}
        time.sleep(LOOK_EVERY_S)


@task(name="measure", task_run_name="{step.name}", **STEP)
def measure(step: Step) -> None:
    """Do a step in a process beside this one, on whatever machine this is."""
    processes_here().submit(step.work).result()


@task(name="conclude", task_run_name="{step.name}", **STEP)
def conclude(step: Step) -> str:
    """Do a step that comes after all the others; returns what it made."""
    return str(step.work())


def conduct_night(parameters: NightParameters) -> str:
    """One run of one protocol on one rig, from the offer of a start to the report.

    Returns:
        the path of the report.

    Raises:
        NotServed, StartRefused, OfferRefused: it will not start; nothing was sent to any
            instrument.
        NightEndedEarly: it was stopped or failed; the report is there all the same.
    """
    logger = get_run_logger()
    # of the process that serves, not of Prefect's database
    served = Served.read(Path(os.environ[SERVED_VARIABLE]))
    started = offered_by(Path(served.runs), _myself())
    if started is not None:
        logger.info("taking up following %s", started.root)
        return follow_night(started)
    folder = prepare(served, parameters)
    logger.info("run folder: %s", folder.root)
    _take_the_name_of(folder)
    offer_start(folder, served)
    return follow_night(folder)


TASKS: TaskRunner[Any] = ThreadPoolTaskRunner(max_workers=4)
# Not a decorator: a function that can be found by its own name is sent to the flow's process as
# that name, and not in pieces that lack the types of its parameters.
night = flow(name="night", task_runner=TASKS, retries=0, log_prints=False)(conduct_night)


def follow_night(folder: RunFolder) -> str:
    """The part of the flow after the start; what another process follows already, it waits for."""
    while True:
        try:
            with following(folder):
                return _follow_night(folder)
        except AlreadyFollowed:
            time.sleep(LOOK_EVERY_S)


def _follow_night(folder: RunFolder) -> str:
    logger = get_run_logger()
    plan = read_plan(folder)
    steps = NightSteps.of(folder, plan)
    captures, by = CaptureTeller(folder, plan), folder.plan_in_force
    work: dict[str, PrefectFuture[Any]] = {}
    done: set[str] = set()

    def submit(name: str, future: PrefectFuture[Any]) -> PrefectFuture[Any]:
        # Not its `state`: that asks the server, and waits as long as its database is locked.
        future.add_done_callback(lambda _: done.add(name))
        return future

    def begin(ended: bool) -> None:
        nonlocal captures, by, plan
        for step in steps.now_possible(ended=ended):
            work[step.name] = submit(step.name, measure.submit(step))
        if by != folder.plan_in_force:
            by, plan = folder.plan_in_force, read_plan(folder)
            captures = CaptureTeller(folder, plan)
        captures.look(done & set(work))

    followed = 0
    try:
        # Counted, as an amendment gives those to come other names, or other phases.
        while followed < len(plan.phases):
            span = plan.phases[followed]
            following = submit(f"phase {followed}", follow_phase.submit(folder, span.name))
            while f"phase {followed}" not in done:
                begin(ended=False)
                time.sleep(LOOK_EVERY_S)
            if following.result()["condition"] == DIED:
                break
            followed += 1
        begin(ended=True)
        for future in work.values():
            future.wait()
        for step in steps.at_the_end():
            work[step.name] = conclude.submit(step)
            work[step.name].wait()
    finally:
        processes_here().close()
    failed = [name for name, future in work.items() if not future.state.is_completed()]
    if failed:
        logger.warning(
            "%d of %d steps could not be done: %s", len(failed), len(work), ", ".join(failed)
        )
    report = str(work[REPORT].result())
    condition = glance(folder).condition
    logger.info("%s; report: %s", condition, report)
    if condition != "finished":
        raise NightEndedEarly(f"the run ended as '{condition}'; its report: {report}")
    return report


def _myself() -> str:
    """This flow run, the same when it is executed again."""
    return f"prefect flow run {flow_run.get_id()}"


def _take_the_name_of(folder: RunFolder) -> None:
    """Let Prefect's page call this flow run as its folder is called."""
    with get_client(sync_client=True) as client:
        client.update_flow_run(UUID(flow_run.get_id()), name=folder.root.name)


def _tell_runner(folder: RunFolder, phase: str) -> None:
    """Write into the journal that the conductor has seen this phase begin."""
    try:
        connect(folder.control).phase(phase, command_id=f"prefect-{flow_run.get_id()}-{phase}")
    except NoRunner:
        return  # it has just ended: the next glance says so
