"""What became of each bolus, folded from its rows in the journal. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from labrig.plan.timeline import Dose
from labrig.record.rows import Row
from labrig.record.vocabulary import Classification

UNDER_WAY: Classification = "under way"


@dataclass(frozen=True, slots=True)
class DoseRecord:
    """One bolus as it came to be.

    Attributes:
        delivered_ul: as its pump believes; None where nobody can say.
        at_most_ul: more than this cannot have come: everything that was sent and of which it is
            not known how little came.
    """

    key: str
    pump: str
    wells: tuple[str, ...]
    factor: str
    at_s: float
    planned_ul: float
    delivered_ul: float | None
    classification: str
    at_most_ul: float


@dataclass(slots=True)
class _Dose:
    """One bolus so far: ``present`` is the part that was sent last, ``earlier`` those before."""

    earlier_ul: float = 0.0
    earlier_most_ul: float = 0.0
    earlier_sent_ul: float = 0.0
    present_most_ul: float = 0.0
    present_sent_ul: float = 0.0
    part: tuple[float, float | None, str] | None = None
    told: tuple[float, float | None, str] | None = None

    def send(self, volume_ul: float) -> None:
        self.earlier_most_ul += self.present_most_ul
        self.earlier_sent_ul += self.present_sent_ul
        self.present_most_ul = self.present_sent_ul = volume_ul

    def nothing_came(self) -> None:
        self.present_most_ul = self.present_sent_ul = 0.0


@dataclass(slots=True)
class DoseFold:
    """Takes the rows of doses in their order."""

    _doses: dict[str, _Dose] = field(default_factory=dict)
    _planned: dict[str, Dose] = field(default_factory=dict)

    def see(self, dose: Dose, row: Row) -> None:
        """One row of kind ``dose``, and the entry of the plan that it is about."""
        known = self._doses.setdefault(dose.key, _Dose())
        self._planned[dose.key] = dose
        detail = row.detail
        classification = detail.get("classification", "unknown")
        if row.state == "sent":
            known.send(detail["volume_ul"])
            known.told = (row.run_s, None, UNDER_WAY)
        elif "left_ul" in detail and classification != "not done":
            _came_in_part(known, dose, row, classification)
        elif row.state in ("confirmed", "unknown") and "delivered_ul" in detail:
            _came(known, row, classification)
        elif row.state != "acknowledged" and known.told is not None:
            # Of what was under way nothing came; an earlier part may have.
            if known.told[2] == UNDER_WAY:
                known.nothing_came()
                known.told = None
            known.told = known.part or known.told

    def records(self) -> tuple[DoseRecord, ...]:
        """Those that came, or may have."""
        return tuple(
            DoseRecord(
                key, dose.instrument, dose.wells, dose.factor, at_s, dose.volume_ul, told_ul,
                classification, known.earlier_most_ul + known.present_most_ul,
            )
            for key, known in self._doses.items()
            if known.told is not None
            for at_s, told_ul, classification in (known.told,)
            for dose in (self._planned[key],)
        )  # fmt: skip

    def sent_ul(self, pump: str) -> float:
        """Everything that was sent to a pump and of which it does not say that nothing came."""
        return sum(
            known.earlier_sent_ul + known.present_sent_ul
            for key, known in self._doses.items()
            if self._planned[key].instrument == pump
        )


def _came_in_part(known: _Dose, dose: Dose, row: Row, classification: str) -> None:
    """What follows in the journal counts the rest alone."""
    detail = row.detail
    counted_ul = detail.get("delivered_ul")
    if counted_ul is None:
        known.earlier_ul = dose.volume_ul - detail["left_ul"]
    else:
        known.earlier_ul += counted_ul
    known.present_most_ul = _most_ul(detail, known.present_most_ul)
    told_ul = None if classification == "unknown" else known.earlier_ul
    known.part = known.told = (row.run_s, told_ul, classification)


def _came(known: _Dose, row: Row, classification: str) -> None:
    came_ul = row.detail["delivered_ul"]
    told_ul = None if came_ul is None else known.earlier_ul + came_ul
    known.present_most_ul = _most_ul(row.detail, known.present_most_ul)
    if known.part is not None and known.part[1] is None:
        # What nobody counted is not made known by the rest being counted.
        told_ul, classification = None, "unknown"
    known.told = (row.run_s, told_ul, classification)


def _most_ul(detail: Mapping[str, Any], sent_ul: float) -> float:
    if detail.get("delivered_ul") is not None:
        return max(float(detail["delivered_ul"]), float(detail.get("at_most_ul", 0.0)))
    return float(detail.get("at_most_ul", sent_ul))
