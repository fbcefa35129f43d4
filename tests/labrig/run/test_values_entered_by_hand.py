"""What people measure by hand is judged as a probe's reading is, and outlives a runner."""

from __future__ import annotations

import pytest

from labrig.plan.run_rules import ByHand, Interlock
from labrig.record.virtual_clock import VirtualClock
from labrig.run.control_client import CommandRefused, connect

BALANCE = ByHand("balance", "weight_g", 0.0, 5000.0)
HEAVY = Interlock(
    name="heavy", instrument="balance", reservoir="", quantity="weight_g", low=None, high=4000.0,
    older_than_s=None, for_s=300.0, hysteresis=100.0, action="hold", suspends=(),
)  # fmt: skip
END_S = 3600.0


def changed(**parts):
    return Interlock(**{name: getattr(HEAVY, name) for name in HEAVY.__slots__} | parts)


@pytest.fixture
def weighed(rehearse, script):
    """A night in which somebody enters weights at these times."""

    def night_of(rules, *entered, **options):
        night = rehearse()
        timeline = [script.flow(0.0, 30.0), script.dose(1800.0)]
        plan = script.plan(timeline, END_S, interlocks=rules, by_hand=(BALANCE,))
        runner = night.make(plan, **options)
        for at_s, value, done_s in entered:
            night.visit(at_s, lambda value=value, done_s=done_s: enter(night, value, done_s))
        return night, runner, plan

    return night_of


def enter(night, value, done_s=None):
    return connect(night.folder / "control.json").reading("balance", value, "Mia", done_s)


def told(night, code):
    return [row.detail for row in night.rows("deviation") if row.key == code]


def test_it_trips_after_its_dwell_holds_the_run_and_ends_inside_its_hysteresis(weighed):
    night, runner, _ = weighed(
        (HEAVY,), (600.0, 4100.0, None), (700.0, 4120.0, None), (1000.0, 4150.0, None),
        (1100.0, 3950.0, None), (1200.0, 3000.0, None),
    )  # fmt: skip
    night.visit(1300.0, lambda: connect(night.folder / "control.json").resume(by="Mia"))
    assert runner.run().condition == "finished"
    [tripped], [over] = told(night, "interlock"), told(night, "interlock-over")
    assert (tripped["from_s"], tripped["value"]) == (pytest.approx(600.0, abs=1.0), 4100.0)
    assert over["to_s"] == pytest.approx(1200.0, abs=1.0)
    [held] = [row for row in night.rows("run") if row.key == "held"]
    assert held.run_s == pytest.approx(1000.0, abs=1.0)
    assert [row.detail["by"] for row in night.rows("note") if "meter" in row.detail] == ["Mia"] * 5


def test_one_that_was_measured_before_the_last_changes_nothing(weighed):
    rule = changed(for_s=0.0, action="alarm")
    night, runner, _ = weighed((rule,), (900.0, 3000.0, None))
    seen, told_so = [], []
    night.visit(950.0, lambda: told_so.append(enter(night, 4500.0, 600.0).get("warning")))
    night.visit(990.0, lambda: told_so.append(enter(night, 3000.0).get("warning")))
    look = lambda: seen.append(connect(night.folder / "control.json").status()["readings"])  # noqa: E731
    night.visit(1000.0, look)
    runner.run()
    assert told(night, "interlock") == []
    assert seen[0]["balance"]["weight_g"] == 3000.0
    assert ("was read later than that" in told_so[0], told_so[1]) == (True, None)


def test_that_nobody_measures_is_told_by_its_age_across_a_death(weighed, script):
    rule = changed(high=None, older_than_s=1200.0, for_s=0.0, hysteresis=0.0, action="alarm")
    death = script.Death()
    night, runner, plan = weighed((rule,), (300.0, 3000.0, None), connect=death.connect)
    death.clock = night.clock
    open_transport = night.open_transport
    runner._open_transport = lambda port: death.wire(open_transport(port))
    night.visit(600.0, lambda: setattr(death, "at_s", 600.0))
    runner.run()
    for name in ("outcome.json", "ledger.json", "control.json"):
        (night.folder / name).unlink(missing_ok=True)
    seen = []
    again = night.make(plan, VirtualClock(start_s=900.0))
    look = lambda: seen.append(connect(night.folder / "control.json").status()["readings"])  # noqa: E731
    night.visit(1000.0, look)
    again.run()
    assert seen[0]["balance"]["weight_g"] == 3000.0
    raised = [r.run_s for r in night.rows("alarm") if r.key == "interlock:heavy"]
    assert raised[0] == pytest.approx(1500.0, abs=2.0)


@pytest.mark.parametrize(
    ("meter", "value", "done_s", "why"),
    [
        ("scales", 1.0, None, "balance"),
        ("balance", 9000.0, None, "between 0 and 5000"),
        ("balance", float("nan"), None, "cannot be"),
        ("balance", 1.0, 9999.0, "say when"),
    ],
)
def test_a_slip_of_the_pen_is_refused(weighed, meter, value, done_s, why):
    night, runner, _ = weighed((HEAVY,))
    said = []

    def slip():
        with pytest.raises(CommandRefused) as refused:
            connect(night.folder / "control.json").reading(meter, value, "Mia", done_s)
        said.append(str(refused.value))

    night.visit(600.0, slip)
    runner.run()
    assert why in said[0]
    assert not [row for row in night.rows("note") if "meter" in row.detail]
