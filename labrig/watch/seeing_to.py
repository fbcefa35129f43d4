"""Somebody at the bench sees to what people are being called about."""

from __future__ import annotations

from labrig.watch.acks import leave_ack
from labrig.watch.causes import Cause
from labrig.watch.places import MEMORY, watch_folder
from labrig.watch.store import recalled


def see_to(run: str, about: str, by: str) -> tuple[int, ...]:
    """Acknowledge every call that stands about one thing of a run: nobody else is called.

    Args:
        run: name of the run's folder.
        about: the instrument, port or well that the alarm names.
        by: who sees to it.

    Returns:
        the numbers of the messages.

    Raises:
        DamagedFile, OSError: what was told cannot be read, or the word cannot be left.
    """
    folder = watch_folder()
    calls = [
        entry.number
        for entry in recalled(folder / MEMORY).book.entries
        if entry.wants_somebody and entry.cause.run == run and about in _told_of(entry.cause)
    ]
    for number in calls:
        leave_ack(folder, number, by)
    return tuple(calls)


def _told_of(cause: Cause) -> set[str]:
    """What a cause is about: its keys read RUN|alarm|CODE:ABOUT, of a question with @SINCE."""
    alarms = (key.rpartition("|")[2].partition("@")[0] for key in cause.keys)
    return {alarm.partition(":")[2] for alarm in alarms}
