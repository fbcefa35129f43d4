"""Whether everything that a plan asked for is there or accounted for, sort by sort. Pure.

There is what was confirmed. Accounted for is what was not done where a row says why, and what came
too late for a run that was stopped. All else nobody can say anything of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from labrig.plan.plan import Plan
from labrig.plan.timeline import PersonStep, TimelineEntry
from labrig.plan.words import words_of
from labrig.record.counts import GONE_WRONG
from labrig.record.last_words import LastWord, LastWords
from labrig.record.ledger import Ledger

_NO_REASON = "no reason given"
UNCERTAIN = "what came is not known, and the ledger counts with both bounds"
ENDED_BEFORE = "the run ended before it was due"
NO_LEDGER = "no ledger"


@dataclass(slots=True)
class Counted:
    """Of one sort of what was planned.

    Attributes:
        not_there: by reason, how many are not there and accounted for.
        unaccounted: keys of which nobody can say anything; of impulses what is missing, in words.
    """

    sort: str
    planned: int = 0
    there: int = 0
    not_there: Counter[str] = field(default_factory=Counter)
    unaccounted: list[str] = field(default_factory=list)


def completeness(plan: Plan, words: LastWords, ledger: Ledger | None = None) -> tuple[Counted, ...]:
    """By sort, in the order of the plan: levels, doses, steps, samples, pictures, impulses.

    ``words``: of a run that has ended.
    """
    last = words.by_key
    found: dict[str, Counted] = {}
    for entry in plan.timeline:
        sort = words_of(entry).many
        counted = found.get(sort)
        if counted is None:
            counted = found[sort] = Counted(sort)
        _count(counted, entry, last.get(entry.key), words)
        if isinstance(entry, PersonStep) and entry.labels:
            samples = found.setdefault("samples", Counted("samples"))
            _count_samples(samples, entry, last.get(entry.key))
    for pulses in ledger.pulses if ledger is not None else ():
        sort = f"impulses of {pulses.stimulator}"
        counted = found.setdefault(sort, Counted(sort))
        counted.planned += pulses.planned
        counted.there += pulses.delivered
        if pulses.uncertain:
            counted.not_there[UNCERTAIN] += pulses.uncertain
        lacking = pulses.planned - pulses.delivered - pulses.uncertain
        if lacking > 0:
            # A level that was late, a train cut off or missed: the ledger has them by time.
            counted.not_there["not given, by the ledger"] += lacking
    if words.trains_missed:
        why = Counter({said or _NO_REASON: n for said, n in words.trains_missed.items()})
        found["trains that went wrong"] = Counted("trains that went wrong", why.total(), 0, why)
    return tuple(found.values())


def lacking(counted: Iterable[Counted]) -> tuple[str, ...]:
    """A sentence for each sort of which something is not accounted for."""
    return tuple(
        f"{len(each.unaccounted)} of {each.planned} {each.sort}: nobody knows what became of "
        f"{', '.join(each.unaccounted[:3])}" + (" …" if len(each.unaccounted) > 3 else "")
        for each in counted
        if each.unaccounted
    )


def counted_json(counted: Iterable[Counted]) -> list[Mapping[str, object]]:
    """As plain data, for ``complete.json``."""
    return [
        {
            "sort": each.sort,
            "planned": each.planned,
            "there": each.there,
            "not_there": dict(sorted(each.not_there.items())),
            "unaccounted": list(each.unaccounted),
        }
        for each in counted
    ]


def _count(
    counted: Counted,
    entry: TimelineEntry,
    word: LastWord | None,
    words: LastWords,
) -> None:
    counted.planned += 1
    stopped_s = words.stopped_s
    if word is not None and word.state == "confirmed":
        counted.there += 1
    elif word is not None and word.state in GONE_WRONG:
        why = word.why
        if word.state == "unknown":
            why = f"{UNCERTAIN} ({why or 'open'})"
        counted.not_there[why or _NO_REASON] += 1
    elif stopped_s is not None and entry.offset_s >= stopped_s - 600.0 and word is None:
        counted.not_there[ENDED_BEFORE] += 1
    elif entry.role == "level" and words.ended_s is not None:
        # A level that another one took over before its instrument could be asked.
        counted.not_there["another level was due before it was confirmed"] += 1
    else:
        counted.unaccounted.append(entry.key)


def _count_samples(counted: Counted, step: PersonStep, word: LastWord | None) -> None:
    counted.planned += len(step.labels)
    if word is not None and word.state == "confirmed":
        counted.there += len(step.labels)
    elif word is not None and word.state in GONE_WRONG:
        counted.not_there[word.why or _NO_REASON] += len(step.labels)
    else:
        counted.unaccounted.extend(step.labels)
