"""What every stage driver must do. Run it on hardware with nothing in the way.

Moves stay within 200 µm of where the stage stands.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from labrig_drivers.conformance import Clock, check_identifies, refused
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import Stage

MakeStage = Callable[[], Stage]

_CLOSE_UM = 1.0
_PATIENCE_S = 10.0
_POLL_S = 0.02


def check_arrives_where_it_was_sent(make_driver: MakeStage, clock: Clock) -> None:
    """A move ends at its target, and asking for the same place again moves nothing."""
    with closing(make_driver()) as driver:
        x_um, y_um = driver.position_um()
        for target in ((x_um + 100, y_um), (x_um + 100, y_um - 150), (x_um, y_um)):
            driver.move_to(*target)
            _wait_until_still(driver, clock)
            _assert_at(driver, target)
        driver.move_to(x_um, y_um)
        _wait_until_still(driver, clock)
        _assert_at(driver, (x_um, y_um))


def check_stops_on_the_way(make_driver: MakeStage, clock: Clock) -> None:
    """Stop ends a move at once, and the stage can be moved again afterwards."""
    with closing(make_driver()) as driver:
        start = driver.position_um()
        driver.move_to(start[0] + 200, start[1])
        driver.stop()
        assert not driver.moving(), "it still moves after stop"
        driver.move_to(*start)
        _wait_until_still(driver, clock)
        _assert_at(driver, start)


def check_stop_is_safe_at_rest(make_driver: MakeStage, clock: Clock) -> None:
    """Stop, twice, on a stage that stands, moves nothing."""
    with closing(make_driver()) as driver:
        start = driver.position_um()
        driver.stop()
        driver.stop()
        assert not driver.moving(), "stop set it moving"
        _assert_at(driver, start)


def check_refuses_places_out_of_reach(make_driver: MakeStage, clock: Clock) -> None:
    """Targets beyond its limits, infinite and NaN ones are OutOfRange, and it stays where it is."""
    with closing(make_driver()) as driver:
        start = driver.position_um()
        for target in (
            (1e9, start[1]),
            (start[0], -1e9),
            (float("nan"), start[1]),
            (start[0], float("inf")),
            (driver.limits().x_max_um + 1.0, start[1]),
            (start[0], driver.limits().y_min_um - 1.0),
        ):
            with refused(OutOfRange, f"a move to {target}"):
                driver.move_to(*target)
        assert not driver.moving(), "a refused move was begun"
        _assert_at(driver, start)


def _wait_until_still(driver: Stage, clock: Clock) -> None:
    give_up_s = clock.now_s() + _PATIENCE_S
    while driver.moving():
        assert clock.now_s() < give_up_s, f"still moving after {_PATIENCE_S} s"
        clock.wait(_POLL_S)


def _assert_at(driver: Stage, target: tuple[float, float]) -> None:
    at = driver.position_um()
    assert all(abs(a - b) <= _CLOSE_UM for a, b in zip(at, target, strict=True)), (
        f"it stands at {at} µm, not at {target} µm"
    )


CHECKS = (
    check_identifies,
    check_arrives_where_it_was_sent,
    check_stops_on_the_way,
    check_stop_is_safe_at_rest,
    check_refuses_places_out_of_reach,
)
