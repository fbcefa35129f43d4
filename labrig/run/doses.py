"""Doses: delivered once or not at all, and never issued twice on a guess.

``sent`` is on disk, with the pump's counter, before any byte goes out. Whatever happens then,
the counter is asked what came; only where it cannot tell does the dose's own ``on_unknown``
rule decide. By that rule alone no more is given than is certainly missing; more than that may only
the operator have given, who is told what it may come to.
"""

from __future__ import annotations

import math
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from labrig.error_rules import Retry, decide
from labrig.plan.timeline import Dose
from labrig.record.kinds.doses import (
    Bounds,
    DoseAcknowledged,
    DoseSent,
    SentDose,
)
from labrig.record.kinds.pump_deviations import DoseAlarm, DoseRefused, DoseUncertain
from labrig.record.said import entry_of
from labrig.run.desk import Desk
from labrig.run.dose_flight import DoseFlight
from labrig.run.dose_notes import DoseNotes, dose_words
from labrig.run.dose_questions import certainly_missing_ul, question_of
from labrig.run.dose_witness import NOT_DONE_FRACTION, Witness, agree, classify
from labrig.run.lease import StaleEpoch
from labrig.run.orders import Decided, Order, Settle
from labrig_drivers.errors import AlarmRaised, Refused, ReplyError
from labrig_drivers.kinds import Pump, PumpState

MOST_TRIES = 2
"""A dose that the pump itself says did not come is tried this often in all."""


class DoseGiver:
    """Gives one pump's doses, one at a time.

    Args:
        instrument: the pump's name.
        desk: clock, journal, fence and board.
        show: is given what the pump says before and after each dose.

    Attributes:
        blocked: the pump is not sound: doses wait.
    """

    def __init__(self, instrument: str, desk: Desk, show: Callable[[PumpState], None]) -> None:
        self._instrument = instrument
        self._show = show
        self._desk = desk
        self._notes = DoseNotes(desk, instrument)
        self._flight: DoseFlight | None = None
        self._queue: deque[Order] = deque()
        self._tries: Counter[str] = Counter()
        self._asked: dict[str, tuple[Order, Dose, Witness, Bounds]] = {}
        self._over = False
        self._last_state: PumpState | None = None
        self._last_was_done = False
        self.blocked = False
        self._not_before_s = -math.inf

    @property
    def busy(self) -> bool:
        """Whether a dose is under way or unsettled."""
        return self._flight is not None

    @property
    def has_next(self) -> bool:
        """Whether one waits that is begun by itself: on a pump that is not sound, none is."""
        return bool(self._queue) and not self.blocked

    def next_due_s(self) -> float | None:
        """When to look after the dose under way, or to begin the next one: at once."""
        if self._flight is not None:
            return self._flight.check_s
        if not self.has_next:
            return None
        return max(self._desk.clock.now_s(), self._not_before_s)

    @property
    def last_state(self) -> PumpState | None:
        """What the pump said of itself when it was last asked about a dose."""
        return self._last_state

    @property
    def last_was_done(self) -> bool:
        """Whether the dose that was looked after last had come."""
        return self._last_was_done

    def wait(self, order: Order) -> None:
        """Let this one wait before all others."""
        self._queue.appendleft(order)

    def attach(self) -> None:
        """Another driver has been put on the pump: what the one before was told is forgotten."""
        if self._flight is not None:
            self._flight.attached_anew()

    def give(self, order: Order, dose: Dose, pump: Pump) -> None:
        """Begin a dose, or queue it behind the one under way.

        Raises:
            JournalWriteFailed: not begun, because it could not be written down first.
            LinkError, ReplyError: maybe begun, and :meth:`look` finds out once the pump answers;
                or the pump could not be asked before, and :meth:`next_order` gives it back.
        """
        if self._flight is not None or self.blocked or self._waits_to_give_again:
            self._queue.append(order)
            return
        try:
            state = self._confirmed(pump, pump.state())
            self._show(state)
            rate_ul_min = pump.quantised(dose.rate_ul_min)
        except (Refused, StaleEpoch):
            raise
        except Exception:
            # Nothing was sent. It waits here until the pump answers again.
            self._queue.appendleft(order)
            raise
        sent = SentDose(
            volume_ul=dose.volume_ul,
            rate_ul_min=rate_ul_min,
            sent_s=self._desk.clock.now_s(),
            acknowledged=False,
            before_ul=state.delivered_ul,
            level_ul_min=state.rate_ul_min if state.running else 0.0,
            counter_step_ul=state.counter_step_ul,
            counter_range_ul=state.counter_range_ul,
            power_lost=state.power_lost,
        )
        self._desk.fence.check(order.epoch)
        told = DoseSent(self._instrument, dose.wells, sent)
        self._desk.intend(entry_of("dose", dose.key, "sent", told))
        # A stop may have come while the disk was busy.
        self._desk.fence.check(order.epoch)
        self._tries[dose.key] = max(self._tries[dose.key], order.tries) + 1
        flight = DoseFlight(order, dose, sent, check_s=sent.sent_s)
        self._flight = flight
        try:
            pump.dispense(dose.volume_ul, dose.rate_ul_min)
        except StaleEpoch:
            # How far it got is asked when the stop is carried out, which is next.
            return
        except AlarmRaised as error:
            self._desk.deviation(DoseAlarm(key=dose.key, what=str(error)))
            return
        except Refused as error:
            self._flight = None
            if self._may_give_again(order, dose, "refused", error.what):
                self._queue.appendleft(order)
                return
            self._notes.nothing_came(order, str(error))
            self._desk.deviation(DoseRefused(key=dose.key, what=str(error)))
            self._desk.alarm("dose-refused", self._instrument, str(error), error.remedy)
            return
        flight.acknowledge()
        self._desk.note("dose", dose.key, "acknowledged", DoseAcknowledged())

    def _confirmed(self, pump: Pump, first: PumpState) -> PumpState:
        """What is counted before and after a dose decides about it: it is read twice.

        Not every line has a checksum: one bit that turned may look like a dose, or like none.

        Raises:
            ReplyError: both readings cannot be so.
        """
        heard_s = self._desk.clock.now_s()
        state = pump.state()
        if not agree(first, state, self._desk.clock.now_s() - heard_s):
            counted = f"{first.delivered_ul:g}, then {state.delivered_ul:g} µL"
            raise ReplyError(
                self._instrument,
                f"it said that it had delivered {counted}, within one moment.",
                "Look at its cable: bytes are changed on their way.",
            )
        return state

    def settle(self, settle: Settle) -> None:
        """Take over a dose that an earlier process had sent; :meth:`look` asks the pump."""
        dose = settle.order.entry
        assert isinstance(dose, Dose), f"{dose.key} is no dose"
        sent = replace(
            settle.sent,
            acknowledged=settle.acknowledged,
            power_lost=False,
            others_asked=settle.others_asked,
        )
        now_s = self._desk.clock.now_s()
        self._tries[dose.key] = settle.order.tries
        # What was sent may have been only the rest of the dose.
        rest = replace(dose, volume_ul=sent.volume_ul)
        order = replace(settle.order, entry=rest)
        if settle.told is not None:
            # The pump has told what it knew; it may have been at other things since.
            told = settle.told
            witness = Witness(told.classification, told.delivered_ul)
            bounds = told.bounds or Bounds(told.delivered_ul or 0.0, sent.volume_ul)
            self._ask(order, rest, witness, bounds)
            return
        self._flight = DoseFlight(order, rest, sent, check_s=now_s)

    def notice(self, pump: Pump, state: PumpState) -> None:
        """A poll of the pump while it gives a dose: what has come by now, and does it go on?

        Raises:
            LinkError, ReplyError: it does not answer again, or both answers cannot be so.
        """
        flight = self._flight
        if flight is None:
            return
        state = self._confirmed(pump, state)
        flight.see(state, self._desk.clock.now_s())

    def look(self, pump: Pump) -> Order | None:
        """Ask the pump about the dose under way.

        Returns:
            an order to give again, by its lateness rule, when the pump says nothing came, or
            by its ``on_unknown`` rule; else None.
        """
        flight = self._flight
        if flight is None:
            return None
        now_s = self._desk.clock.now_s()
        witness = self._witness(flight, pump, now_s)
        if witness.classification == "under way":
            if flight.goes_on(now_s):
                return None
            pump.stop()
            witness = self._witness(flight, pump, now_s)
        self._flight = None
        self._last_was_done = witness.classification == "done"
        bounds = flight.bounds(witness, self._desk.clock.now_s())
        return self._conclude(flight.order, flight.dose, witness, bounds)

    def _witness(self, flight: DoseFlight, pump: Pump, now_s: float) -> Witness:
        state = pump.state()
        if classify(flight.sent, state, now_s).classification != "under way":
            state = self._confirmed(pump, state)
        self._last_state = state
        self._show(state)
        return classify(flight.sent, state, now_s)

    def next_order(self) -> Order | None:
        """The next queued dose, when none is under way and the pump is sound."""
        free = self._flight is None and not self.blocked and not self._waits_to_give_again
        ready = self._queue and free
        return self._queue.popleft() if ready else None

    @property
    def _waits_to_give_again(self) -> bool:
        return self._desk.clock.now_s() < self._not_before_s

    def finish(self, reason: str) -> None:
        """Begin no dose any more, neither those that wait nor the one under way again."""
        self._over = True
        self._drop_queue("missed", reason)

    def drop(self, reason: str) -> None:
        """Refuse what waits."""
        self._drop_queue("refused", reason)

    def _drop_queue(self, state: Literal["missed", "refused"], reason: str) -> None:
        while self._queue:
            self._notes.undone(self._queue.popleft(), state, reason)

    def decide(self, decided: Decided) -> Order | None:
        """Carry out the operator's answer; an order when it is to be given again."""
        asked = self._asked.pop(decided.key, None)
        if asked is None:
            return None
        order, dose, witness, bounds = asked
        if decided.choice == "redo" and not self._over:
            left_ul = dose.volume_ul - bounds.at_least_ul
            return self._again(order, dose, witness, bounds, left_ul, decided.epoch)
        if decided.choice == "redo":
            ended = "its rest was not given: the run ended first"
            self._notes.unknown(dose, witness, bounds, ended)
            return None
        who = "as nobody answered in time" if decided.by_default else "by the operator"
        self._notes.unknown(dose, witness, bounds, f"assumed done {who}")
        return None

    def stop(self, pump: Pump) -> None:
        """Cut off what is under way and drop what waits: an operator's stop.

        Raises:
            LinkError, ReplyError: the pump does not answer; what is under way is still open.
        """
        self._drop_queue("refused", "stopped")
        flight = self._flight
        if flight is None:
            return
        pump.stop()
        witness = self._witness(flight, pump, self._desk.clock.now_s())
        self._flight = None
        if witness.classification == "done":
            self._notes.done(flight.dose, witness)
        elif witness.classification == "not done":
            self._notes.undone(flight.order, "refused", "stopped before any of it had come")
        else:
            bounds = flight.bounds(witness, self._desk.clock.now_s())
            self._notes.unknown(flight.dose, witness, bounds, "cut off by a stop")

    def _conclude(self, order: Order, dose: Dose, witness: Witness, bounds: Bounds) -> Order | None:
        if witness.classification == "done":
            self._notes.done(dose, witness)
            return None
        if witness.classification == "not done" and self._over:
            self._notes.undone(order, "missed", "the run ended before any of it had come")
            return None
        if witness.classification == "not done":
            what = f"the pump says that nothing came of {dose_words(order, dose)}."
            if self._may_give_again(order, dose, "not_given", what):
                self._queue.appendleft(order)
                return None
            self._notes.nothing_came(order, what)
            self._desk.alarm("dose-not-given", self._instrument, what, "Look at its line.")
            return None
        self._desk.deviation(
            DoseUncertain(
                key=dose.key,
                classification=witness.classification,
                delivered_ul=witness.delivered_ul,
                bounds=bounds,
                rule=dose.on_unknown,
            )
        )
        what = f"it is not known what came of {dose_words(order, dose)}."
        self._desk.troubles.give_up("dose", "unknown_outcome", dose.key, what, dose.wells)
        missing_ul = certainly_missing_ul(dose, bounds)
        match dose.on_unknown:
            case "assume_done":
                self._notes.unknown(dose, witness, bounds, "assumed done")
            case _ if self._over:
                ended = "its rest was not given: the run ended first"
                self._notes.unknown(dose, witness, bounds, ended)
            case "redo" if missing_ul <= NOT_DONE_FRACTION * dose.volume_ul:
                # Given again, it might have come twice; only a person may have that done.
                self._notes.unknown(
                    dose, witness, bounds, "not given again: nothing is certainly missing"
                )
            case "redo" if self._tries[dose.key] < MOST_TRIES:
                return self._again(order, dose, witness, bounds, missing_ul, order.epoch)
            case "redo":
                self._notes.unknown(dose, witness, bounds, "tried often enough")
            case "ask":
                self._ask(order, dose, witness, bounds)
        return None

    def _may_give_again(
        self, order: Order, dose: Dose, error: Literal["not_given", "refused"], what: str
    ) -> bool:
        """Of a dose of which nothing came, by its rule; it is written down as intended again."""
        rule, tries = self._desk.troubles.rule("dose", error), self._tries[dose.key] - 1
        decision = decide(error, "dose", rule, tries)
        if isinstance(decision, Retry):
            self._not_before_s = self._desk.clock.now_s() + decision.apart_s
            self._notes.not_given(order, dose)
            return True
        self._desk.troubles.give_up("dose", error, dose.key, what, dose.wells, asks=True)
        return False

    def _again(
        self,
        order: Order,
        dose: Dose,
        witness: Witness,
        bounds: Bounds,
        left_ul: float,
        epoch: int,
    ) -> Order:
        self._notes.again(dose, witness, bounds, left_ul)
        rest = replace(dose, volume_ul=left_ul)
        return Order(rest, epoch, order.next_s, because="answered", rest=True)

    def _ask(self, order: Order, dose: Dose, witness: Witness, bounds: Bounds) -> None:
        self._asked[dose.key] = (order, dose, witness, bounds)
        # Before the question: whoever finds that alone would ask the pump anew, and do something
        # else than a person was told.
        self._notes.unknown(dose, witness, bounds, "")
        now_s = self._desk.clock.now_s()
        question = question_of(dose, self._instrument, witness, bounds, order.rest, now_s)
        default = self._desk.troubles.by_default("dose", "unknown_outcome")
        question = replace(question, facts={**(question.facts or {}), **default})
        self._desk.board.ask(question)
