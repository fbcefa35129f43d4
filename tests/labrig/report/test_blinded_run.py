"""What a judge of pictures can read of a blinded run tells no arm, until it is unblinded."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labrig.commands.mounted import app
from labrig.export.source import ExportRefused, read_source
from labrig.measure.sealing import seal
from labrig.night.run_cells import cells_of_run
from labrig.plan.sources import planned_protocol
from labrig.plan.store import read_plan
from labrig.protocol.blinding_key import draw_key, read_key, write_key
from labrig.record.reading import read_journal
from labrig.report.blinding import who_may_not_judge
from labrig.report.build import build_report
from labrig.report.verification import verification
from labrig.run_folder import RunFolder

ARMS = ("vehicle-sham", "vehicle-tonic", "nerve-sham", "nerve-tonic")
BLOCK = "blinding: {arms: coded, handlers: [Hanna Berg], judges: [Jan Vos]}\n\narms:\n"
HOLD_ARMS = {"protocol.yaml", "plan.json", "blinding-key.json", "commitment.json"}
"""And what each well got can be worked out from the journal; docs/blinding.md keeps them apart."""


@pytest.fixture
def blinded(write_run, story, tmp_path):
    """A blinded night, as it lies in its folder when its tables were closed."""
    told = replace(story, edits=(*story.edits, ("arms:\n", BLOCK)), shrink={"nerve-sham": 0.7})
    folder = RunFolder(tmp_path / "night")
    shutil.copytree(write_run(told).root, folder.root)
    key = draw_key(planned_protocol(read_plan(folder), folder.protocol))
    write_key(folder.blinding_key, key)
    identity = json.loads(folder.identity.read_text(encoding="utf-8"))
    folder.identity.write_text(json.dumps(identity | {"blinding": key.sha256}), encoding="utf-8")
    seal(folder.measures, identity["id"], "the run")
    return folder


def labrig(*arguments) -> tuple[int, str]:
    ended = CliRunner().invoke(app, [str(a) for a in arguments], env={"COLUMNS": "200"})
    assert ended.exception is None or isinstance(ended.exception, SystemExit), ended.exception
    return ended.exit_code, ended.output


def failures_of_files(folder: RunFolder) -> list[str]:
    """What verify finds but for pictures: a written night calls each of them p and has none."""
    return [said for said in verification(folder).failures if "is not there" not in said]


def holding_arms(folder: RunFolder) -> set[str]:
    found = set()
    for path in folder.root.rglob("*"):
        name = path.relative_to(folder.root).as_posix()
        if any(arm in name for arm in ARMS):
            found.add(name)
        elif path.is_file() and any(arm.encode() in path.read_bytes() for arm in ARMS):
            found.add(name)
    return found


def test_only_the_operators_files_name_arms(blinded):
    build_report(blinded)
    assert holding_arms(blinded) <= HOLD_ARMS
    assert (blinded.report / "growth_by_code.csv").exists()
    page = (blinded.report / "report.html").read_text(encoding="utf-8")
    assert "<dt>Amendments while it ran</dt><dd>0</dd>" in page
    assert not (blinded.report / "verdict.json").exists()
    for command in (("status", blinded.root), ("verify", blinded.root),
                    ("report", blinded.root, "--json")):  # fmt: skip
        _, output = labrig(*command)
        assert not any(arm in output for arm in ARMS), command
    with pytest.raises(ExportRefused, match="are coded"):
        read_source(blinded.root)


def test_tables_of_measures_say_the_arm_of_a_well_only_where_arms_are_named(
    blinded, write_run, story
):
    coded, named = cells_of_run(blinded), cells_of_run(write_run(story))
    assert coded.columns == ("utc", "local_time")
    assert set(named.arms.values()) == set(ARMS)
    assert coded.taken_s == named.taken_s
    assert coded.taken_s


def test_the_page_of_blinding_names_every_file_that_holds_arms():
    page = Path(__file__).parents[3] / "docs" / "blinding.md"
    text = page.read_text(encoding="utf-8")
    assert all(f"`{name}`" in text for name in HOLD_ARMS)


def test_no_well_stands_beside_a_code_and_no_factor_is_named(blinded):
    build_report(blinded)
    page = (blinded.report / "report.html").read_text(encoding="utf-8")
    table = (blinded.report / "growth_by_code.csv").read_text(encoding="utf-8")
    for secret in ("CNTF", "BDNF", "leucine", "tonic_10hz", "cocktail", "fidelity"):
        assert secret not in page + table
    for well in ("A1", "B3", "D6"):
        assert well not in table
    assert "code-4" in page


def test_unblinding_needs_closed_measures_and_is_a_row(blinded):
    tubes = blinded.measures / "tubes.csv"
    whole = tubes.read_bytes()
    tubes.write_bytes(whole + b"\n")
    status, output = labrig("unblind", blinded.root, "--reason", "done")
    assert status == 1
    assert "not closed" in output
    assert "tubes.csv" in output
    tubes.write_bytes(whole)
    before = len(read_journal(blinded.journal))
    status, output = labrig("unblind", blinded.root, "--reason", "labels are done", "--by", "Ida")
    assert status == 0
    assert all(arm in output for arm in ARMS)
    row = read_journal(blinded.journal)[before]
    assert (row.kind, row.key) == ("note", "unblinded")
    key = read_key(blinded.blinding_key)
    assert row.detail["key_sha256"] == key.sha256
    assert (row.detail["by"], row.detail["reason"]) == ("Ida", "labels are done")
    page = (blinded.report / "report.html").read_text(encoding="utf-8")
    assert "by Ida (labels are done); the measures had been closed before" in page
    assert "nerve-tonic" in page
    assert failures_of_files(blinded) == []
    status, output = labrig("unblind", blinded.root, "--reason", "again")
    assert status == 1
    assert "was unblinded at" in output


def test_early_unblinding_is_told_in_the_first_lines(blinded):
    (blinded.measures / "manifest.jsonl").unlink()
    status, output = labrig("unblind", blinded.root, "--reason", "a leak", "--by", "Ida")
    assert status == 1
    assert "labrig follow" in output
    labrig("unblind", blinded.root, "--reason", "a leak", "--by", "Ida", "--early")
    codes = [r.key for r in read_journal(blinded.journal) if r.kind == "deviation"]
    assert "unblinded-early" in codes
    page = (blinded.report / "report.html").read_text(encoding="utf-8")
    first = page[: page.index("<main")]
    assert "Unblinded early, by Ida (a leak)" in first


def test_tables_made_again_after_it_are_told(blinded):
    labrig("unblind", blinded.root, "--reason", "done", "--by", "Ida")
    tubes = blinded.measures / "tubes.csv"
    tubes.write_bytes(tubes.read_bytes() + b"\n")
    seal(blinded.measures, "0" * 32, "labrig review", by="Ida")
    build_report(blinded)
    page = (blinded.report / "report.html").read_text(encoding="utf-8")
    assert "Tables were made again after the arms had been told" in page[: page.index("<main")]


def test_a_run_that_goes_on_is_not_unblinded(write_run, story, tmp_path, blinded):
    going = replace(
        story, edits=(*story.edits, ("arms:\n", BLOCK)), until_s=5 * 3600.0, measured=False
    )
    folder = RunFolder(tmp_path / "going")
    shutil.copytree(write_run(going).root, folder.root)
    status, output = labrig("unblind", folder.root, "--reason", "now", "--early")
    assert status == 1
    assert "has not ended" in output


def test_arms_that_were_never_coded_are_not_unblinded(write_run, story):
    status, output = labrig("unblind", write_run(story).root, "--reason", "now")
    assert status == 1
    assert "never coded" in output


def test_another_key_fails_the_check_of_the_folder(blinded):
    assert failures_of_files(blinded) == []
    other = draw_key(planned_protocol(read_plan(blinded), blinded.protocol))
    write_key(blinded.blinding_key, other)
    assert any("not the key that was sealed" in said for said in verification(blinded).failures)


def test_who_knows_the_arms_is_known(blinded):
    assert dict(who_may_not_judge(blinded)).keys() == {"Hanna Berg"}
    labrig("unblind", blinded.root, "--reason", "done", "--by", "Ida Holm")
    assert {"Hanna Berg", "Ida Holm"} == {name for name, _ in who_may_not_judge(blinded)}
    (blinded.measures / "corrections.jsonl").write_text(
        json.dumps({"by": "H. Berg", "knew_arms": "handles the syringes, by the protocol"}) + "\n",
        encoding="utf-8",
    )
    build_report(blinded)
    page = (blinded.report / "report.html").read_text(encoding="utf-8")
    assert "corrected by people who knew the arms: H. Berg" in page[: page.index("<main")]
