"""How a run ended, read from its journal: finished, stopped, or failed although its time was over.

Pure, so that the runner itself and whoever finds a run whose runner died after its last row come
to the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from labrig.plan.key_table import WordTable
from labrig.plan.packed import alike
from labrig.plan.plan import Plan
from labrig.plan.timeline import ROW_KINDS, Frame
from labrig.plan.words import words_of
from labrig.record.counts import GONE_WRONG
from labrig.record.gist import Gist, gist_of
from labrig.record.kinds.other_deviations import DispatcherDied, LeftUnattended, WorkerDied
from labrig.record.ledger import Ledger, dose_ledger
from labrig.record.recount import fates_of
from labrig.record.recovery import RunState, fold
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.record.vocabulary import Condition

MISSED_SHARE = 0.5
"""[P] A run that missed more than this share of any one sort of its events is no finished run."""
FEW = 3
"""[P] Of fewer pictures, films or readings none is "most"; a dose or an impulse is never few."""


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """How a run ended.

    Attributes:
        over: whether there is nothing to go on with; else a runner failed half way.
        unsafe: instruments whose last state could not be confirmed.
        failures: what workers died of; empty in a sound run.
        shortfalls: in words, what of the plan was missed for the most part.
    """

    condition: Condition
    over: bool
    counters: Mapping[str, int]
    unsafe: tuple[str, ...]
    failures: tuple[str, ...]
    shortfalls: tuple[str, ...] = ()


def outcome_json(outcome: RunOutcome, seq: int, hashed: str) -> dict[str, Any]:
    """For ``outcome.json``, with number and hash of the journal's last row as an anchor."""
    return {**asdict(outcome), "journal": {"rows": seq, "hash": hashed}}


def concluded(plan: Plan, rows: Iterable[Row]) -> tuple[RunOutcome, Ledger | None]:
    """Outcome and ledger of a run whose journal says that it has ended.

    A ledger that cannot be made is None, and makes the run a failed one.
    """
    state = RunState()
    gist = gist_of(plan, rows, lambda row: fold((row,), state))
    outcome, ledger = concluded_of(gist)
    counts = state.counts + Counter(fate for _, fate in fates_of(plan.timeline, state))
    return replace(outcome, counters=dict(sorted(counts.items()))), ledger


def concluded_of(gist: Gist) -> tuple[RunOutcome, Ledger | None]:
    """The same of a journal that was read already, without what is counted."""
    last_s = 0.0 if gist.last is None else gist.last.run_s
    said = fold(row for row in gist.few if row.kind == "run").condition
    ledger, problem = _made(lambda: gist.ledger(ended_s(gist.few) or last_s))
    failures = (*failures_of(gist.few), *problem)
    shortfalls: tuple[str, ...] = ()
    if said == "finished":
        shortfalls = shortfalls_of(gist.plan, gist.words.states.get, ledger)
    condition = condition_of(said, failures, shortfalls)
    return RunOutcome(condition, True, {}, unsafe_of(gist.few), failures, shortfalls), ledger


def ended_s(rows: Iterable[Row]) -> float | None:
    """When the run ended, on its own clock; None while it has not."""
    ends = (r for r in rows if r.kind == "run" and r.key in ("finished", "stopped"))
    return next((row.run_s for row in ends), None)


def ledger_of(
    plan: Plan, rows: Iterable[Row], until_s: float
) -> tuple[Ledger | None, tuple[str, ...]]:
    """The dose ledger up to ``until_s``, or why there is none."""
    return _made(lambda: dose_ledger(plan, rows, until_s))


def _made(make: Callable[[], Ledger]) -> tuple[Ledger | None, tuple[str, ...]]:
    try:
        return make(), ()
    except Exception as error:
        # Whatever it is: a run that ended is told as ended, and that its ledger is missing.
        return None, (f"the dose ledger could not be made: {error!r}",)


def condition_of(
    said: Condition, failures: tuple[str, ...], shortfalls: tuple[str, ...]
) -> Condition:
    """The word for a run that its journal calls ``said``."""
    return "failed" if failures or shortfalls else said


def remembering(rows: Iterable[Row], states: WordTable) -> Iterator[Row]:
    """The same rows; once they have passed, ``states`` holds by key what the last one said."""
    for row in rows:
        if row.kind in ROW_KINDS:
            states.say(row.key, row.state)
        yield row


def shortfalls_of(
    plan: Plan, state_of: Callable[[str], str | None], ledger: Ledger | None
) -> tuple[str, ...]:
    """What a run that came to its end missed for the most part, a sentence each.

    Args:
        plan: what was to be done.
        state_of: by its key, what the last row of an entry of the timeline says of it.
        ledger: for the impulses.
    """
    planned: Counter[str] = Counter()
    lost: Counter[str] = Counter()
    observed = set()
    secondary = {size.channel for size in plan.pictures if size.secondary}
    for key, _, entry in alike(plan.timeline):
        if entry.role == "level":
            continue
        sort = words_of(entry).many
        if entry.role == "observes" or entry.kind == "step":
            # Of steps the protocol itself says what one means that was not done.
            observed.add(sort)
        state = state_of(key)
        planned[sort] += 1
        if isinstance(entry, Frame) and entry.channel in secondary and state is not None:
            # The protocol says itself that pictures of these may give way.
            lost[sort] += state in GONE_WRONG - {"unknown", "skipped"}
            continue
        lost[sort] += state is None or state in GONE_WRONG - {"unknown"}
    for pulses in ledger.pulses if ledger is not None else ():
        sort = f"impulses of {pulses.stimulator}"
        planned[sort] += pulses.planned
        lost[sort] += max(0, pulses.planned - pulses.delivered - pulses.uncertain)
    return tuple(
        f"{lost[sort]} of {planned[sort]} {sort} were missed"
        for sort in sorted(planned)
        if lost[sort] > MISSED_SHARE * planned[sort]
        and (planned[sort] >= FEW or sort not in observed)
    )


def failures_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """What threads of the last runner died of."""
    return tuple(
        told.what
        for told in map(said, _of_last_runner(rows))
        if isinstance(told, WorkerDied | DispatcherDied)
    )


def unsafe_of(rows: Iterable[Row]) -> tuple[str, ...]:
    """Instruments that the last runner left without knowing their state."""
    return tuple(
        name
        for told in map(said, _of_last_runner(rows))
        if isinstance(told, LeftUnattended)
        for name in told.instruments
    )


def _of_last_runner(rows: Iterable[Row]) -> list[Row]:
    """Its deviations."""
    found: list[Row] = []
    for row in rows:
        if row.kind == "run" and row.key in ("started", "adopted"):
            found.clear()
        elif row.kind == "deviation":
            found.append(row)
    return found
