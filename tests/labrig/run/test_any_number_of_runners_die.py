"""Runners die one after another: every dose comes to one end, and none comes twice."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.record.recovery import SETTLED, fold
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, NoRunner, connect
from labrig_drivers.errors import InstrumentError

END_S, GAP_S = 900.0, 20.0
DUE_S = (100.0, 130.0, 500.0, 850.0)
VOLUME_UL = 20.0

near_a_dose = st.builds(lambda due_s, after_s: due_s + after_s, st.sampled_from(DUE_S),
                        st.floats(-5.0, 70.0))  # fmt: skip
deaths = st.lists(
    st.tuples(st.just("at_s"), st.floats(1.0, 400.0))
    | st.tuples(st.just("after_rows"), st.integers(1, 60))
    | st.tuples(st.just("after_writes"), st.integers(1, 80)),
    max_size=5,
)
CHOICES = ("do", "skip", "redo", "assume_done", "restart", "leave")
answers = st.lists(st.tuples(st.floats(1.0, END_S), st.sampled_from(CHOICES)), max_size=6)
LATENESS = {"ask": (), "once_within": (60.0,), "skip": (), "abort_arm": (60.0,)}


def _answer(client, choice) -> None:
    for question in client.status()["questions"]:
        if choice in question["options"]:
            client.answer(question["id"], choice)


@settings(
    max_examples=25, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(
    rule=st.sampled_from(["assume_done", "redo", "ask"]),
    lateness=st.sampled_from(sorted(LATENESS)),
    deaths=deaths,
    stall=st.none() | st.tuples(near_a_dose, st.floats(5.0, 200.0)),
    gone=st.none() | st.tuples(near_a_dose, st.floats(1.0, 300.0)),
    answers=answers,
    stop_s=st.none() | near_a_dose,
    hold=st.none() | st.tuples(near_a_dose, st.floats(10.0, 400.0)),
)
def test_every_dose_comes_to_one_end_however_many_runners_die(
    rehearse, script, rule, lateness, deaths, stall, gone, answers, stop_s, hold
):
    faults = {"dose": (script.Fault("stall", stall[0], sum(stall)),)} if stall else {}
    night = rehearse(f"run-{os.urandom(4).hex()}", faults=faults)
    if gone:
        night.unplugged = {"dose": (gone[0], sum(gone))}
    late = script.Lateness(lateness, *LATENESS[lateness])
    doses = [script.dose(at_s, on_unknown=rule, lateness=late) for at_s in DUE_S]
    plan = script.plan([script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), *doses], END_S)
    visits = [(at_s, lambda client, c=choice: _answer(client, c)) for at_s, choice in answers]
    if stop_s is not None:
        visits.append((stop_s, lambda client: client.stop("enough")))
    if hold is not None:
        visits.append((hold[0], lambda client: client.hold("tea")))
        visits.append((sum(hold), lambda client: client.resume()))
    now_s = 0.0
    for death in (*deaths, None):
        died_s = _live(night, plan, script, now_s, death, visits)
        if fold(night.rows()).ended:
            break
        assert died_s is not None, "it neither died nor came to an end"
        for simulator in night.simulators.values():
            simulator.advance(max(died_s, now_s))
        now_s = max(died_s, now_s) + GAP_S

    ends = Counter(
        row.key
        for row in night.rows("dose")
        if row.state in SETTLED or (row.state == "unknown" and "resolution" in row.detail)
    )
    assert ends == Counter(dose.key for dose in doses)
    _check_volumes(night, now_s, rule, counted=not stall)


def _live(night, plan, script, now_s, death, visits) -> float | None:
    """One runner, from now to its death or the end; when it died."""
    how, when = death or ("at_s", float("inf"))
    dies = script.Death(**({} if how == "at_s" else {how: when}))
    runner = night.make(plan, VirtualClock(start_s=now_s), connect=dies.connect)
    dies.clock, open_transport = night.clock, night.open_transport
    runner._open_transport = lambda port: dies.wire(open_transport(port))
    if death is not None and how == "at_s":
        night.visit(now_s + when, lambda: dies._die_if(True))
    # A dead runner is visited too, which comes to nothing; one that is held must be let go.
    for at_s, act in (*visits, (max(now_s, END_S) + 50.0, lambda client: client.resume())):
        if at_s > now_s:
            night.visit(at_s, lambda act=act: _visit(night, act))
    with contextlib.suppress(InstrumentError):  # it may die while it looks who is there
        runner.run()
    return dies.at_s


def _visit(night, act) -> None:
    with contextlib.suppress(NoRunner, CommandRefused):
        act(connect(night.folder / "control.json"))


def _check_volumes(night, now_s, rule, counted) -> None:
    """What came is never more than was planned, and is what the ledger says, where it counted.

    Where nobody knows what came, the rule `redo` asks for all of it once more.
    """
    if "dose" not in night.plants:
        return
    night.simulators["dose"].advance(now_s + 5000.0)
    night.plants["dose"].settle(now_s + 5000.0)
    moved_ul = night.plants["dose"].moved_ul
    ledger = json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))["doses"]
    told_ul = sum(dose["delivered_ul"] or 0.0 for dose in ledger)
    untold_ul = sum(dose["planned_ul"] for dose in ledger if dose["delivered_ul"] is None)
    if rule == "redo":
        untold_ul *= 2
    else:
        assert moved_ul <= VOLUME_UL * len(DUE_S) + 0.5
    assert moved_ul <= told_ul + untold_ul + 0.5
    # A pump that stalls counts what does not come.
    if counted:
        assert told_ul - 0.5 <= moved_ul
