"""What a run was started from, for the first row of its journal.

So nothing can be put in place of it later without the journal saying so.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from labrig.durable import read_json
from labrig.record.kinds.runs import Origin, RunStarted

IDENTITY = "run.json"
FILES = (
    IDENTITY, "protocol.yaml", "rig.yaml", "commitment.json", "commitments.jsonl", "plan.json",
    "bench.json", "camera.json", "blinding-key.json",
)  # fmt: skip
"""Of a run folder, none of which changes once a run has begun."""


def started_from(folder: Path, plan: str) -> RunStarted:
    """The first row of a run.

    Args:
        folder: the run folder.
        plan: name of its protocol.

    Raises:
        OSError: a file cannot be read.
        ValueError: ``run.json`` is damaged.
    """
    sha256 = {name: file_sha256(folder / name) for name in FILES}
    origin = None
    if sha256[IDENTITY] is not None:
        identity = read_json(folder / IDENTITY)
        origin = Origin(identity.get("id"), identity.get("commitment"))
    return RunStarted(plan, origin, sha256)


def file_sha256(path: Path) -> str | None:
    """Of the file's bytes; None where there is no file."""
    if not path.exists():
        return None
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
