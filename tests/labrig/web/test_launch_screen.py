"""From a protocol and a bench to a run: what the server takes, and what it refuses whoever asks."""

from __future__ import annotations

import re
import shutil
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest
from starlette.testclient import TestClient

from labrig.durable import read_json, write_json
from labrig.launch.wanted_start import SignedLine, WantedStart, answer_start, read_start
from labrig.protocol.commitment import commit
from labrig.protocol.loading import load_protocol
from labrig.rig.bench import bench_spec
from labrig.rig.loading import load_rig
from labrig.run_folder import RunFolder
from labrig.web import launching, signed_start
from labrig.web.app import create_app
from labrig.web.people import People

CATALOGUE = Path(__file__).parents[3] / "protocols"
HERE = {"origin": "http://127.0.0.1", "hx-request": "true"}
THERE = {"origin": "http://lab-pc", "hx-request": "true"}
REAL = {"protocol": "lab/night.yaml", "bench": "lab/rigs/bench.yaml"}
SIMULATED = REAL | {"simulate": "1"}


@pytest.fixture
def lab(site, monkeypatch):
    """A lab's folder with one night and one bench; what would begin is only remembered."""
    (site.lab / "rigs").mkdir()
    shutil.copy(CATALOGUE / "first-real-night.yaml", site.lab / "night.yaml")
    shutil.copy(CATALOGUE / "rigs" / "example-bench.yaml", site.lab / "rigs" / "bench.yaml")
    begun = []

    def begin(folder):
        begun.append(folder)
        answer_start(folder, "")

    monkeypatch.setattr(launching, "leave_to_begin", begin)
    return begun


def shown(page, step, **chosen):
    got = page.get("/launch", params={**REAL, **chosen, "step": step})
    assert got.status_code == 200
    return got.text


def post(page, path, fields, headers=HERE):
    return page.post(f"/launch/{path}", data=fields, headers=headers)


def tick_all(page):
    for step in (3, 4):
        html = shown(page, step)
        ids = re.findall(r'name="line" value="([^"]+)"', html)
        ids = [i.replace("&#34;", '"').replace("&amp;", "&") for i in ids]
        lots = {name: "LOT-7" for name in re.findall(r'name="(lot:[^"]+)"', html)}
        fields = {**REAL, "step": step, "line": ids, "ticked": ids, **lots}
        assert post(page, "tick", fields).status_code == 200


def sign(page, fields=REAL, names=("A. Jansen",), **more):
    return post(page, "sign", {**fields, "step": 5, "name": list(names), **more})


def start_is_grey(html):
    return re.search(r'class="main start"[^>]* disabled', html) is not None


def test_the_steps_show_and_start_is_grey_with_the_reasons(page, lab):
    first = page.get("/launch").text
    assert "Nerve factors against vehicle" in first
    assert start_is_grey(first)
    for step in range(1, 7):
        html = shown(page, step)
        assert start_is_grey(html)
        assert "Rehearse first" in html
    assert "warnings not ticked as seen" in html
    assert "nobody has signed" in html


def test_once_all_is_seen_to_the_run_is_prepared_and_its_ticks_go_with_it(page, lab, site):
    assert post(page, "start", REAL).status_code == 409
    assert lab == []
    tick_all(page)
    sign(page, at="23:45")
    assert not start_is_grey(shown(page, 6))
    done = post(page, "start", REAL)
    assert done.status_code == 200
    (folder,) = lab
    assert done.headers["hx-redirect"] == "/runs"
    identity, wanted = read_json(folder.identity), read_start(folder)
    assert (identity["simulated"], identity["operator"]) == (False, "A. Jansen")
    assert wanted.due.astimezone(site.zone).strftime("%H:%M") == "23:45"
    told = " ".join(line.text for line in wanted.lines)
    assert "syringe_1: " in told
    assert "(lot LOT-7)" in told
    assert set(load_protocol(folder.protocol).model.culture.lots.values()) >= {"LOT-7"}
    # what was ticked for this run counts for no other
    assert start_is_grey(shown(page, 6))


def test_what_blocks_keeps_start_refused_until_somebody_answers_for_it(page, lab, site):
    rig = site.lab / "rigs" / "bench.yaml"
    entry = "calibrations: [{of: base, what: weighed, on: 2020-01-01}]"
    rig.write_text(rig.read_text("utf-8").replace("calibrations: []", entry), "utf-8")
    tick_all(page)
    sign(page)
    refused = post(page, "start", REAL)
    assert (refused.status_code, lab) == (409, [])
    assert "calibration.expired blocks the start" in refused.text
    assert refused.headers["hx-retarget"] == "#said"
    answer = {**REAL, "step": 3, "code": "calibration.expired"}
    assert post(page, "answer", {**answer, "reason": "short"}).status_code == 400
    assert post(page, "answer", {**answer, "reason": "weighed by hand"}).status_code == 200
    tick_all(page)
    assert post(page, "start", REAL).status_code == 200
    protocol = load_protocol(lab[0].protocol).model
    assert [o.finding for o in protocol.overrides] == ["calibration.expired"]
    assert load_protocol(site.lab / "night.yaml").model.overrides == ()


def test_a_bench_that_a_run_lives_on_takes_no_second_start(page, lab, site, play):
    tick_all(page)
    sign(page)
    living = play("night")
    write_json(
        living.folder.bench, bench_spec(load_rig(site.lab / REAL["bench"][4:]).model).to_json()
    )
    for path in ("start", "ask"):
        refused = post(page, path, REAL)
        assert (refused.status_code, lab) == (409, [])
        assert "night on bench-1 (simulated) is running on this bench" in refused.text


def test_a_simulated_start_needs_a_name_and_no_tick(page, lab):
    assert "nobody has signed" in post(page, "start", SIMULATED).text
    sign(page, SIMULATED, speed="60")
    done = post(page, "start", SIMULATED)
    assert done.headers["hx-redirect"] == f"/run/{lab[0].root.name}"
    assert read_json(lab[0].identity)["simulated"] is True
    assert read_start(lab[0]).run_s_per_s == 60.0


def test_a_rehearsal_can_always_come_first(page, lab):
    assert post(page, "rehearse", REAL).status_code == 200
    assert read_json(lab[0].identity)["rehearsal"] is True
    assert lab[0].root.exists()


@pytest.mark.parametrize(
    "chosen",
    [
        {"protocol": "lab/../../../etc/passwd"}, {"bench": "lab/rigs/../../x.yaml"},
        {"protocol": "/etc/passwd"}, {"protocol": "elsewhere/night.yaml"},
    ],
)  # fmt: skip
def test_only_what_is_listed_can_be_chosen(page, lab, chosen):
    assert page.get("/launch", params={**REAL, **chosen, "step": 2}).status_code == 404
    assert post(page, "start", {**REAL, **chosen}).status_code == 404


def test_roles(site, lab):
    people = People(site.state)
    for name, role in (("V", "viewer"), ("T", "technician")):
        people.keep(name, role, "correct horse")
    app = create_app(replace(site, names=("lab-pc",)))
    with TestClient(app, base_url="http://lab-pc", client=("10.0.0.7", 50000)) as there:

        def as_(name, path, **fields):
            there.cookies.clear()
            login = {"name": name, "password": "correct horse"}
            assert there.post("/login", data=login, headers=THERE).status_code == 200
            return post(there, path, REAL | fields, THERE).status_code

        assert [as_("V", path) for path in ("start", "rehearse", "tick", "sign", "ask")] == [
            403
        ] * 5
        assert as_("T", "answer", code="x", reason="a good reason") == 403
        assert as_("T", "tick", step="4") == 200
    assert lab == []


def test_a_broken_file_is_told_and_hides_no_other(page, lab, site):
    (site.lab / "broken.yaml").write_text("labrig: 1\nname: [", encoding="utf-8")
    html = page.get("/launch").text
    assert "Cannot be used." in html
    assert "Nerve factors against vehicle" in html


@pytest.mark.spoilt_night
def test_ticks_reach_the_journal_with_who_made_them(play, monkeypatch):
    runner = play("night")
    monkeypatch.setattr(signed_start, "start_runner", lambda folder, options: "child")
    monkeypatch.setattr(signed_start, "wait_until_ready", lambda child, folder: None)
    line = SignedLine("A. Jansen", "lid on", "2026-03-01T16:00:00+00:00")
    wanted = WantedStart("2026-03-01T17:00:00+00:00", "A. Jansen", "", (line,))
    told = []
    for _ in range(2):
        assert signed_start.begin(RunFolder(runner.folder.root), wanted, told.append) == "child"
    assert read_json(runner.folder.answer)["accepted"] is True
    assert told == []
    assert [(name, args["by"]) for name, args in runner.taken] == [("note", "A. Jansen")] * 2
    assert runner.taken[0][1]["text"].startswith("lid on (")


def test_a_blinded_protocol_shows_codes_and_no_arm(page, lab, site):
    path = site.lab / "night.yaml"
    text = path.read_text("utf-8").replace("pilot: true", "pilot: false")
    path.write_text(f"{text}\nblinding: {{arms: coded}}\n", encoding="utf-8")
    commit(path, ("Anna Jansen", "B. Okoro"))
    for step in (3, 4, 6):
        html = shown(page, step)
        for told in ("nerve-cocktail", "nerve-vehicle", "CNTF", "BDNF"):
            assert told not in html
    assert "syringe-" in shown(page, 4)
    assert "Its words tell arms" in shown(page, 3)
    tick_all(page)
    sign(page, names=("Anna Jansen",))
    assert "a second person has to sign" in post(page, "start", REAL).text
    sign(page, names=("Anna Jansen", "B. Okoro"))
    assert post(page, "start", REAL).status_code == 200
    assert "nerve-cocktail" not in " ".join(line.text for line in read_start(lab[0]).lines)


def test_a_bench_that_refuses_is_told_at_once_and_nothing_has_to_be_ticked_again(
    page, lab, monkeypatch
):
    why = "rs485: no adapter is plugged in"
    monkeypatch.setattr(launching, "leave_to_begin", lambda folder: answer_start(folder, why))
    tick_all(page)
    sign(page)
    refused = post(page, "start", REAL)
    assert (refused.status_code, why in refused.text) == (409, True)
    assert not start_is_grey(shown(page, 6))
    html = page.get("/runs").text
    assert "Not begun" in html
    assert why in html


def test_two_who_start_the_same_at_once_begin_it_once(page, lab, monkeypatch):
    others = []

    def begin(folder):
        first = not lab
        lab.append(folder)
        if first:
            other = Thread(target=lambda: others.append(post(page, "start", SIMULATED)))
            other.start()
            other.join(1.0)  # it waits for this one, or has begun another night by now
            others.insert(0, other)
        answer_start(folder, "")

    monkeypatch.setattr(launching, "leave_to_begin", begin)
    sign(page, SIMULATED)
    assert post(page, "start", SIMULATED).status_code == 200
    others[0].join(60.0)
    assert [answer.status_code for answer in others[1:]] == [409]
    assert len(lab) == 1


def test_protocols_of_the_seed_are_listed_and_lists_of_protocols_are_not(page, lab, site):
    (site.lab / "index.yaml").write_text("rows:\n  D1: {asks: x}\n", "utf-8")
    (site.lab / "broken.yaml").write_text("labrig: 1\nname: [\n", "utf-8")
    html = page.get("/launch").text
    assert "catalogue/seed/order-of-decline.yaml" in html
    assert "index" not in re.findall(r"<h4>(\S+)", html)
    assert html.count("Cannot be used") == 1
    assert "<h4>broken" in html
