"""Whether everything that a plan asked for is there or accounted for, sort by sort. Pure.

There is what was confirmed. Accounted for is what was not done where a row says why, and what came
too late for a run that was stopped. All else nobody can say anything of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from labrig.plan.plan import Plan
from labrig.plan.timeline import ROW_KINDS, PersonStep, TimelineEntry
from labrig.plan.words import words_of
from labrig.record.counts import GONE_WRONG
from labrig.record.ledger import Ledger
from labrig.record.rows import Row

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


def completeness(
    plan: Plan, rows: Iterable[Row], ledger: Ledger | None = None
) -> tuple[Counted, ...]:
    """By sort, in the order of the plan: levels, doses, steps, samples, pictures, impulses.

    ``rows``: of a run that has ended.
    """
    last: dict[str, Row] = {}
    trains_missed: Counter[str] = Counter()
    ended_s = stopped_s = None
    for row in rows:
        if row.kind in ROW_KINDS:
            last[row.key] = row
        elif row.kind == "run" and row.key in ("finished", "stopped"):
            ended_s = row.run_s
            stopped_s = row.run_s if row.key == "stopped" else None
        elif row.kind == "train" and row.state in GONE_WRONG:
            why = str(row.detail.get("what") or row.detail.get("reason") or _NO_REASON)
            trains_missed[why] += 1
    found: dict[str, Counted] = {}
    for entry in plan.timeline:
        sort = words_of(entry).many
        counted = found.setdefault(sort, Counted(sort))
        _count(counted, entry, last.get(entry.key), ended_s, stopped_s)
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
    if trains_missed:
        found["trains that went wrong"] = Counted(
            "trains that went wrong", trains_missed.total(), 0, trains_missed
        )
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
    row: Row | None,
    ended_s: float | None,
    stopped_s: float | None,
) -> None:
    counted.planned += 1
    if row is not None and row.state == "confirmed":
        counted.there += 1
    elif row is not None and row.state in GONE_WRONG:
        why = row.detail.get("reason") or row.detail.get("what") or row.detail.get("resolution")
        if row.state == "unknown":
            why = f"{UNCERTAIN} ({why or 'open'})"
        counted.not_there[str(why or _NO_REASON)] += 1
    elif stopped_s is not None and entry.offset_s >= stopped_s - 600.0 and row is None:
        counted.not_there[ENDED_BEFORE] += 1
    elif entry.role == "level" and ended_s is not None:
        # A level that another one took over before its instrument could be asked.
        counted.not_there["another level was due before it was confirmed"] += 1
    else:
        counted.unaccounted.append(entry.key)


def _count_samples(counted: Counted, step: PersonStep, row: Row | None) -> None:
    counted.planned += len(step.labels)
    if row is not None and row.state == "confirmed":
        counted.there += len(step.labels)
    elif row is not None and row.state in GONE_WRONG:
        why = str(row.detail.get("reason") or _NO_REASON)
        counted.not_there[why] += len(step.labels)
    else:
        counted.unaccounted.extend(step.labels)
