"""The steps of a night, listed once: `labrig run` and the Prefect flow carry out the same ones.

What is to be done besides (an export, an upload) is one more step here, and nothing elsewhere.
A step can be pickled and done on any machine that sees the run folder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from labrig.durable import read_json
from labrig.frames.manifest import write_manifest
from labrig.night.film_jobs import FilmJobs
from labrig.night.film_progress import FilmProgress
from labrig.night.measuring import RoundMeasurer
from labrig.night.plate_completion import complete_plate
from labrig.night.progress import Progress
from labrig.plan.plan import Plan
from labrig.plan.store import read_plan
from labrig.record.clock_of_run import clock_of_run, taken_s
from labrig.record.reading import rows_of_kinds
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
        self, folder: RunFolder, rounds: Progress, films: FilmProgress, measurer: RoundMeasurer
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
        films = FilmProgress(folder, plan, FilmJobs.of(folder, plan))
        return cls(folder, Progress(folder, plan), films, RoundMeasurer.of(folder))

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
        plan = read_plan(self._folder)
        self._rounds = Progress(self._folder, plan)
        self._films = FilmProgress(self._folder, plan, FilmJobs.of(self._folder, plan))

    def at_the_end(self) -> tuple[Step, ...]:
        """Steps once all those are done, one after the other, also where some have failed."""
        return (
            Step("end", "tables: judging of pictures, following of tubes", self._measurer.close),
            Step("end", "pictures: labels and times", partial(complete_plate, self._folder)),
            Step("end", REPORT, partial(write_report, self._folder)),
            Step("end", COMPLETE, partial(stamp_or_say, self._folder)),
        )


class Incomplete(Exception):
    """Something that was expected of a run is neither there nor accounted for."""


def stamp_or_say(folder: RunFolder) -> None:
    """Stamp a run of which everything is there or accounted for.

    Raises:
        Incomplete: what is not, so that it is told among what could not be done.
        labrig.record.rows.JournalError, OSError: nobody can say.
    """
    from labrig.night.completing import stamp

    if lacking := stamp(folder):
        raise Incomplete("; ".join(lacking))


def write_report(folder: RunFolder) -> Path:
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
    clock = clock_of_run(rows_of_kinds(folder.journal, ("run",)), read_json(folder.identity))
    taken = (
        {"key": row.key, **row.detail, **clock.cells(taken_s(row.detail))}
        for row in rows_of_kinds(folder.journal, ("frame", "film"))
        if row.state == "confirmed"
    )
    return write_manifest(folder.manifest, taken)
