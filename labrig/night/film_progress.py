"""Which blocks of films are complete, read from the journal beside the living runner."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.measure.films import FilmJob
from labrig.measure.junction_films import JunctionJob
from labrig.night.film_jobs import NEVER, FilmJobs, NotTaken
from labrig.plan.film_schedule import block_of
from labrig.plan.plan import Plan
from labrig.plan.timeline import Film, StimulationLevel
from labrig.record.entry_states import SETTLED
from labrig.record.kinds.levels import NotDone, StimulationConfirmed
from labrig.record.kinds.pictures import FilmTaken, PictureMissed
from labrig.record.pulses import KINDS, PulseFold
from labrig.record.reading import NewRows
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.run_folder import RunFolder


class FilmProgress:
    """Blocks of films as they become complete, and the work of measuring them.

    A block is complete when each of its films was taken or given up, and every block once the run
    has ended: of a block that was never filmed each film says why. A rehearsal has no films to
    measure, however far it came.

    Args:
        folder: the run.
        plan: its compiled plan.
        jobs: makes the work.
    """

    def __init__(self, folder: RunFolder, plan: Plan, jobs: FilmJobs) -> None:
        self._journal = NewRows(folder.journal)
        self._settled: dict[str, FilmTaken | NotTaken] = {}
        self._pulses = PulseFold(plan)
        self._levels = {e.key: e for e in plan.timeline if isinstance(e, StimulationLevel)}
        self._resolved_v: dict[tuple[str, str], float] = {}
        self._jobs = jobs
        self._waiting: dict[str, list[Film]] = {}
        for entry in plan.timeline:
            if isinstance(entry, Film):
                self._waiting.setdefault(block_of(entry), []).append(entry)

    def newly_complete(self, *, ended: bool) -> dict[str, tuple[FilmJob | JunctionJob, ...]]:
        """Blocks that became complete since the last call, with a job a film.

        Args:
            ended: the run is over, so nothing more will come.

        Raises:
            labrig.record.rows.JournalError: the journal cannot be read or trusted.
        """
        if self._jobs.rehearsal or not self._waiting:
            return {}
        self._read()
        settled = self._settled
        ready = [
            block
            for block, films in self._waiting.items()
            if ended or all(film.key in settled for film in films)
        ]
        if not ready:
            return {}
        pulses = self._pulses.channels
        return {
            block: tuple(
                self._jobs.job(film, settled.get(film.key, NEVER), pulses, self._resolved_v)
                for film in self._waiting.pop(block)
            )
            for block in ready
        }

    def _read(self) -> None:
        for row in self._journal.read(("film", *KINDS)):
            if row.kind != "film":
                told = said(row)
                self._pulses.see(row, told)
                if isinstance(told, StimulationConfirmed) and told.resolved_v:
                    self._see_resolved(row.key, told.resolved_v)
            elif row.state in SETTLED:
                self._settled[row.key] = _outcome_of(row)

    def _see_resolved(self, level: str, resolved_v: Mapping[str, float | None]) -> None:
        """What amplitudes in % of capture came to."""
        for spec in self._levels[level].trains if level in self._levels else ():
            volts = resolved_v.get(str(spec.channel))
            if volts is not None:
                unit = f"{self._levels[level].instrument}:{spec.channel}"
                self._resolved_v[spec.pattern, unit] = volts


def _outcome_of(row: Row) -> FilmTaken | NotTaken:
    match said(row):
        case FilmTaken() as taken:
            return taken
        case PictureMissed(reason=reason) | NotDone(reason=reason):
            return NotTaken(reason or row.state)
        case _:
            return NotTaken(row.state)
