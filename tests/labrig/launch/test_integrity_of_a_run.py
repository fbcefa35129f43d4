"""What was edited, swapped, committed late or measured again is told, by its file."""

from __future__ import annotations

import json
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from labrig.catalogue import copy_catalogue
from labrig.cli import app
from labrig.durable import read_json
from labrig.launch.prepare import StartRequest, prepare_run
from labrig.measure.sealing import MANIFEST, read_seals, seal, sealed_again
from labrig.protocol.commitment import commit
from labrig.protocol.commitment_file import commitment_path
from labrig.record.detail import to_detail
from labrig.record.journal import open_journal
from labrig.record.origin import started_from
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.report.record import read_record
from labrig.report.standing import standing
from labrig.report.verification import verification
from labrig.run_folder import RunFolder
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.settings import MeasureSettings

MADE = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
TWO = ("A. Jansen", "B. Okoro")
NIGHT = "demo-night.yaml"


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    folder = tmp_path_factory.mktemp("lab") / "lab"
    copy_catalogue(folder)
    edit(folder / NIGHT, "pilot: true ", "")
    commit(folder / NIGHT, TWO, now=MADE - timedelta(hours=2))
    return folder


def begin(lab, runs, made=MADE):
    """A run that has begun, ended and been measured, by the writers of a real one."""
    rig = lab / "rigs" / "simulated-bench.yaml"
    folder = prepare_run(StartRequest(lab / NIGHT, rig, runs, True, operator="t"), made)
    journal = open_journal(folder.journal, VirtualClock(epoch=made))
    detail = to_detail(started_from(folder.root, "demo-night"))
    journal.note(JournalEntry("run", "started", "noted", detail))
    journal.note(JournalEntry("run", "finished", "noted", {}))
    journal.close()
    (folder.measures / "fields.csv").write_text("well,field,round\nA1,0,0\n", "utf-8")
    tubes = "well,field,round,tube,diameter_mean_um\nA1,0,0,0,14.0\n"
    (folder.measures / "tubes.csv").write_text(tubes, "utf-8")
    seal(folder.measures, identity(folder)["id"], "the night", settings=SETTINGS, now=made)
    return folder


@pytest.fixture(scope="module")
def committed(lab, tmp_path_factory):
    return begin(lab, tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def other(lab, tmp_path_factory):
    """Another run of the same protocol on the same bench."""
    return begin(lab, tmp_path_factory.mktemp("others"), MADE + timedelta(hours=1))


@pytest.fixture
def run(committed, tmp_path):
    return RunFolder(shutil.copytree(committed.root, tmp_path / "run"))


SETTINGS = MeasureSettings(fusion=FusionSettings(min_nuclei=2))


def identity(folder):
    return read_json(folder.identity)


def edit(path, old, new):
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


def edit_json(path, change):
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


def failures(folder) -> str:
    return "\n".join(verification(folder).failures)


def test_a_run_as_it_was_written_is_whole(run):
    assert failures(run) == ""
    done = CliRunner().invoke(app, ["verify", str(run.root)])
    assert done.exit_code == 0, done.output
    assert "time not witnessed" in done.output
    record = read_record(run)
    said = standing(record.commitment, False, record.integrity)
    assert (said.mark, said.prefix) == ("", "")


def test_what_the_run_began_with_stands_in_the_first_row(committed):
    rows = sqlite3.connect(committed.journal).execute("SELECT detail FROM journal").fetchall()
    first = json.loads(rows[0][0])
    assert first["run"] == identity(committed)["id"]
    assert set(first["sha256"]) >= {"protocol.yaml", "rig.yaml", "plan.json", "commitment.json"}


@pytest.mark.parametrize(
    ("old", "new", "path"),
    [
        ("min_nuclei: 2", "min_nuclei: 5", "definition.min_nuclei"),
        ("role: control", "role: test", "role"),
        ("seed: ", "seed: 1", "randomisation.seed"),
        ("plate: 24-well", "plate: nonsense", "cannot be read any more"),
    ],
)
def test_c1_c2_an_edited_protocol_judges_nothing_and_is_told(run, old, new, path):
    text = run.protocol.read_text("utf-8")
    if old not in text:
        pytest.fail(f"{old} is not in {NIGHT}")
    before = read_record(run).protocol
    edit(run.protocol, old, new)
    record = read_record(run)
    assert record.protocol == before
    (failure,) = record.integrity.failures
    assert "protocol.yaml" in failure
    assert path in failure
    said = standing(record.commitment, False, record.integrity)
    assert said.prefix == "Post hoc, integrity failed: "
    assert failure in said.banner
    assert CliRunner().invoke(app, ["verify", str(run.root)]).exit_code == 1


def test_a_comment_changes_nothing(run):
    run.protocol.write_text("# read by CD\n" + run.protocol.read_text("utf-8"), "utf-8")
    assert failures(run) == ""
    assert "not byte for byte" in " ".join(verification(run).notes)


def low_mass(part):
    part["definition"]["low_mass_m"] = 0.5


COMMITMENTS = {
    "C3 what was fixed": lambda raw: low_mass(raw["entries"][0]["fixed"]),
    "C3 a name": lambda raw: raw["entries"][0].update(names=["X", "Y"]),
    "C6 its number": lambda raw: raw["entries"][0].update(number=1),
    "C7 its time": lambda raw: raw["entries"][0].update(utc="2020-01-01T00:00:00+00:00"),
    "no entry": lambda raw: raw["entries"].clear(),
    "where it stands in the log": lambda raw: raw["entries"][0].update(log="0" * 63 + "1"),
}


@pytest.mark.parametrize("what", COMMITMENTS)
def test_an_edited_commitment_is_told(run, what):
    edit_json(run.commitment, COMMITMENTS[what])
    assert "commitment.json" in failures(run)
    assert read_record(run).integrity.failures


def forged_anew(lab, tmp_path, now, *edits):
    """A commitment made with labrig itself, in a folder without a trace of the first one."""
    night = tmp_path / NIGHT
    shutil.copy(lab / NIGHT, night)
    for old, new in edits:
        edit(night, old, new)
    commit(night, TWO, now=now)
    return commitment_path(night)


@pytest.mark.parametrize("hours", [-3, 0.5], ids=["said to be before", "after"])
@pytest.mark.parametrize(
    "edits", [(), (("min_nuclei: 2", "min_nuclei: 5"),)], ids=["same", "other"]
)
def test_c4_c6_a_commitment_put_in_afterwards_is_told(run, lab, tmp_path, hours, edits):
    made = forged_anew(lab, tmp_path, MADE + timedelta(hours=hours), *edits)
    shutil.copy(made, run.commitment)
    assert "does not hold the commitment that this run was started under" in failures(run)
    record = read_record(run)
    assert record.integrity.failures
    assert record.commitment.post_hoc == (hours > 0)


def older(run):
    """As labrig wrote it before it vouched for files: no hashes, no copy in the plan."""
    edit_json(run.identity, lambda i: [i.pop("plan_sha256"), i.pop("commitment")])
    edit_json(
        run.plan, lambda d: d.update(version=1) or [d["plan"].pop(k) for k in ("protocol", "rig")]
    )
    run.journal.unlink()
    (run.measures / MANIFEST).unlink()
    run.commitments.unlink()
    journal = open_journal(run.journal, VirtualClock(epoch=MADE))
    journal.note(JournalEntry("run", "started", "noted", {"plan": "demo-night"}))
    journal.close()
    return run


def test_a_run_of_an_older_labrig_is_read_and_says_so(run):
    found = verification(older(run))
    assert found.failures == ()
    assert "older labrig" in " ".join(found.notes)


def test_an_older_run_is_judged_by_what_was_committed(run):
    before = read_record(older(run)).protocol.definition
    edit(run.protocol, "min_nuclei: 2", "min_nuclei: 5")
    record = read_record(run)
    assert record.protocol.definition == before
    assert "protocol.yaml is not the one" in record.integrity.failures[0]


def test_c4_a_later_commitment_in_an_older_run_is_post_hoc(run, lab, tmp_path):
    shutil.copy(forged_anew(lab, tmp_path, MADE + timedelta(minutes=20)), older(run).commitment)
    record = read_record(run)
    assert record.commitment.post_hoc
    assert "after the run had begun" in record.integrity.failures[0]
    assert "Committed after" in standing(record.commitment, False).line


def test_a_journal_that_began_before_an_older_run_was_made_is_another_runs(run):
    older(run).journal.unlink()
    journal = open_journal(run.journal, VirtualClock(epoch=MADE - timedelta(days=1)))
    journal.note(JournalEntry("run", "started", "noted", {"plan": "demo-night"}))
    journal.close()
    assert "that of another run" in failures(run)


@pytest.mark.parametrize("hours", [-1, 1], ids=["before data", "after"])
def test_c5_an_amendment_is_named_by_when_it_was_made(lab, tmp_path, hours):
    own = tmp_path / "lab"
    shutil.copytree(lab, own)
    night = own / NIGHT
    if hours > 0:
        run = begin(own, tmp_path / "runs")
    edit(night, "min_nuclei: 2", "min_nuclei: 4")
    commit(night, TWO, "a reason", now=MADE + timedelta(hours=hours))
    if hours < 0:
        run = begin(own, tmp_path / "runs")
        # the tables above were measured with two
        assert "definition says 4" in failures(run)
        (run.measures / MANIFEST).unlink()
        changed = MeasureSettings(fusion=FusionSettings(min_nuclei=4))
        seal(run.measures, identity(run)["id"], "the night", settings=changed)
    else:
        shutil.copy(commitment_path(night), run.commitment)
    record = read_record(run)
    assert record.integrity.failures == ()
    assert record.protocol.definition.min_nuclei == (4 if hours < 0 else 2)
    said = standing(record.commitment, False, record.integrity)
    assert record.commitment.post_hoc == (hours > 0)
    assert ("amended before data" in said.line) == (hours < 0)
    assert ("post hoc" in said.line) == (hours > 0)
    assert said.prefix == ("Post hoc: " if hours > 0 else "")


@pytest.mark.parametrize("name", ["journal.sqlite", "run.json", "measures"])
def test_c8_what_is_of_another_run_is_told(run, other, name):
    there = run.root / name
    if there.is_dir():
        shutil.rmtree(there)
        shutil.copytree(other.root / name, there)
    else:
        shutil.copy(other.root / name, there)
    assert name in failures(run)
    assert read_record(run).integrity.failures


@pytest.mark.parametrize(
    "name", ["plan.json", "bench.json", "camera.json", "commitments.jsonl", "run.json"]
)
def test_a_file_that_was_changed_after_the_start_is_told(run, name):
    path = run.root / name
    path.write_text(path.read_text("utf-8").replace("24", "25"), "utf-8")
    path.write_bytes(path.read_bytes() + b"\n")
    assert name in failures(run)


@pytest.mark.parametrize("name", ["commitment.json", "commitments.jsonl", "rig.yaml"])
def test_a_file_that_is_gone_is_told(run, name):
    (run.root / name).unlink()
    assert name in failures(run)


def test_a_commitment_put_beside_an_uncommitted_pilot_proves_nothing(lab, tmp_path):
    own = tmp_path / "lab"
    shutil.copytree(lab, own)
    commitment_path(own / NIGHT).unlink()
    edit(own / NIGHT, "plate: 24-well", "pilot: true\nplate: 24-well")
    run = begin(own, tmp_path / "runs")
    assert failures(run) == ""
    shutil.copy(commitment_path(lab / NIGHT), run.commitment)
    assert "put into the folder after the run had begun" in failures(run)


TABLES = {
    "a diameter": lambda m: edit(m / "tubes.csv", "14.0", "9.8"),
    "a row": lambda m: (m / "tubes.csv").write_text("well,field,round,tube\n", "utf-8"),
    "another table": lambda m: edit(m / "fields.csv", "A1", "A2"),
    "a table more": lambda m: (m / "contractions.csv").write_text("field,film\n", "utf-8"),
    "a table less": lambda m: (m / "fields.csv").unlink(),
    "its manifest": lambda m: edit(m / MANIFEST, "the night", "the nigth"),
    "no manifest": lambda m: (m / MANIFEST).unlink(),
}


@pytest.mark.parametrize("what", TABLES)
def test_c10_tables_that_were_changed_are_told(run, what):
    TABLES[what](run.measures)
    assert "measures" in failures(run)
    assert CliRunner().invoke(app, ["verify", str(run.root)]).exit_code == 1


def test_tables_that_labrig_makes_again_leave_a_trace_and_hide_nothing(run):
    with sealed_again(run.measures, "labrig review", "C. Doe"):
        edit(run.measures / "tubes.csv", "14.0", "13.0")
    found = verification(run)
    assert found.failures == ()
    assert "made again" in " ".join(found.notes)
    assert "C. Doe" in " ".join(found.notes)
    edit(run.measures / "tubes.csv", "13.0", "9.0")
    with sealed_again(run.measures, "labrig review", "C. Doe"):
        pass
    assert "changed by something else" in failures(run)
    assert len(read_seals(run.measures / MANIFEST)) == 3
