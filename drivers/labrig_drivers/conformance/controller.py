"""What every controller of the surroundings must do. Run it on hardware with nothing alive inside.

Set points stay within a tenth of what the controller can hold, and are put back.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import closing

from labrig_drivers.conformance import Clock, check_identifies, probe, refused
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import EnvironmentController

MakeController = Callable[[], EnvironmentController]


def check_keeps_what_it_is_set_to(make_driver: MakeController, clock: Clock) -> None:
    """Each set point is read back as given, twice the same, and the others stay."""
    with closing(make_driver()) as driver:
        held = driver.holds()
        assert held, "it holds nothing"
        before = dict(driver.set_points())
        assert set(before) == {quantity.key for quantity in held}, before
        for quantity in held:
            step = 0.1 * (quantity.high - quantity.low)
            wanted = before[quantity.key] + (
                step if before[quantity.key] + step <= quantity.high else -step
            )
            for _ in range(2):
                driver.set_point(quantity.key, wanted)
                now = driver.set_points()
                near = math.isclose(now[quantity.key], wanted, rel_tol=0.01, abs_tol=0.1 * step)
                assert near, f"{quantity.key}: set to {wanted}, it says {now[quantity.key]}"
                others = {k: v for k, v in now.items() if k != quantity.key}
                assert others == {k: v for k, v in before.items() if k != quantity.key}, (
                    f"setting {quantity.key} has changed another: {now}"
                )
            driver.set_point(quantity.key, before[quantity.key])


def check_refuses_what_it_cannot_hold(make_driver: MakeController, clock: Clock) -> None:
    """Beyond its limits, NaN, and a quantity that it does not hold are OutOfRange, unsent."""
    with closing(make_driver()) as driver:
        before = dict(driver.set_points())
        for quantity in driver.holds():
            span = quantity.high - quantity.low
            for wrong in (quantity.low - span, quantity.high + span, math.nan, math.inf):
                with refused(OutOfRange, f"{quantity.key} at {wrong}"):
                    driver.set_point(quantity.key, wrong)
        with refused(OutOfRange, "a quantity that it does not hold"):
            driver.set_point("no_such_quantity", 1.0)
        assert dict(driver.set_points()) == before, "what was refused has been set"


CHECKS = (
    check_identifies,
    probe.check_comes_to_trust_itself,
    probe.check_reading_changes_nothing,
    check_keeps_what_it_is_set_to,
    check_refuses_what_it_cannot_hold,
)
