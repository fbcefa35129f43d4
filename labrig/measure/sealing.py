"""The tables of a run with their SHA-256, in ``measures/manifest.jsonl``, once they are closed.

A line each time that the tables were made: the last one is in force, those before it are the trace
of how often, when and why tables were made again. Lines are chained. Without a key: it shows what
was changed behind labrig's back, and no forgery by somebody who writes every file anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from labrig.locks import wait_lock
from labrig_analysis.settings import MeasureSettings
from labrig_measure.errors import MeasureError
from labrig_measure.settings_file import settings_to_json

MANIFEST = "manifest.jsonl"
START = "0" * 64
"""Stands for the line before the first."""
_CORRECTIONS = "corrections.jsonl"
_REMEDY = (
    "Put it back from a copy, or measure anew (`labrig follow RUN`), which leaves a trace in "
    f"{MANIFEST}"
)


class SealDamaged(MeasureError):
    """The manifest is not as it was written; the message ends with what to do."""


@dataclass(frozen=True, slots=True)
class Seal:
    """The tables as they were when they were closed.

    Attributes:
        run: id of the run.
        why, by: what made the tables, and who asked for it.
        labrig: version that made them.
        settings: measured with, every default spelt out; empty where they were not known.
        tables: SHA-256 by file, relative to ``measures``.
        changed: files that were already not as the line before says when this was made.
        chain: SHA-256 over this line and the chain of the one before.
    """

    number: int
    utc: str
    run: str
    why: str
    by: str
    labrig: str
    settings: Mapping[str, Any]
    tables: Mapping[str, str]
    changed: tuple[str, ...]
    chain: str = ""


def seal(
    measures: Path,
    run: str,
    why: str,
    *,
    settings: MeasureSettings | None = None,
    by: str = "",
    changed: tuple[str, ...] = (),
    now: datetime | None = None,
) -> Seal | None:
    """List the tables as they are now; None where there are none, or they are as listed.

    Args:
        measures: the run's folder of them.
        run: its id.
        why: what made the tables.
        settings: measured with; those of the line before when None.
        by: who asked for it.
        changed: :func:`changed_tables` before that work began, so that it hides nothing.
        now: the time to write down; the clock's when None.

    Raises:
        SealDamaged: the manifest was edited; it is left alone.
        OSError: the disk refuses.
    """
    tables = _tables(measures)
    if not tables:
        return None
    path = measures / MANIFEST
    with path.open("a+", encoding="utf-8", newline="") as stream:
        wait_lock(stream)
        lines = read_seals(path)
        last = lines[-1] if lines else None
        if last is not None and last.tables == tables and not changed:
            return None
        inherited = last.settings if last is not None else {}
        line = Seal(
            number=len(lines),
            utc=(now or datetime.now(UTC)).astimezone(UTC).isoformat(timespec="seconds"),
            run=run,
            why=why,
            by=by,
            labrig=version("labrig"),
            settings=inherited if settings is None else settings_to_json(settings),
            tables=tables,
            changed=changed,
        )
        line = replace(line, chain=_chain(line, last.chain if last is not None else START))
        stream.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())
    return line


def read_seals(path: Path) -> tuple[Seal, ...]:
    """All lines of a manifest, oldest first; none where there is none.

    Raises:
        SealDamaged: a line is none, is out of its number, or does not fit the one before.
    """
    if not path.exists():
        return ()
    lines: list[Seal] = []
    try:
        for text in path.read_text(encoding="utf-8").splitlines():
            raw = json.loads(text)
            line = Seal(**{**raw, "changed": tuple(raw["changed"])})
            before = lines[-1].chain if lines else START
            if line.number != len(lines) or line.chain != _chain(line, before):
                raise ValueError("its hash or its number does not fit the line before")
            lines.append(line)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SealDamaged(
            f"{path}, line {len(lines) + 1}: it was edited by hand ({error}). {_REMEDY}"
        ) from None
    return tuple(lines)


def changed_tables(measures: Path) -> tuple[str, ...]:
    """Tables that are not as their manifest says; none where there is no manifest.

    Raises:
        SealDamaged: the manifest itself was edited.
    """
    lines = read_seals(measures / MANIFEST)
    if not lines:
        return ()
    said, there = lines[-1].tables, _tables(measures)
    return tuple(sorted(n for n in {*said, *there} if said.get(n) != there.get(n)))


def differences(measures: Path) -> tuple[str, ...]:
    """In words, what of :func:`changed_tables` became of each, and what to do."""
    lines, there = read_seals(measures / MANIFEST), _tables(measures)
    found = []
    for name in changed_tables(measures):
        if name not in there:
            what = "is gone, though it was there"
        elif name not in lines[-1].tables:
            what = "was not there"
        else:
            what = "is another than it was"
        found.append(f"measures/{name} {what} when the tables were closed. {_REMEDY}")
    return tuple(found)


def _tables(measures: Path) -> dict[str, str]:
    """SHA-256 by name of all tables and of the record of corrections."""
    if not measures.is_dir():
        return {}
    files = [*measures.glob("*.csv"), *measures.glob("reviewed/*.csv"), measures / _CORRECTIONS]
    return {
        file.relative_to(measures).as_posix(): _sha256(file)
        for file in sorted(files)
        if file.exists()
    }


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _chain(line: Seal, before: str) -> str:
    said = json.dumps(
        {**asdict(line), "chain": before}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(said.encode()).hexdigest()


def run_of(measures: Path) -> str | None:
    """Id of the run whose tables lie in this folder; None where it is that of no run."""
    identity = measures.absolute().parent / "run.json"
    if measures.name != "measures" or not identity.exists():
        return None
    return str(json.loads(identity.read_text(encoding="utf-8"))["id"])


@contextmanager
def sealed_again(
    measures: Path, why: str, by: str = "", settings: MeasureSettings | None = None
) -> Iterator[None]:
    """Around work that makes tables of a run anew: they are listed again, and the work remembered.

    Elsewhere than in a run's ``measures`` nothing is listed.

    Raises:
        SealDamaged: before anything is done, when the manifest was edited.
        OSError: the disk refuses.
    """
    run = run_of(measures)
    if run is None:
        yield
        return
    changed = changed_tables(measures)
    try:
        yield
    finally:
        seal(measures, run, why, settings=settings, by=by, changed=changed)
