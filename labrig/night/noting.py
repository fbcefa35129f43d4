"""Write down what a person did or saw, while the run goes on or after it has ended."""

from __future__ import annotations

import uuid

from labrig.night.afterwards import journal_without_runner
from labrig.record.kinds.operator import NoteWritten
from labrig.record.said import entry_of
from labrig.run.control_client import NoRunner, connect
from labrig.run_folder import RunFolder


def note(folder: RunFolder, text: str, by: str, command_id: str | None = None) -> None:
    """Into the journal, by its runner or, where none lives, by this process.

    Args:
        folder: of the run.
        text: in the person's own words.
        by: who.
        command_id: the same for what is written once however often it is sent.

    Raises:
        LeaseHeld: a runner lives but does not answer.
        JournalError: it cannot be written.
    """
    command_id = command_id or str(uuid.uuid4())
    try:
        connect(folder.control).note(text, by, command_id)
    except NoRunner:
        with journal_without_runner(folder) as (journal, _):
            journal.note(entry_of("note", command_id, "noted", NoteWritten(text, by)))
