"""What the live board had counted, read from the journal again when a run is adopted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from labrig.plan.packed import alike
from labrig.plan.timeline import Frame, PersonStep, TimelineEntry
from labrig.record.counts import GONE_WRONG
from labrig.record.entry_states import EntryState
from labrig.record.kinds.doses import DoseSent
from labrig.record.lateness import PUNCTUAL_S
from labrig.record.recovery import RunState


def fates_of(timeline: Iterable[TimelineEntry], state: RunState) -> Iterator[tuple[str, str]]:
    """With its key, what had become of each event that was begun or given up."""
    for key, offset_s, entry in alike(timeline):
        known = state.entries.get(key)
        if known is None or entry.role == "level":
            continue
        if known.state in GONE_WRONG:
            yield key, known.state
        elif known.state != "intent":
            late_s = _begun_s(known, state.doses_sent.get(key)) - offset_s
            if isinstance(entry, PersonStep):
                late_s -= entry.within_s
            elif isinstance(entry, Frame) and entry.after:
                late_s = 0.0
            yield key, "hits" if late_s <= PUNCTUAL_S else "late"


def _begun_s(known: EntryState, sent: DoseSent | None) -> float:
    """A dose when it was sent, a picture when the stage set off, a step when it was done.

    A reading is there at once.
    """
    if sent is not None:
        return sent.sent.sent_s
    begun_s = known.detail.get("done_s", known.detail.get("begun_s"))
    return known.run_s if begun_s is None else float(begun_s)
