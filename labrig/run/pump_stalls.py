"""One pump's stalls: noticed, tried again, given up, and over when liquid comes again."""

from __future__ import annotations

from collections.abc import Callable

from labrig.error_rules import Ask, Retry
from labrig.plan.timeline import FlowLevel
from labrig.record.kinds.pump_deviations import LeftByOperator, RestartedByOperator
from labrig.run.clog import LEAVE, RESTART, Clog
from labrig.run.desk import Desk
from labrig.run.doses import DoseGiver
from labrig.run.stall import StallWatch, Verdict
from labrig.run.stall_notes import StallNotes
from labrig_drivers.kinds import STALLED, PumpState

_LEFT = "its pump stalled, and the operator left it standing"


class PumpStalls:
    """Of one pump.

    Args:
        pump: its name.
        desk: clock and board.
        doses: wait while it is not sound.
        stop: stops the pump; start_anew: stops it and sets the level due now.
        clog: an earlier process left it stalled.
        max_gap_s: wells that were without their flow for longer stay censored.
    """

    def __init__(
        self,
        pump: str,
        desk: Desk,
        doses: DoseGiver,
        stop: Callable[[], None],
        start_anew: Callable[[], None],
        clog: Clog | None,
        max_gap_s: float,
    ) -> None:
        self._pump = pump
        self._desk = desk
        self._doses = doses
        self._stop = stop
        self._start_anew = start_anew
        self._clog = clog
        self._watch = StallWatch()
        self._notes = StallNotes(desk, pump, max_gap_s)
        self._last_good_s = desk.clock.now_s()
        self._trying = False
        self._over = False
        doses.blocked = clog is not None

    @property
    def question_id(self) -> str:
        """Of what is asked about them."""
        return self._notes.question_id

    @property
    def clogged(self) -> bool:
        """Whether it stalled, and is not sound yet."""
        return self._clog is not None

    @property
    def stands(self) -> bool:
        """Whether it was tried again in vain and is stopped now."""
        return self._clog is not None and self._clog.stands

    @property
    def starts_by_itself(self) -> bool:
        """Whether its level may be set: it does not stand, or is being tried again."""
        return not self.stands or self._trying

    @property
    def next_try_s(self) -> float | None:
        """When one that stands is to be tried again; None: it is not."""
        return None if self._clog is None or self._over else self._clog.next_try_s

    def good(self) -> None:
        """It has done what was wanted until now."""
        self._last_good_s = self._desk.clock.now_s()

    def watch(self, rate_ul_min: float, state: PumpState) -> None:
        """From now on it is meant to run at this rate."""
        self._watch.begin(self._desk.clock.now_s(), rate_ul_min, state)

    def pause(self) -> None:
        """Its readings say nothing of its flow for now."""
        self._watch.pause()

    def before_dose(self) -> None:
        """Of one that is clogged no dose is begun, and that liquid comes again must be seen."""
        if self._clog is None:
            self._watch.pause()

    def keep_dose(self, level: FlowLevel | None) -> bool:
        """Whether the dose just taken waits for the pump to be sound, or was dropped."""
        if self._clog is None:
            return False
        if self._clog.left:
            self._doses.drop(_LEFT)
        else:
            self.ask(level)
        return True

    def dose_ended(self, level: FlowLevel | None) -> None:
        """What the pump said of its last dose says whether it is sound."""
        state, sound = self._doses.last_state, self._doses.last_was_done
        if sound and self._clog is None:
            self.good()
        elif not sound and state is not None and state.alarm == STALLED:
            self._stalled_in_a_dose(level, state)

    def judge(self, level: FlowLevel, state: PumpState, agrees_to_rest: bool) -> Verdict:
        """What this reading says of the flow; a stall is dealt with at once.

        Args:
            level: what it is to hold.
            state: as it was read.
            agrees_to_rest: it stands because it is meant to.
        """
        verdict = self._watch.judge(self._desk.clock.now_s(), state)
        match verdict:
            case "stalled":
                self._stalled(level, state)
            case "flowing":
                self.good()
                self._flows_again(level)
            case "unsure":
                if agrees_to_rest:
                    self.good()
        return verdict

    def try_again(self) -> None:
        """One that stands, though it may stall again."""
        clog = self._clog
        if clog is None or clog.next_try_s is None:
            return
        clog.next_try_s = None
        self._notes.retried(clog)
        self._trying = True
        try:
            self._start_anew()
        finally:
            self._trying = False

    def decide(self, choice: str) -> bool:
        """What a person said of it; whether its flow is to go on at once."""
        clog = self._clog
        if clog is None or self._over or choice not in (LEAVE, RESTART):
            return False
        if choice == LEAVE:
            if not clog.left:
                clog.leave()
                self._doses.drop(_LEFT)
                self._desk.deviation(LeftByOperator(instrument=self._pump))
            return False
        self._desk.deviation(RestartedByOperator(instrument=self._pump))
        clog.asked = clog.left = False
        if clog.stands:
            clog.next_try_s = self._desk.clock.now_s()
            return False
        self._sound()
        return True

    def ask(self, level: FlowLevel | None) -> None:
        """Whether it is to be tried again; once, as long as anybody could."""
        if self._clog is not None and not self._over:
            self._notes.ask(self._clog, level)

    def end(self) -> None:
        """The run is over: nobody would restart it any more."""
        self._over = True
        self._notes.nothing_to_ask()

    def _stalled(self, level: FlowLevel, state: PumpState) -> None:
        """Notice, try again once, else let it stand and censor; then with growing patience."""
        clog = self._clog
        if clog is not None and clog.left:
            return
        what = f"commanded {level.rate_ul_min:.4g} µL/min, but nothing comes"
        if clog is None:
            clog = self._begin(level, state, what, "tried again.", dosing=False)
        again = clog.stands
        met = None if again else self._desk.troubles.met(
            "level", "stalled", self._pump, what, level.wells, asks=False
        )  # fmt: skip
        if isinstance(met, Retry):
            self._start_anew()
            return
        clog.wait(self._desk.clock.now_s())
        self._watch.pause()
        self._stop()
        if again:
            return
        self._notes.given_up(clog, level)
        if isinstance(met, Ask):
            self.ask(level)

    def _stalled_in_a_dose(self, level: FlowLevel | None, state: PumpState) -> None:
        """No further dose is sent to it until it is sound."""
        if self._clog is not None:
            self._clog.dosing = True
            return
        what, next_ = "it gave a dose in part or not", "no other is sent."
        self._begin(level, state, what, next_, dosing=True)
        met = self._desk.troubles.met("dose", "stalled", self._pump, what, asks=False)
        if isinstance(met, Ask):
            self.ask(level)

    def _begin(
        self, level: FlowLevel | None, state: PumpState, what: str, next_: str, dosing: bool
    ) -> Clog:
        clog = self._clog = Clog(self._last_good_s, dosing=dosing)
        self._doses.blocked = True
        self._notes.begins(clog, level, state, what, next_)
        return clog

    def _flows_again(self, level: FlowLevel) -> None:
        if self._clog is None:
            self._notes.over()
            return
        self._notes.flows_again(self._clog, level)
        self._sound()

    def _sound(self) -> None:
        self._clog = None
        self._desk.troubles.over("level", self._pump)
        self._desk.troubles.over("dose", self._pump)
        self._doses.blocked = False
        self._notes.over()
        self._notes.nothing_to_ask()
