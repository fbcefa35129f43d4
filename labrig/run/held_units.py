"""Wells that are held or given up, unit by unit: by error rules, lateness or people's answers."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from labrig.places import in_order
from labrig.plan.plan import Plan
from labrig.record.alarms import Question
from labrig.record.kinds.other_deviations import UnitHeld, UnitReleased
from labrig.record.kinds.pump_deviations import ArmAborted
from labrig.run.desk import Desk
from labrig.run.orders import GiveUp
from labrig.run.rig_rules import Hold

UNIT = "unit:"
"""How the id of a question begins that asks whether a held unit goes on."""


class HeldUnits:
    """Which wells get nothing more, for now or for good; their flow goes on.

    Args:
        plan: which wells are one unit.
        desk: clock, journal and board.
        given_up: wells that were given up before.
        hold: holds the run.
        changed: tells every worker that other wells are held than before.
    """

    def __init__(
        self,
        plan: Plan,
        desk: Desk,
        given_up: Iterable[str],
        hold: Hold,
        changed: Callable[[], None],
    ) -> None:
        self._plan = plan
        self._desk = desk
        self._given_up = set(given_up)
        self._hold_run = hold
        self._changed = changed

    def lost(self, wells: Iterable[str]) -> bool:
        """Whether all of them were given up."""
        asked = set(wells)
        return bool(asked) and asked <= self._given_up

    def give_up(self, late: GiveUp) -> None:
        """Give nothing more to the units of its wells, and write of both in one."""
        entry, lost = late.entry, self._units_of(late.entry.wells)
        self._given_up |= lost
        aborted = ArmAborted(wells=tuple(in_order(lost)), because_of=entry.key)
        self._desk.note(entry.row_kind, entry.key, late.state, late.undone, aborted)

    def hold(self, wells: Iterable[str], why: str) -> None:
        """By an error rule: nothing of these units begins until a person says so."""
        fresh = self._units_of(wells) - self._desk.held_wells - self._given_up
        if not fresh:
            return
        self._desk.held_wells |= fresh
        named = tuple(in_order(fresh))
        self._desk.deviation(UnitHeld(named, why))
        self._ask(named, why)

    def ask_again(self) -> None:
        """An earlier runner may have died before it had asked, or before an answer held."""
        asked = {
            str(well)
            for question in self._desk.board.questions()
            if question.id.startswith(UNIT)
            for well in (question.facts or {}).get("wells", ())
        }
        if unasked := self._desk.held_wells - asked - self._given_up:
            self._ask(tuple(in_order(unasked)), "they were held by an error rule")

    def decide(self, question: Question, choice: str, by: str) -> None:
        """What a person, or a rule's default, answered to a question about wells."""
        wells = tuple(map(str, (question.facts or {}).get("wells", ())))
        if choice == "go_on":
            return
        if choice == "hold_unit":
            self.hold(wells, f"{by or 'somebody'} said so")
        elif choice == "hold_run":
            self._hold_run(question.what, by)
        elif choice == "give_up":
            # What waits for them stays back, and is missed at the end.
            self._give_up(set(wells), question.id)
        else:
            self._desk.deviation(UnitReleased(wells, by))
            self._desk.held_wells -= set(wells)
            self._changed()

    def _give_up(self, lost: set[str], because_of: str) -> None:
        self._given_up |= lost
        self._desk.deviation(ArmAborted(wells=tuple(in_order(lost)), because_of=because_of))

    def _units_of(self, wells: Iterable[str]) -> set[str]:
        """These wells, and those that share a unit with one of them."""
        found = set(wells)
        units = {well.factor_unit for well in self._plan.wells if well.well in found}
        return found | {well.well for well in self._plan.wells if well.factor_unit in units}

    def _ask(self, named: tuple[str, ...], why: str) -> None:
        self._desk.board.ask(
            Question(
                f"{UNIT}{named[0]}",
                f"{', '.join(named)}: no dose and no picture begins ({why}). Flow and impulses go "
                "on, where their instruments answer. resume: they go on, what waited by its "
                "lateness. give_up: nothing more is given to them.",
                ("resume", "give_up"),
                self._desk.clock.now_s(),
                {"wells": list(named)},
            )
        )
