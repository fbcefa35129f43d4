"""People who come to a run at bad moments: by its door, as the commands of a terminal do."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

from labrig.record.clock import Mailbox
from labrig.run.control_client import CommandRefused, NoRunner, connect
from labrig.run_folder import RunFolder
from labrig.soak.night import Visit

WHAT = ("stop", "stop, perhaps", "take back", "hold", "resume", "note", "answer")
STOP_FILE = "stop in the folder"
"""Laid there while no runner lives, once the time has come: a computer that is off takes none."""
LAST_FILES = "no room for the last files"
"""Of the run: its ledger and its outcome cannot be written, and are when somebody asks for them."""
OUTCOME = "no room for the outcome"
"""The ledger can be written, and how the run ended cannot."""
STUCK_STOP = "stop, and its file stays"
"""One that may be taken back, but its file cannot be deleted: then nobody may go on."""
GRACE_S = 60.0
"""In which a stop that is perhaps none may be taken back."""


def receive(door: Mailbox[str], control: Path, visits: Sequence[Visit]) -> None:
    """One after the other, at their times, until something lies at ``door``: the run is over."""
    for visit in visits:
        if door.get(visit.at_s) is not None:
            return
        _visit(control, visit)


def _visit(control: Path, visit: Visit) -> None:
    # Nobody answers in the moment of a death; what is refused changes nothing.
    with contextlib.suppress(NoRunner, CommandRefused):
        client = connect(control)
        match visit.what:
            case "stop":
                client.stop(visit.text)
            case "stop, perhaps":
                client.stop(visit.text, grace_s=GRACE_S)
            case "stop, and its file stays":
                # As whoever cannot write into it leaves it: a folder, that nobody can delete so.
                client.stop(visit.text, grace_s=GRACE_S)
                RunFolder(control.parent).stop.mkdir(exist_ok=True)
            case "take back":
                client.take_back()
            case "hold":
                client.hold(visit.text)
            case "resume":
                client.resume()
            case "note":
                client.note(visit.text)
            case "answer":
                for question in client.status()["questions"]:
                    if visit.text in question["options"]:
                        client.answer(question["id"], visit.text)
