"""A start that people signed for: written down, waited for, called off, late, in the way."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime, timedelta

import pytest

from labrig.durable import read_json, write_json
from labrig.launch.bench_in_use import reason_against_a_start, reason_against_asking
from labrig.launch.wanted_start import (
    SignedLine,
    WantedStart,
    answer_start,
    how_it_stands,
    read_start,
    write_start,
)
from labrig.locks import try_lock
from labrig.rig.bench import BenchSpec, PortSpec
from labrig.run.register import registered
from labrig.run.stop_file import StopRequest, write_stop
from labrig.run_folder import RunFolder
from labrig.watch.routes import Route, Routes
from labrig.web import signed_start
from labrig.web.signed_start import await_its_time

NOW = datetime(2026, 3, 1, 17, 0, tzinfo=UTC)


def bench_on(*addresses):
    ports = tuple(PortSpec(f"p{i}", address, None) for i, address in enumerate(addresses))
    return BenchSpec(ports, (), ())


@pytest.fixture
def folder(tmp_path):
    root = tmp_path / "runs" / "night"
    root.mkdir(parents=True)
    identity = {"id": "a" * 32, "protocol": "night", "rig": "bench", "simulated": False}
    (root / "run.json").write_text(json.dumps(identity), encoding="utf-8")
    write_json(root / "bench.json", bench_on("/dev/ttyUSB7").to_json())
    return RunFolder(root)


def signed(due, speed=""):
    line = SignedLine("A. Jansen", "lid on", NOW.isoformat())
    return WantedStart(due.isoformat(), "A. Jansen", speed, (line,))


class Clock:
    """Time passes only while somebody sleeps."""

    def __init__(self, at=NOW, jump_s=0.0):
        self.at, self.jump_s, self.slept = at, jump_s, 0

    def now(self):
        return self.at

    def sleep(self, seconds):
        self.slept += 1
        self.at += timedelta(seconds=seconds + self.jump_s)


@pytest.mark.spoilt_night
@pytest.mark.parametrize(("speed", "pace"), [("", None), ("60", 60.0), ("inf", math.inf)])
def test_what_was_signed_is_read_as_it_was(folder, speed, pace):
    write_start(folder, signed(NOW, speed))
    assert read_start(folder) == signed(NOW, speed)
    assert read_start(folder).run_s_per_s == pace


@pytest.mark.spoilt_night
def test_a_time_without_a_zone_is_damage(folder):
    write_start(folder, signed(NOW.replace(tzinfo=None)))
    with pytest.raises(ValueError, match="damaged"):
        read_start(folder)


@pytest.mark.spoilt_night
def test_it_begins_at_its_time_and_not_before(folder):
    clock, due = Clock(), NOW + timedelta(seconds=90.5)
    assert await_its_time(folder, signed(due), clock.now, clock.sleep) == ""
    assert clock.at == due
    assert clock.slept == 91


@pytest.mark.spoilt_night
def test_it_is_called_off_by_a_stop_and_says_by_whom(folder):
    write_stop(folder.stop, StopRequest.now("wrong plate", "B. Okoro"))
    reason = await_its_time(folder, signed(NOW), Clock().now, Clock().sleep)
    assert reason == "called off by B. Okoro: wrong plate"


@pytest.mark.spoilt_night
def test_a_computer_that_slept_through_its_time_does_not_begin(folder):
    clock = Clock(jump_s=3600.0)
    due = NOW + timedelta(minutes=30)
    reason = await_its_time(folder, signed(due), clock.now, clock.sleep)
    assert "30 min late" in reason


@pytest.mark.spoilt_night
def test_how_it_stands(folder):
    write_start(folder, signed(NOW))
    assert how_it_stands(folder)[0] == "nobody waits"
    with folder.start_lock.open("a") as lock:
        assert try_lock(lock)
        assert how_it_stands(folder)[0] == "waits"
    write_stop(folder.stop, StopRequest.now("", "B. Okoro"))
    assert how_it_stands(folder) == ("called off", "by B. Okoro")
    answer_start(folder, "the runner would not begin")
    assert how_it_stands(folder) == ("refused", "the runner would not begin")
    # a runner that refuses leaves a journal without a row
    folder.journal.touch()
    assert how_it_stands(folder)[0] == "refused"
    answer_start(folder, "")
    assert how_it_stands(folder)[0] == "begun"


@pytest.mark.spoilt_night
def test_a_bench_that_a_run_lives_on_is_left_alone(folder):
    runs = folder.root.parent
    here, elsewhere = bench_on("/dev/ttyUSB7", "sim"), bench_on("/dev/ttyUSB8", "sim")
    assert reason_against_asking(here) == ""
    with registered(folder.root, read_json(folder.identity)):
        assert "night on bench (real bench) is running" in reason_against_asking(here)
        assert reason_against_a_start(here, runs) == reason_against_asking(here)
        assert reason_against_asking(elsewhere) == ""
        assert reason_against_asking(bench_on("sim")) == ""
    assert reason_against_asking(here) == ""


@pytest.mark.spoilt_night
def test_a_start_that_waits_for_the_bench_keeps_others_off(folder):
    runs, here = folder.root.parent, bench_on("/dev/ttyUSB7")
    write_start(folder, signed(NOW))
    assert reason_against_a_start(here, runs) == ""
    with folder.start_lock.open("a") as lock:
        assert try_lock(lock)
        assert "waits to begin on this bench at Sun 01 Mar" in reason_against_a_start(here, runs)
        assert reason_against_a_start(bench_on("sim"), runs) == ""


@pytest.mark.spoilt_night
@pytest.mark.parametrize("called_off", [False, True])
def test_who_signed_is_called_when_it_does_not_begin(folder, monkeypatch, called_off):
    late = datetime.now(UTC) - timedelta(hours=2)
    write_start(folder, signed(late))
    if called_off:
        write_stop(folder.stop, StopRequest.now("wrong plate", "B. Okoro"))
    sent = []
    route = Route(name="phone", url="json://127.0.0.1:9/x")
    monkeypatch.setattr(signed_start, "load_routes", lambda: Routes(routes=(route,)))
    monkeypatch.setattr(signed_start, "send", lambda *told: sent.append(told) or "")
    monkeypatch.setattr(signed_start.KeptWatch, "look", lambda watch: None)
    assert signed_start.main([str(folder.root)]) == 1
    stands, why = how_it_stands(folder)
    assert stands == "refused"
    if called_off:
        assert (sent, "B. Okoro" in why) == ([], True)
        return
    ((url, subject, text, severity),) = sent
    assert (url, subject, severity) == (route.url, "NOT begun: night", "call")
    assert "120 min late" in text


@pytest.mark.spoilt_night
def test_the_process_that_waits_is_there_when_the_page_goes_on(folder):
    write_start(folder, signed(datetime.now(UTC) + timedelta(hours=1)))
    child = signed_start.leave_to_begin(folder)
    try:
        assert how_it_stands(folder)[0] == "waits"
        write_stop(folder.stop, StopRequest.now("", "B. Okoro"))
        assert child.wait(30) == 1
        assert how_it_stands(folder)[0] == "refused"
    finally:
        child.kill()
        child.wait()
