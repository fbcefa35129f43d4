"""The voice on the disk: killed and begun again, it tells nothing twice and forgets nothing."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from labrig.watch.acks import FOLDER, leave_ack
from labrig.watch.causes import Cause
from labrig.watch.couriers import Back
from labrig.watch.judging import Known
from labrig.watch.routes import QuietHours, Route, Routes
from labrig.watch.voice import TOLD, Voice
from labrig.watch.watch_clock import Anchor, WatchClock

PHONE = Route(name="phone", url="json://phone", takes="call")
MAIL = Route(name="mail", url="json://mail")
LAB = Routes(routes=(PHONE, MAIL))
STALL = Cause("id|alarm|stall:base", "call", "night", "no liquid comes", "base stands.")
CAMERA = Cause("id|alarm|camera:cam", "tell", "night", "no picture came", "cam is dark.")


class Computer:
    """A clock, a wall clock and couriers that outlive the voice."""

    def __init__(self, folder):
        self.folder = folder
        self.steady_s, self.boot = 5000.0, "boot-1"
        self.wall = datetime(2026, 11, 30, 23, 0, tzinfo=UTC)
        self.sent, self.failing, self.out = [], {}, []

    def wait(self, for_s):
        self.steady_s += for_s
        self.wall += timedelta(seconds=for_s)

    def voice(self):
        self.out.clear()
        return Voice(
            self.folder, "memory.json", self,
            lambda before: WatchClock(
                before, lambda: self.steady_s, lambda: self.wall, lambda: self.boot
            ),
            lambda: self.wall,
        )  # fmt: skip

    # as couriers
    busy = False

    def go(self, errand, now_s):
        self.sent.append((errand.route.name, errand.text.subject, errand.text.body))
        self.out.append(
            Back(errand.number, errand.route.name, self.failing.get(errand.route.name, ""))
        )

    def back(self, now_s):
        came, self.out = self.out, []
        return came


@pytest.fixture
def computer(tmp_path):
    return Computer(tmp_path)


def tick(voice, causes=(), standing=(), lab=LAB):
    voice.hear(causes, standing or [c.key for c in causes], lab)
    voice.tend(lab)


def test_a_voice_that_was_killed_tells_nothing_again(computer):
    voice = computer.voice()
    tick(voice, [STALL])
    tick(voice, [STALL])
    assert [route for route, *_ in computer.sent] == ["phone", "mail"]
    for _ in range(3):
        voice = computer.voice()
        tick(voice, [STALL])
        tick(voice, [STALL])
    assert len(computer.sent) == 2


def test_one_that_was_killed_while_it_sent_sends_again_and_says_so(computer):
    tick(computer.voice(), [STALL])
    tick(computer.voice(), [STALL])
    assert [route for route, *_ in computer.sent] == ["phone", "mail"] * 2
    assert "a second time" not in computer.sent[0][2]
    assert "It may reach you a second time" in computer.sent[2][2]


def test_the_message_says_when_what_and_how_to_say_i_see_to_it(computer):
    tick(computer.voice(), [STALL])
    _, subject, body = computer.sent[0]
    assert subject == "CALL night: no liquid comes, Mon 23:00 UTC"
    assert "base stands." in body
    assert "labrig watch ack 1" in body


def test_an_acknowledgement_is_taken_up_also_when_no_watch_lived(computer):
    later = Routes(routes=(PHONE, Route(name="boss", url="json://b", takes="call", after_min=10)))
    tick(computer.voice(), [STALL], lab=later)
    leave_ack(computer.folder, 1, "A. Technician")
    voice = computer.voice()
    tick(voice, [STALL], lab=later)
    computer.wait(3600.0)
    tick(voice, [STALL], lab=later)
    assert [route for route, *_ in computer.sent] == ["phone"]
    assert voice.book.entries[0].acked_by == "A. Technician"
    assert list((computer.folder / FOLDER).iterdir()) == []


def test_nobody_answers_so_the_next_is_called_and_told_why(computer):
    later = Routes(routes=(PHONE, Route(name="boss", url="json://b", takes="call", after_min=10)))
    voice = computer.voice()
    for _ in range(2):
        tick(voice, [STALL], lab=later)
    computer.wait(601.0)
    voice = computer.voice()
    for _ in range(2):
        tick(voice, [STALL], lab=later)
    assert [route for route, *_ in computer.sent][-1] == "boss"
    assert "Nobody has acknowledged this for 10 min" in computer.sent[-1][2]


def test_what_can_wait_waits_for_the_morning_over_a_restart(computer):
    quiet = LAB.model_copy(update={"quiet_hours": QuietHours(**{"from": "22:00", "to": "07:00"})})
    tick(computer.voice(), [CAMERA], lab=quiet)
    assert computer.sent == []
    computer.wait(8.5 * 3600.0)
    voice = computer.voice()
    assert voice.waits(quiet)
    tick(voice, lab=quiet)
    assert [route for route, *_ in computer.sent] == ["mail"]
    assert "It is over since Tue 07:30 UTC" in computer.sent[0][2]
    tick(voice, lab=quiet)
    assert not voice.waits(quiet)


def test_who_was_called_is_told_that_it_is_over_where_that_is_wanted(computer):
    lab = LAB.model_copy(update={"when_over": True})
    voice = computer.voice()
    tick(voice, [STALL, CAMERA], lab=lab)
    for _ in range(3):
        tick(voice, lab=lab)
    over = [(route, subject) for route, subject, _ in computer.sent if "over:" in subject]
    assert [route for route, _ in over] == ["phone", "mail"]
    assert over[0][1].startswith("CALL night: over: no liquid comes")
    assert len(computer.sent) == 5


def test_a_failure_is_written_down_and_the_other_route_has_it(computer):
    computer.failing["phone"] = "no network"
    voice = computer.voice()
    tick(voice, [STALL])
    tick(voice, [STALL])
    lines = [json.loads(line) for line in (computer.folder / TOLD).read_text().splitlines()]
    assert [(line["route"], line["failure"]) for line in lines] == [
        ("phone", "no network"), ("mail", ""),
    ]  # fmt: skip
    computer.failing.clear()
    computer.wait(6.0)
    tick(voice, [STALL])
    assert [route for route, *_ in computer.sent] == ["phone", "mail", "phone"]


def test_a_damaged_memory_is_put_aside_and_what_stands_is_told(computer):
    (computer.folder / "memory.json").write_text("{half")
    tick(computer.voice(), [STALL])
    assert len(computer.sent) == 2
    assert (computer.folder / "memory.damaged").exists()


def test_a_full_disk_keeps_no_call_back(computer, monkeypatch):
    voice = computer.voice()

    def full(path, memory):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("labrig.watch.voice.remember", full)
    tick(voice, [STALL])
    tick(voice, [STALL])
    assert [route for route, *_ in computer.sent] == ["phone", "mail"]


def test_seconds_of_the_watch_follow_no_change_of_the_time_of_day():
    now = datetime(2026, 11, 30, 3, 0, tzinfo=UTC)

    def clock(before, steady_s, wall, boot="a"):
        return WatchClock(before, lambda: steady_s, lambda: wall, lambda: boot)

    anchor = Anchor(1000.0, "a", 50.0, now.isoformat())
    hour = timedelta(hours=1)
    # the same boot: the time of day may jump
    assert clock(anchor, 60.0, now + 9 * hour).now_s() == pytest.approx(1010.0)
    # a reboot: only the time of day is left, and one before our last word counts as none
    assert clock(anchor, 5.0, now + hour, "b").now_s() == pytest.approx(4600.0)
    assert clock(anchor, 5.0, now - hour, "b").now_s() == pytest.approx(1000.0)


def test_a_run_that_only_goes_on_writes_nothing_to_the_disk(computer):
    voice = computer.voice()
    run = Known("/runs/night", "night", "night on bench", "id", seq=3, run_s=1.0, utc="now")
    voice.memory = replace(voice.memory, runs=(run,))
    voice.save()
    before = (computer.folder / "memory.json").stat().st_mtime_ns
    voice.memory = replace(voice.memory, runs=(replace(run, run_s=2.0, utc="later"),))
    voice.save()
    assert (computer.folder / "memory.json").stat().st_mtime_ns == before
    voice.memory = replace(voice.memory, runs=(replace(run, seq=4),))
    voice.save()
    assert (computer.folder / "memory.json").stat().st_mtime_ns != before
