"""Whether an arm's loss may be one of cells, by what the units' own guards saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from labrig.report.verdict import UnitVerdict


@dataclass(frozen=True, slots=True)
class Guard:
    """How the cells of an arm fared.

    Attributes:
        state: ``lost`` keeps the arm out of every class, ``unknown`` out of one that claims a loss.
        said: what was seen; "" where nothing is to be said.
    """

    state: Literal["kept", "lost", "unknown"]
    said: str


def guard_of(units: Sequence[UnitVerdict]) -> Guard:
    """The guard of an arm from its units: lost where half of them lost, or gained, cells [P]."""
    harmed = [unit for unit in units if unit.label == "cytotoxic/confounded"]
    if harmed and 2 * len(harmed) >= len(units):
        return Guard("lost", f"{len(harmed)} of {len(units)} units: {harmed[0].reasons[0]}")
    if not any(a.v is not None and a.a is not None for unit in units for a in unit.assessments):
        return Guard("unknown", "nuclei and tube area were not both measured after treatment began")
    if harmed:
        names = ", ".join(unit.unit.name for unit in harmed)
        return Guard("kept", f"of its {len(units)} units, {names} lost or gained cells")
    return Guard("kept", "")


def failed_donors(units: Sequence[UnitVerdict]) -> tuple[str, ...]:
    """Donors whose control lost its own cells."""
    return tuple(dict.fromkeys(unit.unit.donor for unit in units if unit.control_failed))
