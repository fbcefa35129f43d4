"""One pump: holds its flow level, gives its doses, and watches that liquid really comes."""

from __future__ import annotations

import math
from typing import Literal, assert_never

from labrig.error_rules import Retry
from labrig.plan.timeline import Dose, FlowLevel
from labrig.record.kinds.levels import FlowConfirmed, LevelFailed, NotDone
from labrig.record.kinds.pump_deviations import (
    LeftAsFound,
    RateChanged,
)
from labrig.run.clog import Clog
from labrig.run.desk import Desk
from labrig.run.doses import DoseGiver
from labrig.run.handler import ForHandler, next_poll_s
from labrig.run.lease import StaleEpoch
from labrig.run.left_running import leave_running
from labrig.run.mode import ABORTED, FOLLOWING, Mode
from labrig.run.orders import Decided, Finish, InMode, Order, Settle
from labrig.run.pump_stalls import PumpStalls
from labrig_drivers.errors import LinkError, Refused
from labrig_drivers.kinds import Pump, PumpState, Watchdog

RATE_TOLERANCE = 6e-4
"""Of a rate read back against the quantised one asked for: four digits shown, not accuracy."""
OFF_LEVEL = 0.01
"""[P] From this share on a pump that was left alone is off its level; its own steps are finer."""

Standing = Literal["at its level", "off it", "cut short"]
"""What is known of a pump and its level; cut short: a stop came in the middle of something."""


class PumpHandler:
    """Owns one pump.

    Args:
        name: as the rig calls it.
        desk: clock, journal, fence and board.
        at_stop: what an operator's stop does to its continuous flow.
        poll_s: how often it is asked for its state, which also feeds its watchdog.
        clog: an earlier process left it stalled.
        feeds: it carries what the cells live on, so it must go on when nobody watches any more.
        at_abort: what an abort does to it where a stop keeps it.
        max_gap_s: wells that were without their flow for longer stay censored.
    """

    def __init__(
        self,
        name: str,
        desk: Desk,
        at_stop: Literal["keep", "off"],
        poll_s: float,
        clog: Clog | None = None,
        feeds: bool = False,
        max_gap_s: float = 0.0,
        at_abort: Literal["keep", "off"] = "keep",
    ) -> None:
        self._at_abort = at_abort
        self.name = name
        self._desk = desk
        self._at_stop = at_stop
        self._poll_s = poll_s
        self._feeds = feeds
        self._doses = DoseGiver(name, desk, self._show)
        self._stalls = PumpStalls(
            name, desk, self._doses, self._stop_flow, self._start_anew, clog, max_gap_s
        )
        self._pump: Pump | None = None
        self._level: FlowLevel | None = None
        self._wanted_ul_min = 0.0
        self._epoch = desk.fence.epoch
        self._mode = FOLLOWING
        self._standing: Standing = "at its level"
        self._left: PumpState | None = None
        self._again_s: float | None = None
        self._poll_due_s = desk.clock.now_s()

    @property
    def busy(self) -> bool:
        """Whether a dose is under way."""
        return self._doses.busy

    @property
    def has_more_to_do(self) -> bool:
        """Whether a dose waits that is begun without anybody's doing."""
        return self._doses.has_next

    @property
    def confirmed(self) -> bool:
        """Whether it said, when last brought to its level, that it holds it.

        One that stands after a stall is known to, and was told as such.
        """
        return self._standing != "off it" or self._stalls.stands

    def attach(self, driver: Pump) -> None:
        """Read the pump; change nothing."""
        self._pump = driver
        self._doses.attach()
        state = driver.state()
        self._show(state, counter=True)
        self._poll_due_s = self._next_poll_s()

    def heed(self, message: ForHandler) -> Order | None:
        """Remember a level, a dose to settle or an answer; give a dose; enter a mode; end."""
        match message:
            case Order(entry=FlowLevel() as level):
                self._level = level
                if self._mode.name != "halted":
                    self._epoch = message.epoch
            case Order(entry=Dose() as dose):
                self._give(message, dose)
            case Order():
                raise TypeError(f"{message.entry.key} is not for a pump")
            case Settle():
                self._doses.settle(message)
            case Decided():
                return self._decide(message)
            case InMode():
                return self._enter(message.mode, message.epoch)
            case Finish():
                self._finish()
            case _:
                assert_never(message)
        return None

    def _give(self, order: Order, dose: Dose) -> None:
        self._stalls.before_dose()
        self._doses.give(order, dose, self._port())
        if not self._stalls.keep_dose(self._level) and not self._doses.busy:
            # Refused, maybe after its level had been stopped for it.
            self._assert()

    def _enter(self, mode: Mode, epoch: int) -> Order | None:
        """A hold changes nothing here: flow goes on, and its worker keeps back the doses."""
        before, self._mode = self._mode, mode
        if mode.name == "halted":
            # Boluses off, additives by rule, basal perfusion kept.
            self._epoch = epoch
            if mode == ABORTED and self._at_abort == "off":
                # Whatever it carries: nobody wants anything to flow any more.
                self._at_stop, self._feeds = "off", False
            if before.steps and self._at_stop == "keep":
                # It stood for hands at the plate: its level is set again.
                self._standing = "cut short"
            self._make_safe()
        elif "suspended" in (before.name, mode.name):
            return self.assert_due()
        return None

    def _decide(self, decided: Decided) -> Order | None:
        """Give the rest of a dose, or restart the flow after a stall, if the operator said so."""
        if decided.key != self._stalls.question_id:
            return self._doses.decide(decided)
        if not self._stalls.decide(decided.choice):
            return None
        return self._doses.next_order() if self._level is None else Order(self._level, self._epoch)

    def assert_due(self) -> Order | None:
        """Settle a dose if one is open, then hold the level due now; then what waited."""
        if self._mode.name == "halted":
            self._make_safe()
            return None
        if self._doses.busy:
            return self._look_after_dose()
        if self._level is not None:
            self._assert()
        return self._doses.next_order()

    def next_due_s(self) -> float:
        """When :meth:`tick` is due."""
        return min(self._due_by_itself_s(), self._poll_due_s)

    def _due_by_itself_s(self) -> float:
        """When the dose under way, or a pump that stands after a stall, is to be looked after."""
        dose_s = self._doses.next_due_s()
        due_s = math.inf if dose_s is None else dose_s
        try_s = self._stalls.next_try_s
        return min(due_s, try_s) if try_s is not None and self._looks_after_flow else due_s

    def tick(self) -> Order | None:
        """Look after the dose under way, try a stalled pump again, and poll."""
        now_s = self._desk.clock.now_s()
        dose_s = self._doses.next_due_s()
        if dose_s is not None and dose_s <= now_s:
            return self._look_after_dose()
        if self._due_by_itself_s() <= now_s:
            # Should the pump not answer, that is tried again too.
            self._port().state()
            self._stalls.try_again()
        if self._poll_due_s <= now_s:
            self._poll_due_s = self._next_poll_s()
            return self._poll()
        return None

    def cut_off(self) -> None:
        """A dose under way, and additives by rule; a pump that feeds the cells is left alone."""
        if self._pump is not None and (self._doses.busy or self._at_stop == "off"):
            self._pump.halt()

    def _finish(self) -> None:
        """The last level stays: stopping starves the cells. What still waits is not begun now."""
        self._doses.finish("the run ended before the pump answered again")
        self._stalls.end()
        if self._left is not None and self._level is not None:
            self._desk.deviation(
                LeftAsFound(
                    instrument=self.name,
                    wells=tuple(self._level.wells),
                    rate_ul_min=self._left.rate_ul_min if self._left.running else 0.0,
                    wanted_ul_min=self._level.rate_ul_min,
                )
            )
        try:
            if self._pump is not None:
                # What comes after its last reading is on nobody's account.
                self._show(self._pump.state())
        finally:
            self._leave_running()

    def _leave_running(self) -> None:
        """Medium must flow on; additives end with their watchdog, as nobody is there."""
        pump = self._pump
        if not self._feeds or not isinstance(pump, Watchdog):
            return
        if self._level is None or self._level.rate_ul_min == 0:
            return
        if not leave_running(self._desk, self.name, pump):
            self._standing = "off it"

    def _make_safe(self) -> None:
        pump = self._port()
        if self._doses.busy:
            self._standing = "cut short"
        self._doses.stop(pump)
        if self._at_stop == "off":
            pump.stop()
            self._standing = "at its level"
            self._stalls.pause()
        elif self._standing == "cut short" and self._level is not None:
            # The pump stands after its dose. A runner that took over may hear of the level last.
            self._assert()
            if self._standing == "cut short":
                self._standing = "off it"
        state = pump.state()
        self._show(state)
        if self._at_stop == "keep" and self._level is not None:
            # Who only makes safe sets no level; that the pump is not at it must be told.
            as_planned = _holds(state, self._level.rate_ul_min, OFF_LEVEL)
            self._left = None if as_planned else state

    @property
    def _kept_off(self) -> bool:
        """Suspended, and it carries nothing that the cells live on, or hands are at the plate."""
        suspended = self._mode.name == "suspended"
        return suspended and (self._at_stop == "off" or bool(self._mode.steps))

    @property
    def _looks_after_flow(self) -> bool:
        return self._mode.name != "halted" and not self._kept_off

    def _keep_off(self) -> None:
        """Stand until it is released; a dose under way is finished before."""
        if self._doses.busy:
            return
        pump = self._port()
        pump.stop()
        self._stalls.pause()
        state = pump.state()
        self._show(state)
        self._standing = "off it" if state.running else "at its level"
        if state.running:
            what = f"it is to stand while it is suspended, but it says that it {_doing(state)}."
            self._desk.alarm("rate", self.name, what, "Look at the pump.")

    def _look_after_dose(self) -> Order | None:
        again = self._doses.look(self._port())
        if self._doses.busy:
            return None
        self._stalls.dose_ended(self._level)
        if self._level is not None:
            self._assert()
        if again is not None and self._stalls.clogged:
            self._doses.wait(again)
            again = None
        return again or self._doses.next_order()

    def _assert(self) -> None:
        """Read, and write only what differs; confirmed by reading again."""
        level = self._level
        if level is None:
            return
        if self._kept_off:
            self._keep_off()
            return
        if not self._stalls.starts_by_itself:
            reason = f"{self.name} stands after a stall; it is tried again by itself, or when told"
            self._desk.note("level", level.key, "refused", NotDone(reason))
            self._stalls.ask(level)
            return
        pump = self._port()
        try:
            wanted = pump.quantised(level.rate_ul_min)
            state = pump.state()
            if self._agrees_to_rest(state):
                self._stalls.good()
            if not _holds(state, wanted):
                if state.alarm is not None:
                    # Setting its level clears it; that it lost its power, say, is to be known.
                    self._show(state)
                self._desk.fence.check(self._epoch)
                pump.set_rate(level.rate_ul_min)
                state = pump.state()
        except StaleEpoch:
            # By a stop; it may stand between two settings.
            self._standing = "cut short"
            raise
        except Refused as error:
            self._off_its_level(level, str(error), error.what, error.remedy)
            return
        self._show(state)
        self._wanted_ul_min = wanted
        self._stalls.watch(wanted, state)
        self._standing = "at its level" if _holds(state, wanted) else "off it"
        if self._standing == "at its level":
            self._desk.board.clear("rate", self.name)
            self._again_s = None
            self._desk.troubles.over("level", self.name, "refused")
            self._desk.note("level", level.key, "confirmed", FlowConfirmed(wanted, self.name))
        else:
            what = f"asked for {wanted:.4g} µL/min, but it says that it {_doing(state)}."
            self._off_its_level(level, what, what, "Look at the pump.")

    def _off_its_level(self, level: FlowLevel, said: str, what: str, remedy: str) -> None:
        """It is set again by its rule, which harms nothing; an alarm stands until it holds it."""
        self._standing = "off it"
        self._desk.note("level", level.key, "failed", LevelFailed(said))
        self._desk.alarm("rate", self.name, what, remedy)
        self._again_s = None
        if self._stalls.clogged:
            # What a stall has to do with it is the stall's rule to say.
            return
        decision = self._desk.troubles.met("level", "refused", self.name, what)
        if isinstance(decision, Retry):
            self._again_s = self._desk.clock.now_s() + decision.apart_s

    def _poll(self) -> Order | None:
        pump = self._port()
        state = pump.state()
        self._show(state)
        self._doses.notice(pump, state)
        if self._kept_off and state.running and not self._doses.busy:
            self._keep_off()
        if not self._looks_after_flow or self._level is None:
            return None
        now_s = self._desk.clock.now_s()
        due = self._again_s is not None and self._again_s <= now_s and not self._stalls.clogged
        if due and state.alarm is None and not self._doses.busy:
            self._again_s = None
            self._assert()
            return self._doses.next_order()
        verdict = self._stalls.judge(self._level, state, self._agrees_to_rest(state))
        if verdict == "stalled":
            return None
        if state.running and not self._doses.busy and not _holds(state, self._wanted_ul_min):
            self._desk.deviation(
                RateChanged(
                    instrument=self.name,
                    rate_ul_min=state.rate_ul_min,
                    wanted_ul_min=self._wanted_ul_min,
                )
            )
            self._assert()
        return self._doses.next_order()

    def _agrees_to_rest(self, state: PumpState) -> bool:
        """Whether it stands because it is meant to: as good as flow that was seen."""
        meant = self._wanted_ul_min == 0 and not self._stalls.clogged and not self._doses.busy
        return meant and not state.running and state.alarm is None

    def _start_anew(self) -> None:
        self._stop_flow()
        self._assert()

    def _stop_flow(self) -> None:
        self._desk.fence.check(self._epoch)
        self._port().stop()

    def _show(self, state: PumpState, counter: bool = False) -> None:
        # What kind of counter it is does not change: once is enough.
        kind = {"drive_watched": state.drive_watched, "counter_range_ul": state.counter_range_ul}
        values = {
            "running": state.running,
            "rate_ul_min": state.rate_ul_min,
            "delivered_ul": state.delivered_ul,
            "alarm": state.alarm,
        }
        made_of_it = {"stalled": self._stalls.clogged, "alarmed": state.alarm is not None}
        self._desk.measured(self.name, values | (kind if counter else {}), made_of_it=made_of_it)

    def _next_poll_s(self) -> float:
        return next_poll_s(self._desk.clock.now_s(), self._poll_s)

    def _port(self) -> Pump:
        if self._pump is None:
            raise LinkError(self.name, "it has not answered since this runner started.")
        return self._pump


def _holds(state: PumpState, wanted_ul_min: float, tolerance: float = RATE_TOLERANCE) -> bool:
    """Whether the pump does what is wanted."""
    if wanted_ul_min == 0:
        return not state.running
    close = abs(state.rate_ul_min - wanted_ul_min) <= tolerance * wanted_ul_min
    return state.running and close


def _doing(state: PumpState) -> str:
    """What a pump says of itself, as the end of a sentence."""
    if state.alarm:
        return f"has stopped itself ({state.alarm})"
    return f"runs at {state.rate_ul_min:.4g} µL/min" if state.running else "stands"
