"""Whether a night may begin by itself: after a stop, only once a person says the bench is ready.

What a schedule offers was wanted before anybody knew how the last night would end.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from labrig.durable import read_json, write_json
from labrig.run_folder import RunFolder, is_rehearsal

READY_FILE = "bench-ready.json"


@dataclass(frozen=True, slots=True)
class LastEnd:
    """How and when the last run on a bench ended.

    Attributes:
        name: of the run.
        condition: ``finished``, ``stopped`` or ``failed``.
        at: by the clock on the wall, whatever time a simulated run had reached.
    """

    name: str
    condition: str
    at: datetime


def last_end(runs: Path, *, simulated: bool) -> LastEnd | None:
    """The end of the run that ended last on this kind of bench; rehearsals touch none.

    Raises:
        OSError, ValueError: the files of a run are damaged.
    """
    last: LastEnd | None = None
    for path in runs.glob("*/outcome.json"):
        at = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        identity = read_json(RunFolder(path.parent).identity)
        here = identity["simulated"] is simulated and not is_rehearsal(identity)
        if here and (last is None or at > last.at):
            last = LastEnd(path.parent.name, read_json(path)["condition"], at)
    return last


def say_ready(runs: Path, by: str) -> None:
    """Write down that a person has looked at the bench, and nights may begin by themselves again.

    Raises:
        OSError: the disk refuses.
    """
    write_json(runs / READY_FILE, {"said_utc": datetime.now(UTC).isoformat(), "by": by})


def reason_to_wait(runs: Path, *, simulated: bool) -> str:
    """Why no start may be accepted now, or empty.

    Raises:
        OSError, ValueError: a file is damaged.
    """
    last = last_end(runs, simulated=simulated)
    if last is None or last.condition == "finished":
        return ""
    said = runs / READY_FILE
    if said.exists() and datetime.fromisoformat(read_json(said)["said_utc"]) > last.at:
        return ""
    return (
        f"{last.name} ended as '{last.condition}' at {_local(last.at)}, and nobody has said since "
        f"that the bench is ready: see to it, then `labrig ready --runs {runs}`"
    )


def reason_against_due(due: datetime, runs: Path, *, simulated: bool) -> str:
    """Why a start that was due at this time is not wanted any more, or empty.

    Args:
        due: with time zone.
        runs: the folder of runs.
        simulated: on which kind of bench it is to be.

    Raises:
        OSError, ValueError: a file is damaged.
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
