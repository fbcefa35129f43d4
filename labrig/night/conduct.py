"""Conducts a night without Prefect: follow the runner, and do each step when it is possible."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from labrig.night.capturing import CaptureTeller
from labrig.night.followed import following
from labrig.night.following import Glance, Patience, glance
from labrig.night.processes import processes_here
from labrig.night.steps import REPORT, NightSteps, Step
from labrig.plan.store import read_plan
from labrig.run_folder import RunFolder

LOOK_EVERY_S = 0.25
"""[P] What has just ended is seen so soon."""
ASK_EVERY_S = 1.0
"""[P] So often a runner that lives is asked how it stands: each answer costs it a little."""
Watch = Callable[[Glance, int, int], None]


@dataclass(frozen=True, slots=True)
class NightResult:
    """What came of a night.

    Attributes:
        condition: how the run ended.
        report: the page to open.
        rounds_measured: how many were.
        failed: names of steps (`labrig.night.steps`) that could not be done, and why: what could
            not be measured is said, not hidden.
        why: in words, why the run is not simply finished.
    """

    condition: str
    report: Path
    rounds_measured: int
    failed: tuple[tuple[str, str], ...]
    why: tuple[str, ...] = ()


def conduct(folder: RunFolder, child: subprocess.Popen[bytes] | None, watch: Watch) -> NightResult:
    """Follow a run to its end, measure its rounds as they come, and write the report.

    Args:
        folder: the run.
        child: its runner when started here, else None.
        watch: called at every look with the glance, rounds measured and rounds in work.

    Raises:
        AlreadyFollowed: another process does.
        OSError: tables or report cannot be written.
    """
    with following(folder):
        return _conduct(folder, child, watch)


def _conduct(folder: RunFolder, child: subprocess.Popen[bytes] | None, watch: Watch) -> NightResult:
    plan, patience = read_plan(folder), Patience()
    steps, processes = NightSteps.of(folder, plan), processes_here()
    captures, by = CaptureTeller(folder, plan), folder.plan_in_force
    work: list[tuple[Step, Future[object]]] = []
    try:
        while True:
            # looked at before the journal is read, so that nothing comes after the last reading
            seen = glance(folder, child)
            over = seen.ended or patience.is_over(seen)
            for step in steps.now_possible(ended=over):
                work.append((step, processes.submit(step.work)))
            if by != folder.plan_in_force:
                captures, by = CaptureTeller(folder, read_plan(folder)), folder.plan_in_force
            captures.look({step.name for step, future in work if future.done()})
            rounds = [future.done() for step, future in work if step.kind == "round"]
            watch(seen, sum(rounds), len(rounds) - sum(rounds))
            if over and all(future.done() for _, future in work):
                break
            _pause(child)
        for step in steps.at_the_end():
            work.append((step, _settled(step.work)))
    finally:
        processes.close()
    report = next(future for step, future in work if step.name == REPORT)
    return NightResult(
        condition=seen.condition,
        report=Path(str(report.result())),
        rounds_measured=sum(s.kind == "round" and not future.exception() for s, future in work),
        failed=tuple(
            (step.name, f"{type(error).__name__}: {error}")
            for step, future in work
            if (error := future.exception()) is not None
        ),
        why=seen.why,
    )


def _pause(child: subprocess.Popen[bytes] | None) -> None:
    """Until it is time to look again, or at once when the runner has ended."""
    if child is None or child.poll() is not None:
        time.sleep(LOOK_EVERY_S)
        return
    with suppress(subprocess.TimeoutExpired):
        child.wait(ASK_EVERY_S)


def _settled(work: Callable[[], object]) -> Future[object]:
    """Work done here and now; whatever goes wrong is told, and keeps nothing after it from being.

    What is worked out at the end is told beside the report, which must be made.
    """
    future: Future[object] = Future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future
