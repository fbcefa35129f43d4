"""What every environment probe must do. Run it on hardware in air or in an incubator."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from labrig_drivers.conformance import Clock, check_identifies
from labrig_drivers.kinds import EnvironmentProbe

MakeProbe = Callable[[], EnvironmentProbe]

_PATIENCE_S = 180.0
_POLL_S = 5.0


def check_comes_to_trust_itself(make_driver: MakeProbe, clock: Clock) -> None:
    """Within three minutes of power it reads, plausibly and without excuse."""
    with closing(make_driver()) as driver:
        give_up_s = clock.now_s() + _PATIENCE_S
        while not (reading := driver.read()).trusted:
            assert reading.note, f"it is not trusted and does not say why: {reading}"
            assert clock.now_s() < give_up_s, f"not trusted after {_PATIENCE_S} s: {reading}"
            clock.wait(_POLL_S)
        assert reading.values, f"it measures nothing: {reading}"
        for key, value in reading.values.items():
            assert value is not None, f"it is trusted and gives no {key}"
            assert value == value, f"{key} is no number: say None where there is no value"


def check_reading_changes_nothing(make_driver: MakeProbe, clock: Clock) -> None:
    """Ten readings in a row agree with each other, and identity stays."""
    with closing(make_driver()) as driver:
        before = driver.identify()
        readings = [driver.read() for _ in range(10)]
        assert len({tuple(reading.values) for reading in readings}) == 1, "its quantities change"
        for key in readings[0].values:
            known = [v for reading in readings if (v := reading.values[key]) is not None]
            spread = max(known, default=0.0) - min(known, default=0.0)
            assert spread <= max(1.0, 0.1 * max(map(abs, known), default=0.0)), (key, known)
        assert driver.identify() == before, "reading has changed who it is"


CHECKS = (check_identifies, check_comes_to_trust_itself, check_reading_changes_nothing)
