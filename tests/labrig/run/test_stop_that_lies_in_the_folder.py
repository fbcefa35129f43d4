"""A stop that was written into the run folder reaches every later runner, whatever it dies of."""

from __future__ import annotations

import contextlib
import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.record.virtual_clock import VirtualClock
from labrig.run.commands import BadCommand, BetweenRunners, Commands, IdTaken
from labrig.run.control import ControlServer
from labrig.run.control_client import CommandRefused, NoRunner, connect
from labrig.run.runner import RunOver
from labrig.run.stop_file import StopRequest, read_stop, write_stop
from labrig_drivers.errors import InstrumentError


class SpyOnWires:
    """What is sent to each port."""

    def __init__(self, night) -> None:
        self.sent: dict[str, list[bytes]] = {}
        opened = night.open_transport

        def open_transport(port):
            inner, sent = opened(port), self.sent.setdefault(port.name, [])
            write = inner.write
            inner.write = lambda data: (sent.append(bytes(data)), write(data))[1]
            return inner

        self.open_transport = open_transport

    def runs(self, port):
        """Commands of a New Era pump that set it going."""
        return [data for data in self.sent.get(port, []) if b"RUN" in data]


def _kill(night, plan, death):
    """A runner that dies as scripted; whether it did."""
    runner = night.make(plan, connect=death.connect)
    death.clock = night.clock
    opened = night.open_transport

    def open_mortal(port):
        inner = opened(port)
        mortal = death.wire(inner)
        if port.name != "dose-port":
            mortal.write = lambda data: inner.write(data) if death.at_s is None else None
        return mortal

    runner._open_transport = open_mortal
    with contextlib.suppress(InstrumentError):
        runner.run()
    if death.at_s is None:
        return False
    for simulator in night.simulators.values():
        simulator.advance(death.at_s)
    # what a dead process could not do: its folder is as it was
    (night.folder / "outcome.json").unlink(missing_ok=True)
    return True


def _ask(night, reason="smoke"):
    request = StopRequest.now(reason, "T. Echnician")
    write_stop(night.folder / "stop.json", request)
    return request


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.integers(3, 90), gap_s=st.sampled_from([0.0, 90.0, 1e5]))
def test_whoever_takes_over_only_makes_safe(rehearse, script, tmp_path_factory, rows, gap_s):
    night = rehearse(tmp_path_factory.mktemp("night").name)
    plan = script.night()
    death = script.Death(after_rows=rows)
    if not _kill(night, plan, death):
        return
    before = len(night.rows())
    begun = any(row.key == "started" for row in night.rows("run"))
    rates = {name: plant.rate_ul_min for name, plant in night.plants.items()}
    trains = {name: len(plant.trains) for name, plant in night.plants.items()}
    request = _ask(night)
    runner = night.make(plan, VirtualClock(start_s=death.at_s + gap_s))
    spy = SpyOnWires(night)
    runner._open_transport = spy.open_transport
    if not begun:
        with pytest.raises(RunOver, match=r"called off by T\. Echnician"):
            runner.run()
        return
    outcome = runner.run()
    assert outcome.condition == "stopped", outcome
    assert outcome.unsafe == ()
    after = night.rows()[before:]
    assert not [row for row in after if row.kind == "level" and row.state == "confirmed"]
    assert not [row for row in after if row.kind == "dose" and row.state == "sent"]
    assert not [row for row in after if row.kind == "train"]
    assert not spy.runs("dose-port"), "nothing was set going"
    assert {name: len(plant.trains) for name, plant in night.plants.items()} == trains
    assert night.plants["base"].rate_ul_min == rates["base"], "medium goes on as it was"
    assert night.plants["dose"].rate_ul_min == 0.0
    end = night.rows("run")[-1]
    assert (end.key, end.detail["reason"], end.detail["by"]) == (
        "stopped", "smoke", "T. Echnician",
    )  # fmt: skip
    command = night.rows("command")[-1]
    assert command.key == request.command_id
    assert command.detail["args"]["asked_utc"] == request.asked_utc
    with pytest.raises(RunOver):
        night.make(plan).run()


def test_a_stop_that_was_carried_out_by_a_runner_that_died_is_not_undone(rehearse, script):
    night = rehearse()
    plan = script.night()
    assert _kill(night, plan, script.Death(after_rows=60))
    _ask(night)
    assert _kill(night, plan, script.Death(after_rows=3)), "dies while it makes safe"
    assert night.run(plan).condition == "stopped"


def test_an_unreadable_stop_is_a_stop(tmp_path):
    path = tmp_path / "stop.json"
    assert read_stop(path) is None
    for content in (b"", b"{", b"[]", b"\xff\xfe", b'{"reason": null}'):
        path.write_bytes(content)
        request = read_stop(path)
        assert request is not None
        assert request.command_id


def test_the_first_stop_stays(tmp_path):
    path = tmp_path / "stop.json"
    write_stop(path, StopRequest.now("smoke", "A"))
    write_stop(path, StopRequest.now("again", "B"))
    request = read_stop(path)
    assert (request.reason, request.by) == ("smoke", "A")
    broken = StopRequest.now("K\udcfchlschrank", "\ud83d")
    write_stop(tmp_path / "other.json", broken)
    assert read_stop(tmp_path / "other.json") == broken


def test_a_living_runner_finds_the_stop_without_its_door(rehearse, script, monkeypatch):
    """As one that hung and wakes: here it is held up at its door while the file appears."""
    import time

    night = rehearse()
    runner = night.make(script.night(), VirtualClock(speed=100.0))

    def stop_at_100_s():
        (night.folder / "control.json").unlink()
        _ask(night)
        time.sleep(0.0)

    night.visit(100.0, stop_at_100_s)
    outcome = runner.run()
    assert outcome.condition == "stopped"
    end = night.rows("run")[-1]
    assert end.run_s < 100.0 + 100.0 * 2.0, "within two seconds of this machine's time"


class _Desk:
    def __init__(self) -> None:
        from labrig.run.board import Board

        self.clock, self.board, self.notes = VirtualClock(), Board(), []

    def note(self, *what, **detail):
        self.notes.append((what, detail))


USED = [
    ("note", {"text": "fed by hand"}),
    ("hold", {}),
    ("phase", {"name": "x"}),
    ("resume", {}),
]


@pytest.mark.parametrize(("first", "args"), USED)
@pytest.mark.parametrize("later", ["stop", "hold", "resume"])
def test_an_id_that_was_used_is_no_free_pass(first, args, later):
    acted = []
    commands = Commands(_Desk(), acted.append, {})
    commands.take(first, "id-1", args)
    reply = commands.take(first, "id-1", args)
    assert reply["command"] == first
    assert len(acted) == 1, "repeated, not done again"
    if later != first:
        with pytest.raises(IdTaken, match="Nothing was done"):
            commands.take(later, "id-1", {})
        assert len(acted) == 1
        assert commands.take(later, "id-2", {})["command"] == later


def test_an_id_of_an_earlier_runner_is_no_free_pass_either():
    acted = []
    before = {"id-1": {"accepted": True, "command": "note", "at_s": 1.0, "args": {"text": "a"}}}
    commands = Commands(_Desk(), acted.append, before)
    assert commands.take("note", "id-1", {"text": "a"})["accepted"]
    with pytest.raises(IdTaken):
        commands.take("stop", "id-1", {})
    with pytest.raises(BadCommand):
        commands.take("stop", "", {})
    assert not acted


def test_the_door_says_409_to_a_used_id(rehearse, script):
    night, said = rehearse(), []

    def ask():
        client = connect(night.folder / "control.json")
        client.note("fed by hand", command_id="mine")
        for _ in range(2):
            try:
                client.stop("smoke", command_id="mine")
            except CommandRefused as error:
                said.append(str(error))
        said.append(client.status()["condition"])

    runner = night.make(script.night())
    night.visit(1000.0, ask)
    assert runner.run().condition == "finished"
    assert "was used for 'note' before" in said[0]
    assert said[2] == "running"


def test_who_held_resumed_and_stopped_stands_in_the_journal(rehearse, script):
    night = rehearse()
    runner = night.make(script.night())
    client = []
    night.visit(900.0, lambda: client.append(connect(night.folder / "control.json")))
    night.visit(1000.0, lambda: client[0].hold("tea", by="A"))
    night.visit(1100.0, lambda: client[0].resume(by="B"))
    night.visit(1200.0, lambda: client[0].stop("smoke", by="C"))
    runner.run()
    by = {row.key: row.detail.get("by") for row in night.rows("run")}
    assert (by["held"], by["resumed"], by["stopped"]) == ("A", "B", "C")
    assert json.loads((night.folder / "outcome.json").read_text())["condition"] == "stopped"


def test_a_stop_that_comes_between_two_runners_is_not_refused_but_tried_again(tmp_path):
    def take(name: str, command_id: str, args: object) -> dict[str, object]:
        raise BetweenRunners(f"{name} came between two runners, and was not done: repeat it")

    server = ControlServer(dict, take, tmp_path / "control.json")
    server.open()
    try:
        with pytest.raises(NoRunner, match="between two runners"):
            connect(tmp_path / "control.json").stop("leak")
    finally:
        server.close()
