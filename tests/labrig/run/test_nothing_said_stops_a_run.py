"""Whatever comes through the door or off a wire, the run goes on and its journal stays whole."""

from __future__ import annotations

import http.client
import json

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from labrig.run.workers import Worker
from labrig_drivers.errors import PortLost
from labrig_drivers.kinds import PumpState
from labrig_drivers.new_era.driver import NewEraPump

ANY_TEXT = st.text(st.characters(codec=None, categories=None, exclude_categories=()))
ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
)
DEEP = b'{"command_id": "deep", "text": "t", "x": ' + b"[" * 2500 + b"]" * 2500 + b"}"
BODIES = (
    st.builds(
        lambda text, more, name: json.dumps({"command_id": name, "text": text, **more}).encode(),
        ANY_TEXT,
        st.dictionaries(ANY_TEXT.filter(lambda name: name not in ("text", "command_id")), ANY_JSON),
        ANY_JSON,
    )
    | ANY_JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=60)
)


def post(night, path: str, body: bytes) -> tuple[int, dict]:
    control = json.loads((night.folder / "control.json").read_text())
    wire = http.client.HTTPConnection(control["host"], control["port"], timeout=5.0)
    wire.request("POST", path, body, {"Authorization": f"Bearer {control['token']}"})
    answer = wire.getresponse()
    said = json.loads(answer.read())
    wire.close()
    return answer.status, said


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(bodies=st.lists(BODIES, min_size=1, max_size=4))
@example(bodies=[b'{"command_id": "\\udcfc", "text": "K\\udcfchlschrank", "by": "\\ud83d"}'])
@example(bodies=[DEEP, b'{"command_id": 1, "text": "t", "x": NaN}', b"\xff", b"[1]", b'"'])
@example(bodies=[b'{"command_id": "n", "text": "t", "x": ' + b"9" * 6000 + b"}"])
def test_whatever_comes_through_the_door_the_dose_is_given_and_the_chain_holds(
    rehearse, script, tmp_path_factory, bodies
):
    night = rehearse(tmp_path_factory.mktemp("door").name)
    night.folder.mkdir(parents=True)
    plan = script.plan([script.flow(0.0, 30.0), script.dose(60.0), script.flow(130.0, 5.0)], 200.0)
    night.make(plan)
    answers: list[tuple[int, dict]] = []
    night.visit(20.0, lambda: answers.extend(post(night, "/note", body) for body in bodies))
    assert night.runner.run().condition == "finished"
    assert {status for status, _ in answers} <= {200, 400}
    accepted = {said["at_s"] for status, said in answers if status == 200}
    assert {row.run_s for row in night.rows("command")} == accepted
    assert night.rows("dose")[-1].state == "confirmed"
    assert night.rows("run")[-1].key == "finished"


@pytest.mark.parametrize("body", [DEEP, b'{"command_id": "x", "text": "t", "n": Infinity}', b"{"])
def test_what_cannot_be_kept_is_refused_with_the_reason(rehearse, script, body):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 30.0)], 100.0))
    answers: list[tuple[int, dict]] = []
    night.visit(20.0, lambda: answers.append(post(night, "/note", body)))
    night.runner.run()
    ((status, said),) = answers
    assert status == 400
    assert "not JSON that can be kept" in said["error"]
    assert night.rows("command") == []


def test_an_instruments_words_and_a_bugs_last_ones_may_be_anything(
    rehearse, script, monkeypatch, caplog
):
    night = rehearse()
    night.make(script.night())
    sound = NewEraPump.state
    errors = [
        PortLost("dose", "said \udcff\0\ud83d", transcript=(("<", b"\xff\x00"),)),
        UnicodeDecodeError("utf-8", b"\xff", 0, 1, "K\udcfc"),
        ZeroDivisionError({1: {("a",): b"\xff", "loop": float("nan")}}),
    ]

    def broken(pump: NewEraPump) -> PumpState:
        if errors and night.clock.now_s() > 200.0 * (4 - len(errors)):
            raise errors.pop(0)
        return sound(pump)

    monkeypatch.setattr(NewEraPump, "state", broken)
    assert night.runner.run().condition == "finished"
    assert errors == []
    assert night.deviations().count("link-restored") == 3
    assert [row.state for row in night.rows("dose")].count("confirmed") == 2


def test_who_waits_for_a_worker_hears_that_it_died_even_when_nothing_can_be_written(
    rehearse, script, monkeypatch, caplog
):
    night = rehearse()
    night.make(script.plan([script.flow(0.0, 30.0)], 200.0))
    tick = Worker._tick

    def broken(worker: Worker) -> None:
        if "pulses" in worker.names and night.clock.now_s() > 50.0:
            raise ZeroDivisionError("a bug (scripted)")
        tick(worker)

    def mute(desk, code, **detail):
        if code == "worker-died":
            raise UnicodeEncodeError("utf-8", "\ud83d", 0, 1, "scripted")

    monkeypatch.setattr(Worker, "_tick", broken)
    monkeypatch.setattr("labrig.run.desk.Desk.deviation", mute)
    assert night.runner.run().condition == "failed"
