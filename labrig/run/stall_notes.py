"""What is written, shown and asked about a pump from which nothing comes.

Its worker stops and restarts it (`labrig.run.flow`); here is what anybody is told of that.
"""

from __future__ import annotations

from dataclasses import replace

from labrig.error_rules import Action
from labrig.plan.timeline import FlowLevel
from labrig.record.kinds.pump_deviations import (
    Censored,
    Stalled,
    StallGivenUp,
    StallRecovered,
    StallRetried,
    Uncensored,
)
from labrig.run.clog import Clog, question_about
from labrig.run.desk import Desk
from labrig_drivers.kinds import PumpState


class StallNotes:
    """About one pump.

    Args:
        desk: journal and board.
        pump: its name.
        max_gap_s: wells that were without their flow for longer stay censored.
    """

    def __init__(self, desk: Desk, pump: str, max_gap_s: float) -> None:
        self._desk = desk
        self._pump = pump
        self._max_gap_s = max_gap_s
        self.question_id = f"stall:{pump}"

    def begins(
        self, clog: Clog, level: FlowLevel | None, state: PumpState, what: str, next_: str
    ) -> None:
        """It has stalled; ``what`` tells of it, ``next_`` what is done now."""
        if state.alarm:
            what = f"it stopped itself ({state.alarm})"
        self._desk.deviation(
            Stalled(
                instrument=self._pump,
                wells=_wells(level),
                from_s=clog.from_s,
                alarm=state.alarm,
                what=what,
                dosing=clog.dosing,
            )
        )
        self._desk.alarm(
            "stall", self._pump, f"{what}; {next_}",
            "Look for a clog, an empty syringe or a slipped tube.",
        )  # fmt: skip

    def given_up(self, clog: Clog, level: FlowLevel) -> None:
        """It stalled again when tried again: what its wells show meanwhile counts for nothing."""
        wells = level.wells
        # In this order: a runner that dies in between leaves a stall to be noticed again.
        self._desk.deviation(Censored(wells=wells, from_s=clog.from_s, why="stall"))
        self._desk.deviation(StallGivenUp(instrument=self._pump, wells=wells, from_s=clog.from_s))
        self._desk.board.censor(level.wells, clog.from_s)

    def retried(self, clog: Clog) -> None:
        """It is tried once more."""
        self._desk.deviation(StallRetried(instrument=self._pump, tries=clog.tries))

    def ask(self, clog: Clog, level: FlowLevel | None) -> None:
        """Once a process: one that takes a run over asks again, as nobody may have answered."""
        if clog.asked or clog.left:
            return
        clog.asked = True
        now_s = self._desk.clock.now_s()
        question = question_about(self._pump, level, clog, now_s)
        action: Action = "dose" if clog.dosing and not clog.stands else "level"
        facts = {**(question.facts or {}), **self._desk.troubles.by_default(action, "stalled")}
        self._desk.board.ask(replace(question, facts=facts))

    def flows_again(self, clog: Clog, level: FlowLevel | None) -> None:
        """Liquid comes again."""
        now_s = self._desk.clock.now_s()
        wells = _wells(level)
        self._desk.deviation(StallRecovered(instrument=self._pump, from_s=clog.from_s, to_s=now_s))
        if clog.stands and now_s - clog.from_s <= self._max_gap_s:
            # Within what the protocol lets pass; what it did to the dose is judged by the ledger.
            self._desk.deviation(
                Uncensored(wells=wells, from_s=clog.from_s, to_s=now_s, why="stall")
            )
            self._desk.board.uncensor(wells, clog.from_s)

    def over(self) -> None:
        """Nothing is wrong with it; also for what an earlier process said."""
        self._desk.board.clear("stall", self._pump)

    def nothing_to_ask(self) -> None:
        """Its question, if it stands, needs no answer any more."""
        self._desk.board.take_question(self.question_id)


def _wells(level: FlowLevel | None) -> tuple[str, ...]:
    return () if level is None else level.wells
