"""What people corrected by hand in a run's labels, as the page tells it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from labrig.measure.review import LOG


@dataclass(frozen=True, slots=True)
class Corrected:
    """One corrected label image.

    Attributes:
        utc: when, to the minute.
        frame: as its overlay is called.
        objects: ``tubes`` or ``nuclei``.
        before, after: how many there were and are.
    """

    utc: str
    by: str
    why: str
    frame: str
    objects: str
    before: int
    after: int
    changed_px: int


def read_corrections(measures: Path, absent: list[str]) -> tuple[Corrected, ...]:
    """All corrections of a run, in the order in which they were made.

    Args:
        measures: the run's folder of them.
        absent: what cannot be read is said here.
    """
    path = measures / LOG
    if not path.exists():
        return ()
    found = []
    for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            found.append(
                Corrected(
                    str(line["at"])[:16].replace("T", " "), str(line["by"]), str(line["why"]),
                    str(line["field"]), str(line["objects"]), int(line["before"]),
                    int(line["after"]), int(line["changed_px"]),
                )
            )  # fmt: skip
        except (ValueError, KeyError, TypeError):
            absent.append(f"measures/{LOG}, line {number}, is no correction")
    return tuple(found)
