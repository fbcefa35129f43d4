"""The steps of a night, listed once: `labrig run` and the Prefect flow carry out the same ones.

What is to be done besides (an export, an upload) is one more step here, and nothing elsewhere.
A step can be pickled and done on any machine that sees the run folder.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

from labrig.durable import read_json
from labrig.frames.manifest import write_manifest
from labrig.night.film_jobs import FilmJobs
from labrig.night.film_progress import FilmProgress
from labrig.night.measuring import RoundMeasurer
from labrig.night.plate_completion import complete_plate
from labrig.night.progress import NoPictures, Progress
from labrig.plan.plan import Plan
from labrig.plan.store import read_plan
from labrig.record.clock_of_run import clock_of_run, taken_s
from labrig.record.reading import rows_of_kinds
from labrig.record.rows import Row
from labrig.run_folder import RunFolder

REPORT = "report"
COMPLETE = "completeness"


@dataclass(frozen=True, slots=True)
class Step:
    """A piece of a night's work.

    Attributes:
        kind: ``round`` and ``films`` take a process of their own; ``end`` comes after all of them.
        name: as a person knows it; unique in a night.
        work: does it, and may be done twice.
    """

    kind: Literal["round", "films", "end"]
    name: str
    work: Callable[[], object]


class NightSteps:
    """What is to be done with a run, as it becomes possible.

    Args:
        folder: the run.
        rounds, films: how far they have come.
        measurer: of the run.
    """

    def __init__(
        self,
        folder: RunFolder,
        rounds: Progress | NoPictures,
        films: FilmProgress,
        measurer: RoundMeasurer,
    ) -> None:
        self._folder = folder
        self._rounds = rounds
        self._films = films
        self._measurer = measurer
        self._plan = folder.plan_in_force
        self._told: set[str] = set()

    @classmethod
    def of(cls, folder: RunFolder, plan: Plan) -> NightSteps:
        """The steps of a run.

        Raises:
            labrig.problems.FileProblems: the run's protocol or rig cannot be read.
        """
        return cls(folder, *_progress(folder, plan), RoundMeasurer.of(folder))

    def now_possible(self, *, ended: bool) -> tuple[Step, ...]:
        """Steps that became possible since the last call, in any order and side by side.

        Args:
            ended: the run is over, so nothing more will come.

        Raises:
            labrig.record.rows.JournalError: the journal cannot be read or trusted.
        """
        if self._plan != self._folder.plan_in_force:
            self._plan_anew()
        measurer = self._measurer
        rounds = [
            Step("round", f"round {number}", partial(measurer.measure, self._rounds.taken(number)))
            for number in self._rounds.newly_complete(ended=ended)
        ]
        films = [
            Step("films", block, partial(measurer.measure_films, jobs))
            for block, jobs in self._films.newly_complete(ended=ended).items()
        ]
        fresh = [step for step in (*rounds, *films) if step.name not in self._told]
        self._told |= {step.name for step in fresh}
        return tuple(fresh)

    def _plan_anew(self) -> None:
        """The protocol was amended: other pictures are to come; those that were stay done."""
        self._plan = self._folder.plan_in_force
        self._rounds, self._films = _progress(self._folder, read_plan(self._folder))

    def at_the_end(self) -> tuple[Step, ...]:
        """Steps once all those are done, one after the other, also where some have failed."""
        return (
            Step("end", "tables: judging of pictures, following of tubes", self._measurer.close),
            Step("end", "pictures: labels and times", partial(complete_plate, self._folder)),
            Step("end", REPORT, partial(write_report, self._folder)),
            Step("end", COMPLETE, partial(stamp_or_say, self._folder)),
        )


def _progress(folder: RunFolder, plan: Plan) -> tuple[Progress | NoPictures, FilmProgress]:
    jobs = FilmJobs.of(folder, plan)
    rounds = NoPictures() if jobs.rehearsal else Progress(folder, plan)
    return rounds, FilmProgress(folder, plan, jobs)


class Incomplete(Exception):
    """Something that was expected of a run is neither there nor accounted for."""


def stamp_or_say(folder: RunFolder) -> None:
    """Stamp a run of which everything is there or accounted for.

    Raises:
        Incomplete: what is not, so that it is told among what could not be done.
        labrig.record.rows.JournalError, OSError: nobody can say.
    """
    from labrig.night.completing import stamp, stands

    if not stands(folder) and (lacking := stamp(folder)):
        raise Incomplete("; ".join(lacking))


def write_report(folder: RunFolder) -> Path:
    """Write the frame table and the report of a run that has ended; returns the page.

    What was read for it also tells whether everything is there: it is stamped at once, and
    :func:`stamp_or_say` finds it so.

    Raises:
        labrig.record.rows.JournalError: the journal cannot be trusted.
        OSError: a file cannot be written.
    """
    from labrig.night.completing import stamp_by
    from labrig.report.analysis import analyse
    from labrig.report.build import page_of
    from labrig.report.record import read_record

    write_frame_table(folder)
    record = read_record(folder)
    page = page_of(analyse(record))
    if not record.journal_problem:
        with suppress(OSError):  # whoever stamps after this is told
            stamp_by(folder, record.gist)
    return page


def write_frame_table(folder: RunFolder) -> int:
    """Write ``images/frames.csv`` from the journal; returns its number of rows."""
    rows = rows_of_kinds(folder.journal, ("run", "frame", "film"))
    return write_manifest(folder.manifest, _taken(rows, read_json(folder.identity)))


def _taken(rows: Iterable[Row], identity: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Cells of each picture and film. The start, which tells the clock, comes before them all."""
    clock = clock_of_run((), identity)
    for row in rows:
        if row.kind == "run":
            clock = clock if clock.began is not None else clock_of_run((row,), identity)
        elif row.state == "confirmed":
            yield {"key": row.key, **row.detail, **clock.cells(taken_s(row.detail))}
