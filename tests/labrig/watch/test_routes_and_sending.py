"""Alarm routes: read, written, tried out; and no password in what is shown."""

from __future__ import annotations

import os
from datetime import UTC, datetime, time, timedelta

import pytest

from labrig.problems import FileProblems
from labrig.watch.couriers import Back, Couriers, Errand
from labrig.watch.places import routes_file, trials_file
from labrig.watch.routes import (
    Heartbeat,
    QuietHours,
    Route,
    Routes,
    RoutesExposed,
    load_routes,
    save_routes,
)
from labrig.watch.sending import fault_of_url, send, shown
from labrig.watch.texts import Text
from labrig.watch.trials import last_trial, reason_to_doubt, try_out

SECRET = "correct-horse-battery"
MAIL = f"mailtos://lab:{SECRET}@mail.example.org?to=someone@example.org"


def mail_url(port):
    return f"mailto://127.0.0.1:{port}?from=lab@example.org&to=on-call@example.org"


def test_what_is_saved_is_read_again_and_is_for_this_user_alone(own_state):
    routes = Routes(
        routes=(Route(name="phone", url=MAIL, takes="call", after_min=5),),
        quiet_hours=QuietHours(**{"from": "22:00", "to": "07:00"}),
        heartbeat=Heartbeat(url="https://beats.example.org/1234", every_s=60),
        benches=("real bench", "simulated"),
        severities={"camera": "call"},
        closing=True,
    )
    save_routes(routes)
    assert load_routes() == routes
    if os.name != "nt":
        assert routes_file().stat().st_mode & 0o777 == 0o600
    assert SECRET not in repr(routes)


def test_without_a_file_there_is_no_route_and_an_empty_one_can_be_saved(own_state):
    assert load_routes() == Routes()
    save_routes(Routes())
    assert load_routes() == Routes()


@pytest.mark.skipif(os.name == "nt", reason="rights of POSIX")
def test_a_file_that_others_can_read_is_not_used(own_state):
    save_routes(Routes(routes=(Route(name="phone", url=MAIL),)))
    routes_file().chmod(0o644)
    with pytest.raises(RoutesExposed, match="chmod 600"):
        load_routes()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("routes:\n- {name: a, url: 'x://y'}\n- {name: a, url: 'x://z'}\n", "two routes are named"),
        ("routes:\n- {name: a, url: 'x://y', takes: everything}\n", "takes"),
        ("quiet_hours: {from: '7', to: '22:00'}\n", "quiet_hours.from"),
        ("heartbeat: {url: 'ftp://x'}\n", "a heartbeat goes to a web address"),
        ("route: []\n", "routes"),
        ("arms: {}\n", "this is a protocol"),
    ],
)
def test_a_mistake_is_named_with_its_line(own_state, text, said):
    routes_file().parent.mkdir(parents=True)
    routes_file().write_text(text)
    routes_file().chmod(0o600)
    with pytest.raises(FileProblems, match=said):
        load_routes()


def test_quiet_hours_pass_midnight():
    night = QuietHours(**{"from": "22:00", "to": "07:00"})
    assert [night.hold_at(time(h)) for h in (21, 22, 0, 6, 7)] == [False, True, True, True, False]
    noon = QuietHours(**{"from": "12:00", "to": "13:00"})
    assert [noon.hold_at(time(h)) for h in (11, 12, 13)] == [False, True, False]


def test_a_mail_and_a_webhook_arrive_as_they_were_written(mails, hook):
    assert send(mail_url(mails.port), "pump stands", "Look at it.\n  labrig stop", "call") == ""
    assert send(f"json://127.0.0.1:{hook.port}/lab", "pump stands", "Look at it.", "call") == ""
    ((_, subject, body),) = mails.messages
    assert subject == "pump stands"
    assert "Look at it.\n  labrig stop" in body.replace("\r", "")
    ((_, path, said),) = hook.messages
    assert (path, said["title"], said["message"]) == ("/lab", "pump stands", "Look at it.")
    assert said["type"] == "failure"


def test_why_a_message_did_not_go_out_is_said_without_the_password(mails, hook):
    mails.close()
    url = f"mailto://lab:{SECRET}@127.0.0.1:{mails.port}?to=on-call@example.org"
    failure = send(url, "x", "y", "call")
    assert failure
    assert SECRET not in failure
    hook.answer(500)
    failure = send(f"json://{SECRET}:{SECRET}@127.0.0.1:{hook.port}/{SECRET}", "x", "y", "call")
    assert "500" in failure
    assert SECRET not in failure
    mails.close = lambda: None


def test_a_url_is_shown_without_its_secrets_and_one_of_no_known_kind_is_named():
    assert SECRET not in shown(MAIL)
    assert "mail.example.org" in shown(MAIL)
    assert shown(f"nothing://{SECRET}") == "nothing://…"
    assert fault_of_url(MAIL) == ""
    assert "no kind that apprise knows" in fault_of_url(f"nothing://{SECRET}")
    assert SECRET not in fault_of_url(f"nothing://{SECRET}")


def test_a_trial_is_remembered_until_the_url_changes(own_state, hook):
    route = Route(name="hook", url=f"json://127.0.0.1:{hook.port}")
    assert last_trial(route) is None
    done = try_out(route)
    assert done.failure == ""
    assert last_trial(route) == done
    assert "test" in hook.messages[0][2]["title"]
    assert last_trial(route.model_copy(update={"url": "json://127.0.0.1:1"})) is None
    if os.name != "nt":
        assert trials_file().stat().st_mode & 0o777 == 0o600


def test_doubts_about_a_night_end_with_a_sound_trial_within_a_week(own_state, hook):
    now = datetime.now(UTC)
    route = Route(name="hook", url=f"json://127.0.0.1:{hook.port}")
    routes = Routes(routes=(route,))
    assert "no alarm route is set up" in reason_to_doubt(Routes(), now)
    assert "ever tried out" in reason_to_doubt(routes, now)
    hook.answer(500)
    try_out(route)
    assert "failed" in reason_to_doubt(routes, now)
    hook.answer(200)
    try_out(route)
    assert reason_to_doubt(routes, now) == ""
    assert "since" in reason_to_doubt(routes, now + timedelta(days=8))


def test_a_route_that_hangs_keeps_no_other_waiting_and_is_given_up():
    from threading import Event

    released, went = Event(), []

    def sends(url, subject, text, severity):
        if url == "x://hangs":
            released.wait(20.0)
        went.append((url, subject))
        return ""

    couriers = Couriers(sends)
    hangs, sound = Route(name="hangs", url="x://hangs"), Route(name="sound", url="x://sound")
    couriers.go(Errand(1, hangs, Text("1", ""), "call"), 0.0)
    couriers.go(Errand(2, hangs, Text("2", ""), "call"), 0.0)
    couriers.go(Errand(1, sound, Text("1", ""), "call"), 0.0)
    back = []
    while not back:
        back = couriers.back(1.0)
    assert back == [Back(1, "sound", "")]
    late = couriers.back(61.0)
    assert [(b.number, b.route, b.unsure) for b in late] == [
        (1, "hangs", True),
        (2, "hangs", True),
    ]
    assert not couriers.busy
    released.set()
    # what waited behind it is for the next thread, and not sent by the old one as well
    couriers.go(Errand(2, hangs, Text("2 again", ""), "call"), 62.0)
    while not (back := couriers.back(62.0)):
        pass
    assert back == [Back(2, "hangs", "")]
    assert ("x://hangs", "2") not in went
