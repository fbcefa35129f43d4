"""Runners die one after another: every dose comes to one end, and none comes twice."""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.record.entry_states import SETTLED
from labrig.record.recovery import fold
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, NoRunner, connect
from labrig_drivers.errors import InstrumentError

END_S, GAP_S = 900.0, 20.0
DUE_S = (100.0, 130.0, 500.0, 850.0)
VOLUME_UL = 20.0

near_a_dose = st.builds(lambda due_s, after_s: due_s + after_s, st.sampled_from(DUE_S),
                        st.floats(-5.0, 70.0))  # fmt: skip
cuts_power = st.booleans()
deaths = st.lists(
    st.tuples(st.just("at_s"), st.floats(1.0, 400.0), cuts_power)
    | st.tuples(st.just("after_rows"), st.integers(1, 60), cuts_power)
    | st.tuples(st.just("after_writes"), st.integers(1, 80), cuts_power),
    max_size=5,
)
COUNTED_UL = (0.0, 0.0, 95.0, 985.0, 9_975.0, 9_999.5)
"""What the pump has counted before: its four digits begin at 0 again, and grow coarser."""
CHOICES = ("do", "skip", "redo", "assume_done", "restart", "leave")
answers = st.lists(st.tuples(st.floats(1.0, END_S), st.sampled_from(CHOICES)), max_size=6)
LATENESS = {"ask": (), "once_within": (60.0,), "skip": (), "abort_arm": (60.0,)}


def _answer(client, choice) -> None:
    for question in client.status()["questions"]:
        if choice in question["options"]:
            client.answer(question["id"], choice)


@settings(
    max_examples=40, deadline=None, derandomize=True,
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
    counted_ul=st.sampled_from(COUNTED_UL),
    volume_ul=st.sampled_from([VOLUME_UL, VOLUME_UL, 2.5, 0.4]),
)
def test_every_dose_comes_to_one_end_however_many_runners_die(
    rehearse, script, rule, lateness, deaths, stall, gone, answers, stop_s, hold, counted_ul,
    volume_ul,
):  # fmt: skip
    faults = {"dose": (script.Fault("stall", stall[0], sum(stall)),)} if stall else {}
    night = rehearse(f"run-{os.urandom(4).hex()}", faults=faults)
    night.count_from(counted_ul)
    if gone:
        night.unplugged = {"dose": (gone[0], sum(gone))}
    late = script.Lateness(lateness, *LATENESS[lateness])
    doses = [script.dose(at_s, volume_ul, on_unknown=rule, lateness=late) for at_s in DUE_S]
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
        if death is not None and death[2]:
            # The cut takes the computer and the pump.
            night.cut_power("dose", max(died_s, now_s))
        now_s = max(died_s, now_s) + GAP_S

    ends = Counter(
        row.key
        for row in night.rows("dose")
        if row.state in SETTLED or (row.state == "unknown" and "resolution" in row.detail)
    )
    assert ends == Counter(dose.key for dose in doses)
    redone = any(r.detail.get("choice") == "redo" for r in night.rows("note"))
    _check_volumes(night, now_s, volume_ul, redone)


def _live(night, plan, script, now_s, death, visits) -> float | None:
    """One runner, from now to its death or the end; when it died."""
    how, when, _ = death or ("at_s", float("inf"), False)
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


def _check_volumes(night, now_s, volume_ul, redone) -> None:
    """What came is never more than was planned, unless a person was told and wanted it.

    And the ledger says so: what its pumps know came, and no more than its upper bound.
    """
    night.simulators["dose"].advance(now_s + 5000.0)
    night.plants["dose"].settle(now_s + 5000.0)
    moved_ul = night.plants["dose"].moved_ul
    ledger = json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))
    doses = ledger["doses"]
    # A counter of four digits is cut to its last, and a stall to the moment.
    unsure_ul = 0.1 + sum(dose["delivered_ul"] is not None for dose in doses)
    if not redone:
        assert moved_ul <= volume_ul * len(DUE_S) + 0.1
    assert moved_ul <= sum(dose["at_most_ul"] for dose in doses) + 0.1
    assert sum(dose["delivered_ul"] or 0.0 for dose in doses) - unsure_ul <= moved_ul
    (totals,) = [pump for pump in ledger["pumps"] if pump["pump"] == "dose"]
    assert sum(dose["at_most_ul"] for dose in doses) <= totals["commanded_ul"] + unsure_ul
