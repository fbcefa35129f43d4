"""Conducts a night without Prefect: follow the runner, measure each round, write the report."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from labrig.frames.manifest import write_manifest
from labrig.night.film_jobs import FilmJobs
from labrig.night.film_progress import FilmProgress
from labrig.night.followed import following
from labrig.night.following import Glance, Patience, glance
from labrig.night.measuring import MeasuringPool, RoundMeasurer
from labrig.night.progress import Progress
from labrig.plan.store import read_plan
from labrig.record.reading import read_journal
from labrig.run_folder import RunFolder

LOOK_EVERY_S = 0.25
Watch = Callable[[Glance, int, int], None]
Name = TypeVar("Name", int, str)


@dataclass(frozen=True, slots=True)
class NightResult:
    """What came of a night.

    Attributes:
        condition: how the run ended.
        report: the page to open.
        rounds_measured / rounds_failed: a round that could not be measured is said, not hidden.
        films_failed: the same for blocks of films, and for what is worked out at the end.
        why: in words, why the run is not simply finished.
    """

    condition: str
    report: Path
    rounds_measured: int
    rounds_failed: tuple[tuple[int, str], ...]
    films_failed: tuple[tuple[str, str], ...]
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
    progress = Progress(folder, plan)
    films = FilmProgress(folder, plan, FilmJobs.of(folder, plan))
    pool = MeasuringPool(RoundMeasurer.of(folder))
    work: dict[int, Future[dict[str, int]]] = {}
    filmed: dict[str, Future[int]] = {}
    try:
        while True:
            # looked at before the journal is read, so that nothing comes after the last reading
            seen = glance(folder, child)
            over = seen.ended or patience.is_over(seen)
            for number in progress.newly_complete(ended=over):
                work[number] = pool.submit(progress.taken(number))
            for block, jobs in films.newly_complete(ended=over).items():
                filmed[block] = pool.submit_films(jobs)
            done = sum(f.done() for f in work.values())
            watch(seen, done, len(work) - done)
            if over and done == len(work) and all(f.done() for f in filmed.values()):
                break
            time.sleep(LOOK_EVERY_S)
        filmed["judging of pictures, following of tubes"] = _settled(pool.close_measures)
    finally:
        pool.close()
    failed = _failed(work)
    measured = len(work) - len(failed)
    return NightResult(seen.condition, finish(folder), measured, failed, _failed(filmed), seen.why)


def _settled(work: Callable[[], int]) -> Future[int]:
    """Work done here and now; whatever goes wrong is told beside the report, which must be made."""
    future: Future[int] = Future()
    try:
        future.set_result(work())
    except Exception as error:
        future.set_exception(error)
    return future


def _failed(work: Mapping[Name, Future[Any]]) -> tuple[tuple[Name, str], ...]:
    return tuple(
        (name, f"{type(error).__name__}: {error}")
        for name, f in work.items()
        if (error := f.exception()) is not None
    )


def finish(folder: RunFolder) -> Path:
    """Write the frame table and the report of a run that has ended; returns the page.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be trusted.
        OSError: a file cannot be written.
    """
    from labrig.report.build import build_report

    write_frame_table(folder)
    return build_report(folder)


def write_frame_table(folder: RunFolder) -> int:
    """Write ``images/frames.csv`` from the journal; returns its number of rows."""
    rows = (
        {"key": row.key, **row.detail}
        for row in read_journal(folder.journal)
        if row.kind in ("frame", "film") and row.state == "confirmed"
    )
    return write_manifest(folder.manifest, rows)
