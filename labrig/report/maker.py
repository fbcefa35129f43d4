"""Who made a report and when: the labrig of the analysis need not be the one of the run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version


@dataclass(frozen=True, slots=True)
class Maker:
    """The labrig that analysed a run.

    Attributes:
        utc: when, to the second.
    """

    labrig: str
    utc: str


def this_labrig() -> Maker:
    """The one that runs now."""
    return Maker(version("labrig"), datetime.now(UTC).isoformat(timespec="seconds"))
