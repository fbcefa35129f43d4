"""Steps of people at work: asked, begun, signed, late, refused, missed; and what pauses for them.

The dispatcher calls this. A step needs no instrument: it is a question with a deadline, and rows
of kind ``step`` say what became of it. They alone decide what a runner that takes over still asks.

While hands are at the plate impulses and pictures pause; pumps stand if the protocol says so, and
never for longer than the cells can do without: then they go on, whatever the hands do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from labrig.plan.plan import Plan
from labrig.plan.supply_steps import UNPLANNED, unplanned, unplanned_of
from labrig.plan.timeline import FlowLevel, PersonStep, Picture, StimulationLevel
from labrig.record.alarms import Question
from labrig.record.clock import Mailbox
from labrig.record.detail import BadDetail, from_detail
from labrig.record.kinds.levels import NotDone
from labrig.record.kinds.operator import ANSWERED, FILLED, AnswerNoted, ReservoirFilled
from labrig.record.kinds.pump_deviations import Censored
from labrig.record.kinds.steps import (
    StepBegun,
    StepDone,
    StepHeldTooLong,
    StepLate,
    StepMissed,
    StepNotPaused,
    StepOneSignature,
    StepRefused,
    StepSigned,
)
from labrig.record.reaction import Reaction
from labrig.record.recovery import EntryState, RunState
from labrig.record.said import SaidDeviation
from labrig.record.supplies_now import Supplies
from labrig.run.desk import Desk
from labrig.run.orders import ForWorker, Release, Suspend
from labrig.run.step_faults import BEGIN, DONE, REFUSE, STEP_ACTS
from labrig.run.supply_watch import SupplyWatch

BEGUN_TIMES = 4.0
"""[P] A step that was begun stays open for so many times as long as it was meant to take."""
ENOUGH = "it was filled earlier, and that lasts"
"""Why nobody is asked to fill what was to be filled now."""
AFTER_THE_END = "the run waits for people"
"""Why impulses are silent when the run's own time is over and a step still stands."""


class People(Protocol):
    """Simulated people; a real bench has none of these."""

    @property
    def names(self) -> tuple[str, ...]:
        """Two of them."""
        ...

    def reaction(self, step: PersonStep) -> Reaction:
        """What they do about it; the same for the same step, also after a takeover."""
        ...

    def did(self, step: PersonStep, done_s: float) -> None:
        """It was done: the simulated world is as it then is. Safe to repeat."""
        ...


@dataclass(slots=True)
class _Open:
    """A step that stands."""

    entry: PersonStep
    begun_s: float | None = None
    signed: StepSigned | None = None
    paused: tuple[str, ...] = ()
    standing: tuple[str, ...] = ()

    @property
    def on_time_until_s(self) -> float:
        return self.entry.offset_s + self.entry.within_s

    @property
    def closes_s(self) -> float:
        closes_s = self.entry.offset_s + self.entry.wait_s
        if self.begun_s is None:
            return closes_s
        return max(closes_s, self.begun_s + BEGUN_TIMES * self.entry.takes_s)

    @property
    def stands_until_s(self) -> float | None:
        """When its pumps go on in any case."""
        if self.begun_s is None or not self.standing:
            return None
        return self.begun_s + self.entry.hold_s


class PersonSteps:
    """All steps of one run.

    Args:
        plan: whose steps they are.
        desk: clock, journal and board.
        state: what the journal says of a run that is taken over.
        workers: mailbox of the worker of each instrument.
        stop: stops the run: why.
        people: of a simulated bench.

    Attributes:
        settled: is told of each step that has come to its end, and whether it was done.
    """

    def __init__(
        self,
        plan: Plan,
        desk: Desk,
        state: RunState,
        workers: Mapping[str, Mailbox[ForWorker]],
        stop: Callable[[str], None],
        people: People | None = None,
    ) -> None:
        self._plan = plan
        self._desk = desk
        self._workers = workers
        self._stop = stop
        self._people = people
        self._open: dict[str, _Open] = {}
        self._ends_s = plan.forecast.duration_s
        self._silent_after_end = False
        self.settled: Callable[[PersonStep, bool], None] = lambda entry, done: None
        entries = plan.timeline
        self._stimulators = _names(e.instrument for e in entries if isinstance(e, StimulationLevel))
        self._stages = _names(e.instrument for e in entries if isinstance(e, Picture))
        self._pumps = [(e.instrument, e.wells) for e in entries if isinstance(e, FlowLevel)]
        self._supplies = Supplies(plan)
        self._watch = SupplyWatch(plan, desk, self._filled_by_s)
        steps = [entry for entry in entries if isinstance(entry, PersonStep)]
        self._fillings = [step for step in steps if step.supply]
        steps += [e for key in state.entries if (e := unplanned_of(plan, key)) is not None]
        for entry in steps:
            known = state.entries.get(entry.key)
            if known is not None and _begun_of(known) is not None:
                # Before any level: what is paused must not begin at a takeover.
                self._pause(self._opened(entry, known))
                if _is_unplanned(entry):
                    self._show(self._open[entry.key])

    @property
    def begun(self) -> bool:
        """Whether somebody's hands are at the bench."""
        return any(step.begun_s is not None for step in self._open.values())

    @property
    def standing(self) -> bool:
        """Whether somebody is still waited for."""
        return bool(self._open)

    def ask(self, entry: PersonStep, known: EntryState | None = None) -> None:
        """It is due; ``known``: what an earlier runner wrote of it."""
        if entry.key not in self._open and self._suffices(entry):
            self._desk.note("step", entry.key, "skipped", NotDone(ENOUGH))
            self.settled(entry, False)
            return
        step = self._open.get(entry.key) or self._opened(entry, known)
        self._show(step)
        self.look(self._desk.clock.now_s())

    def act(self, key: str, act: str, args: Mapping[str, Any]) -> None:
        """What a person said at the door; one that makes no sense any more is passed over."""
        step = self._open.get(key)
        if step is None:
            return
        by, note = str(args.get("by", "")), str(args.get("reason", ""))
        now_s = self._desk.clock.now_s()
        if act == BEGIN and step.begun_s is None and step.signed is None:
            self._begin(step, by, now_s)
        elif act == DONE:
            to_ml = args.get("to_ml")
            if step.entry.supply and to_ml not in (None, ""):
                to_ml = self._given_ml(step.entry.supply, float(str(to_ml)))
                step.entry = replace(step.entry, to_ml=to_ml)
            self._sign(step, by, done_s_of(args, now_s), note)
        elif act == REFUSE:
            self._refuse(step, by, note or "no reason given")

    def _given_ml(self, name: str, holds_ml: float) -> float:
        """What it gives from now on if it holds that: a waste bottle gives room."""
        supply = next(supply for supply in self._plan.supplies if supply.name == name)
        return supply.full_ml - holds_ml if supply.sort == "waste" else holds_ml

    def refill(self, supply: str, act: str, args: Mapping[str, Any]) -> None:
        """A person is at a bottle, a syringe or the waste, whether or not anybody asked."""
        key = next((key for key, step in self._open.items() if step.entry.supply == supply), None)
        if key is None:
            entry = unplanned(self._plan, supply, self._desk.clock.now_s())
            if entry is None or act not in (BEGIN, DONE):
                return
            self._opened(entry, None)
            key = entry.key
        self.act(key, act, args)

    def _suffices(self, entry: PersonStep) -> bool:
        """Whether somebody came earlier, so that what is there lasts until the next filling."""
        if not entry.supply or not self._desk.consumption.fillings.get(entry.supply):
            return False
        later = [
            e.offset_s + e.wait_s + e.takes_s
            for e in self._fillings
            if e.supply == entry.supply and e.offset_s > entry.offset_s
        ]
        ends_s = self._ends_of(entry.supply)
        return ends_s is None or (bool(later) and ends_s > min(later))

    def _filled_by_s(self, name: str) -> float | None:
        """Until when people who come as late as they may have filled it, where that is planned."""
        now_s = self._desk.clock.now_s()
        coming = [step.closes_s + step.entry.takes_s for step in self._open.values()
                  if step.entry.supply == name]  # fmt: skip
        coming += [e.offset_s + e.wait_s + e.takes_s for e in self._fillings
                   if e.supply == name and e.offset_s > now_s]  # fmt: skip
        return min(coming, default=None)

    def _ends_of(self, name: str) -> float | None:
        supply = next(supply for supply in self._plan.supplies if supply.name == name)
        return self._supplies.ends_s(supply, self._desk.consumption, self._desk.clock.now_s())

    def look(self, now_s: float) -> None:
        """What is due by itself: deadlines, pumps that stood long enough, simulated people."""
        for step in tuple(self._open.values()):
            self._let_them_act(step, now_s)
            if step.entry.key not in self._open:
                continue
            stands_until_s = step.stands_until_s
            if stands_until_s is not None and now_s >= stands_until_s:
                self._feed_again(step, now_s)
            if step.signed is None and now_s >= step.on_time_until_s:
                self._call(step)
            if now_s >= step.closes_s:
                self._close(step)
        self._watch.look(now_s)
        if self._open and now_s >= self._ends_s and not self._silent_after_end:
            self._silent_after_end = True
            self._suspend(self._stimulators, AFTER_THE_END)

    def next_s(self, now_s: float) -> float | None:
        """When to look again if nobody says anything; None: nothing stands."""
        due = [self._ends_s] if self._open and not self._silent_after_end else []
        if (watch_s := self._watch.next_s(now_s)) is not None:
            due.append(watch_s)
        for step in self._open.values():
            due += [step.on_time_until_s, step.closes_s, *self._simulated_s(step)]
            if (stands_until_s := step.stands_until_s) is not None:
                due.append(stands_until_s)
        return min((at_s for at_s in due if at_s > now_s), default=None)

    def end(self, reason: str) -> None:
        """The run is over: what was not done will not be."""
        for step in tuple(self._open.values()):
            self._desk.note("step", step.entry.key, "skipped", NotDone(reason))
            self._withdraw(step)

    def _opened(self, entry: PersonStep, known: EntryState | None) -> _Open:
        step = self._open[entry.key] = _Open(entry)
        if known is not None:
            step.begun_s, step.signed = _begun_of(known), _signed_of(known)
        return step

    def _show(self, step: _Open) -> None:
        entry, signed = step.entry, step.signed
        facts: dict[str, Any] = {
            "due_s": entry.offset_s,
            "within_s": entry.within_s,
            "until_s": entry.offset_s + entry.wait_s,
            "signatures": entry.signatures,
        }
        if step.begun_s is not None:
            facts["begun_s"] = step.begun_s
        if signed is not None:
            facts["signed_by"] = signed.by
        of = "" if entry.supply else f" of {', '.join(entry.wells)}"
        what = f"{entry.unnamed[0].upper()}{entry.unnamed[1:]}{of}."
        if entry.supply:
            facts["supply"] = entry.supply
        self._desk.board.ask_anew(
            Question(entry.key, what, STEP_ACTS, self._desk.clock.now_s(), facts)
        )

    def _begin(self, step: _Open, by: str, now_s: float) -> None:
        step.begun_s = now_s
        step.standing = self._pumps_of(step.entry)
        # Written before anything pauses: a runner that takes over must pause it, too.
        begun = StepBegun(by, now_s, step.standing)
        self._desk.note("step", step.entry.key, "sent", begun)
        self._pause(step)
        self._show(step)

    def _pause(self, step: _Open) -> None:
        if step.signed is not None:
            return
        now_s = self._desk.clock.now_s()
        step.standing = self._pumps_of(step.entry)
        if (until_s := step.stands_until_s) is not None and now_s >= until_s:
            # An earlier runner died while they stood: they are fed first of all.
            step.standing = ()
        # Who is at a bottle is not at the plate.
        step.paused = () if step.entry.supply else (*self._stimulators, *self._stages)
        self._suspend((*step.paused, *step.standing), _why(step.entry))

    def _pumps_of(self, entry: PersonStep) -> tuple[str, ...]:
        if not entry.hold_s or entry.supply:
            return entry.stands
        wells = set(entry.wells)
        return _names(pump for pump, fed in self._pumps if wells & set(fed))

    def _suspend(self, instruments: Iterable[str], why: str) -> None:
        for name in instruments:
            self._workers[name].put_before_undue(Suspend(name, why, by="step"))

    def _release(self, step: _Open, instruments: Iterable[str]) -> None:
        """Of what paused for it, all for which no other one of its name still has hands there."""
        why = _why(step.entry)
        others = {
            name
            for other in self._open.values()
            if other is not step and _why(other.entry) == why
            for name in (*other.paused, *other.standing)
        }
        for name in instruments:
            if name not in others:
                self._workers[name].put_before_undue(Release(name, why))

    def _feed_again(self, step: _Open, now_s: float) -> None:
        assert step.begun_s is not None
        standing, step.standing = step.standing, ()
        self._release(step, standing)
        self._desk.deviation(StepHeldTooLong(step.entry.key, step.entry.wells, step.begun_s, now_s))

    def _sign(self, step: _Open, by: str, done_s: float, note: str) -> None:
        entry, first = step.entry, step.signed
        if first is None:
            # Hands are off the plate: whatever waited goes on before the rows are told further.
            self._release(step, (*step.paused, *step.standing))
            step.paused = step.standing = ()
        if entry.signatures > 1 and first is None:
            step.signed = StepSigned(by, done_s, step.begun_s, note)
            self._desk.note("step", entry.key, "acknowledged", step.signed)
            self._desk.board.clear("step", entry.step)
            self._show(step)
            return
        if first is not None:
            notes = "; ".join(dict.fromkeys(filter(None, (first.note, note))))
            self._confirm(step, (first.by, by), first.done_s, notes)
        else:
            self._confirm(step, (by,), done_s, note)

    def _confirm(self, step: _Open, by: tuple[str, ...], done_s: float, note: str) -> None:
        entry = step.entry
        late_s = max(0.0, done_s - step.on_time_until_s)
        done = StepDone(by, done_s, late_s, step.begun_s, note)
        if self._people is not None:
            self._people.did(entry, done_s)
        if entry.supply:
            stood = bool(entry.stands) and step.begun_s is not None
            self._fill(entry.supply, entry.to_ml, done_s, " and ".join(by), stood=stood)
        for name, to_ml in entry.bottles:
            self._fill(name, to_ml, done_s, " and ".join(by))
        told: list[SaidDeviation] = []
        at_plate = not entry.supply and (self._stimulators or self._stages)
        if step.begun_s is None and (at_plate or entry.hold_s):
            told.append(StepNotPaused(entry.key, entry.wells))
        if late_s:
            told += [StepLate(entry.key, entry.wells, late_s, by), *self._by_rule(entry, "late")]
        self._desk.note("step", entry.key, "confirmed", done, *told)
        self._desk.board.event(entry.key, "late" if late_s else "hits")
        self._answered(step, DONE, " and ".join(by))
        self.settled(entry, True)

    def _fill(
        self, name: str, to_ml: float, done_s: float, by: str, *, stood: bool = False
    ) -> None:
        """What is there from now on: forecast, ledger and rules of the bench go by it.

        ``stood``: its pumps did until it was signed; else what was drawn since then is planned.
        """
        supply = next(s for s in self._plan.supplies if s.name == name)
        left_ml = self._supplies.left_ml(supply, self._desk.consumption)
        if not stood:
            now_s = self._desk.clock.now_s()
            left_ml += self._supplies.planned_ml(supply, min(done_s, now_s), now_s)
        added_ml = round(to_ml - supply.unusable_ml - left_ml, 6)
        filled = ReservoirFilled(name, added_ml, to_ml, done_s, by)
        self._desk.consumption.see_filled(filled)
        self._watch.filled()
        self._desk.note("note", f"{FILLED}{name}", "noted", filled)

    def _refuse(self, step: _Open, by: str, reason: str) -> None:
        entry = step.entry
        told = (StepMissed(entry.key, entry.wells, reason, by), *self._by_rule(entry, "refused"))
        self._desk.note("step", entry.key, "refused", StepRefused(by, reason), *told)
        self._answered(step, REFUSE, by)
        self.settled(entry, False)

    def _close(self, step: _Open) -> None:
        entry, signed = step.entry, step.signed
        if signed is not None:
            self._desk.deviation(StepOneSignature(entry.key, entry.wells, signed.by))
            self._confirm(step, (signed.by,), signed.done_s, signed.note)
            return
        minutes = f"{(step.closes_s - entry.offset_s) / 60:.0f} min"
        reason = f"nobody said within {minutes} that it was done"
        if step.begun_s is not None:
            reason = f"it was begun, and {reason}"
        told = (StepMissed(entry.key, entry.wells, reason), *self._by_rule(entry, "missed"))
        self._desk.note("step", entry.key, "missed", NotDone(reason), *told)
        self._withdraw(step)
        self.settled(entry, False)

    def _by_rule(self, entry: PersonStep, why: str) -> tuple[SaidDeviation, ...]:
        """Do what its rule says, and what is to be told of it with the step's last row.

        A stop comes before that row: after it, whoever takes over would know of none.
        """
        if entry.if_missed == "stop":
            self._stop(f"the step {entry.step} was {why}")
        if entry.if_missed != "censor":
            return ()
        from_s = entry.offset_s + entry.within_s
        self._desk.board.censor(entry.wells, from_s)
        return (Censored(entry.wells, from_s, f"step {entry.step} was {why}"),)

    def _call(self, step: _Open) -> None:
        entry = step.entry
        alarms = self._desk.board.alarms()
        if any(alarm.code == "step" and alarm.about == entry.step for alarm in alarms):
            return
        self._desk.alarm(
            "step", entry.step,
            f"{entry.unnamed}: its time was over {entry.within_s / 60:g} min after it was due, and "
            "nobody has said that it was done.",
            "Do it and sign it, or decide against it: `labrig done`, or the page.",
        )  # fmt: skip

    def _answered(self, step: _Open, choice: str, by: str) -> None:
        self._desk.board.answer(step.entry.key, choice)
        self._desk.note("note", f"{ANSWERED}{step.entry.key}", "noted", AnswerNoted(choice, by))
        self._withdraw(step)

    def _withdraw(self, step: _Open) -> None:
        del self._open[step.entry.key]
        self._desk.board.take_question(step.entry.key)
        self._desk.board.clear("step", step.entry.step)
        self._release(step, (*step.paused, *step.standing))
        step.paused = step.standing = ()

    def _simulated_s(self, step: _Open) -> tuple[float, ...]:
        if self._people is None or _is_unplanned(step.entry):
            return ()
        reaction, asked_s = self._people.reaction(step.entry), step.entry.offset_s
        times = (reaction.begin_after_s, reaction.done_after_s)
        return tuple(asked_s + after_s for after_s in times if after_s is not None)

    def _let_them_act(self, step: _Open, now_s: float) -> None:
        """What simulated people have done by now."""
        people, entry = self._people, step.entry
        if people is None or _is_unplanned(entry):
            # Who came though nobody asked says so, too.
            return
        reaction = people.reaction(entry)
        begin, done = reaction.begin_after_s, reaction.done_after_s
        begins = begin is not None and now_s >= entry.offset_s + begin
        if begins and step.begun_s is None and step.signed is None and not reaction.refuses:
            self._begin(step, people.names[0], now_s)
        if done is None or now_s < entry.offset_s + done:
            return
        if reaction.refuses:
            self._refuse(step, people.names[0], "refused by a simulated person")
            return
        if step.signed is None:
            self._sign(step, people.names[0], now_s, "")
        if entry.key in self._open:
            self._sign(step, people.names[1], now_s, "")


def done_s_of(args: Mapping[str, Any], now_s: float) -> float:
    """When a person says that it happened, on the run's clock; now where nothing is said."""
    try:
        return float(args["done_s"])
    except (KeyError, TypeError, ValueError):
        return now_s


def _is_unplanned(entry: PersonStep) -> bool:
    return entry.key.rpartition("/")[2].startswith(UNPLANNED)


def _why(entry: PersonStep) -> str:
    """Why instruments are suspended; no interlock is called so."""
    return f"the step {entry.step}"


def _names(found: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(found))


def _begun_of(known: EntryState) -> float | None:
    if known.state not in ("sent", "acknowledged"):
        return None
    begun_s = known.detail.get("begun_s")
    return None if begun_s is None else float(begun_s)


def _signed_of(known: EntryState) -> StepSigned | None:
    if known.state != "acknowledged":
        return None
    try:
        return from_detail(StepSigned, known.detail)
    except BadDetail:
        return None
