"""In which mode each instrument on a port is, and who sees it."""

from __future__ import annotations

from labrig.run.desk import Desk
from labrig.run.mode import FOLLOWING, Mode


class PortModes:
    """Of one port, by instrument.

    Args:
        desk: the board, which shows them.
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._modes: dict[str, Mode] = {}

    def add(self, name: str) -> None:
        """One more instrument."""
        self._modes[name] = FOLLOWING
        self._desk.board.show_mode(name, FOLLOWING)

    def __getitem__(self, name: str) -> Mode:
        return self._modes[name]

    def set(self, name: str, mode: Mode) -> bool:
        """Whether that is another one than before."""
        changed = self._modes[name] != mode
        self._modes[name] = mode
        self._desk.board.show_mode(name, mode)
        return changed

    def halt(self, abort: bool) -> None:
        """All of them."""
        for name, mode in self._modes.items():
            self.set(name, mode.halt(abort))

    def go_by_the_desk(self) -> list[str]:
        """Held or resumed, as the desk says by now; those that are in another mode by that."""
        held = self._desk.held
        return [
            name
            for name, mode in self._modes.items()
            if self.set(name, mode.hold() if held else mode.resume())
        ]
