"""What comes next, put together by kind and minute, as nobody reads 24 pictures one by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

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


def needs_people(
    legend: Legend, now_s: float, supplies: Iterable[Mapping[str, Any]] | None = None
) -> str:
    """Before when nobody is needed, and for what then; "" where nobody can say.

    Those that stand already are questions, and shown as such.

    Args:
        legend: of the run.
        now_s: on its clock.
        supplies: as ``/status`` shows them; None: it shows none.
    """
    steps = [entry for entry in legend.entries.values() if isinstance(entry, PersonStep)]
    coming = sorted((step for step in steps if step.offset_s > now_s), key=lambda s: s.offset_s)
    ends = [
        (float(supply["ends_s"]), _ends(supply))
        for supply in supplies or ()
        if supply["ends_s"] is not None and planned_filling(supply, legend, now_s) is None
    ]
    if coming:
        first = coming[0]
        what = first.unnamed if legend.blind else first.what
        wells = f" ({count_words(len(first.wells), 'well')})" if first.wells else ""
        told = f"{what}{wells}, within {length_words(first.within_s)}"
        ends.append((first.offset_s, told))
    if ends:
        at_s, told = min(ends)
        return f"Nothing needs you before {legend.moment(at_s)}: {told}."
    if steps:
        return "No further step needs anybody."
    if supplies is None or not legend.length_s:
        return ""
    return f"Nothing needs you before the end, {legend.moment(legend.length_s)}."


def waiting_words(waiting: Mapping[str, Any], legend: Legend) -> str:
    """Of a hold or stop that waits for its boundary: when it comes, who asked for it, and why.

    ``waiting``: as ``/status`` shows it under ``at_boundary``.
    """
    done = {"hold": "held", "stop": "stopped"}[str(waiting["what"])]
    by = f", as {waiting['by']} asked for" if waiting["by"] else ""
    why = f": {waiting['reason']}" if waiting["reason"] else ""
    return f"It is {done} at its next boundary, {legend.moment(float(waiting['at_s']))}{by}{why}"


def planned_filling(supply: Mapping[str, Any], legend: Legend, now_s: float) -> float | None:
    """When people are asked next to see to a supply that would not last; None: nobody is in time.

    ``supply``: as ``/status`` shows it.
    """
    coming = [
        entry.offset_s
        for entry in legend.entries.values()
        if isinstance(entry, PersonStep) and entry.supply == supply["name"]
        and now_s < entry.offset_s + entry.wait_s
    ]  # fmt: skip
    first_s = min(coming, default=None)
    ends_s = supply["ends_s"]
    return first_s if first_s is not None and ends_s is not None and first_s < ends_s else None


def _ends(supply: Mapping[str, Any]) -> str:
    name = supply["name"]
    return {
        "waste": "the waste bottle is full",
        "tube": f"the tube in {name} has reached its hours",
        "calibration": f"the calibration of {name} is out of date",
        "disk": "the disk is full",
    }.get(str(supply["sort"]), f"{name} is empty")


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
