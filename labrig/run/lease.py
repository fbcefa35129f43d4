"""Who may act: one runner per run folder, and within it only the newest epoch.

Stop raises the epoch *first* and sends the safe state *then*: whatever was under way before
finds, right before its bytes would go out (`labrig.run.port_gate`), that it is too late.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from pathlib import Path
from typing import IO

from labrig.locks import is_locked, try_lock_patiently
from labrig.record.clock import boot_id
from labrig.run_folder import RunFolder

_log = logging.getLogger(__name__)


class LeaseHeld(Exception):
    """Another runner owns this run folder."""


class StaleEpoch(Exception):
    """The action belongs to an earlier epoch: it must not reach the wire."""


class Fence:
    """The present epoch; raised from any thread, checked by every port's owner."""

    def __init__(self, epoch: int) -> None:
        self._epoch = epoch
        self._lock = threading.Lock()

    @property
    def epoch(self) -> int:
        """The only epoch whose actions may reach a wire."""
        return self._epoch

    def raise_epoch(self) -> int:
        """Make everything begun before this call stale; returns the new epoch."""
        with self._lock:
            self._epoch += 1
            return self._epoch

    def check(self, epoch: int) -> None:
        """Call right before bytes are sent.

        Raises:
            StaleEpoch: ``epoch`` is no longer the present one.
        """
        if epoch != self._epoch:
            raise StaleEpoch(f"epoch {epoch} was overtaken by {self._epoch}")


class Lease:
    """A held lock on a run folder; the operating system frees it when the process dies."""

    def __init__(self, file: IO[str]) -> None:
        self._file = file

    def release(self) -> None:
        """Let another runner take the folder."""
        self._file.close()


def take_lease(run_folder: Path) -> Lease:
    """Become the one runner of this folder.

    Raises:
        LeaseHeld: another process is.
    """
    file = open(RunFolder(run_folder).lock, "a+", encoding="utf-8")
    if not try_lock_patiently(file):
        file.seek(0)
        holder = file.read().strip() or "an unknown process"
        file.close()
        raise LeaseHeld(
            f"{run_folder} is being run by {holder}. Follow it with `labrig status`, or stop it "
            "with `labrig stop` first."
        )
    _sign(RunFolder(run_folder).lock)
    return Lease(file)


def _sign(path: Path) -> None:
    """Say who holds it. Over what stands there: on a full disk there is room for no more."""
    try:
        with path.open("r+", encoding="utf-8") as file:
            file.write(json.dumps({"pid": os.getpid(), "boot_id": boot_id()}))
            file.truncate()
    except OSError as error:
        # The lock is held all the same, and it alone counts.
        _log.warning("%s does not say who holds it: %s", path, error)


def runner_lives(run_folder: Path) -> bool:
    """Whether some process holds the lease of this folder, whether or not it answers."""
    try:
        file = open(RunFolder(run_folder).lock, "r+", encoding="utf-8")
    except FileNotFoundError:
        return False
    with file:
        return is_locked(file)
