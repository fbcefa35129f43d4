"""Brings the runner of a simulated run back when its script had it killed."""

from __future__ import annotations

import subprocess

from labrig.launch.runner_child import (
    RunnerDied,
    RunnerOptions,
    log_tail,
    start_runner,
    wait_until_ready,
)
from labrig.rig.fault_kinds import COMPUTER
from labrig.run_folder import RunFolder
from labrig.twin.spec import TwinSpec


def scripted_kills(folder: RunFolder) -> int:
    """How often the script of a simulated run has its runner killed."""
    faults = TwinSpec.read(folder.twin / "spec.json").faults
    return sum((f.instrument, f.name) == (COMPUTER, "kill") for f in faults)


class Revival:
    """Looks after one runner that its script kills.

    Args:
        folder: of the run.
        child: its runner.
        options: with which it was started.
        kills: how many are to come.
    """

    def __init__(
        self,
        folder: RunFolder,
        child: subprocess.Popen[bytes],
        options: RunnerOptions,
        kills: int,
    ) -> None:
        self._folder, self._child, self._options = folder, child, options
        self._kills = kills

    def look_after(self) -> None:
        """Start it again when it was killed.

        Raises:
            RunnerDied: it ended otherwise than the script has it, or is not ready again.
        """
        status = self._child.poll()
        if status is None or status >= 0 or self._folder.outcome.exists():
            return
        if not self._kills:
            raise RunnerDied(f"the runner died.\n{log_tail(self._folder)}")
        self._kills -= 1
        # How long it was dead, the one that died has written down.
        self._child = start_runner(self._folder, self._options)
        wait_until_ready(self._child, self._folder)
