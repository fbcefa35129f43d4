"""The bench is left alone while a run has it; people, routes and drills are set up by who may."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from labrig.durable import read_json, write_json
from labrig.launch.wanted_start import read_start
from labrig.rig.bench import bench_spec
from labrig.rig.loading import load_rig
from labrig.watch.routes import load_routes
from labrig.watch.trials import Trial
from labrig.web import bench_asking, launching
from labrig.web.app import create_app
from labrig.web.people import People
from labrig.web.screens import setup
from labrig_drivers.kinds import Identity

CATALOGUE = Path(__file__).parents[3] / "protocols"
HERE = {"origin": "http://127.0.0.1", "hx-request": "true"}
THERE = {"origin": "http://lab-pc", "hx-request": "true"}
BENCH = {"bench": "lab/rigs/bench.yaml"}
WEIGHTS = {
    "instrument": "base", "days": "7", "rate": ["10", "50", "200"], "minutes": ["60", "20", "5"],
    "before": ["1", "1", "1"], "after": ["1,5988", "1.998", "1.998"],
}  # fmt: skip


@pytest.fixture
def rig(site):
    (site.lab / "rigs").mkdir()
    path = site.lab / "rigs" / "bench.yaml"
    shutil.copy(CATALOGUE / "rigs" / "example-bench.yaml", path)
    return path


@pytest.fixture
def asked(monkeypatch):
    """Who was spoken to; no port of this computer is opened."""
    spoken = []
    monkeypatch.setattr(bench_asking, "ask_instruments", lambda spec: spoken.append("all") or ())

    def configure(spec, name, open_port):
        spoken.append(name)
        return Identity("New Era", "NE-1000", "3.9", "")

    monkeypatch.setattr(bench_asking, "configure", configure)
    return spoken


def post(page, path, **fields):
    return page.post(path, data=fields, headers=HERE)


def test_every_instrument_is_listed_with_its_calibration(page, rig):
    entry = "calibrations:\n  - {of: base, what: weighed, on: 2020-01-01, by: AB, result: +1 %}\n"
    rig.write_text(rig.read_text("utf-8").replace("calibrations: []\n", entry), "utf-8")
    html = page.get("/bench", params=BENCH).text
    for words in ("nerve_6", "incubator_probe", "01 Jan 2020, weighed, AB: +1 %", "✕ ended"):
        assert words in html


@pytest.mark.spoilt_night
def test_the_instruments_of_a_live_run_are_left_alone(page, rig, asked, play):
    fields = BENCH | {"instrument": "nerve_1"}
    for path in ("/bench/ask", "/bench/configure"):
        assert post(page, path, **fields).status_code == 200
    assert asked == ["all", "nerve_1"]
    living = play("night")
    write_json(living.folder.bench, bench_spec(load_rig(rig).model).to_json())
    for path in ("/bench/ask", "/bench/configure"):
        refused = post(page, path, **fields)
        assert refused.status_code == 409
        assert "night on bench-1 (simulated) is running on this bench" in refused.text
    assert asked == ["all", "nerve_1"]
    assert "Nothing is asked of them" in page.get("/bench", params=BENCH).text


def test_three_weights_become_an_entry_of_today(page, rig):
    done = post(page, "/bench/calibrate", **BENCH, **WEIGHTS)
    assert done.status_code == 200
    assert "base delivers 100.0% of what is set" in done.text
    (entry,) = load_rig(rig).model.calibrations
    assert (entry.of, entry.what, entry.valid_days) == ("base", "gravimetric", 7)
    assert entry.by


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"after": ["2", "x", "2"]}, "as a number"), ({"days": "0"}, "1 to 90 days"),
        ({"after": ["1", "1", "1"]}, "too little to be weighed"),
        ({"rate": ["10", "10", "nan"]}, "as a number"), ({"instrument": "bse"}, "no instrument"),
        ({"bench": "catalogue/rigs/example-bench.yaml"}, "labrig init"),
    ],
)  # fmt: skip
def test_what_cannot_be_written_down_is_refused_and_changes_nothing(page, rig, wrong, says):
    before = rig.read_text("utf-8")
    refused = post(page, "/bench/calibrate", **{**BENCH, **WEIGHTS, **wrong})
    assert refused.status_code in (400, 409)
    assert says in refused.text
    assert rig.read_text("utf-8") == before


def test_people_are_kept_and_taken_out(page, site):
    kept = {"name": "A. Jansen", "role": "technician", "password": "correct horse"}
    assert "A. Jansen is technician" in post(page, "/setup/person", **kept).text
    assert People(site.state).all()["A. Jansen"].role == "technician"
    assert "correct horse" not in page.get("/setup").text
    assert post(page, "/setup/person", name="B", role="king", password="x" * 9).status_code == 409
    post(page, "/setup/person/remove", name="A. Jansen")
    assert People(site.state).all() == {}


def test_routes_are_kept_tried_and_never_shown_with_their_password(page, site, monkeypatch):
    assert "nobody would be called" in page.get("/setup").text
    url = "mailtos://lab:secret-word@example.org?to=a@example.org"
    kept = post(page, "/setup/route", name="mail", url=url, takes="call", after_min="10")
    assert kept.status_code == 200
    assert "secret-word" not in kept.text
    assert load_routes().named("mail").after_min == 10
    for wrong in ({"url": "nonsense"}, {"name": "No Name"}, {"takes": "all"}, {"after_min": "x"}):
        given = {"name": "two", "url": url, "takes": "tell", "after_min": "0", **wrong}
        assert post(page, "/setup/route", **given).status_code in (400, 409)
    tried = []

    def try_out(route):
        tried.append(route.name)
        return Trial("2026-03-01T10:00:00+00:00", "no such host", "x")

    monkeypatch.setattr(setup, "try_out", try_out)
    assert "no such host" in post(page, "/setup/route/test", name="mail").text
    assert post(page, "/setup/route/test", name="none").status_code == 404
    assert tried == ["mail"]
    post(page, "/setup/quiet", **{"from": "22:00", "to": "06:30", "closing": "1"})
    assert (load_routes().closing, load_routes().quiet_hours.to) == (True, "06:30")
    assert post(page, "/setup/quiet", **{"from": "22", "to": ""}).status_code == 409
    post(page, "/setup/route/remove", name="mail")
    assert load_routes().routes == ()


def test_a_drill_is_a_simulated_night_with_that_fault(page, monkeypatch):
    begun = []
    monkeypatch.setattr(launching, "leave_to_begin", begun.append)
    chosen = {
        "bench": "catalogue/rigs/simulated-bench.yaml",
        "protocol": "catalogue/demo-night.yaml",
    }
    assert "nerve_02: stall" in page.get("/setup").text
    for wrong in ({"what": "nerve_02:nothing"}, {"after_h": "soon"}, {"after_h": "-1"}):
        given = {**chosen, "what": "nerve_02:stall", "after_h": "1", **wrong}
        assert post(page, "/setup/drill", **given).status_code in (404, 409)
    assert begun == []
    done = post(page, "/setup/drill", **chosen, what="nerve_02:stall", after_h="1,5")
    assert done.status_code == 200
    (folder,) = begun
    identity = read_json(folder.identity)
    assert identity["simulated"] is True
    assert [(f["name"], f["instrument"], f["from_s"]) for f in identity["faults"]] == [
        ("stall", "nerve_02", 5400.0)
    ]
    assert read_start(folder).run_s_per_s == 60.0


def test_roles(site, rig):
    people = People(site.state)
    for name, role in (("V", "viewer"), ("T", "technician")):
        people.keep(name, role, "correct horse")
    app = create_app(replace(site, names=("lab-pc",)))
    with TestClient(app, base_url="http://lab-pc", client=("10.0.0.7", 50000)) as there:
        for name, refused in (
            ("V", ("bench/ask", "bench/calibrate", "setup/route/test", "setup/drill")),
            ("T", ("bench/configure", "setup/person", "setup/person/remove", "setup/route",
                   "setup/route/remove", "setup/quiet")),
        ):  # fmt: skip
            there.cookies.clear()
            login = {"name": name, "password": "correct horse"}
            assert there.post("/login", data=login, headers=THERE).status_code == 200
            assert there.get("/setup").status_code == there.get("/bench").status_code == 200
            for path in refused:
                assert there.post(f"/{path}", data=BENCH, headers=THERE).status_code == 403
