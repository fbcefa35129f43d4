"""The last row of every dose of a run that has ended. Pure: a fold of the journal against the plan.

Whatever kept a dose from its end (a pump that never answered again, a question nobody answered, a
worker that died), nobody will ask again; so what is known of it is written down here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labrig.plan.timeline import Dose, TimelineEntry
from labrig.record.recovery import EntryState, Rest, fold
from labrig.record.rows import JournalEntry, Row


def last_words(
    timeline: Iterable[TimelineEntry], rows: Iterable[Row], why: Mapping[str, str], ended: str
) -> list[JournalEntry]:
    """A row for every dose that has no end in the journal.

    Args:
        timeline: of the plan.
        rows: the journal's, at least those of doses.
        why: by key of a dose, what became of the question about it.
        ended: how the run ended, for doses that nothing was asked about.
    """
    state = fold(rows)
    words = []
    for dose in timeline:
        known = state.entries.get(dose.key)
        if not isinstance(dose, Dose) or (known is not None and known.settled):
            continue
        reason = why.get(dose.key)
        sent = state.doses_sent.get(dose.key)
        rest = state.rests.get(dose.key)
        if known is None or (known.state == "intent" and rest is None):
            detail = {"reason": reason or ended, "offset_s": dose.offset_s}
            words.append(JournalEntry("dose", dose.key, "missed" if known else "skipped", detail))
        else:
            volume_ul = dose.volume_ul if sent is None else sent["volume_ul"]
            detail = {
                "instrument": dose.instrument,
                "wells": list(dose.wells),
                "factor": dose.factor,
                "volume_ul": volume_ul,
                **_told(known, rest),
                "resolution": reason or _open_end(known),
            }
            words.append(JournalEntry("dose", dose.key, "unknown", detail))
    return words


def _told(known: EntryState, rest: Rest | None) -> dict[str, object]:
    """What the pump had told of the part that was sent last."""
    if known.state == "unknown":
        told = ("classification", "delivered_ul")
        return {name: known.detail[name] for name in told if name in known.detail}
    if known.state == "intent" and rest is not None:
        # The rest was still to be given; how much the first part was stands in an earlier row.
        return {"classification": rest.classification}
    return {"classification": "unknown", "delivered_ul": None}


def _open_end(known: EntryState) -> str:
    if known.state == "intent":
        return "its rest was not given: the run ended first"
    return "the run ended before the pump said what came"
