"""A stop that lies in the run folder, as a runner finds it: at a takeover, or while it lives."""

from __future__ import annotations

from pathlib import Path

from labrig.record.recovery import RunState
from labrig.run.commands import Commands, IdTaken
from labrig.run.stop_file import StopRequest, read_stop


class StopFound:
    """Of one taking up of a run.

    Args:
        path: where it would lie.
        state: what the journal says was done before.
    """

    def __init__(self, path: Path, state: RunState) -> None:
        self._path = path
        self._state = state

    def standing(self) -> StopRequest | None:
        """One that lies there, if it was not taken back before a slow disk took it."""
        asked = read_stop(self._path)
        if asked is None or self._state.stop_asked is not None:
            return asked
        if self._state.commands.get(asked.command_id, {}).get("command") != "stop":
            return asked
        self._path.unlink(missing_ok=True)
        return None

    @property
    def stopped(self) -> bool:
        """Whether the run is to end, by this or by a stop that a runner had accepted."""
        return self._state.stop_asked is not None or self.standing() is not None

    def take(self, commands: Commands, asked: StopRequest) -> None:
        """It came while this runner lives."""
        if self.standing() is not None:
            carry_out(commands, asked)


def carry_out(commands: Commands, asked: StopRequest) -> None:
    """As if it had come through the door."""
    try:
        commands.take("stop", asked.command_id, asked.args)
    except IdTaken:
        commands.take("stop", f"{asked.command_id}-stop", asked.args)
