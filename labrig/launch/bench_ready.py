"""Whether a night may begin by itself: after a stop, only once a person says the bench is ready.

What a schedule offers was wanted before anybody knew how the last night would end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import read_json, write_json
from labrig.record.rows import JournalError
from labrig.record.vocabulary import DIED
from labrig.run.runner import previous_state
from labrig.run_folder import RunFolder, is_rehearsal

READY_FILE = "bench-ready.json"


@dataclass(frozen=True, slots=True)
class LastEnd:
    """How and when the last run on a bench ended.

    Attributes:
        name: of the run.
        condition: ``finished``, ``stopped``, ``failed``, or ``died`` when it never ended.
        at: by the clock on the wall, whatever time a simulated run had reached.
    """

    name: str
    condition: str
    at: datetime


def last_end(runs: Path, *, simulated: bool) -> LastEnd | None:
    """The end of the run that ended last on this kind of bench; rehearsals touch none.

    Call it when no runner lives: a run without an outcome has died.

    Raises:
        OSError, ValueError, KeyError: the files of a run are damaged.
    """
    ends: list[tuple[datetime, RunFolder]] = []
    for path in runs.glob("*/journal.sqlite"):
        folder = RunFolder(path.parent)
        identity = read_json(folder.identity)
        if identity["simulated"] is simulated and not is_rehearsal(identity):
            ends.append((_last_written(folder), folder))
    # the latest first: a long journal is read only when it says how the last run ended
    for at, folder in sorted(ends, key=lambda end: end[0], reverse=True):
        condition = _condition(folder)
        if condition is not None:
            return LastEnd(folder.root.name, condition, at)
    return None


def _last_written(folder: RunFolder) -> datetime:
    # what has not been written into the journal's file yet lies beside it
    beside = folder.journal.with_name(folder.journal.name + "-wal")
    written = (
        [folder.outcome]
        if folder.outcome.exists()
        else [p for p in (folder.journal, beside) if p.exists()]
    )
    return datetime.fromtimestamp(max(p.stat().st_mtime for p in written), UTC)


def _condition(folder: RunFolder) -> str | None:
    """How the run ended; None for one that never began."""
    if folder.outcome.exists():
        condition: str = read_json(folder.outcome)["condition"]
        return condition
    try:
        state = previous_state(folder.root)
    except JournalError:
        return DIED  # nobody can tell what stands on the bench
    if state.ended:
        return state.condition
    return DIED if state.begun else None


def say_ready(runs: Path, by: str) -> None:
    """Write down that a person has looked at the bench, and nights may begin by themselves again.

    Raises:
        OSError: the disk refuses.
    """
    write_json(runs / READY_FILE, {"said_utc": datetime.now(UTC).isoformat(), "by": by})


def reason_to_wait(runs: Path, *, simulated: bool) -> str:
    """Why no start may be accepted now, or empty.

    Raises:
        OSError, ValueError, KeyError: a file is damaged.
    """
    last = last_end(runs, simulated=simulated)
    if last is None or last.condition == "finished":
        return ""
    said = runs / READY_FILE
    if said.exists() and datetime.fromisoformat(read_json(said)["said_utc"]) > last.at:
        return ""
    how = (
        "never ended, and was heard of last"
        if last.condition == DIED
        else f"ended as '{last.condition}'"
    )
    return (
        f"{last.name} {how} at {_local(last.at)}, and nobody has said since "
        f"that the bench is ready: see to it, then `labrig ready --runs {runs}`"
    )


def reason_against_due(due: datetime, runs: Path, *, simulated: bool) -> str:
    """Why a start that was due at this time is not wanted any more, or empty.

    Args:
        due: with time zone.
        runs: the folder of runs.
        simulated: on which kind of bench it is to be.

    Raises:
        OSError, ValueError, KeyError: a file is damaged.
    """
    last = last_end(runs, simulated=simulated)
    if last is None or due > last.at:
        return ""
    return (
        f"the start was due at {_local(due)}, before {last.name} ended at {_local(last.at)}: what "
        "stands on the bench now may be something else; start it by hand if it is still wanted"
    )


def _local(when: datetime) -> str:
    return f"{when.astimezone():%Y-%m-%d %H:%M:%S %Z}"
