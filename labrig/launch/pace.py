"""The pace of a simulated run, kept with its bench: whoever takes the run over goes on at it."""

from __future__ import annotations

import logging

from labrig.durable import read_json, write_json
from labrig.run.lease import runner_lives
from labrig.run_folder import RunFolder

_log = logging.getLogger(__name__)

REAL_TIME = 1.0


def settle_pace(folder: RunFolder, asked: float | None) -> float:
    """The pace to run at, in run seconds per wall second; ``inf`` is as fast as possible.

    Args:
        folder: of a simulated run.
        asked: a pace to begin or go on with; None: the one it had, at first that of the clock.
            While a runner lives its own stays written down: nobody else gets to run.

    Raises:
        OSError: it cannot be read.
        ValueError: what was written down is damaged; the message names the file.
    """
    path = folder.twin / "pace.json"
    if asked is None:
        return float(read_json(path)["run_s_per_s"]) if path.exists() else REAL_TIME
    if not runner_lives(folder.root):
        try:
            # as text: JSON has no number for "as fast as possible"
            write_json(path, {"run_s_per_s": repr(asked)})
        except OSError as error:
            # A full disk: whoever takes this run over has to be told the pace again.
            _log.warning("the pace of the simulated bench cannot be written down: %s", error)
    return asked
