"""While a run is held its pumps feed, and no dose, train or picture begins, whoever asks."""

from __future__ import annotations

import contextlib
import os

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.record.recovery import fold
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, NoRunner, connect

END_S = 900.0
DUE_S = (100.0, 130.0, 160.0, 500.0, 650.0)
TRIGGER_OP = b"\xd5\x4d"
CHOICES = ("do", "skip", "redo", "assume_done")

near_a_dose = st.builds(
    lambda due_s, after_s: due_s + after_s, st.sampled_from(DUE_S), st.floats(-5.0, 70.0)
)
holds = st.lists(st.tuples(near_a_dose, st.floats(0.0, 300.0)), min_size=1, max_size=3)


class Bystander:
    """Holds and resumes, and knows in which pieces of the wire the run was held."""

    def __init__(self, night) -> None:
        self.night = night
        self.spans: list[list[int]] = []

    def hold(self) -> None:
        with contextlib.suppress(NoRunner, CommandRefused):
            connect(self.night.folder / "control.json").hold("tea")
            if not self.spans or len(self.spans[-1]) == 2:
                self.spans.append([len(self.night.wire)])

    def resume(self) -> None:
        with contextlib.suppress(NoRunner, CommandRefused):
            connect(self.night.folder / "control.json").resume()
            if self.spans and len(self.spans[-1]) == 1:
                self.spans[-1].append(len(self.night.wire))

    def answer(self, choice: str) -> None:
        with contextlib.suppress(NoRunner, CommandRefused):
            client = connect(self.night.folder / "control.json")
            for question in client.status()["questions"]:
                if choice in question["options"]:
                    client.answer(question["id"], choice)

    def begun_while_held(self) -> list[tuple[float, str, bytes]]:
        found = []
        for begin, *end in self.spans:
            for now_s, port, way, data in self.night.wire[begin : end[0] if end else None]:
                dose = port == "dose" and b"RUN" in data
                train = port == "pulses" and data[:2] == TRIGGER_OP
                move = port == "stage" and data.startswith(b"M ")
                if way == ">" and (dose or train or move):
                    found.append((now_s, port, data))
        return found


@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    rule=st.sampled_from(["assume_done", "redo", "ask"]),
    lateness=st.sampled_from(["ask", "coalesce", "skip", "once_within", "abort_arm"]),
    held=holds,
    gone=st.none() | st.tuples(near_a_dose, st.floats(1.0, 200.0)),
    stall=st.none() | st.tuples(near_a_dose, st.floats(5.0, 100.0)),
    answers=st.lists(st.tuples(st.floats(1.0, END_S), st.sampled_from(CHOICES)), max_size=5),
    dies_s=st.none() | near_a_dose,
)
def test_nothing_that_begins_something_is_sent_while_held(
    rehearse, script, rule, lateness, held, gone, stall, answers, dies_s
):
    faults = {"dose": (script.Fault("stall", stall[0], sum(stall)),)} if stall else {}
    night = rehearse(f"run-{os.urandom(4).hex()}", faults=faults)
    if gone:
        night.unplugged = {"dose": (gone[0], sum(gone))}
    late = script.Lateness(lateness, 120.0)
    doses = [script.dose(at_s, on_unknown=rule, lateness=late) for at_s in DUE_S]
    frames = [script.frame(90.0 * i, i, 400.0 * (i % 2)) for i in range(10)]
    levels = [script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), script.stimulate(0.0, 20.0)]
    plan = script.plan([*levels, *doses, *frames], END_S)
    bystander = Bystander(night)
    now_s = 0.0
    for death_s in (dies_s, None):
        death = script.Death()
        runner = night.make(plan, VirtualClock(start_s=now_s), connect=death.connect)
        death.clock, open_transport = night.clock, night.open_transport
        runner._open_transport = lambda port, wrap=death.wire, o=open_transport: wrap(o(port))
        for from_s, for_s in held:
            _visit(night, now_s, from_s, bystander.hold)
            _visit(night, now_s, from_s + for_s, bystander.resume)
        for at_s, choice in answers:
            _visit(night, now_s, at_s, lambda c=choice: bystander.answer(c))
        _visit(night, now_s, max(now_s, END_S) + 50.0, bystander.resume)
        if death_s is not None:
            _visit(night, now_s, death_s, lambda d=death: d._die_if(True))
        runner.run()
        if fold(night.rows()).ended:
            break
        now_s = death.at_s + 20.0
    assert bystander.spans
    assert bystander.begun_while_held() == []
    ends = {row.key: row for row in night.rows("dose", "frame")}
    unsettled = {e.key for e in (*doses, *frames)} - set(ends)
    assert not unsettled


def _visit(night, now_s, at_s, act) -> None:
    if at_s > now_s:
        night.visit(at_s, act)


@pytest.mark.parametrize("rule", ["do after the hold", "too late"])
def test_a_dose_whose_link_was_lost_waits_for_the_end_of_the_hold(rehearse, script, rule):
    """The link comes back within the hold; the dose's own rule decides at its end."""
    night = rehearse(unplugged={"dose": (90.0, 200.0)})
    grace_s = 900.0 if rule == "do after the hold" else 300.0
    late = script.Lateness("once_within", grace_s)
    timeline = [script.flow(0.0, 0.0, "dose"), script.dose(100.0, lateness=late)]
    runner = night.make(script.plan(timeline, 1800.0))
    bystander = Bystander(night)
    night.visit(150.0, bystander.hold)
    night.visit(800.0, bystander.resume)
    runner.run()
    assert bystander.begun_while_held() == []
    sent = [row.run_s for row in night.rows("dose") if row.state == "sent"]
    assert [s for s in sent if s > 150.0] == ([800.0] if grace_s == 900.0 else [])
    assert night.rows("dose")[-1].state == ("confirmed" if grace_s == 900.0 else "missed")


def test_a_stop_ends_what_a_hold_kept_back(rehearse, script):
    night = rehearse(unplugged={"dose": (90.0, 200.0)})
    timeline = [script.flow(0.0, 0.0, "dose"), script.dose(100.0)]
    runner = night.make(script.plan(timeline, 1800.0))
    bystander = Bystander(night)
    night.visit(150.0, bystander.hold)
    night.visit(800.0, lambda: connect(night.folder / "control.json").stop())
    runner.run()
    ends = [row for row in night.rows("dose") if row.state not in ("intent", "sent")]
    assert [row.state for row in ends] == ["refused"]


def test_hold_and_resume_in_one_moment_end_as_the_last_one_said(rehearse, script):
    night = rehearse()
    runner = night.make(script.plan([script.flow(0.0, 30.0), script.stimulate(0.0, 20.0)], 600.0))

    def there_and_back() -> None:
        client = connect(night.folder / "control.json")
        for act in (client.hold, client.resume, client.hold, client.resume, client.hold):
            act()

    night.visit(95.0, there_and_back)
    night.visit(300.0, lambda: connect(night.folder / "control.json").resume())
    runner.run()
    starts = [at_s for at_s, _ in night.plants["pulses"].trains]
    assert not [at_s for at_s in starts if 95.0 < at_s < 300.0]
    assert [at_s for at_s in starts if at_s > 300.0]
