"""What every pump driver must do. Run it on hardware with water, and the outlet in a beaker.

Each check pumps at most some 100 µL. The pump must be configured for its syringe or tubing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing

from labrig_drivers.conformance import Clock, check_identifies, refused
from labrig_drivers.errors import NotNow, OutOfRange
from labrig_drivers.kinds import Pump

MakePump = Callable[[], Pump]

_GENTLE_UL_MIN = 300.0
_DOSE_UL = 50.0
_COUNTER_TOLERANCE = 0.05
_RATE_TOLERANCE = 1e-6
_QUIET_S = 0.05


def check_limits_need_no_io(make_driver: MakePump, clock: Clock) -> None:
    """Limits and quantisation answer at once, and a quantised rate stays itself."""
    with closing(make_driver()) as driver:
        limits = driver.limits()
        assert 0 < limits.min_rate_ul_min < limits.max_rate_ul_min, limits
        assert 0 < limits.step_ul_min <= limits.min_rate_ul_min, limits
        assert driver.quantised(0.0) == 0.0
        for asked in (1.1 * limits.min_rate_ul_min, _gentle(driver), 0.9 * limits.max_rate_ul_min):
            held = driver.quantised(asked)
            assert abs(held - asked) <= max(limits.step_ul_min, 0.01 * asked), (asked, held)
            assert abs(driver.quantised(held) - held) <= _RATE_TOLERANCE * held, (asked, held)


def check_holds_a_rate(make_driver: MakePump, clock: Clock) -> None:
    """A rate runs until changed, counts as it should, and asserting it again changes nothing."""
    with closing(make_driver()) as driver:
        rate = _gentle(driver)
        before_ul = driver.state().delivered_ul
        driver.set_rate(rate)
        _assert_runs(driver, rate)
        clock.wait(10.0)
        driver.set_rate(rate)
        _assert_runs(driver, rate)
        after_ul = driver.state().delivered_ul
        driver.stop()
        if before_ul is not None and after_ul is not None:
            moved_ul, due_ul = after_ul - before_ul, driver.quantised(rate) / 6
            assert abs(moved_ul - due_ul) <= _COUNTER_TOLERANCE * due_ul, (moved_ul, due_ul)


def check_changes_a_rate(make_driver: MakePump, clock: Clock) -> None:
    """Rates far apart follow each other without a stop in between being asked for."""
    with closing(make_driver()) as driver:
        gentle = _gentle(driver)
        for rate in (gentle, gentle / 50, gentle * 1.01, gentle):
            driver.set_rate(rate)
            _assert_runs(driver, rate)
        driver.stop()


def check_zero_stops(make_driver: MakePump, clock: Clock) -> None:
    """Rate 0 and stop are the same, and safe on a pump that stands."""
    with closing(make_driver()) as driver:
        driver.stop()
        driver.stop()
        assert not driver.state().running, "stop set it running"
        driver.set_rate(_gentle(driver))
        driver.set_rate(0.0)
        assert not driver.state().running, "it runs at rate 0"
        driver.set_rate(0.0)
        first_ul = driver.state().delivered_ul
        clock.wait(5.0)
        assert driver.state().delivered_ul == first_ul, "its counter moves while it stands"


def check_a_dispense_is_bounded(make_driver: MakePump, clock: Clock) -> None:
    """A volume ends by itself, twice in a row, and a rate can be held afterwards."""
    with closing(make_driver()) as driver:
        rate = _gentle(driver)
        for _ in range(2):
            before_ul = driver.state().delivered_ul
            driver.dispense(_DOSE_UL, rate)
            assert driver.state().running, "the dispense has not begun"
            clock.wait(_DOSE_UL / rate * 60 / 2)
            assert driver.state().running, "the dispense has ended early"
            clock.wait(_DOSE_UL / rate * 60 / 2 + 2.0)
            state = driver.state()
            assert not state.running, "the dispense has not ended"
            if before_ul is not None and state.delivered_ul is not None:
                moved_ul = state.delivered_ul - before_ul
                assert abs(moved_ul - _DOSE_UL) <= _COUNTER_TOLERANCE * _DOSE_UL, moved_ul
        driver.set_rate(rate)
        clock.wait(_DOSE_UL / rate * 60 + 5.0)
        assert driver.state().running, "a rate held after a dispense ended like one"
        driver.stop()


def check_a_rate_gives_way_to_a_dispense(make_driver: MakePump, clock: Clock) -> None:
    """A dispense asked for while a rate runs is delivered, and then the pump stands."""
    with closing(make_driver()) as driver:
        rate = _gentle(driver)
        driver.set_rate(rate)
        driver.dispense(_DOSE_UL, rate)
        clock.wait(_DOSE_UL / rate * 60 + 2.0)
        assert not driver.state().running, "it runs on after the dispense"


def check_a_dispense_is_not_cut_short(make_driver: MakePump, clock: Clock) -> None:
    """A rate or second dispense within a dispense is NotNow; stop ends it."""
    with closing(make_driver()) as driver:
        rate = _gentle(driver)
        driver.dispense(_DOSE_UL, rate)
        with refused(NotNow, "a rate within a dispense"):
            driver.set_rate(rate / 2)
        with refused(NotNow, "a dispense within a dispense"):
            driver.dispense(_DOSE_UL, rate)
        assert driver.state().running, "a refused command has ended the dispense"
        driver.stop()
        assert not driver.state().running, "stop has not ended the dispense"


def check_halt_stops_whatever_runs(make_driver: MakePump, clock: Clock) -> None:
    """The bare command ends a rate and a dispense; what is asked afterwards is answered well."""
    with closing(make_driver()) as driver:
        rate = _gentle(driver)
        for dispensing in (False, True):
            if dispensing:
                driver.dispense(_DOSE_UL, rate)
            else:
                driver.set_rate(rate)
            assert driver.state().running, "it does not run"
            driver.halt()
            # Its answer, for which nobody waited, must not pass for the next one.
            time.sleep(_QUIET_S)
            first = driver.state()
            assert not first.running, "it runs on after halt"
            clock.wait(5.0)
            assert driver.state().delivered_ul == first.delivered_ul, "its counter moves on"
            driver.stop()
        assert not driver.state().running, "stop has not ended the dispense"


def check_refuses_impossible_rates(make_driver: MakePump, clock: Clock) -> None:
    """Beyond its limits, negative, infinite and NaN are OutOfRange, and it stays as it is."""
    with closing(make_driver()) as driver:
        limits, rate = driver.limits(), _gentle(driver)
        driver.set_rate(rate)
        for wrong in (
            2 * limits.max_rate_ul_min,
            limits.min_rate_ul_min / 2,
            -rate,
            float("inf"),
            float("nan"),
        ):
            with refused(OutOfRange, f"a rate of {wrong} µL/min"):
                driver.set_rate(wrong)
            with refused(OutOfRange, f"a quantised rate of {wrong} µL/min"):
                driver.quantised(wrong)
            with refused(OutOfRange, f"a dispense at {wrong} µL/min"):
                driver.dispense(_DOSE_UL, wrong)
        for wrong in (0.0, -_DOSE_UL, float("inf"), float("nan")):
            with refused(OutOfRange, f"a dispense of {wrong} µL"):
                driver.dispense(wrong, rate)
        _assert_runs(driver, rate)
        driver.stop()


def check_attaching_changes_nothing(make_driver: MakePump, clock: Clock) -> None:
    """A second driver that attaches to a running pump finds it running, and leaves it so."""
    with closing(make_driver()) as first:
        rate = _gentle(first)
        first.set_rate(rate)
    with closing(make_driver()) as second:
        second.identify()
        _assert_runs(second, rate)
        second.stop()


def _gentle(driver: Pump) -> float:
    limits = driver.limits()
    return min(max(_GENTLE_UL_MIN, 60 * limits.min_rate_ul_min), 0.5 * limits.max_rate_ul_min)


def _assert_runs(driver: Pump, rate_ul_min: float) -> None:
    state, due = driver.state(), driver.quantised(rate_ul_min)
    assert state.running, f"it does not run: {state}"
    assert abs(state.rate_ul_min - due) <= _RATE_TOLERANCE * due, f"{state} is not {due} µL/min"


CHECKS = (
    check_identifies,
    check_limits_need_no_io,
    check_holds_a_rate,
    check_changes_a_rate,
    check_zero_stops,
    check_a_dispense_is_bounded,
    check_a_rate_gives_way_to_a_dispense,
    check_a_dispense_is_not_cut_short,
    check_halt_stops_whatever_runs,
    check_refuses_impossible_rates,
    check_attaching_changes_nothing,
)
