"""Interlocks between a look and a reaction: in which order things reach them."""

from labrig.plan.run_rules import Interlock
from labrig.run.interlocks import Interlocks, Watch
from labrig.run.measured import Measured
from labrig.run.rig_rules import RigRule
from labrig.run.trips import Stale, Trip

HOLD = Interlock(
    name="co2", instrument="probe", reservoir="", quantity="co2_percent", low=4.0, high=6.0,
    older_than_s=None, for_s=0.0, hysteresis=0.5, action="hold", suspends=(),
)  # fmt: skip


def test_a_look_whose_row_was_long_in_writing_makes_nothing_younger():
    reactions = []
    rule = Stale("old", "probe", "co2_percent", 100.0)
    watch = Watch(rule, lambda before, now, seen: reactions.append((before, now)))
    interlocks = Interlocks([watch])
    interlocks.see(Measured("probe", {"co2_percent": 5.0}, 0.0))
    interlocks.judge(100.0)
    interlocks.see(Measured("pump", {"delivered_ul": 1.0}, 99.0))
    stood = Trip(rule, 0.0, True, "co2_percent")
    assert reactions == [(None, None), (None, stood)]
    interlocks.see(Measured("probe", {"co2_percent": 5.0}, 99.5))
    assert reactions[-1] == (stood, None), "but a newer value ends it"


class Desk:
    def __init__(self, done):
        self.deviation = lambda said: done.append("written")
        self.alarm = lambda *said: done.append("told")


def test_the_run_is_held_before_anything_is_written_of_a_rule_that_holds():
    done = []
    rule = RigRule(HOLD, Desk(done), {}, lambda what, by: done.append("held")).watch()
    interlocks = Interlocks([rule])
    interlocks.see(Measured("probe", {"co2_percent": 9.0}, 0.0))
    assert done == ["held", "written", "told"]
