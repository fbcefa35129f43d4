"""Doses: delivered once or not at all, and never issued twice on a guess.

``sent`` is on disk, with the pump's counter, before any byte goes out. Whatever happens then,
the counter is asked what came; only where it cannot tell does the dose's own ``on_unknown``
rule decide.
"""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import asdict, dataclass, replace

from labrig.plan.timeline import Dose
from labrig.run.board import Question
from labrig.run.desk import Desk
from labrig.run.dose_witness import SentDose, Witness, classify
from labrig.run.journal import Entry
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

    @property
    def busy(self) -> bool:
        """Whether a dose is under way or unsettled."""
        return self._flight is not None

    def next_due_s(self) -> float | None:
        """When to look after the dose under way."""
        return self._flight.check_s if self._flight else None

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
        except Refused:
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
        self._tries[dose.key] += 1
        flight = _Flight(order, dose, sent, check_s=sent.sent_s)
        self._flight = flight
        try:
            pump.dispense(dose.volume_ul, dose.rate_ul_min)
        except AlarmRaised as error:
            self._desk.deviation("dose-alarm", key=dose.key, what=str(error))
            return
        except Refused as error:
            self._flight = None
            self._desk.note("dose", dose.key, "failed", what=str(error), delivered_ul=0.0)
            self._desk.alarm("dose-refused", self._instrument, str(error), error.remedy)
            return
        flight.sent = replace(sent, acknowledged=True)
        flight.check_s = sent.sent_s + dose.volume_ul / sent.rate_ul_min * 60.0 + _MARGIN_S
        self._desk.note("dose", dose.key, "acknowledged")

    def settle(self, settle: Settle, dose: Dose) -> None:
        """Take over a dose that an earlier process had sent; :meth:`look` asks the pump."""
        known = {name: settle.sent[name] for name in SentDose.__slots__}
        known["acknowledged"] = settle.acknowledged
        now_s = self._desk.clock.now_s()
        self._tries[dose.key] += 1
        sent = SentDose(**known)
        # What was sent may have been only the rest of the dose.
        rest = replace(dose, volume_ul=sent.volume_ul)
        order = replace(settle.order, entry=rest)
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

    def give_up(self, reason: str) -> None:
        """Begin none of those that wait."""
        while self._queue:
            entry = self._queue.popleft().entry
            self._desk.note("dose", entry.key, "missed", reason=reason, offset_s=entry.offset_s)

    def decide(self, decided: Decided) -> Order | None:
        """Carry out the operator's answer; an order when it is to be given again."""
        asked = self._asked.pop(decided.key, None)
        if asked is None:
            return None
        order, dose, witness = asked
        if decided.choice == "redo":
            return self._again(order, dose, witness, decided.epoch)
        self._note_unknown(dose, witness, "assumed done by the operator")
        return None

    def stop(self, pump: Pump) -> None:
        """Cut off what is under way and drop what waits: an operator's stop.

        Raises:
            LinkError, ReplyError: the pump does not answer; what is under way is still open.
        """
        while self._queue:
            self._desk.note("dose", self._queue.popleft().entry.key, "refused", reason="stopped")
        flight = self._flight
        if flight is None:
            return
        pump.stop()
        witness = classify(flight.sent, pump.state(), self._desk.clock.now_s())
        self._flight = None
        if witness.classification == "done":
            self._note_done(flight.dose, witness)
        else:
            self._note_unknown(flight.dose, witness, "cut off by a stop")

    def conclude(self) -> None:
        """Record that nobody knows what came of the dose under way, as nobody will ask again."""
        flight, self._flight = self._flight, None
        if flight is not None:
            ended = "the run ended before the pump said what came"
            self._note_unknown(flight.dose, Witness("unknown", None), ended)

    def _conclude(self, order: Order, dose: Dose, witness: Witness) -> Order | None:
        if witness.classification == "done":
            self._note_done(dose, witness)
            return None
        if witness.classification == "not done":
            if self._tries[dose.key] < MOST_TRIES:
                self._desk.note("dose", dose.key, "intent", classification="not done")
                return order
            what = f"the pump says that nothing of dose {dose.key} came."
            self._desk.note("dose", dose.key, "failed", what=what, delivered_ul=0.0)
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
                return None
            case "redo":
                return self._again(order, dose, witness, order.epoch)
            case "ask":
                self._ask(order, dose, witness)
                return None

    def _again(self, order: Order, dose: Dose, witness: Witness, epoch: int) -> Order | None:
        if self._tries[dose.key] >= MOST_TRIES and order.because == "due":
            self._note_unknown(dose, witness, "tried often enough")
            return None
        left_ul = dose.volume_ul - (witness.delivered_ul or 0.0)
        self._desk.note(
            "dose", dose.key, "intent", classification=witness.classification, left_ul=left_ul
        )
        rest = replace(dose, volume_ul=left_ul)
        return Order(rest, epoch, order.next_s, because="answered")

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
        self._desk.note(
            "dose", dose.key, "unknown",
            classification=witness.classification, delivered_ul=witness.delivered_ul,
        )  # fmt: skip

    def _note_done(self, dose: Dose, witness: Witness) -> None:
        self._desk.note(
            "dose", dose.key, "confirmed", classification="done", instrument=self._instrument,
            wells=list(dose.wells), factor=dose.factor, volume_ul=dose.volume_ul,
            delivered_ul=witness.delivered_ul,
        )  # fmt: skip

    def _note_unknown(self, dose: Dose, witness: Witness, resolution: str) -> None:
        self._desk.note(
            "dose", dose.key, "unknown", classification=witness.classification,
            instrument=self._instrument, wells=list(dose.wells), factor=dose.factor,
            volume_ul=dose.volume_ul, delivered_ul=witness.delivered_ul, resolution=resolution,
        )  # fmt: skip
