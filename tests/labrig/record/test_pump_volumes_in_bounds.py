"""Whatever outages, power cuts and deaths leave: what a pump moved is within its bounds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from labrig.plan.timeline import Dose, FlowLevel, Lateness
from labrig.record.detail import to_detail
from labrig.record.flow_bounds import pump_flows
from labrig.record.flow_steps import volume_ul
from labrig.record.kinds.doses import DoseSent, SentDose
from labrig.record.ledger import dose_ledger
from labrig.record.pump_orders import DoseOrder, OrdersFold
from labrig.record.pump_readings import CounterReading, PumpReadings
from labrig.record.rows import Row
from labrig.soak.drawn_plans import plan_of

END_S = 900.0
RANGE_UL = 10_000.0
VOLUME_UL, DOSE_UL_MIN = 10.0, 20.0
POLL_S = 30.0
NEW_ERA = {"dose": ("new_era_ne1000", {"address": 0})}


@dataclass
class LittlePump:
    """Moves liquid; its counter rolls over, or tells nothing of lost power."""

    ranged: bool
    counter_ul: float
    rate_ul_min: float = 0.0
    dose_left_ul: float = 0.0
    moved_ul: float = 0.0
    alarm: bool = False

    def pass_s(self, seconds: float) -> None:
        came_ul = self.rate_ul_min * seconds / 60.0
        if self.dose_left_ul > 0:
            came_ul = min(DOSE_UL_MIN * seconds / 60.0, self.dose_left_ul)
            self.dose_left_ul -= came_ul
        self.moved_ul += came_ul
        self.counter_ul += came_ul
        if self.ranged:
            self.counter_ul %= RANGE_UL

    def cut_power(self) -> None:
        self.rate_ul_min = self.dose_left_ul = self.counter_ul = 0.0
        self.alarm = self.ranged

    def reading(self) -> dict[str, Any]:
        dosing = self.dose_left_ul > 0
        alarm, self.alarm = ("power was interrupted" if self.alarm else None), False
        return {
            "running": dosing or self.rate_ul_min > 0, "alarm": alarm,
            "rate_ul_min": DOSE_UL_MIN if dosing else self.rate_ul_min,
            "delivered_ul": self.counter_ul,
            "drive_watched": False,
            "counter_range_ul": RANGE_UL if self.ranged else None,
        }  # fmt: skip


@dataclass
class LittleRunner:
    """Writes down what a runner would, one after another; the dead take their last rows along."""

    pump: LittlePump
    levels: list[FlowLevel]
    rows: list[Row] = field(default_factory=list)
    now_s: float = 0.0
    alive: bool = True
    linked: bool = True
    dosing: bool = False
    firm: int = 0

    def write(self, kind: str, key: str, state: str = "noted", **detail: Any) -> None:
        self.rows.append(
            Row(len(self.rows) + 1, kind, key, state, 1, self.now_s, "", 0.0, "", detail, "")
        )

    def read(self) -> None:
        self.write("sample", "dose", **self.pump.reading())

    def meet(self) -> None:
        if self.alive and self.linked:
            self.write("run", "attached", instrument="dose", identity={})
            self.read()
            self.look()

    def look(self) -> None:
        """As every half a minute, and when a level is due."""
        if not (self.alive and self.linked):
            return
        self.read()
        if self.pump.dose_left_ul > 0:
            return
        if self.dosing:
            self.write("dose", "bolus", "unknown", delivered_ul=None)
            self.dosing = False
        level = [level for level in self.levels if level.offset_s <= self.now_s][-1]
        self.pump.rate_ul_min = level.rate_ul_min
        self.read()
        self.write(
            "level", level.key, "confirmed", rate_ul_min=level.rate_ul_min, instrument="dose"
        )

    def happen(self, what: str, lost: int) -> None:
        if what == "cut":
            self.pump.cut_power()
        elif what == "unplug":
            self.linked = False
        elif what == "plug" and not self.linked:
            self.linked = True
            self.meet()
        elif what == "kill" and self.alive:
            self.alive = False
            self.rows = self.rows[: max(len(self.rows) - lost, self.firm)]
        elif what == "adopt" and not self.alive:
            self.alive = True
            self.write("run", "adopted", epoch=2)
            self.meet()
        elif what == "dose" and self.alive and self.linked and not self.dosing:
            self.read()
            sent = SentDose(VOLUME_UL, DOSE_UL_MIN, self.now_s, False, 0.0, 0.0)
            self.write("dose", "bolus", "sent", **to_detail(DoseSent("dose", ("A1", "A2"), sent)))
            # Written before it is sent: no death takes it.
            self.firm, self.dosing = len(self.rows), True
            self.pump.rate_ul_min, self.pump.dose_left_ul = 0.0, VOLUME_UL


def said_by_pump(readings):
    said = PumpReadings()
    for reading in readings:
        said.add(reading)
    return said


def night(changes, happenings, ranged, counter_ul, at_rest_first, garbled=None):
    """Play it; the pump, and its totals by the ledger."""
    rates = [(0.0, 0.0 if at_rest_first else 30.0), *sorted(changes)]
    levels = [FlowLevel(f"level-{n}", at_s, "night", "dose", rate, ("A1", "A2"))
              for n, (at_s, rate) in enumerate(rates)]  # fmt: skip
    dose = Dose("bolus", 100.0, "night", "dose", VOLUME_UL, DOSE_UL_MIN, ("A1", "A2"), "CNTF",
                Lateness("skip"), "assume_done")  # fmt: skip
    pump = LittlePump(ranged, counter_ul if ranged else 0.0)
    runner = LittleRunner(pump, levels)
    runner.write("run", "started")
    runner.firm = 1
    looks = [(n * POLL_S, "look", 0) for n in range(1, int(END_S / POLL_S))]
    looks += [(at_s, "look", 0) for at_s, _ in changes]
    runner.meet()
    for at_s, what, lost in sorted([*looks, *happenings, (END_S, "look", 0)]):
        pump.pass_s(at_s - runner.now_s)
        runner.now_s = at_s
        runner.look() if what == "look" else runner.happen(what, lost)
    for at_s, counted_ul in (garbled or {}).items():
        shown = [row for row in runner.rows if row.kind == "sample" and row.run_s == at_s]
        shown[-1].detail["delivered_ul"] = counted_ul
    plan = plan_of([*levels, dose], NEW_ERA, END_S, "off")
    (totals,) = dose_ledger(plan, runner.rows, END_S).pumps
    return pump, totals


whens = st.floats(0.1, END_S - 0.1).map(lambda at_s: round(at_s, 1))
happenings = st.lists(
    st.tuples(whens, st.sampled_from(["cut", "unplug", "plug", "kill", "adopt", "dose"]),
              st.integers(0, 12)),
    max_size=10,
)  # fmt: skip
changes = st.lists(
    st.tuples(whens, st.sampled_from([0.0, 6.0, 15.0, 40.0])), max_size=3, unique_by=lambda c: c[0]
)

HEARD_BY_ONE_WHO_DIED = [
    (10.0, "kill", 0), (20.0, "cut", 0), (25.0, "adopt", 0), (26.0, "kill", 6), (40.0, "adopt", 0),
]  # fmt: skip
"""The pump told of its power cut once, and whoever heard it took the row along."""


@settings(max_examples=400, deadline=None, derandomize=True)
@given(changes, happenings, st.booleans(), st.sampled_from([0.0, 9.0, 500.0, 9_990.0]),
       st.booleans())  # fmt: skip
@example([], [(10.0, "kill", 12), (300.0, "adopt", 0)], True, 0.0, False)
@example([(300.0, 6.0)], [(200.0, "unplug", 0)], True, 0.0, False)
@example([], [(20.0, "cut", 0)], False, 0.0, False)
@example([], [(20.0, "cut", 0)], True, 0.0, False)
@example([], HEARD_BY_ONE_WHO_DIED, True, 0.0, False)
def test_what_a_pump_moved_is_between_what_is_believed_and_what_may_have_come(
    changes, happenings, ranged, counter_ul, at_rest_first
):
    pump, totals = night(changes, happenings, ranged, counter_ul, at_rest_first)
    tolerance_ul = 0.2 + 0.01 * pump.moved_ul
    assert totals.believed_ul - tolerance_ul <= pump.moved_ul
    assert pump.moved_ul <= totals.believed_ul + totals.unsure_ul + tolerance_ul


@settings(max_examples=100, deadline=None, derandomize=True)
@given(changes, st.sampled_from([0.0, 500.0, 9_990.0]), st.booleans())
def test_nothing_is_in_doubt_where_nothing_happened(changes, counter_ul, ranged):
    pump, totals = night(changes, [(100.0, "dose", 0)], ranged, counter_ul, False)
    assert totals.believed_ul == pytest.approx(pump.moved_ul, rel=0.005, abs=0.2)
    assert totals.unsure_ul <= 0.01 * pump.moved_ul + 0.2


def test_a_counter_that_went_on_settles_what_nobody_watched():
    """Unplugged for five minutes and a level missed meanwhile; nothing is left in doubt."""
    changes, gone = [(300.0, 6.0)], [(200.0, "unplug", 0), (500.0, "plug", 0)]
    pump, totals = night(changes, gone, True, 0.0, False)
    assert totals.believed_ul == pytest.approx(pump.moved_ul, abs=0.5)
    assert totals.unsure_ul < 0.5


def test_a_pump_that_nobody_reached_again_is_believed_no_further_than_it_counted():
    _, totals = night([(300.0, 6.0)], [(200.0, "unplug", 0)], True, 0.0, False)
    assert totals.believed_ul == pytest.approx(90.0)
    # Its last reading was at 180 s; it may have gone on at 30 µL/min, or stood.
    assert totals.unsure_ul == pytest.approx(360.0)


@pytest.mark.parametrize("ranged", [True, False])
@pytest.mark.parametrize("at_s", [60.0, 450.0, END_S])
@pytest.mark.parametrize("garbled_ul", [7.0, 900.0, 8_000.0])
def test_one_garbled_digit_of_a_counter_is_no_medium(ranged, at_s, garbled_ul):
    pump, totals = night([(300.0, 6.0)], [(100.0, "dose", 0)], ranged, 100.0, False,
                         garbled={at_s: garbled_ul})  # fmt: skip
    tolerance_ul = 0.2 + 0.01 * pump.moved_ul
    assert totals.believed_ul - tolerance_ul <= pump.moved_ul
    assert pump.moved_ul <= totals.believed_ul + totals.unsure_ul + tolerance_ul
    assert totals.unsure_ul < 10.0


@pytest.mark.parametrize("more_ul", [4.0, 6.0, 9.0])
def test_a_level_and_a_dose_do_not_come_at_one_time(more_ul):
    """A garbled last reading of a dose under way: as much had it come beside its level."""
    given_to = [(1.0, 15.0)], [(880.0, "dose", 0)], True, 0.0, False
    counted_ul = night(*given_to)[0].counter_ul
    pump, totals = night(*given_to, garbled={END_S: counted_ul + more_ul})
    assert totals.believed_ul <= pump.moved_ul + 0.2
    assert pump.moved_ul <= totals.believed_ul + totals.unsure_ul + 0.2


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.floats(1.0, END_S - 60.0), st.floats(0.0, 400.0))
@example(541.6, 180.0)
def test_a_dose_of_a_pump_at_rest_came_when_it_was_given(dose_s, silent_s):
    """Seen at rest before and after it; the last that is read of the pump is after the end."""
    done_s = dose_s + 32.0
    polls_s = [n * 60.0 for n in range(int(END_S - silent_s) // 60 + 1)]
    looks_s = sorted({*(p for p in polls_s if not dose_s < p < done_s), dose_s, done_s, END_S + 50})
    readings = [CounterReading(at_s, 0.0, 20.0 if at_s >= done_s else 0.0) for at_s in looks_s]
    orders = OrdersFold(ended=True)
    orders.of("dose").doses.append(DoseOrder(dose_s, 20.0, 40.0, done_s))
    flow = pump_flows({"dose": said_by_pump(readings)}, orders, END_S)["dose"]
    assert flow.exact
    for at_s, came_ul in ((dose_s, 0.0), (done_s, 20.0), (END_S, 20.0)):
        assert volume_ul(flow.least, at_s) == pytest.approx(came_ul, abs=1e-6)


def test_a_counter_that_ends_sooner_after_a_power_cut_has_not_gone_round_at_it():
    """It counted mL up to its last reading, began anew, and is told to count µL at a takeover."""
    seen = [(0.0, 0.0, 9990.0), (100.0, 0.0, 9992.0), (200.0, 30.0, 0.0), (300.0, 30.0, 50.0)]
    readings = [CounterReading(*reading, range_ul=1e7) for reading in seen]
    readings.append(CounterReading(400.0, 0.0, 50.0, met_anew=True, range_ul=1e4))
    orders = OrdersFold()
    flow = pump_flows({"dose": said_by_pump(readings)}, orders, 400.0)["dose"]
    assert volume_ul(flow.least, 400.0) == pytest.approx(52.0, abs=0.1)


def test_a_counter_that_is_told_in_another_unit_at_a_takeover_has_gone_round():
    seen = [(0.0, 9.0, 9990.0), (240.0, 9.0, 10026.0)]
    readings = [CounterReading(*reading, range_ul=1e7) for reading in seen]
    readings.append(CounterReading(270.0, 9.0, 30.5, met_anew=True, range_ul=1e4))
    flow = pump_flows({"dose": said_by_pump(readings)}, OrdersFold(), 270.0)["dose"]
    assert volume_ul(flow.least, 270.0) == pytest.approx(40.5)
    assert flow.exact


def read_late(came_ul: float, level: float = 6.0, sent_s: float = 100.0):
    """A dose of 20 µL at 20 µL/min, which is read at 600 s."""
    orders = OrdersFold()
    orders.of("dose").doses.append(DoseOrder(sent_s, 20.0, 20.0, ended_s=600.0))
    readings = [CounterReading(0.0, level, 0.0), CounterReading(600.0, level, came_ul)]
    readings = [replace(reading, range_ul=1e4) for reading in readings]
    return pump_flows({"dose": said_by_pump(readings)}, orders, 600.0)["dose"]


def test_a_dose_that_is_read_late_came_when_it_was_sent():
    flow = read_late(20.0 + 6.0 * 9.0)
    assert flow.exact
    moments = (100.0, 160.0, 600.0)
    assert [volume_ul(flow.least, at_s) for at_s in moments] == pytest.approx([10.0, 30.0, 74.0])


def test_of_two_rates_at_one_moment_the_later_word_holds():
    """A dose that is slower than its level, sent in the moment of a reading."""
    moments = (60.0, 600.0)
    flow = read_late(20.0 + 30.0 * 9.0, level=30.0, sent_s=0.0)
    assert flow.exact
    assert flow.least[0] == (0.0, pytest.approx(20.0))
    assert [volume_ul(flow.least, at_s) for at_s in moments] == pytest.approx([20.0, 290.0])


def test_a_dose_of_which_a_part_came_may_have_come_as_soon_as_it_was_sent():
    flow = read_late(48.0)
    moments = (100.0, 160.0, 600.0)
    assert [volume_ul(flow.most, at_s) for at_s in moments] == pytest.approx([10.0, 30.0, 48.0])
    assert [volume_ul(flow.least, at_s) for at_s in moments] == pytest.approx([8.0, 12.8, 48.0])


@pytest.mark.parametrize(
    ("came_ul", "level", "sent_s"),
    [(15.0, 0.0, 500.0), (5.0, 6.0, 100.0), (0.0, 6.0, 100.0), (0.0, 6.0, -100.0)],
    ids=["of a pump at rest", "less than its level", "nothing", "nothing, long over"],
)
def test_of_a_dose_that_is_read_late_the_least_is_never_more_than_the_most(came_ul, level, sent_s):
    flow = read_late(came_ul, level, sent_s)
    for at_s in (0.0, sent_s, sent_s + 10.0, 550.0):
        assert volume_ul(flow.least, at_s) <= volume_ul(flow.most, at_s) + 1e-9
    assert volume_ul(flow.least, 600.0) == pytest.approx(came_ul)
    assert volume_ul(flow.most, 600.0) == pytest.approx(came_ul)
    starts_s = [at_s for at_s, _ in flow.most]
    assert starts_s == sorted(set(starts_s))


def test_a_last_digit_that_shows_less_is_no_counter_that_began_anew():
    seen = [(0.0, 0.0, 8.533), (60.0, 0.0, 8.531)]
    readings = [CounterReading(*reading, range_ul=1e4) for reading in seen]
    flow = pump_flows({"dose": PumpReadings(readings)}, OrdersFold(), 60.0)["dose"]
    assert volume_ul(flow.most, 60.0) == 0.0


def of_a_coarse_counter(rate_ul_min, until_s=7200.0, stands=(0.0, 0.0)):
    """Read every minute, cut to whole microlitres; between two times nothing comes."""
    said, moved_ul = PumpReadings(), 1000.0
    for at_s in range(0, int(until_s) + 1, 60):
        said.add(CounterReading(at_s, rate_ul_min, float(int(moved_ul + 1e-9)), False, False, 1e4))
        moved_ul += 0.0 if stands[0] <= at_s < stands[1] else rate_ul_min
    return pump_flows({"p": said}, OrdersFold(), until_s)["p"]


def test_the_last_digit_of_a_coarse_counter_is_no_change_of_flow():
    flow = of_a_coarse_counter(2.55)
    rates = [rate for at_s, rate in flow.least if at_s < 7200.0]
    assert flow.exact
    assert max(abs(rate / 2.55 - 1.0) for rate in rates) <= 0.01
    assert volume_ul(flow.least, 7200.0) == pytest.approx(2.55 * 120.0, abs=1.0)


def test_a_stall_is_not_averaged_away_with_the_digits():
    flow = of_a_coarse_counter(0.5, stands=(3600.0, 5400.0))
    came_ul = volume_ul(flow.least, 5400.0) - volume_ul(flow.least, 3900.0)
    assert came_ul <= 2.0, "but for what two digits hide"
    assert volume_ul(flow.least, 7200.0) - volume_ul(flow.least, 5400.0) >= 13.0
