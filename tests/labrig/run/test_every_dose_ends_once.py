"""Any mixture of trouble: every dose comes to one end, and the ledger says what really came."""

from __future__ import annotations

import json
import os
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.record.entry_states import SETTLED
from labrig.record.recovery import fold
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import connect

GAP_S = 90.0
DUE_S = (100.0, 130.0, 500.0, 850.0, 880.0)
"""Two of them while the dose before is under way, one until after the end."""

# Most of the trouble is where a dose is due or under way, each of them 60 s long.
near_a_dose = st.builds(lambda due_s, after_s: due_s + after_s, st.sampled_from(DUE_S),
                        st.floats(-5.0, 70.0)).filter(lambda at_s: at_s < 895.0)  # fmt: skip


def _stop(night) -> None:
    connect(night.folder / "control.json").stop("enough")


@settings(
    max_examples=40, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(
    rule=st.sampled_from(["assume_done", "redo", "ask"]),
    gone_s=st.tuples(near_a_dose, st.floats(1.0, 400.0) | st.just(float("inf"))),
    dies_s=st.none() | near_a_dose,
    stop_s=st.none() | near_a_dose,
)
def test_every_dose_comes_to_one_end_and_none_comes_twice(
    rehearse, script, rule, gone_s, dies_s, stop_s
):
    """Whenever the cable goes and comes back, the runner dies and somebody stops the run."""
    night = rehearse(f"run-{os.urandom(4).hex()}")
    night.unplugged = {"dose": (gone_s[0], sum(gone_s))}
    doses = [script.dose(at_s, on_unknown=rule) for at_s in DUE_S]
    plan = script.plan([script.flow(0.0, 30.0), script.flow(0.0, 0.0, "dose"), *doses], 900.0)
    death = script.Death()
    first = night.make(plan, connect=death.connect)
    death.clock, open_transport = night.clock, night.open_transport
    if dies_s is not None:
        first._open_transport = lambda port: death.wire(open_transport(port))
        night.visit(dies_s, lambda: death._die_if(True))
    if stop_s is not None:
        night.visit(stop_s, lambda: _stop(night))
    first.run()
    if not fold(night.rows()).ended:
        for simulator in night.simulators.values():
            simulator.advance(dies_s)
        second = night.make(plan, VirtualClock(start_s=dies_s + GAP_S))
        if stop_s is not None and stop_s > dies_s:
            night.visit(max(stop_s, dies_s + GAP_S + 1.0), lambda: _stop(night))
        second.run()

    ends = Counter(
        row.key
        for row in night.rows("dose")
        if row.state in SETTLED or (row.state == "unknown" and "resolution" in row.detail)
    )
    assert ends == Counter(dose.key for dose in doses)
    night.simulators["dose"].advance(3000.0)
    night.plants["dose"].settle(3000.0)
    ledger = json.loads((night.folder / "ledger.json").read_text(encoding="utf-8"))["doses"]
    told_ul = sum(dose["delivered_ul"] or 0.0 for dose in ledger)
    untold_ul = sum(dose["planned_ul"] for dose in ledger if dose["delivered_ul"] is None)
    assert told_ul - 0.5 <= night.plants["dose"].moved_ul <= told_ul + untold_ul + 0.5
    assert night.plants["dose"].moved_ul <= 20.0 * len(doses) + 0.5
