"""Checks the whole chain of an adopted run's journal while the run goes on.

A runner that takes over looks at the rows since the last checkpoint only, because cells wait. The
rest is checked here, slowly, beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

from labrig.record.reading import every_row_checked
from labrig.record.rows import JournalError

_ROWS_A_TURN, _PAUSE_S = 500, 0.02
"""[P] A sixth of one core at most: the workers keep their time."""


class ChainAudit:
    """A thread that reads a journal once.

    Args:
        journal: the file.
        found: called with what is wrong, if something is.
    """

    def __init__(self, journal: Path, found: Callable[[str], None]) -> None:
        self._journal = journal
        self._found = found
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="chain audit", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Give it up, if it is not through; safe to call when it was never started."""
        self._over.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        try:
            for number, *_ in every_row_checked(self._journal):
                if number % _ROWS_A_TURN == 0 and self._over.wait(_PAUSE_S):
                    return
        except JournalError as error:
            self._found(str(error))
