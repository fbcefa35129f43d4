"""Whether an event that is given late is still done, and what is written of one that is not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from labrig.plan.timeline import Frame, Picture
from labrig.plan.words import words_of
from labrig.record.alarms import Question
from labrig.record.kinds.doses import RestNotGiven
from labrig.record.kinds.levels import NotDone
from labrig.record.lateness import PUNCTUAL_S, judge
from labrig.record.rows import State
from labrig.run.desk import Desk
from labrig.run.orders import GiveUp, Order


class Punctuality:
    """Judges events by their lateness rules.

    Args:
        desk: clock, journal and board.
        give_up: hears of an event that was so late that its arm is given up.
    """

    def __init__(self, desk: Desk, give_up: Callable[[GiveUp], None]) -> None:
        self._desk = desk
        self._give_up = give_up

    def in_time(self, order: Order) -> bool:
        """Judge an event by its lateness rule; what is not to be done is recorded."""
        entry = order.entry
        assert entry.role != "level", f"{entry.key} is never late: it is asserted again"
        now_s = self._desk.clock.now_s()
        due_s = entry.offset_s if order.held_since_s is None else order.held_since_s
        late_s = now_s - due_s
        if order.because == "due" or order.held_since_s is not None:
            match judge(entry.lateness, due_s, now_s, order.next_s):
                case "miss":
                    self.note_end(
                        order, "missed", f"{late_s:.0f} s late, by its rule {entry.lateness.rule}"
                    )
                    return False
                case "ask" if order.because == "due":
                    sentence = words_of(entry).unnamed
                    self._desk.board.ask(
                        Question(
                            entry.key,
                            f"{sentence[0].upper()}{sentence[1:]} is {late_s:.0f} s late. do: now. "
                            "skip: not at all.",
                            ("do", "skip"),
                            now_s,
                            {"late_s": late_s},
                        )
                    )
                    return False
                case "abort_arm":
                    # Whoever writes that the arm is given up writes this as well.
                    self._give_up(
                        GiveUp(entry, *_undone(
                            order, "missed", f"{late_s:.0f} s late: its arm is given up"
                        ))
                    )  # fmt: skip
                    return False
                case "ask" | "do":
                    # Somebody has said already that it is to be done, however late.
                    pass
        waited = isinstance(entry, Frame) and bool(entry.after)
        self._desk.board.event(entry.key, "hits" if waited or late_s <= PUNCTUAL_S else "late")
        return True

    def note_end(self, order: Order, state: State, reason: str) -> None:
        """Write that an order was not carried out."""
        state, undone = _undone(order, state, reason)
        self._desk.note(order.entry.row_kind, order.entry.key, state, undone)


def _undone(order: Order, state: State, reason: str) -> tuple[State, NotDone | RestNotGiven]:
    entry = order.entry
    state, undone = order.undone(state, reason)
    if isinstance(entry, Picture) and isinstance(undone, NotDone):
        undone = replace(
            undone,
            well=entry.well,
            field=entry.field,
            channel=entry.channel,
            round=entry.round if isinstance(entry, Frame) else None,
        )
    return state, undone
