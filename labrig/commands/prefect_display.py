"""Shows a night that Prefect conducts in this terminal."""

from __future__ import annotations

import time

from rich.console import Console

from labrig.commands.night_display import NightDisplay
from labrig.measure.rounds import rounds_begun
from labrig.night.following import glance
from labrig.plan.store import read_plan
from labrig.run_folder import RunFolder

LOOK_EVERY_S = 0.5


class PrefectDisplay:
    """A :class:`NightDisplay` that begins when the run does.

    Args:
        quiet: show nothing.
    """

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._display: NightDisplay | None = None
        self._last_look_s = 0.0
        Console(stderr=True, quiet=quiet).print("Starting a temporary local Prefect server ...")

    def look(self, folder: RunFolder) -> None:
        """Draw how the run stands, a few times a second at most."""
        if self._display is None:
            self._display = NightDisplay(folder, read_plan(folder), quiet=self._quiet)
            self._display.open()
        if time.monotonic() - self._last_look_s >= LOOK_EVERY_S:
            self._last_look_s = time.monotonic()
            self._display.show(glance(folder), len(rounds_begun(folder.measures)), 0)

    def close(self) -> None:
        """Leave the last picture standing."""
        if self._display is not None:
            self._display.close()
            self._display = None
