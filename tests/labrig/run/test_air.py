"""What is said of the air, held against the same written down look by look."""

from dataclasses import dataclass, field
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plan.run_rules import RunRules
from labrig.record.detail import to_detail
from labrig.record.said import SaidDeviation
from labrig.run.air import quantities_of, watches_of
from labrig.run.board import Alarm, Board
from labrig.run.interlocks import Interlocks
from labrig.run.measured import Measured
from labrig_drivers.kinds import CO2, TEMPERATURE

RULES = RunRules()
LIMITS = {
    "CO2": ("co2_percent", RULES.co2_percent, RULES.warn_co2_percent),
    "temperature": ("temperature_c", RULES.temperature_c, RULES.warn_temperature_c),
}


@dataclass
class Desk:
    """Takes down what is said."""

    board: Board = field(default_factory=Board)
    deviations: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def alarm(self, code: str, about: str, what: str, remedy: str) -> None:
        self.board.alarm(Alarm(code, about, 0.0, what, remedy))

    def deviation(self, said: SaidDeviation) -> None:
        self.deviations.append((said.CODE, to_detail(said)))

    def stands(self) -> set[tuple[str, str]]:
        return {(alarm.code, alarm.about) for alarm in self.board.alarms()}


class LookByLook:
    """Says which alarms stand, and what is written down, from the definitions alone."""

    def __init__(self) -> None:
        self.alarms: set[tuple[str, str]] = set()
        self.deviations: list[tuple[str, dict[str, Any]]] = []
        self.blind_since_s: float | None = None
        self.told = self.has_seen = False
        self.far_since_s: float | None = None

    def see(self, look: Measured) -> None:
        missing = [label for label, (q, _, _) in LIMITS.items() if look.values[q] is None]
        if not look.trusted or missing:
            self.alarms.add(("probe", "probe"))
            what = f"it gives no {' and no '.join(missing)}." if look.trusted else "not trusted"
            self.blind_since_s = look.at_s if self.blind_since_s is None else self.blind_since_s
            long = look.at_s - self.blind_since_s >= 900.0
            if not self.told and (self.has_seen or long):
                self.told = True
                self._say("environment-unseen", from_s=self.blind_since_s, what=what)
        if not look.trusted:
            return
        if not missing:
            self.alarms.discard(("probe", "probe"))
            if self.told:
                self._say("environment-seen", from_s=self.blind_since_s, to_s=look.at_s)
            self.has_seen, self.told, self.blind_since_s = True, False, None
            self._judge(look)

    def _judge(self, look: Measured) -> None:
        off = {
            label: abs(look.values[q] - wanted) / limit
            for label, (q, wanted, limit) in LIMITS.items()
        }
        for label, times in off.items():
            key = ("environment", f"probe {label}")
            (self.alarms.add if times > 1.0 else self.alarms.discard)(key)
        trip = ("environment-trip", "probe")
        if max(off.values()) <= 2.0:
            self.end(look.at_s)
            self.alarms.discard(trip)
        elif self.far_since_s is None:
            self.far_since_s = look.at_s
            self._say("environment-off", from_s=look.at_s)
        elif look.at_s - self.far_since_s >= 900.0:
            self.alarms.add(trip)

    def end(self, to_s: float) -> None:
        if self.far_since_s is not None:
            self._say("environment", from_s=self.far_since_s, to_s=to_s)
        self.far_since_s = None

    def _say(self, code: str, **detail: Any) -> None:
        self.deviations.append((code, {"instrument": "probe", **detail}))


PERCENT = st.sampled_from([4.0, 4.4, 4.6, 5.0, 5.3, 5.9, 6.2, 9.0])
CELSIUS = st.sampled_from([30.0, 35.7, 36.4, 37.0, 37.4, 37.9, 38.6])


@given(
    st.lists(
        st.tuples(
            st.sampled_from([60.0, 300.0, 600.0]),
            st.one_of(st.none(), st.tuples(PERCENT, CELSIUS)),
            st.booleans(),
        ),
        max_size=20,
    )
)
def test_alarms_and_deviations_are_those_of_the_definitions(series):
    desk, expected = Desk(), LookByLook()
    interlocks = Interlocks(watches_of(desk, "probe", quantities_of(RULES), (CO2, TEMPERATURE)))  # type: ignore[arg-type]
    at_s = 0.0
    for step_s, values, trusted in series:
        at_s += step_s
        co2, temperature = values or (None, None)
        look = Measured("probe", {"co2_percent": co2, "temperature_c": temperature}, at_s, trusted)
        interlocks.see(look)
        expected.see(look)
        assert desk.stands() == expected.alarms
    interlocks.end(at_s + 10.0)
    expected.end(at_s + 10.0)
    assert desk.deviations == expected.deviations


def test_a_probe_that_gives_one_quantity_alone_is_judged_by_that_one():
    desk = Desk()
    interlocks = Interlocks(watches_of(desk, "probe", quantities_of(RULES), (CO2, TEMPERATURE)))  # type: ignore[arg-type]
    interlocks.see(Measured("probe", {"co2_percent": None, "temperature_c": 39.0}, 0.0))
    assert desk.stands() == {("probe", "probe"), ("environment", "probe temperature")}
    assert "it gives no CO2." in {alarm.what for alarm in desk.board.alarms()}


def test_what_an_earlier_runner_raised_goes_with_the_first_sound_look_and_no_earlier():
    desk = Desk()
    desk.alarm("environment", "probe CO2", "9 %", "")
    desk.alarm("environment-trip", "probe", "far off", "")
    interlocks = Interlocks(watches_of(desk, "probe", quantities_of(RULES), (CO2, TEMPERATURE)))  # type: ignore[arg-type]
    values = {"co2_percent": 5.0, "temperature_c": 37.0}
    interlocks.see(Measured("probe", values, 0.0, trusted=False, note="warming up"))
    assert len(desk.stands()) == 3
    interlocks.see(Measured("probe", values, 60.0))
    assert desk.stands() == set()


@pytest.mark.parametrize(("apart_s", "trips"), [(899.0, False), (900.0, True)])
def test_far_off_for_a_quarter_of_an_hour_is_an_alarm_of_its_own(apart_s, trips):
    desk = Desk()
    interlocks = Interlocks(watches_of(desk, "probe", quantities_of(RULES), (CO2, TEMPERATURE)))  # type: ignore[arg-type]
    for at_s in (0.0, apart_s):
        interlocks.see(Measured("probe", {"co2_percent": 9.0, "temperature_c": 37.0}, at_s))
    assert (("environment-trip", "probe") in desk.stands()) == trips


@pytest.mark.parametrize(("after_s", "told"), [(899.0, False), (900.0, True)])
def test_a_probe_that_warms_up_is_given_a_quarter_of_an_hour(after_s, told):
    desk = Desk()
    interlocks = Interlocks(watches_of(desk, "probe", quantities_of(RULES), (CO2, TEMPERATURE)))  # type: ignore[arg-type]
    for at_s in (0.0, after_s):
        interlocks.see(Measured("probe", {"co2_percent": None, "temperature_c": None}, at_s))
    assert [code for code, _ in desk.deviations] == ["environment-unseen"] * told
