"""Instruments of a port that do not answer: how they are lost, left alone and got back."""

from __future__ import annotations

from functools import partial

from labrig.record.kinds.other_deviations import FailedByBug, LinkLost, LinkRestored
from labrig.record.kinds.runs import Attached
from labrig.run.desk import Desk
from labrig.run.lease import StaleEpoch
from labrig.run.orders import Order
from labrig.run.outages import (
    BACK_OFF_S,
    ON_A_SHARED_LINE_S,
    PATIENT_TRY,
    ROLL_CALL_S,
    SOUND_S,
    Bug,
    Outage,
    patience_s,
    told_apart,
)
from labrig.run.port_gate import Leave
from labrig.run.port_handlers import PortHandlers
from labrig.run.port_link import PortLink
from labrig_drivers.errors import InstrumentError, PortLost, ReplyError


class LostLinks:
    """Of one port. Contains the names of those that are not known to answer.

    Args:
        desk: clock, journal and board.
        link: the port itself, and who must be on it.
        leave: the port's, which bounds how long an answer is waited for.
        handlers: of its instruments.
    """

    def __init__(self, desk: Desk, link: PortLink, leave: Leave, handlers: PortHandlers) -> None:
        self._desk = desk
        self._link = link
        self._leave = leave
        self._handlers = handlers
        self._outages: dict[str, Outage] = {}
        self._bugs: dict[str, tuple[int, float]] = {}

    def __contains__(self, name: object) -> bool:
        return name in self._outages

    def ask_all(self) -> None:
        """Nobody was asked yet; all are due now."""
        now_s = self._desk.clock.now_s()
        for name in self._handlers.names:
            self._outages[name] = Outage(now_s, "it was not asked yet", now_s, told=False)

    def begin(self, name: str, error: InstrumentError) -> None:
        """It does not answer, or not as it should; with a lost port nobody on it does."""
        if isinstance(error, PortLost):
            # Every driver on the port holds what has gone.
            self._link.close()
            for other in self._handlers.names:
                self._note(other, error)
        else:
            self._note(name, error)

    def keep(self, order: Order) -> None:
        """Until its instrument answers again."""
        self._outages[order.instrument].waiting.append(order)

    def tries_s(self) -> list[float]:
        """When each is to be tried again."""
        return [outage.next_try_s for outage in self._outages.values()]

    def try_all_now(self) -> None:
        """A stop has come: whoever answers must hear of it."""
        now_s = self._desk.clock.now_s()
        for outage in self._outages.values():
            outage.next_try_s = now_s

    def due(self) -> str | None:
        """Who is to be tried now: of those whose time it is, who was tried least."""
        now_s = self._desk.clock.now_s()
        tries = [
            (outage.tries, outage.next_try_s, name)
            for name, outage in self._outages.items()
            if outage.next_try_s <= now_s
        ]
        return min(tries, key=lambda found: found[:2])[2] if tries else None

    def regain(self, name: str) -> list[Order]:
        """One try to get an instrument back; what waits for it, if it answers."""
        return self._regain(name, self._longest_s(self._outages[name]))

    def in_order_of_tries(self) -> list[str]:
        """All that do not answer; who was never asked may well answer: first."""
        return sorted(self._outages, key=lambda name: self._outages[name].tries)

    def last_try(self, name: str) -> tuple[list[Order], str]:
        """In full patience, as the run ends: what had waited for it, and why it is not done."""
        waiting = self._regain(name, float("inf"))
        outage = self._outages.get(name)
        if outage is None:
            return waiting, f"{name} came back as the run ended"
        waiting, outage.waiting = outage.waiting, []
        return waiting, f"no link to {name}: {outage.what}"

    def _note(self, name: str, error: InstrumentError) -> None:
        known = self._outages.get(name)
        if known is not None and known.told:
            return
        now_s = self._desk.clock.now_s()
        wait_s = self._after_bug_s(name) if isinstance(error, Bug) else BACK_OFF_S[0]
        waiting = [] if known is None else known.waiting
        self._outages[name] = Outage(now_s, str(error), now_s + wait_s, waiting=waiting)
        trouble = FailedByBug if isinstance(error, Bug) else LinkLost
        wire = tuple(f"{way} {data.hex(' ')}" for way, data in error.transcript)
        self._desk.deviation(trouble(name, str(error), wire))
        self._desk.alarm("link", name, error.what, error.remedy)
        self._silent(name, error)

    def _silent(self, name: str, error: InstrumentError) -> None:
        garbled = isinstance(error, ReplyError)
        self._desk.troubles.silent(name, error.what, garbled=garbled)

    def _after_bug_s(self, name: str) -> float:
        """Growing patience: attaching succeeds, though what met the error may meet it again."""
        now_s = self._desk.clock.now_s()
        met, last_s = self._bugs.get(name, (0, now_s))
        met = 0 if now_s - last_s > SOUND_S else met
        self._bugs[name] = (met + 1, now_s)
        return patience_s(BACK_OFF_S, met)

    def _longest_s(self, outage: Outage) -> float:
        """How long to wait for each answer at the next try."""
        if len(self._handlers.names) == 1:
            return float("inf")
        if not outage.told and not outage.tries:
            return ROLL_CALL_S
        in_earnest = outage.tries < 2 or outage.tries % PATIENT_TRY == 0
        return float("inf") if in_earnest else ON_A_SHARED_LINE_S

    def _regain(self, name: str, longest_s: float) -> list[Order]:
        outage = self._outages[name]
        if outage.told and outage.tries and len(self._outages) == len(self._handlers.names):
            # Nobody on the port answers: perhaps the port itself has gone deaf.
            self._link.close()
        roll_call = longest_s == ROLL_CALL_S
        try:
            with self._leave.impatient(longest_s):
                told_apart(name, partial(self._attach, name))
            again = told_apart(name, partial(self._handlers.assert_due, name))
        except (InstrumentError, StaleEpoch) as error:
            self._note_failed_try(name, outage, error, roll_call)
            return []
        del self._outages[name]
        self._desk.board.clear("link", name)
        self._desk.troubles.answers(name)
        if outage.told:
            self._desk.deviation(
                LinkRestored(instrument=name, from_s=outage.since_s, to_s=self._desk.clock.now_s())
            )
        return ([] if again is None else [again]) + outage.waiting

    def _attach(self, name: str) -> None:
        """Identify, compare, read; never reset, never write."""
        driver, identity = self._link.attach(name)
        self._desk.of_run(Attached(instrument=name, identity=identity))
        self._handlers.attach(name, driver)

    def _note_failed_try(
        self, name: str, outage: Outage, error: InstrumentError | StaleEpoch, roll_call: bool
    ) -> None:
        now_s = self._desk.clock.now_s()
        outage.tries += 1
        if outage.told:
            self._desk.troubles.gone(name, outage.since_s)
        if isinstance(error, StaleEpoch):
            # The stop that overtook it is next in the mailbox.
            outage.next_try_s = now_s + BACK_OFF_S[0]
        elif roll_call and not isinstance(error, PortLost | Bug):
            # In earnest once everybody has been asked.
            outage.next_try_s = now_s
        elif not outage.told:
            self.begin(name, error)
        else:
            if isinstance(error, PortLost):
                self.begin(name, error)
            bug = isinstance(error, Bug)
            wait_s = self._after_bug_s(name) if bug else patience_s(BACK_OFF_S, outage.tries)
            outage.next_try_s = now_s + wait_s
            self._silent(name, error)
