"""What comes next, put together by kind and minute, as nobody reads 24 pictures one by one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from labrig.display.legend import Legend
from labrig.display.numbers import count_words
from labrig.display.times import length_words
from labrig.places import in_order
from labrig.plan.timeline import PersonStep, TimelineEntry
from labrig.plan.words import words_of


@dataclass(frozen=True, slots=True)
class UpcomingWords:
    """Some entries of one sort in one minute.

    Attributes:
        kind: of their rows in the journal.
        at_s: of the first of them, on the run's clock.
        at: by the clock on the wall, then by the run's.
        what: e.g. ``24 pictures (phase)``, or the one entry in a few words.
        wells: of all of them, in plate order.
    """

    kind: str
    at_s: float
    at: str
    what: str
    wells: tuple[str, ...]


def upcoming_words(keys: Iterable[str], legend: Legend) -> tuple[UpcomingWords, ...]:
    """How to tell of the next entries, in the order of their times.

    Args:
        keys: of entries of the timeline; one that the plan does not have is left out.
        legend: of the run.
    """
    groups: dict[tuple[int, str], list[TimelineEntry]] = {}
    for key in keys:
        entry = legend.entries.get(key)
        if entry is not None:
            sort = entry.row_kind if legend.blind else words_of(entry).many
            groups.setdefault((int(entry.offset_s // 60), sort), []).append(entry)
    return tuple(_told(group, legend) for group in groups.values())


def needs_people(legend: Legend, now_s: float) -> str:
    """When the next step of people is due; "" in a run that asks for none.

    Those that stand already are questions, and shown as such.
    """
    steps = [entry for entry in legend.entries.values() if isinstance(entry, PersonStep)]
    if not steps:
        return ""
    coming = sorted(
        (step for step in steps if step.offset_s > now_s), key=lambda step: step.offset_s
    )
    if not coming:
        return "No further step needs anybody."
    first = coming[0]
    what = first.unnamed if legend.blind else first.what
    return (
        f"Nothing needs you before {legend.moment(first.offset_s)}: {what} "
        f"({len(first.wells)} wells), within {length_words(first.within_s)}."
    )


def _told(group: list[TimelineEntry], legend: Legend) -> UpcomingWords:
    first = group[0]
    wells = {well for entry in group for well in entry.wells}
    words = words_of(first)
    what = words.unnamed if legend.blind else words.sentence
    if len(group) > 1:
        many = words.many
        if legend.blind and first.row_kind == "dose":
            many = "doses"
        what = f"{len(group)} {many}"
        if first.role != "observes":
            what += f", {count_words(len(wells), 'well')}"
    return UpcomingWords(
        first.row_kind, first.offset_s, legend.moment(first.offset_s), what, in_order(wells)
    )
