"""Runs and their mornings: how each ended, several side by side, a report and nothing else."""

from __future__ import annotations

import json
from contextlib import closing

import pytest

from labrig.durable import read_json, write_json
from labrig.launch.wanted_start import WantedStart, write_start
from labrig.locks import try_lock
from labrig.record.glimpse import asked_of
from labrig.record.journal import open_journal
from labrig.record.rows import JournalEntry
from labrig.record.virtual_clock import VirtualClock
from labrig.run_folder import RunFolder
from labrig.web.runs_compared import compared
from labrig.web.screens import runs as runs_screen

HERE = {"origin": "http://127.0.0.1", "hx-request": "true"}
POINTS = [{"tone": "bad", "text": "nerve_02 stalled"}, {"tone": "good", "text": "all else well"}]


def a_run(runs, name, condition="finished", doses="0.9", **identity):
    """A run that ended, with what its report left beside it."""
    folder = RunFolder(runs / name)
    folder.report.mkdir(parents=True)
    known = {
        "id": f"id-{name}", "protocol": "demo-night", "rig": "bench-1", "simulated": True,
        "rehearsal": False, "pilot": False, "made_utc": "2026-11-29T20:00:00+00:00",
        "operator": "Zoë",
    }  # fmt: skip
    write_json(folder.identity, known | identity)
    write_json(folder.outcome, {"condition": condition, "counters": {}})
    with closing(open_journal(folder.journal, VirtualClock())) as journal:
        journal.note(JournalEntry("run", "started", "noted", {}))
        stop = {"accepted": True, "command": "stop", "at_s": 1.0}
        args = {"by": "A. Jansen", "reason": "leak at A3"}
        journal.note(JournalEntry("command", "c1", "acknowledged", {**stop, "args": args}))
        journal.note(JournalEntry("run", condition, "noted", {}))
    arms = [{"arm": "nerve", "label": "loss of mass"}]
    headline = {
        "tone": "bad", "title": "The night is finished.", "lead": "All of it ran.",
        "points": POINTS, "verdict": {"lead": "One arm.", "arms": arms, "units": ""},
    }  # fmt: skip
    write_json(folder.report / "verdict.json", {"headline": headline, "arms": arms})
    (folder.report / "report.html").write_text("<!doctype html><title>Report</title>")
    (folder.report / "dose_ledger.csv").write_text(
        "unit,arm,well,factor,fidelity,well_censored_from_s\n"
        f"n 1,nerve,A1,CNTF,{doses},\nn 1,nerve,A2,CNTF,1.0,3600\nv 1,vehicle,B1,CNTF,,\n"
    )
    (folder.report / "units.csv").write_text(
        "unit,arm,round,diameter_um\nn 1,nerve,0,10\nn 1,nerve,2,11\nv 1,vehicle,0,10\n"
    )
    (folder.report / "frames.csv").write_text("key,state\na,confirmed\nb,missed\n")
    return folder


@pytest.fixture
def ended(site):
    a_run(site.runs, "b", "stopped")
    a_run(site.runs, "c", rehearsal=True, made_utc="2026-11-28T20:00:00+00:00")
    return a_run(site.runs, "a", made_utc="2026-11-30T20:00:00+00:00")


@pytest.mark.spoilt_night
def test_how_each_ended_by_whom_and_what_to_look_at(page, ended, play):
    play("live-one")
    html = page.get("/runs").text
    assert html.index("live-one") < html.index("/run/a/morning") < html.index("/run/b/morning")
    for words in ("by A. Jansen: leak at A3", "nerve_02 stalled", "loss of mass", "1 rehearsal"):
        assert words in html
    assert html.index("1 rehearsal") < html.index("/run/c/morning")


@pytest.mark.spoilt_night
def test_two_side_by_side(page, ended, site):
    a_run(site.runs, "d", doses="0.25")
    html = page.get("/runs", params={"with": ["a", "d"]}).text
    for words in ("Side by side", "90.0 %", "25.0 %", "1 of 2", "× 1.100", "not measured"):
        assert words in html
    assert "Side by side" not in page.get("/runs", params={"with": "a"}).text
    assert page.get("/runs", params={"with": ["a", "../b"]}).status_code == 404
    beside = compared([RunFolder(site.runs / name) for name in ("a", "d")])
    assert beside.lost_pictures == (1, 1)
    assert [arm for arm, _ in beside.arms] == ["nerve", "vehicle"]


@pytest.mark.spoilt_night
def test_a_run_without_a_report_says_so_beside_the_others(page, ended, site):
    (site.runs / "b" / "report" / "verdict.json").unlink()
    assert "No report yet: b" in page.get("/runs", params={"with": ["a", "b"]}).text


@pytest.mark.spoilt_night
def test_the_report_stands_in_its_place_and_runs_no_script(page, ended):
    assert "nerve_02 stalled" in page.get("/run/a/morning").text
    got = page.get("/run/a/report/report.html")
    assert (got.status_code, "Report" in got.text) == (200, True)
    policy = got.headers["content-security-policy"]
    assert "sandbox" in policy
    assert "default-src 'none'" in policy
    assert "script-src" not in policy
    assert page.get("/run/a/report/dose_ledger.csv").text.startswith("unit,arm")


@pytest.mark.spoilt_night
@pytest.mark.parametrize(
    "path",
    [
        "a/report/run.json", "a/report/..%2Frun.json", "a/report/..%2F..%2Fb%2Frun.json",
        "a/report/control.json", "..%2Fa/report/report.html", "a/report/%2Fetc%2Fpasswd",
        "nobody/report/report.html", "nobody/morning",
    ],
)  # fmt: skip
def test_nothing_else_of_a_folder_is_given(page, ended, path):
    assert page.get(f"/run/{path}").status_code == 404


@pytest.mark.spoilt_night
def test_whoever_has_read_it_is_in_the_journal_and_in_the_list(page, ended):
    assert page.post("/run/a/read", headers=HERE).status_code == 200
    rows = asked_of(ended.journal, "SELECT key, detail FROM journal WHERE kind = 'note'")
    ((key, detail),) = rows
    who = key.removeprefix("read:")
    assert json.loads(detail) == {"text": "read the report", "by": who}
    assert f"read by {who}" in page.get("/runs").text


@pytest.mark.spoilt_night
def test_a_start_that_waits_can_be_called_off(page, site, monkeypatch):
    folder = a_run(site.runs, "later")
    folder.outcome.unlink()
    folder.journal.unlink()
    write_start(folder, WantedStart("2026-11-30T17:30:00+00:00", "Zoë", "", ()))
    again = []
    monkeypatch.setattr(runs_screen, "leave_to_begin", again.append)
    assert "Wait for it again" in page.get("/runs").text
    assert page.post("/runs/wait", data={"run": "later"}, headers=HERE).status_code == 200
    assert [f.root.name for f in again] == ["later"]
    with folder.start_lock.open("a") as lock:
        assert try_lock(lock)
        html = page.get("/runs").text
        assert "for Mon 18:30" in html
        assert page.post("/runs/wait", data={"run": "later"}, headers=HERE).status_code == 409
        done = page.post("/runs/call-off", data={"run": "later"}, headers=HERE)
        assert done.status_code == 200
    assert read_json(folder.stop)["reason"] == "called off before it began"
    assert "Called off" in page.get("/runs").text
    assert page.post("/runs/call-off", data={"run": "later"}, headers=HERE).status_code == 409


@pytest.mark.spoilt_night
def test_a_damaged_run_is_told_and_hides_no_other(page, ended, site):
    (site.runs / "b" / "run.json").write_text("{")
    (site.runs / "a" / "report" / "verdict.json").write_text("{")
    html = page.get("/runs").text
    assert "is left out: its files cannot be read" in html
    assert "/run/a/morning" in html
