"""The last word on whatever was asked about, or given to nobody, when a run ends."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from labrig.plan.packed import PackedTimeline
from labrig.plan.timeline import Dose, TimelineEntry
from labrig.record.dose_ends import last_words
from labrig.record.entry_states import SETTLED
from labrig.record.kinds.levels import NotDone
from labrig.record.said import readable
from labrig.run.desk import Desk


def write_last_rows(
    desk: Desk,
    timeline: PackedTimeline,
    answered_too_late: Mapping[str, str],
    of_dead_workers: Iterable[TimelineEntry],
    ended: str,
) -> None:
    """Write them, and withdraw the questions that still stand.

    Args:
        desk: clock, journal and board.
        timeline: of the plan.
        answered_too_late: by question, the answer that came when the run was winding up.
        of_dead_workers: what may have been given to a worker that died.
        ended: how the run ended, in words.
    """
    questions = desk.board.questions()
    why = {q.id: "its question was not answered" for q in questions}
    for key, choice in answered_too_late.items():
        why[key] = f"its question was answered ({choice}) when the run had ended"
    for key, reason in why.items():
        place = timeline.place(key)
        entry = None if place is None else timeline[place]
        if entry is not None and entry.role != "acts":
            desk.note(entry.row_kind, key, "missed", NotDone(reason))
    for question in questions:
        desk.board.take_question(question.id)
    _miss_what_nobody_took(desk, list(of_dead_workers))
    doses = readable(desk.journal.rows("dose"))
    for key, state, told in last_words(timeline.of_kind(Dose), doses, why, ended):
        desk.note("dose", key, state, told)


def _miss_what_nobody_took(desk: Desk, given: list[TimelineEntry]) -> None:
    """The last word on pictures and readings that were given to a worker which died."""
    observed = [entry for entry in given if entry.role == "observes"]
    kinds = {entry.row_kind for entry in observed}
    rows = (row for kind in kinds for row in desk.journal.rows(kind))
    settled = {row.key for row in rows if row.state in SETTLED}
    for entry in observed:
        if entry.key not in settled:
            reason = "the worker of its port had ended by an error of labrig's own"
            desk.note(entry.row_kind, entry.key, "missed", NotDone(reason))
