"""The last row of every dose of a run that has ended. Pure: a fold of the journal against the plan.

Whatever kept a dose from its end (a pump that never answered again, a question nobody answered, a
worker that died), nobody will ask again; so what is known of it is written down here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labrig.plan.timeline import Dose, TimelineEntry
from labrig.record.entry_states import EntryState
from labrig.record.kinds.doses import DoseNamed, DoseUnknown, RestNotGiven
from labrig.record.kinds.levels import NotDone
from labrig.record.recovery import Rest, fold
from labrig.record.rows import Row, State


def last_words(
    timeline: Iterable[TimelineEntry], rows: Iterable[Row], why: Mapping[str, str], ended: str
) -> list[tuple[str, State, NotDone | DoseUnknown | RestNotGiven]]:
    """A row for every dose that has no end in the journal: its key, state, and what it says.

    Args:
        timeline: of the plan.
        rows: the journal's, at least those of doses.
        why: by key of a dose, what became of the question about it.
        ended: how the run ended, for doses that nothing was asked about.
    """
    state = fold(rows)
    words: list[tuple[str, State, NotDone | DoseUnknown | RestNotGiven]] = []
    for dose in timeline:
        known = state.entries.get(dose.key)
        if not isinstance(dose, Dose) or (known is not None and known.settled):
            continue
        reason = why.get(dose.key)
        sent = state.doses_sent.get(dose.key)
        rest = state.rests.get(dose.key)
        if known is None or (known.state == "intent" and rest is None):
            undone = NotDone(reason or ended, dose.offset_s)
            words.append((dose.key, "missed" if known else "skipped", undone))
        else:
            volume_ul = dose.volume_ul if sent is None else sent.sent.volume_ul
            named = DoseNamed(dose.instrument, dose.wells, dose.factor, volume_ul)
            told = _told(known, rest, named, reason or _open_end(known))
            words.append((dose.key, "unknown", told))
    return words


def _told(
    known: EntryState, rest: Rest | None, named: DoseNamed, resolution: str
) -> DoseUnknown | RestNotGiven:
    """What the pump had told of the part that was sent last."""
    unknown = known.unknown
    if unknown is not None:
        return DoseUnknown(unknown.delivered_ul, unknown.classification, resolution, dose=named)
    if known.state == "intent" and rest is not None:
        # The rest was still to be given; how much the first part was stands in an earlier row.
        return RestNotGiven(resolution, rest.classification, named)
    return DoseUnknown(None, "unknown", resolution, dose=named)


def _open_end(known: EntryState) -> str:
    if known.state == "intent":
        return "its rest was not given: the run ended first"
    return "the run ended before the pump said what came"
