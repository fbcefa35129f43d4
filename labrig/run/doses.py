"""Doses: delivered once or not at all, and never issued twice on a guess.

``sent`` is on disk, with the pump's counter, before any byte goes out. Whatever happens then,
the counter is asked what came; only where it cannot tell does the dose's own ``on_unknown``
rule decide.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from labrig.plan.timeline import Dose
from labrig.record.journal import Entry
from labrig.run.board import Question
from labrig.run.desk import Desk
from labrig.run.dose_witness import SentDose, Witness, classify
from labrig.run.lease import StaleEpoch
from labrig.run.orders import Decided, Order, Settle
from labrig_drivers.errors import AlarmRaised, Refused
from labrig_drivers.kinds import Pump

MOST_TRIES = 2
"""A dose that the pump itself says did not come is tried this often in all."""
_MARGIN_S = 2.0


@dataclass(slots=True)
class _Flight:
    order: Order
    dose: Dose
    sent: SentDose
    check_s: float


class DoseGiver:
    """Gives one pump's doses, one at a time."""

    def __init__(self, instrument: str, desk: Desk) -> None:
        self._instrument = instrument
        self._desk = desk
        self._flight: _Flight | None = None
        self._queue: deque[Order] = deque()
        self._tries: Counter[str] = Counter()
        self._asked: dict[str, tuple[Order, Dose, Witness]] = {}
        self._over = False

    @property
    def busy(self) -> bool:
        """Whether a dose is under way or unsettled."""
        return self._flight is not None

    def next_due_s(self) -> float | None:
        """When to look after the dose under way, or to begin the next one: at once."""
        if self._flight is not None:
            return self._flight.check_s
        return self._desk.clock.now_s() if self._queue else None

    def give(self, order: Order, dose: Dose, pump: Pump) -> None:
        """Begin a dose, or queue it behind the one under way.

        Raises:
            JournalWriteFailed: not begun, because it could not be written down first.
            LinkError, ReplyError: maybe begun, and :meth:`look` finds out once the pump answers;
                or the pump could not be asked before, and :meth:`next_order` gives it back.
        """
        if self._flight is not None:
            self._queue.append(order)
            return
        try:
            state = pump.state()
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
        )
        self._desk.fence.check(order.epoch)
        detail = {"instrument": self._instrument, "wells": list(dose.wells), **asdict(sent)}
        self._desk.intend(Entry("dose", dose.key, "sent", detail))
        # A stop may have come while the disk was busy.
        self._desk.fence.check(order.epoch)
        self._tries[dose.key] = max(self._tries[dose.key], order.tries) + 1
        flight = _Flight(order, dose, sent, check_s=sent.sent_s)
        self._flight = flight
        try:
            pump.dispense(dose.volume_ul, dose.rate_ul_min)
        except StaleEpoch:
            # How far it got is asked when the stop is carried out, which is next.
            return
        except AlarmRaised as error:
            self._desk.deviation("dose-alarm", key=dose.key, what=str(error))
            return
        except Refused as error:
            self._flight = None
            self._note_nothing_came(order, str(error))
            self._desk.alarm("dose-refused", self._instrument, str(error), error.remedy)
            return
        flight.sent = replace(sent, acknowledged=True)
        flight.check_s = sent.sent_s + dose.volume_ul / sent.rate_ul_min * 60.0 + _MARGIN_S
        self._desk.note("dose", dose.key, "acknowledged")

    def settle(self, settle: Settle) -> None:
        """Take over a dose that an earlier process had sent; :meth:`look` asks the pump."""
        dose = settle.order.entry
        assert isinstance(dose, Dose), f"{dose.key} is no dose"
        known = {name: settle.sent[name] for name in SentDose.__slots__}
        known["acknowledged"] = settle.acknowledged
        now_s = self._desk.clock.now_s()
        self._tries[dose.key] = settle.order.tries
        sent = SentDose(**known)
        # What was sent may have been only the rest of the dose.
        rest = replace(dose, volume_ul=sent.volume_ul)
        order = replace(settle.order, entry=rest)
        if settle.witnessed is not None:
            # The pump has told what it knew; it may have been at other things since.
            told = settle.witnessed
            self._ask(order, rest, Witness(told["classification"], told["delivered_ul"]))
            return
        self._flight = _Flight(order, rest, sent, check_s=now_s)

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
        witness = classify(flight.sent, pump.state(), now_s)
        if witness.classification == "under way":
            planned_s = flight.sent.volume_ul / flight.sent.rate_ul_min * 60.0
            if now_s <= flight.sent.sent_s + 2 * planned_s + 60.0:
                flight.check_s = now_s + max(1.0, planned_s / 20)
                return None
            pump.stop()
            witness = classify(flight.sent, pump.state(), now_s)
        self._flight = None
        return self._conclude(flight.order, flight.dose, witness)

    def next_order(self) -> Order | None:
        """The next queued dose, when none is under way."""
        return self._queue.popleft() if self._queue and self._flight is None else None

    def finish(self, reason: str) -> None:
        """Begin no dose any more, neither those that wait nor the one under way again."""
        self._over = True
        self._drop_queue("missed", reason)

    def _drop_queue(self, state: Literal["missed", "refused"], reason: str) -> None:
        while self._queue:
            order = self._queue.popleft()
            last, detail = order.undone(state, reason)
            self._desk.note("dose", order.entry.key, last, **detail)

    def decide(self, decided: Decided) -> Order | None:
        """Carry out the operator's answer; an order when it is to be given again."""
        asked = self._asked.pop(decided.key, None)
        if asked is None:
            return None
        order, dose, witness = asked
        if decided.choice == "redo" and not self._over:
            return self._again(order, dose, witness, decided.epoch)
        if decided.choice == "redo":
            self._note_unknown(dose, witness, "its rest was not given: the run ended first")
            return None
        self._note_unknown(dose, witness, "assumed done by the operator")
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
        witness = classify(flight.sent, pump.state(), self._desk.clock.now_s())
        self._flight = None
        if witness.classification == "done":
            self._note_done(flight.dose, witness)
        elif witness.classification == "not done":
            state, detail = flight.order.undone("refused", "stopped before any of it had come")
            self._desk.note("dose", flight.dose.key, state, **detail)
        else:
            self._note_unknown(flight.dose, witness, "cut off by a stop")

    def _conclude(self, order: Order, dose: Dose, witness: Witness) -> Order | None:
        if witness.classification == "done":
            self._note_done(dose, witness)
            return None
        if witness.classification == "not done" and self._over:
            state, detail = order.undone("missed", "the run ended before any of it had come")
            self._desk.note("dose", dose.key, state, **detail)
            return None
        if witness.classification == "not done":
            if self._tries[dose.key] < MOST_TRIES:
                left = {"left_ul": dose.volume_ul} if order.rest else {}
                self._desk.note("dose", dose.key, "intent", classification="not done", **left)
                return order
            what = f"the pump says that nothing of {_named(order)} came."
            self._note_nothing_came(order, what)
            self._desk.alarm("dose-not-given", self._instrument, what, "Look at its line.")
            return None
        self._desk.deviation(
            "dose-uncertain",
            key=dose.key,
            classification=witness.classification,
            delivered_ul=witness.delivered_ul,
            rule=dose.on_unknown,
        )
        match dose.on_unknown:
            case "assume_done":
                self._note_unknown(dose, witness, "assumed done")
            case _ if self._over:
                self._note_unknown(dose, witness, "its rest was not given: the run ended first")
            case "redo" if self._tries[dose.key] < MOST_TRIES:
                return self._again(order, dose, witness, order.epoch)
            case "redo":
                self._note_unknown(dose, witness, "tried often enough")
            case "ask":
                self._ask(order, dose, witness)
        return None

    def _again(self, order: Order, dose: Dose, witness: Witness, epoch: int) -> Order:
        left_ul = dose.volume_ul - (witness.delivered_ul or 0.0)
        self._desk.note(
            "dose", dose.key, "intent", classification=witness.classification, left_ul=left_ul
        )
        rest = replace(dose, volume_ul=left_ul)
        return Order(rest, epoch, order.next_s, because="answered", rest=True)

    def _ask(self, order: Order, dose: Dose, witness: Witness) -> None:
        self._asked[dose.key] = (order, dose, witness)
        came = "an unknown part" if witness.delivered_ul is None else f"{witness.delivered_ul:g} µL"
        self._desk.board.ask(
            Question(
                dose.key,
                f"Of {dose.volume_ul:g} µL {dose.factor} into {', '.join(dose.wells)} by "
                f"{self._instrument}, {came} was delivered. Give the rest?",
                ("assume_done", "redo"),
                self._desk.clock.now_s(),
            )
        )
        self._desk.note("dose", dose.key, "unknown", **self._told(dose, witness))

    def _note_nothing_came(self, order: Order, what: str) -> None:
        if order.rest:
            state, detail = order.undone("failed", what)
            self._desk.note("dose", order.entry.key, state, **detail)
        else:
            self._desk.note("dose", order.entry.key, "failed", what=what, delivered_ul=0.0)

    def _note_done(self, dose: Dose, witness: Witness) -> None:
        self._desk.note("dose", dose.key, "confirmed", **self._told(dose, witness))

    def _note_unknown(self, dose: Dose, witness: Witness, resolution: str) -> None:
        detail = self._told(dose, witness)
        self._desk.note("dose", dose.key, "unknown", **detail, resolution=resolution)

    def _told(self, dose: Dose, witness: Witness) -> dict[str, Any]:
        return {
            "classification": witness.classification,
            "instrument": self._instrument,
            "wells": list(dose.wells),
            "factor": dose.factor,
            "volume_ul": dose.volume_ul,
            "delivered_ul": witness.delivered_ul,
        }


def _named(order: Order) -> str:
    return f"the rest of dose {order.entry.key}" if order.rest else f"dose {order.entry.key}"
