"""What a person should know of a plan before the start."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Severity = Literal["block", "warn", "note"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a person should know before the start.

    Attributes:
        code: stable, greppable, e.g. ``stim.charge-density``; documented in docs/findings.md.
        severity: block (will not start), warn, note.
        where: the path in the protocol or rig, with file and line where known.
        why: the value found, the limit and its basis with its mark [S]/[K]/[P]/[C].
        remedy: what to do.
        overridable: a block that a written reason in the protocol may lift.
    """

    code: str
    severity: Severity
    where: str
    why: str
    remedy: str
    overridable: bool = False
