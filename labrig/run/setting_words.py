"""What is written down of a setting that holds, or does not: of valves and of controllers alike."""

from __future__ import annotations

from labrig.record.kinds.levels import LevelFailed, SettingConfirmed
from labrig.record.kinds.runs import MadeSafe
from labrig.run.desk import Desk


class SettingWords:
    """The rows of one instrument's settings.

    Args:
        name: as the rig calls the instrument.
        desk: clock and journal.
    """

    def __init__(self, name: str, desk: Desk) -> None:
        self._name = name
        self._desk = desk
        self._told: dict[str, str] = {}

    def made_safe(self, quantity: str, value: str) -> None:
        """It holds what a stop or an interlock asked for."""
        self._desk.of_run(MadeSafe(self._name, quantity, value))

    def confirmed(self, level: str, quantity: str, value: str | float) -> None:
        """It holds its level, by its key."""
        self._told.pop(level, None)
        held = SettingConfirmed(self._name, quantity, value)
        self._desk.note("level", level, "confirmed", held)

    def failed(self, level: str, what: str) -> None:
        """It does not; tried again and again, that is one row for as long as it says the same."""
        if self._told.get(level) != what:
            self._told[level] = what
            failed = LevelFailed(what, self._name, self._desk.clock.now_s())
            self._desk.note("level", level, "failed", failed)
