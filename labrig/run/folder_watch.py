"""Watches the run folder while its runner lives: a stop that lies in it, and whether it is there.

In a thread of its own and on this machine's time: it has to work when nothing else in the runner
does, and when a simulated clock stands.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

from labrig.run.stop_file import StopRequest, read_stop

LOOK_EVERY_S = 0.2


class FolderWatch:
    """Looks from :meth:`open` to :meth:`close`.

    Args:
        folder: the run folder.
        stop: where a stop that was asked for would lie.
        carry_out: takes that stop; called again only where it has deleted the file.
        lost: called when another or no folder has this path, with False again when it is back.
    """

    def __init__(
        self,
        folder: Path,
        stop: Path,
        carry_out: Callable[[StopRequest], None],
        lost: Callable[[bool], None],
    ) -> None:
        self._folder = folder
        self._stop = stop
        self._carry_out = carry_out
        self._lost = lost
        self._was = _which(folder)
        self._is_lost = False
        self._over = threading.Event()

    def open(self) -> None:
        """Begin to look."""
        threading.Thread(target=self._run, name="folder-watch", daemon=True).start()

    def close(self) -> None:
        """Look no longer."""
        self._over.set()

    def _run(self) -> None:
        carried_out = False
        while not self._over.wait(LOOK_EVERY_S):
            self._look_for_folder()
            # As cheap as can be: this is asked five times a second for days.
            if not carried_out and os.path.exists(self._stop):
                request = read_stop(self._stop)
                if request is not None:
                    self._carry_out(request)
                    # One that was taken back before it got here is deleted, and others may come.
                    carried_out = os.path.exists(self._stop)

    def _look_for_folder(self) -> None:
        lost = _which(self._folder) != self._was
        if lost != self._is_lost:
            self._is_lost = lost
            self._lost(lost)


def _which(folder: Path) -> tuple[int, int] | None:
    """The folder itself, whatever it is called; None when there is none."""
    try:
        found = os.stat(folder)
    except OSError:
        return None
    return found.st_dev, found.st_ino
