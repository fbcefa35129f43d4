"""Who follows a run: one process at a time, that measures its pictures and writes its report.

The operating system frees the lock when that process dies, however it dies, so that whoever looks
knows that nobody follows.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from labrig.locks import is_locked, try_lock_patiently
from labrig.run_folder import RunFolder


class AlreadyFollowed(Exception):
    """Another process follows this run; the message names it."""


@contextmanager
def following(folder: RunFolder) -> Iterator[None]:
    """Be the one who follows this run.

    Raises:
        AlreadyFollowed: another process is.
    """
    with open(folder.follower_lock, "a+", encoding="utf-8") as file:
        if not try_lock_patiently(file):
            file.seek(0)
            raise AlreadyFollowed(
                f"{folder.root} is being followed by process {file.read().strip() or 'unknown'}, "
                "which measures its pictures and writes its report. `labrig status` looks at it."
            )
        file.seek(0)
        file.truncate()
        file.write(str(os.getpid()))
        file.flush()
        yield


def is_followed(folder: RunFolder) -> bool:
    """Whether some process follows this run."""
    try:
        file = open(folder.follower_lock, "r+", encoding="utf-8")
    except FileNotFoundError:
        return False
    with file:
        return is_locked(file)
