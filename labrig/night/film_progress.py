"""Which blocks of films are complete, read from the journal beside the living runner."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

from labrig.measure.films import FilmJob
from labrig.night.film_jobs import NEVER, FilmJobs, FilmOutcome
from labrig.plan.film_schedule import block_of
from labrig.plan.plan import Plan
from labrig.plan.timeline import Film
from labrig.record.pulses import KINDS, StimulationRow, delivered_pulses
from labrig.record.recovery import SETTLED
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
        self._journal = folder.journal
        self._plan = plan
        self._jobs = jobs
        self._waiting: dict[str, list[Film]] = {}
        for entry in plan.timeline:
            if isinstance(entry, Film):
                self._waiting.setdefault(block_of(entry), []).append(entry)

    def newly_complete(self, *, ended: bool) -> dict[str, tuple[FilmJob, ...]]:
        """Blocks that became complete since the last call, with a job a film.

        Args:
            ended: the run is over, so nothing more will come.

        Raises:
            sqlite3.DatabaseError: the journal is damaged.
        """
        if self._jobs.rehearsal or not self._waiting or not self._journal.exists():
            return {}
        settled = self._settled()
        ready = [
            block
            for block, films in self._waiting.items()
            if ended or all(film.key in settled for film in films)
        ]
        if not ready:
            return {}
        pulses = delivered_pulses(self._plan, self._stimulation())
        return {
            block: tuple(
                self._jobs.job(film, settled.get(film.key, NEVER), pulses)
                for film in self._waiting.pop(block)
            )
            for block in ready
        }

    def _settled(self) -> dict[str, FilmOutcome]:
        rows = _query(
            self._journal, "SELECT key, state, detail FROM journal WHERE kind = 'film' ORDER BY seq"
        )
        return {
            key: FilmOutcome(state, json.loads(detail))
            for key, state, detail in rows
            if state in SETTLED
        }

    def _stimulation(self) -> list[StimulationRow]:
        rows = _query(
            self._journal,
            "SELECT kind, key, state, run_s, detail FROM journal "
            f"WHERE kind IN {KINDS} ORDER BY seq",
        )
        return [
            StimulationRow(kind, key, state, float(run_s), json.loads(detail))
            for kind, key, state, run_s, detail in rows
        ]


def _query(journal: Path, sql: str) -> list[tuple[Any, ...]]:
    connection = sqlite3.connect(f"{journal.resolve().as_uri()}?mode=ro", uri=True, timeout=5.0)
    try:
        return connection.execute(sql).fetchall()
    except sqlite3.OperationalError as error:
        if "no such table" in str(error):
            return []  # the runner has made the file but not yet its tables
        raise
    finally:
        connection.close()
