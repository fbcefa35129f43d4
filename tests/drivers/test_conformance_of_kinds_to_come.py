"""Suites of kinds that no instrument has yet: a sound driver passes, a spoilt one does not."""

from __future__ import annotations

import math

import pytest

from labrig_drivers.conformance import SteppedClock, controller, valve
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import (
    CO2,
    TEMPERATURE,
    EnvironmentController,
    EnvironmentReading,
    Identity,
    Quantity,
    Valve,
)


class Turning:
    """A four-port valve that needs half a second for a turn."""

    def __init__(self, clock):
        self.clock, self.at, self.until_s = clock, "A", 0.0

    def identify(self):
        return Identity("Acme", "V4", "1")

    def close(self):
        pass

    def positions(self):
        return ("A", "B", "C", "D")

    def position(self):
        return None if self.moving() else self.at

    def moving(self):
        return self.clock.now_s() < self.until_s

    def move_to(self, position):
        if position not in self.positions():
            raise OutOfRange("valve", f"it has no {position}.")
        if position != self.at:
            self.at, self.until_s = position, self.clock.now_s() + 0.5


class Forgets(Turning):
    def move_to(self, position):
        if position not in self.positions():
            raise OutOfRange("valve", f"it has no {position}.")


class TakesAnything(Turning):
    def move_to(self, position):
        self.at = position


class NeverArrives(Turning):
    def moving(self):
        return True


class Incubator:
    """Holds CO2 and temperature at once."""

    def __init__(self, clock):
        self.points = {"co2_percent": 5.0, "temperature_c": 37.0}

    def identify(self):
        return Identity("Acme", "box", "1")

    def close(self):
        pass

    def holds(self):
        return (Quantity("co2", "percent", 0.0, 20.0), Quantity("temperature", "c", 20.0, 45.0))

    def read(self):
        return EnvironmentReading({CO2.key: 5.01, TEMPERATURE.key: 36.9}, True)

    def set_points(self):
        return dict(self.points)

    def set_point(self, key, value):
        limits = {quantity.key: quantity for quantity in self.holds()}
        if key not in limits or not limits[key].plausible(value):
            raise OutOfRange("box", f"it cannot hold {key} at {value}.")
        self.points[key] = value


class Deaf(Incubator):
    def set_point(self, key, value):
        super().set_point(key, value)
        self.points = {"co2_percent": 5.0, "temperature_c": 37.0}


class Clips(Incubator):
    def set_point(self, key, value):
        limits = {quantity.key: quantity for quantity in self.holds()}
        if key in limits and not math.isnan(value):
            value = min(max(value, limits[key].low), limits[key].high)
        super().set_point(key, value)


class Couples(Incubator):
    def set_point(self, key, value):
        super().set_point(key, value)
        self.points["co2_percent"] = value / 10


def outcome(make, suite):
    clock = SteppedClock()
    driver = make(clock)
    for check in suite.CHECKS:
        check(lambda: driver, clock)


@pytest.mark.parametrize(("make", "suite"), [(Turning, valve), (Incubator, controller)])
def test_a_sound_driver_passes(make, suite):
    outcome(make, suite)


@pytest.mark.parametrize(
    ("make", "suite"),
    [(Forgets, valve), (TakesAnything, valve), (NeverArrives, valve),
     (Deaf, controller), (Clips, controller), (Couples, controller)],
)  # fmt: skip
def test_a_spoilt_one_does_not(make, suite):
    with pytest.raises(AssertionError):
        outcome(make, suite)


def test_shapes_are_those_of_the_protocols():
    one: Valve = Turning(SteppedClock())
    other: EnvironmentController = Incubator(None)
    assert one.positions()
    assert other.holds()
