"""What became of each bolus, folded from its rows in the journal. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from labrig.plan.timeline import Dose
from labrig.record.kinds.doses import (
    DoseAcknowledged,
    DoseAgain,
    DoseConfirmed,
    DoseSent,
    DoseUnknown,
)
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

    def see(self, dose: Dose, row: Row, told: object) -> None:
        """One row of kind ``dose``, what it says, and the entry of the plan that it is about."""
        known = self._doses.setdefault(dose.key, _Dose())
        self._planned[dose.key] = dose
        match told:
            case DoseSent(sent=sent):
                known.send(sent.volume_ul)
                known.told = (row.run_s, None, UNDER_WAY)
            case DoseAgain(left_ul=float() | int() as left_ul) if told.classification != "not done":
                _came_in_part(known, dose, row.run_s, told, left_ul)
            case DoseConfirmed(delivered_ul=came_ul, at_most_ul=most_ul):
                _came(known, row.run_s, came_ul, most_ul, told.classification)
            case DoseUnknown(delivered_ul=came_ul, bounds=bounds):
                most_ul = None if bounds is None else bounds.at_most_ul
                _came(known, row.run_s, came_ul, most_ul, told.classification)
            case DoseAcknowledged():
                pass
            case _ if known.told is not None:
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


def _came_in_part(known: _Dose, dose: Dose, at_s: float, again: DoseAgain, left_ul: float) -> None:
    """What follows in the journal counts the rest alone."""
    came = again.came
    counted_ul = None if came is None else came.delivered_ul
    if counted_ul is None:
        known.earlier_ul = dose.volume_ul - left_ul
    else:
        known.earlier_ul += counted_ul
    most_ul = None if came is None else came.at_most_ul
    known.present_most_ul = _most_ul(counted_ul, most_ul, known.present_most_ul)
    told_ul = None if again.classification == "unknown" else known.earlier_ul
    known.part = known.told = (at_s, told_ul, again.classification)


def _came(
    known: _Dose, at_s: float, came_ul: float | None, most_ul: float | None, classification: str
) -> None:
    told_ul = None if came_ul is None else known.earlier_ul + came_ul
    known.present_most_ul = _most_ul(came_ul, most_ul, known.present_most_ul)
    if known.part is not None and known.part[1] is None:
        # What nobody counted is not made known by the rest being counted.
        told_ul, classification = None, "unknown"
    known.told = (at_s, told_ul, classification)


def _most_ul(came_ul: float | None, most_ul: float | None, sent_ul: float) -> float:
    if came_ul is not None:
        return max(came_ul, most_ul or 0.0)
    return sent_ul if most_ul is None else most_ul
