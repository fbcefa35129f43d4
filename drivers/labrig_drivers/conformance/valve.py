"""What every selector valve must do. Run it on hardware with water in its tubes, and no pump on."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from labrig_drivers.conformance import Clock, check_identifies, refused
from labrig_drivers.errors import OutOfRange
from labrig_drivers.kinds import Valve

MakeValve = Callable[[], Valve]

_PATIENCE_S = 30.0
_POLL_S = 0.1


def check_turns_to_every_position(make_driver: MakeValve, clock: Clock) -> None:
    """It says where it stands, and asking for the same place again turns nothing."""
    with closing(make_driver()) as driver:
        names = driver.positions()
        assert len(names) >= 2, f"a valve has two positions or more: {names}"
        assert len(set(names)) == len(names), f"positions repeat: {names}"
        for name in (*names, names[0]):
            driver.move_to(name)
            _wait_until_still(driver, clock)
            assert driver.position() == name, f"sent to {name}, it stands at {driver.position()}"
            driver.move_to(name)
            _wait_until_still(driver, clock)
            assert driver.position() == name, "asking for the same place again turned it"


def check_knows_no_other_position(make_driver: MakeValve, clock: Clock) -> None:
    """A name that it does not have is OutOfRange, and it stays where it is."""
    with closing(make_driver()) as driver:
        driver.move_to(driver.positions()[0])
        _wait_until_still(driver, clock)
        with refused(OutOfRange, "a position that it does not have"):
            driver.move_to("no such position")
        assert not driver.moving(), "a refused move was begun"
        assert driver.position() == driver.positions()[0], "a refused move has moved it"


def _wait_until_still(driver: Valve, clock: Clock) -> None:
    give_up_s = clock.now_s() + _PATIENCE_S
    while driver.moving():
        assert clock.now_s() < give_up_s, f"still turning after {_PATIENCE_S} s"
        clock.wait(_POLL_S)


CHECKS = (check_identifies, check_turns_to_every_position, check_knows_no_other_position)
