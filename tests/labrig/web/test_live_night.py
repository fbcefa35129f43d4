"""What the live night shows, and what its dock does."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from threading import Event, Semaphore, Thread

import pytest

from labrig.record.journal import open_journal
from labrig.record.kinds.runs import RunStarted
from labrig.record.said import entry_of_run
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import NoRunner
from labrig.web import acts
from labrig.web import hub as hub_room
from labrig.web.access import Person
from labrig.web.live_runs import SeveralRuns, run_named
from labrig.web.look import look_at
from labrig.web.screens import bench

from .conftest import HERE, a_run

STALLED = {
    "alarms": [
        {"code": code, "about": "nerve_02", "since_s": 4560.0, "what": what, "remedy": ""}
        for code, what in (
            ("rate", "asked for 0.352667 µL/min, but it says that it has stopped itself."),
            ("stall", "it stopped itself (stalled); tried again once."),
        )
    ],
    "questions": [
        {
            "id": "stall:nerve_02", "what": "…", "options": ["restart", "leave"],
            "since_s": 4680.0, "facts": {"rate_ul_min": 0.352667, "from_s": 4560.0},
        }
    ],
    "censored_from_s": {"C1": 4560.0, "D1": 4560.0},
}  # fmt: skip
SCREENS = ("", "/log")
WEIGHT_BYTES = 250_000
SOCKET = {**HERE, "host": "127.0.0.1"}


@pytest.fixture
def stalled(play, demo_plan):
    return play("night-1", demo_plan, **STALLED)


def body_of(page, path="/run/night-1"):
    answer = page.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


def button(html, well):
    return re.search(rf'<button[^>]*data-well="{well}".*?</button>', html, re.DOTALL)[0]


def said(html):
    return " ".join(re.sub(r"<[^>]+>", "", html).split())


def act(page, what, run="night-1", **fields):
    return page.post(f"/run/{run}/{what}", data=fields, headers=HERE)


def test_the_token_of_the_door_is_nowhere(page, stalled):
    shown = [page.get(f"/run/night-1{screen}") for screen in SCREENS]
    shown += [act(page, what) for what in ("stop", "hold")]
    with page.websocket_connect("/ws/live?run=night-1", headers=SOCKET) as socket:
        told = str([socket.receive_json() for _ in range(4)])
    assert stalled.token
    for answer in shown:
        assert stalled.token not in answer.text
        assert stalled.token not in str(answer.headers)
    assert stalled.token not in told


def test_one_cause_is_told_once_with_wells_and_what_to_do(page, stalled):
    html = body_of(page)
    assert html.count('class="alarm ') == 1
    assert "nerve_02 (C1 nerve-sham, D1 nerve-tonic): no liquid comes" in html
    assert "Look for a clog, an empty syringe or a slipped tube." in html
    assert "0.3527" in html
    assert "0.352667" not in html


def test_a_question_says_what_each_answer_leads_to(page, stalled):
    html = body_of(page)
    assert "Restart nerve_02 at 0.353 µL/min?" in html
    assert "It stands to the end and is not tried again" in html
    act(page, "answer", question="stall:nerve_02", choice="leave")
    name, args = stalled.taken[-1]
    assert (name, args["question"], args["choice"]) == ("answer", "stall:nerve_02", "leave")


def test_wells_bear_their_arm_and_what_is_the_matter(page, stalled):
    html = body_of(page)
    assert html.count("data-well=") == 24
    assert "⚠" in button(html, "C1")
    assert "✕" in button(html, "C1")
    assert "nerve-sham, alarm: nerve_02, left out of the analysis from Sun 22:16" in button(
        html, "C1"
    )
    assert "⚠" not in button(html, "A1")


def test_the_name_of_a_well_for_a_screen_reader_begins_with_what_is_seen(page, stalled):
    for well in ("C1", "A1"):
        label = said(button(body_of(page), well))
        assert label.startswith(well)


def test_a_well_opens(page, stalled):
    html = body_of(page, "/run/night-1/well/C1")
    assert "nerve-sham" in html
    assert "nerve_02" in html
    assert page.get("/run/night-1/well/Z9").status_code == 404


def test_times_are_those_of_the_lab_and_say_how_far_in(page, stalled):
    html = body_of(page)
    # 4560 s is 21:16 UTC here, and Berlin's winter is an hour ahead
    assert '<span class="clock">Sun 22:16</span><span class="elapsed">1 h 16 min in</span>' in html


def test_what_comes_next_is_put_together(page, play, demo_plan):
    play("night-1", demo_plan, now_s=7000.0)
    assert "24 pictures (phase)" in body_of(page)
    assert "frame/" not in body_of(page)


def test_a_stop_is_taken_by_the_answer_and_can_be_taken_back(page, play):
    runner = play("night-1")
    answer = act(page, "stop")
    assert "STOP taken" in answer.text
    name, args = runner.taken[-1]
    assert (name, args["via"], float(args["grace_s"])) == ("stop", "page", 60.0)
    assert args["by"]
    runner.status |= {
        "condition": "stopping",
        "stop": {"since_s": 7200.0, "until_s": 7260.0, "by": "A. Technician", "reason": ""},
    }
    html = body_of(page)
    assert "Impulses and doses are off" in html
    assert "23:01:00" in html
    assert "taken back" in act(page, "take-back").text
    assert runner.taken[-1][0] == "take-back"


def test_a_stop_waits_for_nobody_who_asks_instruments_or_begins_a_night(page, play, monkeypatch):
    runner = play("night-1")
    answered, busy, late = Event(), Semaphore(0), []

    def asks(*_: object) -> str:
        busy.release()
        if not answered.wait(20.0):
            late.append("it went on by itself")
        return ""

    monkeypatch.setattr(bench, "_part", asks)
    waiting = [Thread(target=page.get, args=("/bench",)) for _ in range(9)]
    for each in waiting:
        each.start()
    try:
        for _ in range(8):
            assert busy.acquire(timeout=60.0)
        assert "STOP taken" in page.post("/run/night-1/stop", headers=HERE).text
        assert [name for name, _ in runner.taken] == ["stop"]
        assert late == []
    finally:
        answered.set()
        for each in waiting:
            each.join()


def test_what_the_runner_refuses_is_said_in_its_words(page, play):
    runner = play("night-1")
    runner.refuse = "no stop stands that could be taken back"
    answer = act(page, "take-back")
    assert answer.status_code == 409
    assert "no stop stands" in answer.text


def test_an_empty_note_is_refused_and_a_full_one_says_which_wells(page, play):
    runner = play("night-1")
    assert act(page, "note", text="  ").status_code == 409
    act(page, "note", text="changed the waste bottle", wells="B3", when="02:10")
    assert [args["text"] for _, args in runner.taken] == [
        "changed the waste bottle (B3) [at 02:10]"
    ]


def test_of_two_runs_each_stop_names_its_own(page, play):
    first, second = play("night-1"), play("night-2")
    html = body_of(page, "/")
    stops = re.findall(r'hx-post="/run/([^/]+)/stop"', html)
    assert sorted(stops) == ["night-1", "night-2"]
    own = body_of(page, "/run/night-2")
    assert 'STOP <span class="of">night-2</span>' in own
    act(page, "stop", run="night-2")
    assert first.taken == []
    assert [name for name, _ in second.taken] == ["stop"]


def test_what_tells_two_nights_of_a_day_apart_stands_first_on_a_button(page, play):
    play("2026-11-30_180211_demo-night")
    play("2026-11-30_210733_demo-night")
    assert re.findall(r'STOP <span class="of">([^<]+)', body_of(page, "/")) == [
        "180211_demo-night",
        "210733_demo-night",
    ]


def test_a_lone_run_is_shown_at_once_and_its_stop_needs_no_name(page, play):
    play("night-1")
    assert page.get("/", follow_redirects=False).headers["location"] == "/run/night-1"
    assert '<span class="of">' not in body_of(page)


def test_the_dock_of_an_ended_run_names_the_one_that_lives(page, site, play):
    ended = a_run(site.runs, "night-0")
    ended.outcome.write_text(json.dumps({"condition": "stopped", "counters": {}}))
    play("night-1")
    html = body_of(page, "/run/night-0")
    assert 'STOP <span class="of">night-1</span>' in html
    # what stands in the place of its own STOP meets no other run
    first = re.search(r'<button class="stop".*?</button>', html, re.DOTALL)[0]
    assert "disabled" in first
    assert "hx-post" not in first


def test_a_name_that_two_runs_bear_is_nobodys(site, play, tmp_path, monkeypatch):
    play("night-1")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    a_run(elsewhere, "night-1")
    with pytest.raises(SeveralRuns):
        run_named("night-1", elsewhere)


def test_an_ended_run_is_told_by_its_outcome(page, site):
    folder = a_run(site.runs, "night-1")
    folder.outcome.write_text(
        json.dumps(
            {
                "condition": "failed",
                "counters": {"pictures": 3},
                "shortfalls": ["most is lost"],
                "unsafe": ["base_left"],
            }
        )
    )
    html = body_of(page)
    assert "Failed" in html
    assert "most is lost" in html
    assert "base_left" in html
    assert "3 pictures" in html
    assert "/run/night-1/stop" not in html


def test_a_dead_runner_is_no_ended_run(page, site):
    folder = a_run(site.runs, "night-1")
    journal = open_journal(folder.journal, VirtualClock())
    journal.note(entry_of_run(RunStarted()))
    journal.close()
    html = body_of(page)
    assert "Runner dead" in html
    assert "Make safe" in html
    assert "Take over" in html


def test_making_safe_and_taking_over_are_the_commands_of_a_terminal(site, monkeypatch):
    begun = []
    monkeypatch.setattr(acts.subprocess, "Popen", lambda command, **rest: begun.append(command[3:]))
    run = run_named(a_run(site.runs, "night-1").root.name, site.runs)
    person = Person("A. Technician", "technician", True)
    acts.stop(run, person)
    acts.take_over(run, person)
    assert [command[0] for command in begun] == ["stop", "resume"]
    assert all(command[1] == str(run.folder.root) for command in begun)
    assert all("A. Technician" in command for command in begun)


def test_a_stop_of_a_run_that_has_ended_begins_nothing_and_says_so(page, site, monkeypatch):
    folder = a_run(site.runs, "night-1")
    folder.outcome.write_text(json.dumps({"condition": "finished"}))
    begun = []
    monkeypatch.setattr(acts, "make_safe", lambda run, person: begun.append(run))
    refused = page.post("/run/night-1/stop", headers=HERE)
    assert (refused.status_code, begun) == (409, [])
    assert "has finished already" in refused.text
    folder.outcome.write_text(json.dumps({"condition": "failed"}))
    page.post("/run/night-1/stop", headers=HERE)
    assert len(begun) == 1, "a failed one may have left pumps turning"


def test_a_stop_lies_in_the_folder_of_a_runner_that_hangs(play, site, monkeypatch):
    runner = play("night-1")

    def hangs(run):
        raise NoRunner("nobody answers")

    monkeypatch.setattr(acts, "door_of", hangs)
    told = acts.stop(run_named("night-1", site.runs), Person("A", "technician", True))
    assert "does not answer" in told
    assert json.loads(runner.folder.stop.read_text())["by"] == "A"


def test_a_runner_that_answers_no_more_keeps_its_last_word_and_its_age(play, site, monkeypatch):
    play("night-1")
    run = run_named("night-1", site.runs)
    before = look_at(run)

    def hangs(run):
        raise NoRunner("nobody answers")

    monkeypatch.setattr("labrig.web.look.door_of", hangs)
    after = look_at(run, before)
    assert after.condition == "unreachable"
    assert after.heard_s == before.heard_s
    assert after.status["phase"] == "treatment"


def test_a_runner_that_was_never_heard_grows_old_as_well(play, site, monkeypatch):
    play("night-1")

    def hangs(run):
        raise NoRunner("nobody answers")

    monkeypatch.setattr("labrig.web.look.door_of", hangs)
    first = look_at(run_named("night-1", site.runs))
    assert (first.condition, first.lives) == ("unreachable", True)
    assert first.heard_s is not None
    assert look_at(first.run, first).heard_s == first.heard_s


def test_nobody_follows_is_said(page, play):
    play("night-1")
    assert "Nobody follows this night" in body_of(page)


def test_a_tab_hears_a_beat_and_only_what_has_changed(page, play):
    runner = play("night-1")
    with page.websocket_connect("/ws/live?run=night-1", headers=SOCKET) as socket:
        first = _until(socket, lambda message: "content" in message)
        assert 'hx-target="#state"' in first["content"]
        runner.status |= {"condition": "held", "held": True}
        page.app.state.hub.hurry("night-1")
        second = _until(socket, lambda message: "content" in message)
        assert "Held" in second["content"]
        assert 'hx-target="#plate"' not in second["content"]
        beat = _until(socket, lambda message: "beat" in message)["beat"]
        assert beat["condition"] == "held"
        assert beat["heard_s"] < 60


def test_looking_is_noted_and_told_to_the_watch(page, stalled, monkeypatch):
    seen = []
    monkeypatch.setattr("labrig.web.acts.see_to", lambda *who: seen.append(who) or (7,))
    assert 'name="about" value="nerve_02"' in body_of(page)
    given = {"about": "nerve_02", "title": "no liquid comes"}
    said = page.post("/run/night-1/looking", data=given, headers=HERE)
    assert "nobody else is called" in said.text
    ((name, args),) = stalled.taken
    assert (name, args["text"]) == ("note", "I am looking: no liquid comes")
    assert seen == [("night-1", "nerve_02", args["by"])]


def test_a_look_that_fails_is_not_the_last(page, play, monkeypatch, caplog):
    play("night-1")
    real, failed = hub_room.look_at, []

    def look_at(run, last=None):
        if last is not None and not failed:
            failed.append(run.name)
            raise ZeroDivisionError("scripted")
        return real(run, last)

    monkeypatch.setattr(hub_room, "look_at", look_at)
    with page.websocket_connect("/ws/live?run=night-1", headers=SOCKET) as socket:
        _until(socket, lambda message: "content" in message)
        _until(socket, lambda message: bool(failed))
        before = page.app.state.hub.look("night-1")
        _until(socket, lambda message: page.app.state.hub.look("night-1") is not before)
    assert "a look at night-1 failed" in caplog.text


def test_nobody_looks_while_no_tab_is_open(page, play):
    play("night-1")
    hub = page.app.state.hub
    with page.websocket_connect("/ws/live?run=night-1", headers=SOCKET) as socket:
        _until(socket, lambda message: "content" in message)
        assert hub.live() != ()
    page.get("/login")
    assert hub.look("night-1") is None


def test_a_page_weighs_little_and_asks_nobody_else(page, stalled):
    html = body_of(page)
    weight = len(html.encode())
    for address in re.findall(r'(?:src|href)="(/static/[^"]+)"', html):
        weight += len(page.get(address).content)
    assert weight < WEIGHT_BYTES
    assert re.findall(r'(?:src|href|action)="(?:https?:)?//', html) == []


def test_nothing_is_written_inline_that_the_policy_would_refuse():
    templates = files("labrig.web") / "templates"
    for template in (*templates.iterdir(), *(templates / "parts").iterdir()):
        if template.name.endswith(".j2"):
            text = template.read_text("utf-8")
            assert re.findall(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", text) == [], template


def test_what_is_vendored_bears_its_licence():
    vendor = files("labrig.web") / "static" / "vendor"
    names = {path.name for path in vendor.iterdir()}
    assert {"htmx-LICENSE.txt", "uPlot-LICENSE.txt"} <= names


def _until(socket, wanted, most=40):
    for _ in range(most):
        message = socket.receive_json()
        if wanted(message):
            return message
    raise AssertionError("nothing of the kind came")


def test_a_hold_or_stop_may_wait_for_its_boundary_and_be_withdrawn(page, play, demo_plan):
    runner = play("night-1", demo_plan)
    assert "Stop at the boundary" in body_of(page)
    act(page, "at-boundary", choice="stop", reason="the week is over")
    name, args = runner.taken[-1]
    assert (name, args["reason"], args["grace_s"]) == (
        "stop-at-boundary",
        "the week is over",
        "60.0",
    )
    act(page, "at-boundary", choice="hold", reason="look")
    assert runner.taken[-1][1]["at"] == "boundary"

    runner.status["at_boundary"] = {
        "what": "stop", "at_s": 7300.0, "by": "Mia", "reason": "the week is over",
    }  # fmt: skip
    html = said(body_of(page, "/run/night-1?again"))
    assert "It is stopped at its next boundary" in html
    assert "as Mia asked for: the week is over" in html
    act(page, "at-boundary", choice="withdraw stop")
    assert runner.taken[-1][0] == "take-back"
    act(page, "at-boundary", choice="withdraw hold")
    assert (runner.taken[-1][0], runner.taken[-1][1]["only"]) == ("resume", "waiting")


def test_an_abort_needs_a_reason_and_somebody_who_is_sure(page, play):
    runner = play("night-1")
    assert "reason" in act(page, "abort", sure="yes").text
    assert "sure" in act(page, "abort", reason="a leak").text
    assert runner.taken == []
    assert "ABORT taken" in act(page, "abort", reason="a leak", sure="yes").text
    name, args = runner.taken[-1]
    assert (name, args["abort"], args["grace_s"]) == ("stop", "yes", "0.0")
