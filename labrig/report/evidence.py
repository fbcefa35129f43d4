"""Pictures, films, ledger and outcome of a run, held against its journal."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from labrig.durable import DamagedFile, read_json
from labrig.record.completeness import completeness, lacking
from labrig.record.conclusion import concluded_of
from labrig.record.gist import Gist
from labrig.record.kinds.pictures import FilmTaken, FrameTaken
from labrig.record.ledger import ledger_json
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.run_folder import RunFolder

_MOST_NAMED = 5
_BACK = "Put it back from a copy"


def faults_of_pictures(folder: RunFolder, rows: Iterable[Row]) -> Iterator[str]:
    """Every picture and film that a row tells of must lie there, byte by byte as it was stored."""
    gone, other = [], []
    for row in rows:
        if row.kind not in ("frame", "film") or row.state != "confirmed":
            continue
        taken = said(row)
        if not isinstance(taken, FrameTaken | FilmTaken):
            continue
        path = stored_at(folder, taken.stored.path)
        if not path.is_file():
            gone.append((row, path))
        elif _sha256(path) != taken.stored.sha256:
            other.append((row, path))
    yield from _told(folder, gone, "is not there")
    yield from _told(folder, other, "is another than the one that was stored")


def stored_at(folder: RunFolder, path: str) -> Path:
    """Where a picture or film lies; rows tell it from the folder of the plate or of the films."""
    beside_plate = folder.plate.parent / path
    return beside_plate if path.startswith(f"{folder.plate.name}/") else folder.root / path


def faults_of_ledger(folder: RunFolder, gist: Gist) -> Iterator[str]:
    """Ledger and outcome follow from the journal: made again, they must say the same."""
    if gist.words.ended_s is None:
        return
    if not folder.outcome.exists() and not folder.ledger.exists():
        return  # its runner died after its last row: nothing of it was written yet
    outcome, ledger = concluded_of(gist)
    said_of_it = _read(folder.outcome)
    if said_of_it is None:
        yield f"{folder.outcome} cannot be read: `labrig status` on the run folder writes it anew"
    elif said_of_it.get("condition") != outcome.condition:
        yield (
            f"{folder.outcome} says {said_of_it.get('condition')!r}; by the journal the run is "
            f"{outcome.condition!r}. {_BACK}"
        )
    if ledger is None:
        return
    there = _read(folder.ledger)
    if there is None:
        yield f"{folder.ledger} is not there or cannot be read. {_BACK}"
        return
    until_s = there.get("until_s")
    if isinstance(until_s, int | float) and until_s > ledger.until_s:
        # Made again when a reservoir was weighed, later than the run ended.
        ledger = gist.ledger(float(until_s))
    made = json.loads(json.dumps(ledger_json(ledger)))
    if (place := _first_difference(made, there)) is not None:
        yield (
            f"{folder.ledger}: {place} is not what follows from the journal: it was edited, or "
            f"another version of labrig made it. {_BACK}"
        )


def notes_on_completeness(folder: RunFolder, gist: Gist) -> Iterator[str]:
    """What is not accounted for, and whether the stamp is there."""
    if gist.words.ended_s is None:
        yield "the run has not ended: it bears no stamp of completeness"
        return
    if not folder.outcome.exists() and not folder.ledger.exists():
        yield "how it ended is not written yet: `labrig status` on the run folder does so"
    gaps = lacking(completeness(gist.plan, gist.words))
    for gap in gaps:
        yield f"not accounted for: {gap}"
    if not folder.complete.exists() and not gaps:
        yield (
            "the run bears no stamp of completeness (complete.json): its report was not made, or "
            "something of it is not there; `labrig report` says what"
        )


def faults_of_stamp(folder: RunFolder) -> Iterator[str]:
    """What the stamp vouches for must be as it was."""
    if not folder.complete.exists():
        return
    stamp = _read(folder.complete)
    if stamp is None:
        yield f"{folder.complete} cannot be read. {_BACK}"
        return
    if not folder.outcome.is_file() or _sha256(folder.outcome) != stamp.get("outcome_sha256"):
        yield f"{folder.outcome} is another than the one that complete.json tells of. {_BACK}"


def _told(folder: RunFolder, found: Sequence[tuple[Row, Path]], what: str) -> Iterator[str]:
    for row, path in found[:_MOST_NAMED]:
        yield (
            f"{path.relative_to(folder.root)} {what} (row {row.seq} of the journal, {row.key}). "
            f"{_BACK}"
        )
    if len(found) > _MOST_NAMED:
        yield f"{len(found) - _MOST_NAMED} more pictures: each {what}"


def _read(path: Path) -> dict[str, Any] | None:
    try:
        return dict(read_json(path))
    except (OSError, DamagedFile, TypeError, ValueError):
        return None


def _first_difference(one: Any, other: Any, place: str = "") -> str | None:  # noqa: ANN401 - JSON
    """Where two documents differ first, as ``pumps[3].believed_ul``."""
    if one == other:
        return None  # most are, and this is quick where millions of numbers are compared
    if isinstance(one, dict) and isinstance(other, dict):
        for key in one | other:
            here = f"{place}.{key}".lstrip(".")
            if key not in one or key not in other:
                return here
            if (found := _first_difference(one[key], other[key], here)) is not None:
                return found
        return None
    if isinstance(one, list) and isinstance(other, list):
        for index, (a, b) in enumerate(zip(one, other, strict=False)):
            if (found := _first_difference(a, b, f"{place}[{index}]")) is not None:
                return found
        return None if len(one) == len(other) else f"the length of {place}"
    if isinstance(one, int | float) and isinstance(other, int | float):
        same = one == other or abs(one - other) <= 1e-9 * max(abs(one), abs(other))
        return None if same else place
    return None if one == other else place


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
