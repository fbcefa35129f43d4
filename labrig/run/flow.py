"""One pump: holds its flow level, gives its doses, and watches that liquid really comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from labrig.plan.timeline import Dose, FlowLevel
from labrig.run.board import Question
from labrig.run.desk import Desk
from labrig.run.doses import DoseGiver
from labrig.run.lease import StaleEpoch
from labrig.run.orders import Decided, Order, Settle
from labrig.run.stall import StallWatch
from labrig_drivers.errors import LinkError, Refused
from labrig_drivers.kinds import Pump, PumpState

RATE_TOLERANCE = 1e-4
"""Of a rate read back against the quantised one asked for: float digits, not accuracy."""
OFF_LEVEL = 0.01
"""[P] From this share on a pump that was left alone is off its level; its own steps are finer."""


@dataclass(slots=True)
class _Stall:
    from_s: float
    given_up: bool = False
    asked: bool = False


class PumpHandler:
    """Owns one pump.

    Args:
        name: as the rig calls it.
        desk: clock, journal, fence and board.
        at_stop: what an operator's stop does to its continuous flow.
        poll_s: how often it is asked for its state, which also feeds its watchdog.
        given_up: an earlier process gave it up after a stall, and no operator restarted it.
    """

    def __init__(
        self,
        name: str,
        desk: Desk,
        at_stop: Literal["keep", "off"],
        poll_s: float,
        given_up: bool = False,
    ) -> None:
        self.name = name
        self._desk = desk
        self._at_stop = at_stop
        self._poll_s = poll_s
        self._doses = DoseGiver(name, desk)
        self._watch = StallWatch()
        self._stall = _Stall(desk.clock.now_s(), given_up=True) if given_up else None
        self._pump: Pump | None = None
        self._level: FlowLevel | None = None
        self._wanted_ul_min = 0.0
        self._epoch = desk.fence.epoch
        self._halted = False
        self._cut_off = False
        self._left: PumpState | None = None
        self._confirmed = True
        self._poll_due_s = desk.clock.now_s()
        self._last_good_s = desk.clock.now_s()

    @property
    def busy(self) -> bool:
        """Whether a dose is under way."""
        return self._doses.busy

    @property
    def confirmed(self) -> bool:
        """Whether it said, when last brought to its level, that it holds it.

        One that was given up after a stall is known to stand, and was told as such.
        """
        return self._confirmed or (self._stall is not None and self._stall.given_up)

    def attach(self, driver: Pump) -> None:
        """Read the pump; change nothing."""
        self._pump = driver
        state = driver.state()
        self._show(state)
        self._poll_due_s = self._next_poll_s()

    def remember(self, what: Order | Settle) -> None:
        """Its level holds from now on, its dose is open; :meth:`assert_due` sees to both."""
        if isinstance(what, Settle):
            self._doses.settle(what)
            return
        assert isinstance(what.entry, FlowLevel), f"{what.entry.key} is not for a pump"
        self._level = what.entry
        if not self._halted:
            self._epoch = what.epoch

    def take(self, order: Order) -> None:
        """Begin a dose."""
        match order.entry:
            case Dose() as dose:
                self._watch.pause()
                self._doses.give(order, dose, self._port())

    def decide(self, decided: Decided) -> Order | None:
        """Give the rest of a dose, or restart the flow after a stall, if the operator said so."""
        if decided.key != self._question_id():
            return self._doses.decide(decided)
        if decided.choice != "restart":
            if self._stall is not None:
                # An earlier process may have asked: it is left as it is, and nobody asked again.
                self._stall.asked = True
            return None
        self._stall = None
        self._desk.deviation("restarted-by-operator", instrument=self.name)
        self._desk.board.clear("stall", self.name)
        return None if self._level is None else Order(self._level, decided.epoch)

    def assert_due(self) -> Order | None:
        """Settle a dose if one is open, then hold the level due now; then what waited."""
        if self._halted:
            self._make_safe()
            return None
        if self._doses.busy:
            return self._look_after_dose()
        if self._level is not None:
            self._assert()
        return self._doses.next_order()

    def next_due_s(self) -> float:
        """When :meth:`tick` is due."""
        dose_s = self._doses.next_due_s()
        return self._poll_due_s if dose_s is None else min(dose_s, self._poll_due_s)

    def tick(self) -> Order | None:
        """Look after the dose under way, and poll."""
        now_s = self._desk.clock.now_s()
        dose_s = self._doses.next_due_s()
        if dose_s is not None and dose_s <= now_s:
            return self._look_after_dose()
        if self._poll_due_s <= now_s:
            self._poll_due_s = self._next_poll_s()
            self._poll()
        return None

    def cut_off(self) -> None:
        """A dose under way, and additives by rule; a pump that feeds the cells is left alone."""
        if self._pump is not None and (self._doses.busy or self._at_stop == "off"):
            self._pump.halt()

    def halt(self, epoch: int) -> None:
        """Safe state: boluses off, additives by rule, basal perfusion kept."""
        self._halted, self._epoch = True, epoch
        self._make_safe()

    def hold(self) -> None:
        """Perfusion goes on."""

    def resume(self) -> None:
        """Perfusion went on."""

    def finish(self) -> None:
        """The last level stays: stopping starves the cells. What still waits is not begun now."""
        self._doses.finish("the run ended before the pump answered again")
        # Nobody would restart it any more.
        self._desk.board.take_question(self._question_id())
        if self._left is not None and self._level is not None:
            self._desk.deviation(
                "left-as-found", instrument=self.name, wells=list(self._level.wells),
                rate_ul_min=self._left.rate_ul_min if self._left.running else 0.0,
                wanted_ul_min=self._level.rate_ul_min,
            )  # fmt: skip

    def _make_safe(self) -> None:
        pump = self._port()
        self._cut_off = self._cut_off or self._doses.busy
        self._doses.stop(pump)
        if self._at_stop == "off":
            pump.stop()
            self._confirmed = True
            self._watch.pause()
        elif self._cut_off and self._level is not None:
            # The pump stands after its dose. A runner that took over may hear of the level last.
            self._assert()
            self._cut_off = False
        state = pump.state()
        self._show(state)
        if self._at_stop == "keep" and self._level is not None:
            # Who only makes safe sets no level; that the pump is not at it must be told.
            as_planned = _holds(state, self._level.rate_ul_min, OFF_LEVEL)
            self._left = None if as_planned else state

    def _look_after_dose(self) -> Order | None:
        again = self._doses.look(self._port())
        if self._doses.busy:
            return None
        if self._level is not None:
            self._assert()
        return again or self._doses.next_order()

    def _assert(self) -> None:
        """Read, and write only what differs; confirmed by reading again."""
        level = self._level
        if level is None:
            return
        if self._stall is not None and self._stall.given_up:
            reason = f"{self.name} was given up after a stall; answer its question first"
            self._desk.note("level", level.key, "refused", reason=reason)
            self._ask_to_restart(self._stall, level)
            return
        pump = self._port()
        try:
            wanted = pump.quantised(level.rate_ul_min)
            state = pump.state()
            if not _holds(state, wanted):
                self._desk.fence.check(self._epoch)
                pump.set_rate(level.rate_ul_min)
                state = pump.state()
        except StaleEpoch:
            # Cut short by a stop, it may stand between two settings.
            self._cut_off = True
            raise
        except Refused as error:
            self._confirmed = False
            self._desk.note("level", level.key, "failed", what=str(error))
            self._desk.alarm("rate", self.name, error.what, error.remedy)
            return
        self._show(state)
        now_s = self._desk.clock.now_s()
        self._wanted_ul_min = wanted
        self._watch.begin(now_s, wanted, state)
        self._confirmed = _holds(state, wanted)
        if self._confirmed:
            self._desk.board.clear("rate", self.name)
            self._desk.note(
                "level", level.key, "confirmed", rate_ul_min=wanted, instrument=self.name
            )
        else:
            what = f"asked for {wanted:g} µL/min, the pump says {state}."
            self._desk.note("level", level.key, "failed", what=what)
            self._desk.alarm("rate", self.name, what, "Look at the pump.")

    def _poll(self) -> None:
        state = self._port().state()
        self._show(state)
        if self._halted or self._level is None:
            return
        now_s = self._desk.clock.now_s()
        match self._watch.judge(now_s, state):
            case "stalled":
                self._stalled(state)
                return
            case "flowing":
                self._last_good_s = now_s
                self._flows_again(now_s)
            case "unsure":
                pass
        if state.running and not self._doses.busy and not _holds(state, self._wanted_ul_min):
            self._desk.deviation(
                "rate-changed", instrument=self.name, rate_ul_min=state.rate_ul_min,
                wanted_ul_min=self._wanted_ul_min,
            )  # fmt: skip
            self._assert()

    def _stalled(self, state: PumpState) -> None:
        """Notice, retry once, else censor; never restart silently."""
        level = self._level
        if level is None or (self._stall is not None and self._stall.given_up):
            return
        wells = list(level.wells)
        if self._stall is None:
            self._stall = _Stall(self._last_good_s)
            what = f"commanded {level.rate_ul_min:g} µL/min, but nothing comes"
            if state.alarm:
                what = f"it stopped itself ({state.alarm})"
            self._desk.deviation(
                "stall", instrument=self.name, wells=wells, from_s=self._last_good_s,
                alarm=state.alarm, what=what,
            )  # fmt: skip
            self._desk.alarm(
                "stall", self.name, f"{what}; tried again once.",
                "Look for a clog, an empty syringe or a slipped tube.",
            )  # fmt: skip
            self._desk.fence.check(self._epoch)
            self._port().stop()
            self._assert()
            return
        self._stall.given_up = True
        # In this order: a runner that dies in between leaves a stall to be noticed again.
        self._desk.deviation("censored", wells=wells, from_s=self._stall.from_s, why="stall")
        self._desk.deviation(
            "stall-given-up", instrument=self.name, wells=wells, from_s=self._stall.from_s
        )
        self._desk.board.censor(level.wells, self._stall.from_s)
        self._ask_to_restart(self._stall, level)

    def _ask_to_restart(self, stall: _Stall, level: FlowLevel) -> None:
        """Once a process: one that takes a run over asks again, as nobody may have answered."""
        if stall.asked:
            return
        stall.asked = True
        self._desk.board.ask(
            Question(
                self._question_id(),
                f"{self.name} stalled twice and stands; {', '.join(level.wells)} are censored. "
                f"Restart it at {level.rate_ul_min:g} µL/min?",
                ("restart", "leave"),
                self._desk.clock.now_s(),
            )
        )

    def _flows_again(self, now_s: float) -> None:
        if self._stall is not None and self._stall.given_up:
            return
        # Also one that an earlier process raised, whose stall this one has not seen.
        self._desk.board.clear("stall", self.name)
        if self._stall is None:
            return
        self._desk.deviation(
            "stall-recovered", instrument=self.name, from_s=self._stall.from_s, to_s=now_s
        )
        self._stall = None

    def _question_id(self) -> str:
        return f"stall:{self.name}"

    def _show(self, state: PumpState) -> None:
        self._desk.sample(
            self.name,
            running=state.running,
            rate_ul_min=state.rate_ul_min,
            delivered_ul=state.delivered_ul,
            alarm=state.alarm,
        )

    def _next_poll_s(self) -> float:
        return (self._desk.clock.now_s() // self._poll_s + 1) * self._poll_s

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
