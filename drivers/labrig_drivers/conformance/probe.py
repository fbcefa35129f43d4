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
        assert reading.co2_percent is not None or reading.temperature_c is not None, reading
        assert reading.co2_percent is None or 0.0 <= reading.co2_percent <= 20.0, reading
        assert reading.temperature_c is None or 0.0 <= reading.temperature_c <= 60.0, reading


def check_reading_changes_nothing(make_driver: MakeProbe, clock: Clock) -> None:
    """Ten readings in a row agree with each other, and identity stays."""
    with closing(make_driver()) as driver:
        before = driver.identify()
        temperatures = [reading.temperature_c for reading in (driver.read() for _ in range(10))]
        known = [t for t in temperatures if t is not None]
        assert not known or max(known) - min(known) < 1.0, temperatures
        assert driver.identify() == before, "reading has changed who it is"


CHECKS = (check_identifies, check_comes_to_trust_itself, check_reading_changes_nothing)
