"""Who did what to a run, from the commands that its journal holds."""

from __future__ import annotations

from contextlib import closing

import pytest

from labrig.record.acts import acts_of_people
from labrig.record.journal import open_journal
from labrig.record.reading import read_journal
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock


def acts(tmp_path, *commands):
    path = tmp_path / "journal.sqlite"
    with closing(open_journal(path, VirtualClock())) as journal:
        journal.note(JournalEntry("run", "started", "noted", {}))
        for number, (command, args) in enumerate(commands):
            detail = {"accepted": True, "command": command, "at_s": 0.0, "args": args}
            journal.note(JournalEntry("command", str(number), "acknowledged", detail))
    return acts_of_people(read_journal(path))


@pytest.mark.spoilt_night
@pytest.mark.parametrize(
    ("command", "args", "what"),
    [
        ("stop", {"reason": "mould in B2", "by": "Zoë"}, "stopped the run: mould in B2"),
        ("stop", {"by": "Zoë"}, "stopped the run, without a reason"),
        ("hold", {"reason": "", "by": "Zoë"}, "held the run, without a reason"),
        ("resume", {"by": "Zoë"}, "let the run go on"),
        ("answer", {"question": "stall:base", "choice": "leave", "by": "Zoë"},
         "answered “leave” to stall:base"),
        ("note", {"text": "opened the door", "by": "Zoë"}, "noted: opened the door"),
        ("weigh", {"reservoir": "medium", "when": "after", "grams": "101.5", "by": "Zoë"},
         "weighed medium after the run: 101.5 g"),
    ],
)  # fmt: skip
def test_every_deed_is_told_with_who(tmp_path, command, args, what):
    assert [(act.by, act.what) for act in acts(tmp_path, (command, args))] == [("Zoë", what)]


@pytest.mark.spoilt_night
def test_what_programs_say_is_no_deed_and_nobody_is_nobody(tmp_path):
    told = acts(
        tmp_path, ("phase", {"name": "treatment"}), ("followed", {}), ("note", {"text": "x"}),
        ("stop", None), ("of a newer labrig", {"by": "Z"}),
    )  # fmt: skip
    assert [(act.by, act.what) for act in told] == [
        ("", "noted: x"),
        ("", "stopped the run, without a reason"),
    ]
