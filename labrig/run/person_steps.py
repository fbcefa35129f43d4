"""Steps of people at work: asked, begun, signed, late, refused, missed; and what pauses for them.

The dispatcher calls this. A step needs no instrument: it is a question with a deadline, and rows
of kind ``step`` say what became of it. They alone decide what a runner that takes over still asks.

While hands are at the plate impulses and pictures pause; pumps stand if the protocol says so, and
never for longer than the cells can do without: then they go on, whatever the hands do.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from labrig.plan.packed import of_kind, packed
from labrig.plan.plan import Plan
from labrig.plan.supply_steps import unplanned, unplanned_of
from labrig.plan.timeline import PersonStep
from labrig.record.alarms import Question
from labrig.record.clock import Mailbox
from labrig.record.entry_states import EntryState
from labrig.record.kinds.levels import NotDone
from labrig.record.kinds.operator import ANSWERED, AnswerNoted
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
from labrig.record.recovery import RunState
from labrig.record.said import SaidDeviation
from labrig.run.desk import Desk
from labrig.run.fillings import Fillings
from labrig.run.open_step import OpenStep, begun_of, signed_of
from labrig.run.orders import ForWorker
from labrig.run.people import People
from labrig.run.step_faults import BEGIN, DONE, REFUSE, STEP_ACTS
from labrig.run.step_pauses import StepPauses

ENOUGH = "it was filled earlier, and that lasts"
"""Why nobody is asked to fill what was to be filled now."""


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
        self._stop = stop
        self._people = people
        self._open: dict[str, OpenStep] = {}
        self._ends_s = plan.forecast.duration_s
        self._silent_after_end = False
        self.settled: Callable[[PersonStep, bool], None] = lambda entry, done: None
        timeline = packed(plan.timeline)
        self._pauses = StepPauses(timeline, workers, self._open)
        self._fillings = Fillings(plan, desk, self._open)
        steps = list(of_kind(timeline, PersonStep))
        steps += [e for key in state.entries if (e := unplanned_of(plan, key)) is not None]
        for entry in steps:
            known = state.entries.get(entry.key)
            if known is not None and (begun_of(known) is not None or signed_of(known) is not None):
                # Before any level: what is paused must not begin at a takeover.
                step = self._opened(entry, known)
                self._pause(step)
                if step.unplanned:
                    self._show(step)

    @property
    def begun(self) -> bool:
        """Whether somebody's hands are at the bench."""
        return any(step.begun_s is not None and step.signed is None for step in self._open.values())

    def holds(self, key: str) -> bool:
        """Whether this one was begun or signed once, and has not come to its end."""
        return key in self._open

    @property
    def standing(self) -> bool:
        """Whether somebody is still waited for."""
        return bool(self._open)

    def ask(self, entry: PersonStep, known: EntryState | None = None) -> None:
        """It is due; ``known``: what an earlier runner wrote of it."""
        if entry.key not in self._open and self._fillings.suffices(entry):
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
                to_ml = self._fillings.given_ml(step.entry.supply, float(str(to_ml)))
                step.entry = replace(step.entry, to_ml=to_ml)
            self._sign(step, by, done_s_of(args, now_s), note)
        elif act == REFUSE:
            self._refuse(step, by, note or "no reason given")

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
        self._fillings.look(now_s)
        if self._open and now_s >= self._ends_s and not self._silent_after_end:
            self._silent_after_end = True
            self._pauses.silence_after_the_end()

    def next_s(self, now_s: float) -> float | None:
        """When to look again if nobody says anything; None: nothing stands."""
        due = [self._ends_s] if self._open and not self._silent_after_end else []
        if (watch_s := self._fillings.next_s(now_s)) is not None:
            due.append(watch_s)
        for step in self._open.values():
            due += [step.on_time_until_s, step.closes_s, *self._simulated_s(step)]
            if (stands_until_s := step.stands_until_s) is not None:
                due.append(stands_until_s)
        return min((at_s for at_s in due if at_s > now_s), default=None)

    def end(self, reason: str) -> None:
        """The run is over: what was not done will not be; what one person signed was done."""
        # No rule of a step has anything to stop any more.
        self._stop = lambda why: None
        for step in tuple(self._open.values()):
            if step.signed is not None:
                self._confirm_signed_once(step, step.signed)
                continue
            self._desk.note("step", step.entry.key, "skipped", NotDone(reason))
            self._withdraw(step)

    def _opened(self, entry: PersonStep, known: EntryState | None) -> OpenStep:
        step = self._open[entry.key] = OpenStep(entry)
        if known is not None:
            step.begun_s, step.signed = begun_of(known), signed_of(known)
        return step

    def _show(self, step: OpenStep) -> None:
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

    def _begin(self, step: OpenStep, by: str, now_s: float) -> None:
        step.begun_s = now_s
        step.standing = self._pauses.pumps_of(step.entry)
        # Written before anything pauses: a runner that takes over must pause it, too.
        begun = StepBegun(by, now_s, step.standing)
        self._desk.note("step", step.entry.key, "sent", begun)
        self._pause(step)
        self._show(step)

    def _pause(self, step: OpenStep) -> None:
        if step.signed is None:
            self._pauses.pause(step, self._desk.clock.now_s())

    def _feed_again(self, step: OpenStep, now_s: float) -> None:
        assert step.begun_s is not None
        self._pauses.feed_again(step)
        self._desk.deviation(StepHeldTooLong(step.entry.key, step.entry.wells, step.begun_s, now_s))

    def _sign(self, step: OpenStep, by: str, done_s: float, note: str) -> None:
        entry, first = step.entry, step.signed
        if first is None:
            # Hands are off the plate: whatever waited goes on before the rows are told further.
            self._pauses.over(step)
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

    def _confirm(self, step: OpenStep, by: tuple[str, ...], done_s: float, note: str) -> None:
        entry = step.entry
        late_s = max(0.0, done_s - step.on_time_until_s)
        done = StepDone(by, done_s, late_s, step.begun_s, note)
        if self._people is not None:
            self._people.did(entry, done_s)
        if entry.supply:
            stood = bool(entry.stands) and step.begun_s is not None
            self._fillings.fill(entry.supply, entry.to_ml, done_s, " and ".join(by), stood=stood)
        for name, to_ml in entry.bottles:
            self._fillings.fill(name, to_ml, done_s, " and ".join(by))
        told: list[SaidDeviation] = []
        at_plate = not entry.supply and self._pauses.at_plate
        if step.begun_s is None and (at_plate or entry.hold_s):
            told.append(StepNotPaused(entry.key, entry.wells))
        if late_s:
            told += [StepLate(entry.key, entry.wells, late_s, by), *self._by_rule(entry, "late")]
        self._desk.note("step", entry.key, "confirmed", done, *told)
        self._desk.board.event(entry.key, "late" if late_s else "hits")
        self._answered(step, DONE, " and ".join(by))
        self.settled(entry, True)

    def _refuse(self, step: OpenStep, by: str, reason: str) -> None:
        entry = step.entry
        told = (StepMissed(entry.key, entry.wells, reason, by), *self._by_rule(entry, "refused"))
        self._desk.note("step", entry.key, "refused", StepRefused(by, reason), *told)
        self._answered(step, REFUSE, by)
        self.settled(entry, False)

    def _close(self, step: OpenStep) -> None:
        entry, signed = step.entry, step.signed
        if signed is not None:
            self._confirm_signed_once(step, signed)
            return
        minutes = f"{(step.closes_s - entry.offset_s) / 60:.0f} min"
        reason = f"nobody said within {minutes} that it was done"
        if step.begun_s is not None:
            reason = f"it was begun, and {reason}"
        told = (StepMissed(entry.key, entry.wells, reason), *self._by_rule(entry, "missed"))
        self._desk.note("step", entry.key, "missed", NotDone(reason), *told)
        self._withdraw(step)
        self.settled(entry, False)

    def _confirm_signed_once(self, step: OpenStep, signed: StepSigned) -> None:
        self._desk.deviation(StepOneSignature(step.entry.key, step.entry.wells, signed.by))
        self._confirm(step, (signed.by,), signed.done_s, signed.note)

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

    def _call(self, step: OpenStep) -> None:
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

    def _answered(self, step: OpenStep, choice: str, by: str) -> None:
        self._desk.board.answer(step.entry.key, choice)
        self._desk.note("note", f"{ANSWERED}{step.entry.key}", "noted", AnswerNoted(choice, by))
        self._withdraw(step)

    def _withdraw(self, step: OpenStep) -> None:
        del self._open[step.entry.key]
        self._desk.board.take_question(step.entry.key)
        self._desk.board.clear("step", step.entry.step)
        self._pauses.over(step)

    def _simulated_s(self, step: OpenStep) -> tuple[float, ...]:
        if self._people is None or step.unplanned:
            return ()
        reaction, asked_s = self._people.reaction(step.entry), step.entry.offset_s
        times = (reaction.begin_after_s, reaction.done_after_s)
        return tuple(asked_s + after_s for after_s in times if after_s is not None)

    def _let_them_act(self, step: OpenStep, now_s: float) -> None:
        """What simulated people have done by now."""
        people, entry = self._people, step.entry
        if people is None or step.unplanned:
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
