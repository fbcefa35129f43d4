"""Heartbeats: sent, heard, missed; a stranger's are refused, a sleep of our own is no silence."""

from __future__ import annotations

import json
import threading
import urllib.request

import pytest

from labrig.watch.couriers import Couriers
from labrig.watch.heart import Beat, Heart, send_beat
from labrig.watch.remote import Listener, serve_beats
from labrig.watch.routes import Heartbeat, Route, Routes
from labrig.watch.voice import Voice
from labrig.watch.watch_clock import WatchClock

LAB = Routes(routes=(Route(name="phone", url="json://phone", takes="call"),))
BEAT = {"host": "bench-1", "every_s": 30.0, "runs": ["night on bench"], "away": False}


class Second:
    """A second computer, whose clock stands until it is moved."""

    def __init__(self, folder):
        self.folder, self.steady_s, self.sent = folder, 100.0, []
        self.begin()

    def begin(self):
        def went(url, subject, text, severity):
            self.sent.append((subject, text))
            return ""

        voice = Voice(
            self.folder, "remote.json", Couriers(went),
            lambda before: WatchClock(before, lambda: self.steady_s),
        )  # fmt: skip
        self.listener = Listener(voice, lambda: LAB)
        self.voice = voice

    def tick(self, for_s=0.0, step_s=1.0):
        for _ in range(int(for_s / step_s)):
            self.steady_s += step_s
            self._tick_once()
        self._tick_once()

    def _tick_once(self):
        """Time stands while couriers, in threads of their own, are on their way."""
        self.listener.tick()
        while self.voice._couriers.busy:
            self.listener.tick()


def test_a_host_that_falls_silent_is_told_once_within_two_minutes(tmp_path):
    second = Second(tmp_path)
    second.listener.heard(BEAT)
    second.tick(70.0)
    assert second.sent == []
    second.tick(50.0)
    ((subject, text),) = second.sent
    assert "bench-1 is silent" in subject
    assert "night on bench" in text
    second.tick(3600.0, step_s=10.0)
    assert len(second.sent) == 1
    # it is heard again, and falls silent an hour later
    for _ in range(120):
        second.listener.heard(BEAT)
        second.tick(30.0, step_s=10.0)
    second.tick(120.0, step_s=10.0)
    assert len(second.sent) == 2


def test_a_host_that_says_it_goes_is_not_missed(tmp_path):
    second = Second(tmp_path)
    second.listener.heard(BEAT)
    second.listener.heard({**BEAT, "away": True})
    second.tick(3600.0, step_s=10.0)
    assert second.sent == []


def test_our_own_sleep_and_our_own_death_are_no_silence_of_others(tmp_path):
    second = Second(tmp_path)
    second.listener.heard(BEAT)
    second.tick(5.0)
    second.steady_s += 8 * 3600.0
    second.tick()
    second.tick(60.0)
    assert second.sent == []
    second.begin()
    second.tick(60.0)
    assert second.sent == []
    second.tick(60.0)
    assert len(second.sent) == 1


@pytest.fixture
def beats():
    heard = []
    server = serve_beats("127.0.0.1", 0, "the-token", heard.append)
    yield f"http://127.0.0.1:{server.server_port}/", heard
    server.shutdown()
    server.server_close()


def test_beats_arrive_with_the_token_and_no_others(beats):
    url, heard = beats
    beat = Beat("bench-1", 30.0, ("night",))
    assert send_beat(Heartbeat(url=url, token="the-token"), beat) == ""
    assert heard == [{"host": "bench-1", "every_s": 30.0, "runs": ["night"], "away": False}]
    assert send_beat(Heartbeat(url=url, token="guessed"), beat) == "the receiver answered 401"
    assert send_beat(Heartbeat(url=url), beat) == "the receiver answered 401"
    assert len(heard) == 1


def test_nonsense_is_refused_and_breaks_nothing(tmp_path):
    second = Second(tmp_path)
    server = serve_beats("127.0.0.1", 0, "t", second.listener.heard)
    url = f"http://127.0.0.1:{server.server_port}/"
    try:
        for body in (b"", b"[]", b"{", b'{"host": 1}', json.dumps({"host": "x"}).encode()):
            asked = urllib.request.Request(url, body, {"Authorization": "Bearer t"})
            with pytest.raises(urllib.error.HTTPError) as refused:
                urllib.request.urlopen(asked, timeout=10)
            assert refused.value.code == 400
            refused.value.close()
        assert send_beat(Heartbeat(url=url, token="t"), Beat("bench-1", 30.0, ())) == ""
    finally:
        server.shutdown()
        server.server_close()
    second.tick(200.0)
    assert len(second.sent) == 1


def test_a_receiver_that_is_gone_is_named_without_its_address():
    secret = "http://127.0.0.1:9/0b5c-secret"
    failure = send_beat(Heartbeat(url=secret), Beat("bench-1", 30.0, ()))
    assert failure
    assert "secret" not in failure


def test_a_heart_beats_while_the_watch_is_sound_and_says_when_it_goes(beats):
    url, heard = beats
    sound = threading.Event()
    heart = Heart(Heartbeat(url=url, token="the-token", every_s=5), sound.is_set, lambda: ("n",))
    heart.start()
    heart.stop(away=False)
    assert heard == []
    sound.set()
    heart = Heart(Heartbeat(url=url, token="the-token", every_s=5), sound.is_set, lambda: ("n",))
    heart.start()
    while not heard:
        pass
    heart.stop(away=True)
    assert [beat["away"] for beat in heard] == [False, True]
