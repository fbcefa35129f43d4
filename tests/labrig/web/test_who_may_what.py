"""Roles, origins and logins: who is let in, and what they may."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count

import pytest
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from labrig.web import access, tabs
from labrig.web.app import create_app
from labrig.web.hub import Hub
from labrig.web.pages import Shown
from labrig.web.people import BadPerson, People
from labrig.web.screens import SCREENS
from labrig.web.sessions import TRIES, WITHIN_S, Guesses

HERE = {"origin": "http://127.0.0.1", "hx-request": "true"}
THERE = {"origin": "http://lab-pc", "hx-request": "true"}
WORD = "correct horse"
ASKS = {access.viewer, access.technician, access.scientist, access.stopper}


@pytest.fixture
def people(site):
    people = People(site.state)
    for name, role in (("V. Viewer", "viewer"), ("A. Technician", "technician")):
        people.keep(name, role, WORD)
    return people


@pytest.fixture
def elsewhere(site, people):
    """A browser on another computer."""
    app = create_app(replace(site, names=("lab-pc",)))
    with TestClient(app, base_url="http://lab-pc", client=("10.0.0.7", 50000)) as client:
        yield client


def log_in(client, name, word=WORD, headers=THERE):
    return client.post("/login", data={"name": name, "password": word}, headers=headers)


def every_route():
    return [route for module in (*SCREENS, tabs) for route in module.router.routes]


def asked_by(route):
    return {dependency.call for dependency in route.dependant.dependencies}


def test_every_route_asks_who_is_there():
    asks_nobody = {route.path for route in every_route() if not asked_by(route) & ASKS}
    assert asks_nobody == {"/login"}


def test_every_act_asks_for_more_than_a_viewer():
    acts = [r for r in every_route() if "POST" in getattr(r, "methods", ())]
    weak = {route.path for route in acts if not asked_by(route) & (ASKS - {access.viewer})}
    assert len(acts) > len(weak)
    assert weak == {"/login", "/logout", "/me"}


def test_a_viewer_elsewhere_stops_nothing(elsewhere, play):
    runner = play("night-1")
    log_in(elsewhere, "V. Viewer")
    for act in ("stop", "hold", "resume", "note", "answer"):
        answer = elsewhere.post(f"/run/night-1/{act}", data={"text": "x"}, headers=THERE)
        assert answer.status_code == 403
        assert "technician" in answer.text
    assert runner.taken == []
    assert elsewhere.get("/run/night-1").status_code == 200


def test_a_technician_elsewhere_stops_under_their_own_name(elsewhere, play):
    runner = play("night-1")
    log_in(elsewhere, "A. Technician")
    answer = elsewhere.post("/run/night-1/stop", headers=THERE)
    assert answer.status_code == 200
    assert [(name, args["by"], args["via"]) for name, args in runner.taken] == [
        ("stop", "A. Technician", "page")
    ]


def test_nobody_elsewhere_gets_in_without_a_password(elsewhere, play):
    play("night-1")
    shown = elsewhere.get("/run/night-1", follow_redirects=False)
    assert (shown.status_code, shown.headers["location"]) == (303, "/login?to=/run/night-1")
    act = elsewhere.post("/run/night-1/stop", headers=THERE)
    assert (act.status_code, act.headers["hx-redirect"]) == (401, "/login?to=/run/night-1/stop")


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"hx-request": "true"},
        {"origin": "http://127.0.0.1"},
        {"origin": "http://evil.example", "hx-request": "true"},
        {"origin": "http://127.0.0.1:9999", "hx-request": "true"},
        {"origin": "null", "hx-request": "true"},
        {**HERE, "host": "evil.example"},
        {"origin": "http://evil.example", "hx-request": "true", "host": "evil.example"},
    ],
)
def test_what_no_page_of_ours_would_send_is_refused(page, play, headers):
    runner = play("night-1")
    assert page.post("/run/night-1/stop", headers=headers).status_code == 403
    assert runner.taken == []


def test_a_name_that_was_pointed_here_shows_nothing(page, play):
    play("night-1")
    assert page.get("/run/night-1", headers={"host": "evil.example"}).status_code == 403


def test_others_may_call_this_computer_by_its_number(elsewhere):
    asked = elsewhere.get("/", headers={"host": "10.0.0.2:8765"}, follow_redirects=False)
    assert asked.status_code == 303


def test_without_a_network_a_number_is_no_name_of_this_page(page):
    assert page.get("/", headers={"host": "10.0.0.2:8765"}).status_code == 403


def test_what_a_proxy_passes_on_is_not_from_this_computer(page):
    passed_on = page.get("/", headers={"x-forwarded-for": "127.0.0.1"}, follow_redirects=False)
    assert passed_on.headers["location"] == "/login?to=/"


def test_a_socket_from_elsewhere_is_refused(page):
    elsewhere = {"origin": "http://evil.example", "host": "127.0.0.1"}
    with pytest.raises(Exception) as refused:  # noqa: PT011
        with page.websocket_connect("/ws/home", headers=elsewhere):
            pass
    assert getattr(refused.value, "code", None) == 4403


def test_five_wrong_passwords_and_then_a_wait(elsewhere):
    for _ in range(TRIES):
        assert log_in(elsewhere, "A. Technician", "wrong").status_code == 403
    waits = log_in(elsewhere, "A. Technician")
    assert waits.status_code == 429
    assert "wait" in waits.text


def test_the_wait_is_over_after_a_minute():
    now = [0.0]
    guesses = Guesses(lambda: now[0])
    for _ in range(TRIES):
        guesses.wrong("10.0.0.7")
    assert guesses.wait_s("10.0.0.7") == WITHIN_S
    assert guesses.wait_s("10.0.0.8") == 0.0
    now[0] = WITHIN_S
    assert guesses.wait_s("10.0.0.7") == 0.0


def test_a_session_ends_with_its_password_and_with_its_person(elsewhere, people):
    log_in(elsewhere, "A. Technician")
    cookie = elsewhere.cookies["labrig_session"]
    sessions = elsewhere.app.state.sessions
    assert sessions.account(cookie).role == "technician"
    assert sessions.account(cookie.replace("A.", "B.")) is None
    people.keep("A. Technician", "technician", "another password")
    assert sessions.account(cookie) is None
    assert sessions.account("") is None


def test_the_tab_of_somebody_who_was_taken_out_is_closed(elsewhere, people, play, monkeypatch):
    monkeypatch.setattr(tabs, "KNOWN_EVERY_S", 0.05)
    play("night-1")
    cookie = log_in(elsewhere, "V. Viewer").headers["set-cookie"].partition(";")[0]
    headers = {**THERE, "host": "lab-pc", "cookie": cookie}
    with elsewhere.websocket_connect("/ws/live?run=night-1", headers=headers) as socket:
        socket.receive_json()
        people.remove("V. Viewer")
        with pytest.raises(WebSocketDisconnect) as closed:
            all(socket.receive_json() is not None for _ in count())
    assert closed.value.code == tabs.UNKNOWN


def test_the_cookie_is_for_this_page_alone(elsewhere):
    header = log_in(elsewhere, "A. Technician").headers["set-cookie"]
    assert "HttpOnly" in header
    assert "SameSite=strict" in header


@pytest.mark.parametrize(
    "to",
    ["//evil.example/", "/\\evil.example", "/\t/evil.example", "/\n/evil.example", "/ü", "evil"],
)
def test_a_login_leads_to_no_page_elsewhere(elsewhere, to):
    data = {"name": "A. Technician", "password": WORD, "to": to}
    assert elsewhere.post("/login", data=data, headers=THERE).headers["hx-redirect"] == "/"


def test_a_login_leads_back_to_where_somebody_wanted_to_go(elsewhere):
    asked = elsewhere.get("/run/night-1/log", follow_redirects=False).headers["location"]
    assert asked == "/login?to=/run/night-1/log"
    data = {"name": "A. Technician", "password": WORD, "to": "/run/night-1/log"}
    answer = elsewhere.post("/login", data=data, headers=THERE)
    assert answer.headers["hx-redirect"] == "/run/night-1/log"


def test_two_people_of_one_role_each_see_their_own_name(site):
    names = ("A. Technician", "B. Technician")

    async def strips() -> list[str]:
        hub = Hub(site.runs)
        made = tabs.PartsOfNow(site, hub)
        people = [access.Person(name, "technician", here=False) for name in names]
        shown = [Shown(site, person, None, ()) for person in people]
        found = [(await made.of("runs", each))["strip"] for each in shown]
        hub.close()
        return found

    for name, strip in zip(names, asyncio.run(strips()), strict=True):
        assert name in strip


def test_whoever_sits_here_may_say_how_they_are_called(page, play):
    runner = play("night-1")
    page.post("/me", data={"name": "Zoë Müller"}, headers=HERE)
    page.post("/run/night-1/hold", headers=HERE)
    assert runner.taken[0][1]["by"] == "Zoë Müller"


@pytest.mark.parametrize(
    ("name", "role", "password", "why"),
    [
        ("", "viewer", WORD, "name"),
        ("A", "owner", WORD, "role"),
        ("A", "viewer", "short", "8 characters"),
        ("A", "viewer", "", "to begin with"),
    ],
)
def test_people_that_cannot_be_kept(site, name, role, password, why):
    with pytest.raises(BadPerson, match=why):
        People(site.state).keep(name, role, password)


def test_the_file_of_people_is_private_and_holds_no_password(people):
    assert people.path.stat().st_mode & 0o077 == 0
    assert WORD not in people.path.read_text()
    assert people.with_password("A. Technician", WORD).role == "technician"
    assert people.with_password("Nobody", WORD) is None
