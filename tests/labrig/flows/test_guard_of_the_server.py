"""The guard before Prefect's server: one user, one machine, our own page."""

from __future__ import annotations

import asyncio
import os
import stat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.flows.guard import Guard
from labrig.flows.login import Login, NotPrivate, login_file, private_folder, settle_login

PORT = 4200
OURS = Login("labrig", "secret")
HERE = {"host": "127.0.0.1:4200", "authorization": OURS.header}


async def behind(scope, receive, send):
    """What is guarded: says who came through."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"prefect"})


def ask(headers, method="GET", path="/", kind="http"):
    """Status of the answer; for a websocket 101, or 403 when its handshake is refused."""
    pairs = headers.items() if isinstance(headers, dict) else headers
    scope = {
        "type": kind,
        "path": path,
        "headers": [(n.encode("latin-1"), v.encode("latin-1")) for n, v in pairs],
    }
    if kind == "http":
        scope["method"] = method
    sent = []

    async def receive():
        return {"type": f"{kind}.connect"}

    async def send(message):
        sent.append(message)

    asyncio.run(Guard(behind, PORT, OURS)(scope, receive, send))
    if kind == "websocket":
        return 101 if sent[0]["type"] == "websocket.accept" else 403
    return sent[0]["status"]


PATHS = ["/", "/api/health", "/api/ready", "/api/admin/settings", "/docs", "/openapi.json", "/x.js"]
SOCKETS = ["/api/events/in", "/api/events/out", "/api/logs/out", "/api/task_runs/subscriptions/x"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "POST", "PATCH", "PUT", "DELETE"])
def test_the_owner_comes_through_and_nobody_else_does(path, method):
    assert ask(HERE, method, path) == 200
    assert ask({"host": HERE["host"]}, method, path) == 401
    assert ask(HERE | {"authorization": Login("labrig", "guess").header}, method, path) == 401
    assert ask(HERE | {"origin": "http://evil.example"}, method, path) == 403
    assert ask(HERE | {"host": "evil.example"}, method, path) == 403
    assert ask(HERE | {"sec-fetch-site": "cross-site"}, method, path) == 403


@pytest.mark.parametrize("path", SOCKETS)
def test_a_websocket_is_refused_before_its_handshake(path):
    assert ask(HERE, path=path, kind="websocket") == 101
    assert ask({"host": HERE["host"]}, path=path, kind="websocket") == 403
    assert ask(HERE | {"origin": "http://evil.example"}, path=path, kind="websocket") == 403
    assert ask(HERE | {"host": "rebound.example:4200"}, path=path, kind="websocket") == 403


@pytest.mark.parametrize(
    "host",
    ["", "127.0.0.1", "127.0.0.1:80", "localhost", "evil.example:4200",
     "127.0.0.1:4200.evil.example", "127.0.0.1:4200@evil.example", "[::1]:4200",
     "127.0.0.1:4200, evil.example"],
)  # fmt: skip
def test_only_this_machines_own_names_are_answered(host):
    assert ask(HERE | {"host": host}) == 403


def test_a_second_host_or_none_is_no_host():
    assert ask([("authorization", OURS.header)]) == 403
    assert ask([*HERE.items(), ("host", "evil.example")]) == 403
    assert ask([("host", "evil.example"), *HERE.items()]) == 403


@pytest.mark.parametrize(
    "origin",
    ["null", "", "http://127.0.0.1:4201", "https://127.0.0.1:4200", "http://localhost:4200",
     "http://127.0.0.1:4200.evil.example", "file://", "http://evil.example/127.0.0.1:4200"],
)  # fmt: skip
def test_only_our_own_page_may_ask(origin):
    """`localhost` is another origin than `127.0.0.1`: a page is one or the other."""
    assert ask(HERE | {"origin": origin}) == 403


def test_our_own_page_may_ask_under_either_name():
    for host in ("127.0.0.1:4200", "localhost:4200"):
        ours = HERE | {"host": host, "origin": f"http://{host}", "sec-fetch-site": "same-origin"}
        assert ask(ours, "POST") == 200


def test_a_link_may_be_followed_here_but_no_frame_picture_or_form():
    link = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}
    assert ask(HERE | link | {"sec-fetch-dest": "document"}) == 200
    assert ask(HERE | link | {"sec-fetch-dest": "document"}, "POST") == 403
    assert ask(HERE | link | {"sec-fetch-dest": "iframe"}) == 403
    image = {"sec-fetch-site": "same-site", "sec-fetch-mode": "no-cors", "sec-fetch-dest": "image"}
    assert ask(HERE | image) == 403


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=60))
def test_no_other_authorization_opens(given_text):
    if given_text != OURS.header:
        assert ask(HERE | {"authorization": given_text}) == 401


def test_two_authorizations_are_none():
    assert ask([*HERE.items(), ("authorization", OURS.header)]) == 401


# The login's file.


def test_the_login_is_random_stays_and_is_its_owners_alone(tmp_path):
    home = private_folder(tmp_path / "home")
    login = settle_login(home)
    assert settle_login(home) == login
    assert settle_login(private_folder(tmp_path / "other")) != login
    assert len(login.password) >= 32
    assert stat.S_IMODE(home.stat().st_mode) == 0o700
    assert stat.S_IMODE(login_file(home).stat().st_mode) == 0o600


@pytest.mark.parametrize("damage", ["readable", "empty", "other user's words", "a link"])
def test_a_login_that_others_may_know_is_replaced(tmp_path, damage):
    home = private_folder(tmp_path / "home")
    login = settle_login(home)
    path = login_file(home)
    match damage:
        case "readable":
            path.chmod(0o644)
        case "empty":
            path.write_text("")
        case "other user's words":
            path.write_text("me:you\n")
        case "a link":
            path.rename(tmp_path / "known")
            path.symlink_to(tmp_path / "known")
    again = settle_login(home)
    assert again != login
    assert settle_login(home) == again
    assert not path.is_symlink()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_home_that_others_could_enter_is_closed_and_a_link_is_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir(mode=0o755)
    assert stat.S_IMODE(private_folder(home).stat().st_mode) == 0o700
    (tmp_path / "link").symlink_to(home)
    with pytest.raises(NotPrivate, match="link"):
        private_folder(tmp_path / "link")


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root")
def test_a_home_of_another_user_is_refused(tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    os.chown(home, 12345, 12345)
    with pytest.raises(NotPrivate, match="another user"):
        private_folder(home)
