"""A committed run may be amended, but not in what it is judged by; and its report says both."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from labrig.catalogue import copy_catalogue
from labrig.launch.amending import offer, propose
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.protocol.commitment import commit
from labrig.record.detail import to_detail
from labrig.record.journal import open_journal
from labrig.record.kinds.runs import RunAmended, RunReplanned
from labrig.record.origin import started_from
from labrig.record.rows import JournalEntry
from labrig.record.said import entry_of_run
from labrig.record.virtual_clock import VirtualClock
from labrig.report.verification import verification
from labrig.run.amendments import name_files

MADE = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
NOW_S = 3600.0


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    """A committed night whose phases, definition and seed can be found in its text."""
    folder = tmp_path_factory.mktemp("lab") / "lab"
    copy_catalogue(folder)
    night = folder / "demo-night.yaml"
    night.write_text(night.read_text("utf-8").replace("pilot: true ", ""), "utf-8")
    commit(night, ("A. Jansen", "B. Okoro"), now=MADE - timedelta(hours=2))
    return folder


@pytest.fixture
def run(lab, tmp_path):
    rig = lab / "rigs" / "simulated-bench.yaml"
    return prepare_run(StartRequest(lab / "demo-night.yaml", rig, tmp_path, True, "t"), MADE)


def changed(run, tmp_path, *edits):
    text = run.protocol.read_text("utf-8")
    for old, new in edits:
        assert old in text
        text = text.replace(old, new, 1)
    file = tmp_path / "changed.yaml"
    file.write_text(text, "utf-8")
    return file


JUDGED_BY = {
    "definition.min_nuclei": ("min_nuclei: 2", "min_nuclei: 5"),
    "randomisation.seed": ("seed: 20131106", "seed: 7"),
    "analysis.correction": ("correction: dunnett", "correction: holm"),
}


def test_what_it_is_judged_by_is_refused_by_name(run, tmp_path):
    proposal = propose(run, changed(run, tmp_path, *JUDGED_BY.values()), NOW_S, MADE)
    assert not proposal.possible
    assert set(JUDGED_BY) <= {refusal.where for refusal in proposal.refusals}


def test_the_commitment_still_fits_and_says_what_was_amended(run, tmp_path):
    longer = changed(run, tmp_path, ("duration: 13 h}", "duration: 14 h}"))
    proposal = propose(run, longer, NOW_S, MADE)
    assert proposal.possible, proposal.refusals
    args = offer(run, proposal, "A. Miller", "the tubes grow faster")
    row = RunAmended(
        number=2, from_s=proposal.from_s, plan_sha256=args["plan_sha256"],
        before_sha256=args["before_sha256"], protocol_sha256=args["protocol_sha256"],
        changed=tuple(json.loads(args["changed"])),
        differences=tuple(json.loads(args["differences"])),
        reason="the tubes grow faster", by="A. Miller",
    )  # fmt: skip
    journal = open_journal(run.journal, VirtualClock(epoch=MADE))
    detail = to_detail(started_from(run.root, "demo-night"))
    journal.note(JournalEntry("run", "started", "noted", detail))
    for entry in (entry_of_run(row), entry_of_run(RunReplanned(2))):
        journal.note(entry)
    journal.close()
    name_files(run, row)

    assert verification(run).failures == ()
    [line] = [said for said in verification(run).passed if said.startswith("Committed before")]
    assert "phases changed while it ran, by an amendment" in line
    assert "what it is judged by stands as committed" in line
