"""What a technician asks of a night at a glance, in words: how far, what next, what runs out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, get_args

from labrig.display.alarms import AlarmWords, Urgency, alarm_words
from labrig.display.deviations import quantity_words
from labrig.display.legend import Legend
from labrig.display.numbers import count_words, number_words
from labrig.display.times import length_words
from labrig.display.upcoming import planned_filling, upcoming_words
from labrig.plan.plan import apart_for_some
from labrig.plan.timeline import TimelineEntry
from labrig.plan.words import words_of
from labrig.record.alarms import Alarm
from labrig.web.look import Look
from labrig.web.nights import Night

_URGENCY: tuple[Urgency, ...] = get_args(Urgency)
NEXT, NEXT_WITHIN_S = 6, 6 * 3600.0
TOGETHER_S = 120.0
"""[P] Entries of one sort no further apart are one event, e.g. a round of pictures."""
OLD_AFTER = 2.5
"""[P] A reading older than so many of its intervals is shown as old."""
POLLED_S = 60.0
"""[P] Pumps, stimulators and stages are asked at least as often."""


@dataclass(frozen=True, slots=True)
class Measured:
    """One value with its age.

    Attributes:
        old: it is older than it should be.
    """

    name: str
    value: str
    age: str
    old: bool
    trusted: bool = True


@dataclass(frozen=True, slots=True)
class AlarmsOfOne:
    """The alarms about one instrument or thing, the gravest first: one cause may raise several."""

    about: str
    since_s: float
    words: tuple[AlarmWords, ...]


def alarms(look: Look, legend: Legend) -> list[AlarmsOfOne]:
    """What a person should act on now, the most urgent first."""
    by_about: dict[str, list[Alarm]] = {}
    for raw in look.status.get("alarms", ()):
        by_about.setdefault(str(raw["about"]), []).append(Alarm(**raw))
    found = []
    for about, own in by_about.items():
        # `rate` says again of a pump that stands what `stall` says better.
        own.sort(key=lambda alarm: (alarm.code == "rate", alarm.since_s))
        words = [alarm_words(alarm, legend) for alarm in own]
        words.sort(key=lambda each: _URGENCY.index(each.urgency))
        found.append(AlarmsOfOne(about, min(alarm.since_s for alarm in own), tuple(words)))
    return sorted(found, key=lambda each: (_URGENCY.index(each.words[0].urgency), each.since_s))


def counted_of(look: Look) -> str:
    """Pictures, and what did not go as planned; "none" is said too, where it is known."""
    if look.heard_s is None and not look.outcome:
        return ""
    counters: Mapping[str, int] = look.outcome.get("counters") or look.status.get("counters", {})
    parts = [count_words(counters.get("pictures", 0), "picture")]
    parts += [f"{counters.get(name, 0)} {name}" for name in ("late", "missed")]
    words = {"failed": "failed", "unknown": "uncertain", "skipped": "left out"}
    parts += [f"{counters[name]} {word}" for name, word in words.items() if counters.get(name)]
    return " · ".join(parts)


@dataclass(frozen=True, slots=True)
class NextEvent:
    """Some entries of one sort that belong together."""

    at_s: float
    what: str


def next_events(look: Look, night: Night, legend: Legend) -> list[NextEvent]:
    """The next of each sort: what repeats every few minutes would hide the rest."""
    now_s = look.now_s
    if now_s is None or look.ended:
        return []
    groups: dict[str, list[TimelineEntry]] = {}
    for entry in night.between(now_s, now_s + NEXT_WITHIN_S):
        sort = entry.row_kind if legend.blind else words_of(entry).many
        group = groups.setdefault(sort, [])
        if not group or entry.offset_s - group[-1].offset_s <= TOGETHER_S:
            group.append(entry)
    events = [NextEvent(group[0].offset_s, _named(group, legend)) for group in groups.values()]
    return sorted(events, key=lambda event: event.at_s)[:NEXT]


def _named(group: Sequence[TimelineEntry], legend: Legend) -> str:
    first = group[0]
    (one,) = upcoming_words([first.key], legend)
    if len(group) == 1 or first.kind == "reading":
        return one.what
    sort = f"{first.row_kind}s" if legend.blind else words_of(first).many
    if first.role == "level":
        return f"{'level' if legend.blind else sort} of {len(group)} instruments changes"
    return f"{len(group)} {sort}"


def soon_empty(look: Look, legend: Legend) -> list[str]:
    """A line for each reservoir that ends before the run; one for all others."""
    if not look.status:
        return []
    end_s = float(look.status["duration_s"])
    if "supplies" in look.status:
        return _by_the_plan(look.status["supplies"], legend, float(look.status["now_s"]))
    drawn = [r for r in look.status.get("reservoirs", ()) if r["dry_at_s"] is not None]
    drawn.sort(key=lambda reservoir: float(reservoir["dry_at_s"]))
    lines = [
        f"{r['reservoir']} is empty {legend.moment(r['dry_at_s'])}: "
        f"{number_words(r['left_ml'], 'mL')} left"
        for r in drawn
        if r["dry_at_s"] < end_s
    ]
    if not lines and drawn:
        lines.append(f"All {len(drawn)} reservoirs in use last beyond the end ✓")
    return lines


def _by_the_plan(supplies: Sequence[Mapping[str, Any]], legend: Legend, now_s: float) -> list[str]:
    """What ends before the run by what the plan still draws; one line for all else."""
    empty = {
        "waste": "waste is full", "tube": "the tube in {} has reached its hours",
        "calibration": "the calibration of {} is out of date", "disk": "the disk is full",
    }  # fmt: skip
    lines = [
        f"{empty.get(each['sort'], '{} is empty').format(each['name'])} "
        f"{legend.moment(each['ends_s'])}: {number_words(each['left'], each['unit'])} left"
        for each in supplies
        if each["ends_s"] is not None and planned_filling(each, legend, now_s) is None
    ]
    if not lines and supplies:
        lines.append(f"All {len(supplies)} supplies last, with what is planned, to the end ✓")
    return lines


@dataclass(frozen=True, slots=True)
class Fillable:
    """What people can fill up, change or empty; ``words`` says how."""

    name: str
    words: str


def fillable(look: Look) -> tuple[Fillable, ...]:
    """Every reservoir that is drawn from, by its name, and the waste."""
    how = {"bottle": "{} (fill up)", "syringe": "{} (new syringe)", "waste": "{} (empty it)"}
    found = [
        Fillable(str(supply["name"]), how[supply["sort"]].format(supply["name"]))
        for supply in look.status.get("supplies", ())
        if supply["sort"] in how
    ]
    return tuple(sorted(found, key=lambda each: each.name))


def air(look: Look, night: Night | None) -> list[Measured]:
    """What probes and controllers measure, each with its age; of a controller its set point too.

    While arms are coded, nothing of what stands in some wells' surroundings only.
    """
    found = []
    blind = night is not None and night.legend.blind
    hidden = apart_for_some(night.plan) if night is not None and blind else frozenset[str]()
    for name, values in sorted(look.status.get("readings", {}).items()):
        if "trusted" not in values or name in hidden:
            continue
        age_s = _age_s(look, values)
        every_s = (night.reading_every_s if night is not None else {}).get(name, 600.0)
        for key, value in values.items():
            if isinstance(value, (int, float)) and not isinstance(value, bool) and key != "at_s":
                quantity, unit = quantity_words(key)
                said = number_words(value, unit)
                by_hand = bool(values.get("by_hand"))
                if by_hand:
                    quantity = f"{name} {quantity}, by hand"
                points = values.get("set_points")
                if points is not None:
                    quantity = f"{name} {quantity}"
                    set_to = number_words(points[key], unit) if key in points else "nothing"
                    said = f"{said}, set to {set_to}"
                found.append(
                    Measured(
                        quantity,
                        said,
                        _coarse(age_s),
                        not by_hand and age_s > OLD_AFTER * every_s,
                        bool(values["trusted"]),
                    )
                )
    return found


def by_hand(night: Night) -> list[tuple[str, str]]:
    """What people may measure: its name, and how it is offered to them with its unit."""
    found = []
    for each in night.plan.by_hand:
        quantity, unit = quantity_words(each.quantity)
        found.append((each.meter, f"{each.meter}: {quantity}{f', {unit}' if unit else ''}"))
    return found


def instruments(look: Look) -> list[str]:
    """Who does as planned, and who does not, in a line each."""
    modes = look.status.get("modes", {})
    alarmed = {str(alarm["about"]).partition(" ")[0] for alarm in look.status.get("alarms", ())}
    amiss = sorted(
        name for name, mode in modes.items() if name in alarmed or mode["name"] != "following"
    )
    lines = []
    fine = len(modes) - len(amiss)
    if fine:
        lines.append(f"{count_words(fine, 'instrument')} as planned")
    for name in amiss:
        mode = modes[name]
        why = f" by {', '.join(mode['why'])}" if mode["why"] else ""
        state = "" if mode["name"] == "following" else f" {mode['name']}{why}"
        lines.append(f"{name}:{state or ' see its alarm'}")
    old = [
        name
        for name, values in look.status.get("readings", {}).items()
        if "delivered_ul" in values and _age_s(look, values) > OLD_AFTER * POLLED_S
    ]
    if old:
        lines.append(f"not heard for a while: {', '.join(sorted(old))}")
    return lines


def _age_s(look: Look, values: Mapping[str, Any]) -> float:
    return max(0.0, float(look.now_s or 0.0) - float(values.get("at_s", 0.0)))


def _coarse(age_s: float) -> str:
    """An age that does not change at every look."""
    if age_s < 60:
        return "less than a minute ago"
    return f"{length_words(age_s)} ago"
