"""The page and the tables of whole runs: what they say, and that they say it alone and always."""

from __future__ import annotations

import csv
import html
import io
import json
import re
import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from labrig.cli import app
from labrig.protocol.commitment import commit
from labrig.protocol.commitment_file import commitment_path
from labrig.record.rows import JournalError
from labrig.report.analysis import analyse
from labrig.report.build import build_report
from labrig.report.headline import headline
from labrig.report.maker import Maker
from labrig.report.page import render
from labrig.report.record import read_record
from labrig.report.tables import FILES
from labrig.run_folder import NotARunFolder, RunFolder


def page_of(folder: RunFolder) -> str:
    return build_report(folder).read_text(encoding="utf-8")


def table(path) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(path.read_text(encoding="utf-8"))))


def words(page: str) -> str:
    """What a reader sees."""
    text = re.sub(r"<(style|svg).*?</\1>", " ", page, flags=re.S)
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]+>", " ", text)))


@pytest.fixture(scope="session")
def good_page(write_run, story) -> str:
    return page_of(write_run(story))


def test_a_good_night_says_so_and_why_there_is_no_verdict(good_page):
    said = words(good_page)
    assert "The night is finished." in said
    assert "Nothing is missing" in said
    assert "SIMULATED" in said
    assert "PILOT" in said
    assert "No verdict: none of the 6 experimental units beside the control can be assessed" in said
    assert "contraction at the reference stimulus was not measured often enough" in said
    assert "No film counts: none was measured." in said


def test_pictures_that_were_photographed_are_not_called_simulated(write_run, story, tmp_path):
    folder = RunFolder(Path(shutil.copytree(write_run(story).root, tmp_path / "run")))
    camera = {"name": "camera", "type": "opencv_camera", "address": "/data/pictures"}
    folder.camera.write_text(json.dumps({"cameras": [camera]}), encoding="utf-8")
    said = words(page_of(folder))
    assert "SIMULATED Pumps, stimulator and stage were the simulators" in said
    assert "The pictures came from /data/pictures" in said
    assert "No instrument was real" not in said
    assert "culture model" not in said


@pytest.mark.parametrize(
    "fact",
    [
        "vehicle-sham 2, vehicle-tonic 2, nerve-sham 2, nerve-tonic 2",
        "One donor: the test describes this donor only, no claim about people",
        "is not “no effect”",
        "“Sarcopenia-like” is the strongest wording allowed here",
        "No contrast is a gate: whether a loss would have shown in these cells is unknown",
        "not identifiable with these arms: muscle cells alone have no synapse to lose",
        "mass only, one assessment enough",
        "12 h (4 to 24 h)",
        "Every unit got every factor within its limits",
        "Uncommitted pilot",
        "Tubes without a stain (imaging.phase_mask: rules) found by rules not validated on real",
    ],
)
def test_it_states(good_page, fact):
    assert fact in words(good_page)


def test_the_page_needs_nothing_from_outside(good_page):
    assert "<script" not in good_page
    links = re.findall(r'(?:src|href)="([^"]+)"', good_page)
    allowed = {name for name, _ in FILES}
    outside = [link for link in links if not (link.startswith(("data:", "#")) or link in allowed)]
    assert outside == []
    assert not re.findall(r"url\((?!#)", good_page)


def test_every_picture_and_table_is_told_to_those_who_cannot_see_it(good_page):
    images = re.findall(r"<img [^>]*>", good_page)
    assert len(images) >= 12
    assert all(re.search(r'alt="[^"]{10,}"', image) for image in images)
    assert good_page.count("<table") == good_page.count("<caption>") > 10
    assert all('role="img"' in plot for plot in re.findall(r'<div class="plot"[^>]*>', good_page))
    ids = re.findall(r'\bid="([^"]+)"', good_page)
    assert len(ids) == len(set(ids))


def test_the_labrig_of_the_analysis_stands_beside_that_of_the_run(write_run, story):
    folder = write_run(story)
    page = build_report(folder, Maker("9.8.7", "2031-01-02T03:04:05+00:00"))
    footer = page.read_text(encoding="utf-8").rpartition("<footer>")[2]
    assert "Analysed by labrig 9.8.7 at 2031-01-02T03:04:05+00:00, run under labrig 0.1.0" in footer
    verdict = json.loads((folder.report / "verdict.json").read_text(encoding="utf-8"))
    assert verdict["analysed_by"] == {"labrig": "9.8.7", "utc": "2031-01-02T03:04:05+00:00"}
    assert verdict["ran_under"] == {"labrig": "0.1.0"}


def test_a_plan_of_before_carriers_gives_the_same_report(write_run, story, tmp_path):
    new = write_run(story)
    old = RunFolder(Path(shutil.copytree(new.root, tmp_path / new.root.name)))
    document = json.loads(old.plan.read_text(encoding="utf-8"))
    for well in document["plan"]["wells"]:
        del well["carriers"], well["open_to"]
    old.plan.write_text(json.dumps(document), encoding="utf-8")
    maker = Maker("1.2.3", "2026-03-02T07:00:00+00:00")
    pages = [build_report(folder, maker).read_text(encoding="utf-8") for folder in (new, old)]
    assert pages[0] == pages[1]


def test_the_same_run_gives_the_same_bytes(write_run, story):
    folder = write_run(story)
    maker = Maker("1.2.3", "2026-03-02T07:00:00+00:00")
    first = {p.name: p.read_bytes() for p in build_report(folder, maker).parent.iterdir()}
    second = {p.name: p.read_bytes() for p in build_report(folder, maker).parent.iterdir()}
    assert first == second
    assert set(first) == {"report.html", *(name for name, _ in FILES)}


def test_a_stall_is_told_censored_and_kept_out(write_run, story):
    folder = write_run(replace(story, stalled="nerve_05", shrink={"nerve-sham": 0.7}))
    said = words(page_of(folder))
    assert "nerve_05 stalled and stayed so" in said
    assert re.search(r"A3, B3: left out of the analysis, the first from \w+ \d\d:\d\d on", said)
    assert "Not every unit got what was planned." in said
    assert re.search(r"nerve-sham 1 A3( \w\d)* CNTF ", said), (
        "wells that lack it have their own row"
    )
    assert "per protocol" in said
    rows = table(folder.report / "units.csv")
    wells = {(row["unit"], row["round"]): row["wells"] for row in rows}
    assert wells["nerve-sham 1", "2"] == "3"  # intention to treat keeps every well
    ledger = table(folder.report / "dose_ledger.csv")
    stalled = [r for r in ledger if r["well"] == "A3" and r["factor"] == "CNTF"]
    assert float(stalled[0]["fidelity"]) < 0.8
    verdict = json.loads((folder.report / "verdict.json").read_text(encoding="utf-8"))
    hit = next(u for u in verdict["units"] if "A3" in u["unit"]["wells"])
    assert any("A3 left out from 4:00" in reason for reason in hit["reasons"])
    assert hit["assessments"][-1]["tubes"] == 24  # of its two wells that are left
    assert hit["assessments"][-1]["m"] == pytest.approx(0.7, rel=0.1)


HEADLINES = {
    "stopped": (
        {"until_s": 5 * 3600.0, "stopped": "smoke", "measured_rounds": (0,)},
        "The night was stopped at 5:00 of 14:00 h, Sun 23:00. Reason given: smoke.",
    ),
    "cut off": (
        {"until_s": 5 * 3600.0, "measured_rounds": (0,)},
        "The night is not finished: its journal ends at 5:00 h, Sun 23:00.",
    ),
    "gap": (
        {"gap_s": (7200.0, 9000.0)},
        "For 30 min in one gap nothing was done: the runner was not running.",
    ),
    "slept": (
        {"gap_s": (7200.0, 9000.0), "gap_cause": "the computer slept, or was stopped"},
        "For 30 min in one gap nothing was done: the computer slept, or was stopped.",
    ),
    "pictures never begun": (
        {"only_intended": "frame/"},
        "168 of 168 pictures are missing.",
    ),
    "missed round": ({"missed_round": 1}, "24 of 168 pictures are missing."),
}


WARNINGS = ("gap", "slept", "pictures never begun", "missed round")


@pytest.mark.parametrize("case", HEADLINES)
def test_the_headline_says_how_it_went(write_run, story, case):
    changes, expected = HEADLINES[case]
    head = headline(analyse(read_record(write_run(replace(story, **changes)))))
    assert head.tone == ("warn" if case in WARNINGS else "bad")
    assert expected in " ".join([head.title, head.lead, *(point.text for point in head.points)])


ABSENT = {
    "never begun": (
        {"begun": False, "measured": False, "imaged": False},
        "Nothing was due before the run's last entry. This was planned:",
    ),
    "not measured": ({"measured": False}, "No growth can be shown: no picture has been measured."),
    "no pictures": ({"imaged": False}, "There are no pictures to show."),
}


@pytest.mark.parametrize("case", ABSENT)
def test_what_is_not_there_is_said(write_run, story, case):
    changes, expected = ABSENT[case]
    assert expected in words(page_of(write_run(replace(story, **changes))))


@pytest.mark.parametrize("table", ["fields", "tubes", "contractions", "tracks"])
def test_a_damaged_table_is_told_and_keeps_no_report_from_being_made(
    write_run, story, tmp_path, table
):
    folder = RunFolder(tmp_path / "run")
    told = replace(story, films_measured=True, imaged=False)
    shutil.copytree(write_run(told).root, folder.root)
    with (folder.measures / f"{table}.csv").open("a", encoding="utf-8") as stream:
        stream.write("well,field,track\nA1," if table == "tracks" else "A1,")
    said = words(page_of(folder))
    assert f"{table}.csv is damaged: line" in said
    assert "Delete it, and `labrig follow`" in said
    assert "Nothing is missing" not in said


def test_a_journal_that_was_changed_is_told_and_takes_no_stamp_away(write_run, story, tmp_path):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(write_run(replace(story, imaged=False, measured=False)).root, folder.root)
    for written in (folder.complete, folder.outcome):
        written.write_text("{}")
    with closing(sqlite3.connect(folder.journal)) as connection, connection:
        connection.execute("DROP TRIGGER journal_no_update")
        connection.execute("UPDATE journal SET key = 'other' WHERE seq = 3")
    ended = CliRunner().invoke(app, ["report", str(folder.root)])
    assert isinstance(ended.exception, JournalError)
    assert "has not ended" not in ended.output
    assert folder.complete.exists()


@pytest.mark.parametrize(
    ("until_s", "title"),
    [(14 * 3600.0, "The rehearsal is finished."), (600.0, "The rehearsal was stopped at 0:10")],
)
def test_a_rehearsal_says_at_the_top_that_nothing_was_real(write_run, story, until_s, title):
    told = replace(
        story, rehearsal=True, imaged=False, measured=False, until_s=until_s,
        stopped=None if until_s == story.until_s else "smoke",
    )  # fmt: skip
    folder = write_run(told)
    said = words(page_of(folder))
    assert re.search(
        r"SIMULATED No instrument was real.* REHEARSAL No picture was taken.*" + title, said
    )
    assert json.loads((folder.report / "verdict.json").read_text())["rehearsal"] is True
    points = " ".join(p.text for p in headline(analyse(read_record(folder))).points)
    assert "pictures" not in points
    assert "no picture" not in points.lower()
    assert ("Nothing is missing" in points) == (until_s == story.until_s)
    assert not re.search(r"\b0 doses", points)


def test_a_run_folder_from_before_rehearsals_were_marked_is_read(write_run, story, tmp_path):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(write_run(replace(story, imaged=False)).root, folder.root)
    identity = json.loads(folder.identity.read_text(encoding="utf-8"))
    del identity["rehearsal"]
    folder.identity.write_text(json.dumps(identity), encoding="utf-8")
    assert "REHEARSAL" not in words(page_of(folder))


def test_a_commitment_is_shown_and_checked(write_run, story, tmp_path):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(write_run(replace(story, imaged=False)).root, folder.root)
    made = commit(folder.protocol, ["Ada L.", "Rita M."], now=datetime(2026, 2, 1, tzinfo=UTC))
    shutil.move(commitment_path(folder.protocol), folder.commitment)
    said = words(page_of(folder))
    assert f"Sun 1 Feb 2026 00:00 UTC Ada L., Rita M. first {made.sha256}" in said
    assert "differs from what was committed" not in said
    text = folder.protocol.read_text(encoding="utf-8")
    folder.protocol.write_text(text.replace("low_mass_m: 0.85", "low_mass_m: 0.95"))
    record = read_record(folder)
    assert record.commitment is not None
    assert not record.commitment.fits


def test_the_command_names_the_page(write_run, story):
    folder = write_run(story)
    result = CliRunner().invoke(app, ["report", str(folder.root), "--json"])
    assert result.exit_code == 0, result.output
    said = json.loads(result.stdout)
    assert said["report"] == str(folder.report / "report.html")
    assert len(said["tables"]) == len(FILES)


def test_the_command_refuses_what_is_no_run(tmp_path):
    result = CliRunner().invoke(app, ["report", str(tmp_path)])
    assert isinstance(result.exception, NotARunFolder)
    assert "run.json" in str(result.exception)


def test_a_night_of_pictures_only(write_run, story):
    said = words(
        page_of(
            write_run(
                replace(
                    story,
                    protocol="overnight-imaging",
                    edits=(("interval: 30 min", "interval: 6 h"), ("sites: 5", "sites: 1")),
                )
            )
        )
    )
    assert "No factor was planned for any well." in said
    assert "No impulse was planned." in said
    assert "one arm alone is compared with nothing" in said


def test_a_journal_that_was_edited_is_not_believed(write_run, story, tmp_path):
    folder = RunFolder(tmp_path / "run")
    shutil.copytree(write_run(story).root, folder.root)
    with sqlite3.connect(folder.journal) as connection:
        connection.execute("DROP TRIGGER journal_no_update")
        connection.execute("UPDATE journal SET detail = '{}' WHERE kind = 'dose'")
    said = words(page_of(folder))
    assert "The journal of this run cannot be trusted." in said
    assert "does not follow from the one before it" in said
    assert "Nothing is missing" not in said


def test_what_people_did_stands_on_the_page_with_who(write_run, story):
    record = read_record(write_run(story))
    said = {
        "accepted": True, "command": "note", "at_s": 60.0,
        "args": {"text": "opened <b>the door</b>", "by": "Zoë"},
    }  # fmt: skip
    noted = replace(record.rows[-1], kind="command", key="1", state="acknowledged", detail=said)
    maker = Maker("1.2.3", "2026-03-02T07:00:00+00:00")
    assert "What people did" not in words(render(analyse(record), maker))
    record.gist.see(noted)
    shown = render(analyse(record), maker)
    assert "What people did" in words(shown)
    assert "Zoë noted: opened <b>the door</b>" in words(shown)
    assert "<b>the door" not in shown


def test_the_mask_that_tubes_were_found_by_is_named(write_run, story, tmp_path):
    asked = ("imaging:\n", "imaging:\n  phase_mask: learned\n")
    made = write_run(replace(story, edits=(*story.edits, asked)))
    folder = RunFolder(shutil.copytree(made.root, tmp_path / "run"))
    fields = folder.measures / "fields.csv"
    pd.read_csv(fields).assign(kind="tube-like object").to_csv(fields, index=False)
    said = words(page_of(folder))
    mask = "found by rules, less the sheets of cells that a network trained on drawings sees"
    assert f"not validated on real cultures; {mask}. A unit's diameter" in said
    assert f"Tubes without a stain (imaging.phase_mask: learned) {mask} not validated" in said


def test_outlines_corrected_by_hand_are_told_with_who_and_why(write_run, story, tmp_path):
    folder = RunFolder(tmp_path / "corrected")
    shutil.copytree(write_run(story).root, folder.root)
    page = build_report(folder).read_text(encoding="utf-8")
    assert "no outline" in page
    line = {
        "at": "2026-03-02T09:15:00+00:00", "by": "Ada", "why": "a hair <b>", "field": "B4_f0_t001",
        "objects": "tubes", "before": 9, "after": 8, "changed_px": 412,
    }  # fmt: skip
    again = line | {"by": "Bo", "objects": "nuclei"}
    texts = [json.dumps(line), json.dumps(again), "torn"]
    (folder.measures / "corrections.jsonl").write_text("\n".join(texts), encoding="utf-8")
    page = build_report(folder).read_text(encoding="utf-8")
    assert "outlines in 1 picture, by Ada, Bo" in page
    table = page[page.index("Outlines corrected by hand") :]
    table = table[: table.index("</table>")]
    for cell in ("2026-03-02 09:15", "a hair &lt;b&gt;", "B4_f0_t001", "412"):
        assert cell in table
    assert "corrections.jsonl, line 3, is no correction" in page


def test_a_bottle_that_was_filled_is_not_low(write_run, story):
    record = read_record(write_run(story))
    before = {now.reservoir: now.left_ml for now in analyse(record).reservoirs}
    [bottle, *_] = before
    filled = {"reservoir": bottle, "added_ml": 75.0, "to_ml": 120.0, "done_s": 60.0, "by": "Ida"}
    row = replace(
        record.rows[-1], kind="note", key=f"filled:{bottle}", state="noted", detail=filled
    )
    record.gist.see(row)
    after = analyse(record).reservoirs
    assert {now.reservoir: now.left_ml for now in after} == {
        **before, bottle: pytest.approx(before[bottle] + 75.0)
    }  # fmt: skip
