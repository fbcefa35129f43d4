"""Every commitment made in a folder of protocols, in ``commitments.jsonl`` beside them.

A line each, numbered, chained, only ever appended to: whoever deletes a commitment and commits
again leaves both. It is on the computer of those whom it binds and has no key, so it shows haste
and mistakes, and no forgery by somebody who writes every file anew.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from labrig.locks import wait_lock

LAB_LOG = "commitments.jsonl"
START = "0" * 64
"""Stands for the line before the first."""


class LabLogDamaged(Exception):
    """The log is not as it was written; the message says where and ends with what to do."""


@dataclass(frozen=True, slots=True)
class Line:
    """One commitment.

    Attributes:
        number: in this log, from 0.
        protocol, file: the protocol's name, and that of its file.
        entry: the commitment's own number, which goes on where a deleted one ended.
        names, reason, sha256: as in the commitment.
        entry_chain: the commitment's own chain; "" where it is that of an older labrig, which wrote
            no log.
        chain: SHA-256 over this line and the chain of the one before.
    """

    number: int
    utc: str
    protocol: str
    file: str
    entry: int
    names: tuple[str, ...]
    reason: str
    sha256: str
    entry_chain: str
    chain: str = ""


def read_lab_log(path: Path) -> tuple[Line, ...]:
    """All lines, oldest first; none where there is no log.

    Raises:
        LabLogDamaged: a line is none, is out of its number, or does not fit the one before.
    """
    if not path.exists():
        return ()
    lines: list[Line] = []
    try:
        texts = path.read_text(encoding="utf-8").splitlines()
        for text in texts:
            raw = json.loads(text)
            line = Line(**{**raw, "names": tuple(raw["names"])})
            before = lines[-1].chain if lines else START
            if line.number != len(lines) or line.chain != _chain(line, before):
                raise ValueError("its hash or its number does not fit the line before")
            lines.append(line)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabLogDamaged(
            f"{path}, line {len(lines) + 1}: it was edited, lost, or put in by hand ({error}). "
            "Restore the file from a copy"
        ) from None
    return tuple(lines)


def last_chain(lines: Sequence[Line]) -> str:
    """What the next line is chained to."""
    return lines[-1].chain if lines else START


def of_protocol(lines: Sequence[Line], protocol: str, file: str) -> tuple[Line, ...]:
    """Lines about a protocol of this name, or about a file of this name."""
    return tuple(line for line in lines if line.protocol == protocol or line.file == file)


def append_line(path: Path, line: Line, before: str) -> None:
    """Put a line at the end.

    Args:
        path: the log, made when missing.
        line: its ``number`` and ``chain`` are set here.
        before: the chain that the log is known to end with.

    Raises:
        LabLogDamaged: it ends otherwise by now, or was damaged.
        OSError: it cannot be written.
    """
    with path.open("a+", encoding="utf-8", newline="") as stream:
        wait_lock(stream)
        lines = read_lab_log(path)
        if last_chain(lines) != before:
            raise LabLogDamaged(f"{path} was written by somebody else meanwhile. Commit again")
        line = replace(line, number=len(lines))
        line = replace(line, chain=_chain(line, before))
        stream.write(json.dumps(asdict(line), ensure_ascii=False) + "\n")
        stream.flush()
        os.fsync(stream.fileno())


def _chain(line: Line, before: str) -> str:
    said = json.dumps(
        {**asdict(line), "chain": before}, sort_keys=True, separators=(",", ":"), ensure_ascii=False
    )
    return hashlib.sha256(said.encode()).hexdigest()
