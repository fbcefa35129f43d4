"""What a running protocol was amended to, by whom and why; are its plans as journalled?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from labrig.record.kinds.runs import RunAmended, RunReplanned
from labrig.record.origin import file_sha256
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.run_folder import RunFolder

_BACK = "Put it back from a copy of the run"


@dataclass(frozen=True, slots=True)
class AmendmentShown:
    """One amendment.

    Attributes:
        at_s: when it was accepted, on the run's clock.
        in_force: whether the run came to its boundary.
    """

    at_s: float
    said: RunAmended
    in_force: bool


def amendments_shown(rows: Sequence[Row]) -> tuple[AmendmentShown, ...]:
    """Every amendment, in order."""
    told = [(row, said(row)) for row in rows if row.kind == "run"]
    reached = {one.number for _, one in told if isinstance(one, RunReplanned)}
    return tuple(
        AmendmentShown(row.run_s, one, one.number in reached)
        for row, one in told
        if isinstance(one, RunAmended)
    )


def faults_of_amendments(folder: RunFolder, rows: Sequence[Row]) -> Iterator[str]:
    """Which plan or protocol of an amendment is not the one that the journal names."""
    known = {shown.said.number: shown.said for shown in amendments_shown(rows)}
    before = file_sha256(folder.plan)
    for number, amended in sorted(known.items()):
        if amended.before_sha256 != before:
            yield f"amendment {number} was made from another plan than plan {number - 1}. {_BACK}"
        for path, sha256 in (
            (folder.amended_plan(number), amended.plan_sha256),
            (folder.amended_protocol(number), amended.protocol_sha256),
        ):
            if file_sha256(path) != sha256:
                what = "was changed after it was accepted" if path.exists() else "is gone"
                yield f"{path.name} {what}, by its SHA-256 in the journal. {_BACK}"
        before = amended.plan_sha256
    for path in folder.amended_plans if rows else ():
        if int(path.stem.rpartition("-")[2]) not in known:
            yield (
                f"{path.name} belongs to no amendment that the journal tells of: it was put here, "
                "or the journal was put back. Take it away"
            )
