"""What every instrument type must declare truly: checked without an instrument.

Each check takes the type and settings that stand on some bench::

    @pytest.mark.parametrize("check", declaration.CHECKS)
    def test_my_type_says_what_is_so(check): check(INSTRUMENT, AcmeSettings())
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from labrig_drivers.conformance import SteppedClock, refused
from labrig_drivers.errors import OutOfRange
from labrig_drivers.instrument import InstrumentType, connect
from labrig_drivers.kinds import PulseTrain, Watchdog
from labrig_drivers.simulation import Fault, still_plant
from labrig_drivers.transports.loopback import LoopbackTransport


def check_settings_are_plain(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """Settings are a frozen dataclass in which every field has a default."""
    assert dataclasses.is_dataclass(kind.settings), f"{kind.settings} is no dataclass"
    assert isinstance(settings, kind.settings), f"{settings} is no {kind.settings}"
    assert kind.settings() == kind.settings(), "two settings of its defaults differ"
    assert hash(settings) == hash(kind.settings(**dataclasses.asdict(settings))), "not frozen"


def check_bus_key_tells_apart(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """The same settings have the same key, which can be compared; or none at all."""
    key = kind.bus_key(settings)
    assert hash(key) == hash(kind.bus_key(settings)), f"its key changes: {key!r}"
    if kind.device_id is not None:
        assert 1 <= kind.device_id(settings) <= 247, "a Modbus device is 1 to 247"
        assert key is not None, "Modbus devices share a bus: bus_key= tells them apart"


def check_heartbeat(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A time above 0, or None; and a driver that can be released says one for some settings."""
    silence_s = kind.heartbeat_s(settings)
    assert silence_s is None or 0 < silence_s < math.inf, (
        f"heartbeat_s is {silence_s}: write None where it never stops itself"
    )
    if silence_s is not None and kind.kind == "pump":
        with _driver(kind, settings) as driver:
            assert isinstance(driver, Watchdog), "it stops itself and has no release()"


def check_rates(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A pump's declared rates are those of its driver, and hold together; others declare none."""
    if kind.rates is None:
        assert kind.kind != "pump", "a pump declares its rates"
        return
    rates = kind.rates(settings)
    limits = rates.limits()
    assert 0 < limits.min_rate_ul_min < limits.max_rate_ul_min < math.inf, limits
    assert 0 < limits.step_ul_min <= limits.min_rate_ul_min, limits
    assert rates.quantised(0.0) == 0.0, "standing still is always possible"
    asked = [limits.min_rate_ul_min * 1.1, limits.max_rate_ul_min * 0.9]
    asked.append(math.sqrt(limits.min_rate_ul_min * limits.max_rate_ul_min))
    held = [rates.quantised(rate) for rate in asked]
    for wrong in (limits.min_rate_ul_min / 2, limits.max_rate_ul_min * 2, math.nan, -1.0):
        with refused(OutOfRange, f"a rate of {wrong} µL/min"):
            rates.quantised(wrong)
    with _driver(kind, settings) as driver:
        assert driver.limits() == limits, "a driver nobody has asked yet has other limits"
        assert [driver.quantised(rate) for rate in asked] == held, "its driver holds other rates"


def check_travel(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A stage's declared travel is that of its driver; others declare none."""
    if kind.travel is None:
        assert kind.kind != "stage", "a stage declares its travel"
        return
    reach = kind.travel(settings)
    assert reach.x_min_um < reach.x_max_um, reach
    assert reach.y_min_um < reach.y_max_um, reach
    with _driver(kind, settings) as driver:
        assert driver.limits() == reach, "its driver has other limits"


def check_measures(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A probe reads what it declares, under those names, and within those ranges in good air."""
    if kind.measures is None:
        assert kind.kind not in ("probe", "controller"), f"a {kind.kind} declares what it measures"
        return
    quantities = kind.measures(settings)
    keys = [quantity.key for quantity in quantities]
    assert keys, "it measures nothing"
    assert len(set(keys)) == len(keys), f"two quantities of one name: {keys}"
    for quantity in quantities:
        assert quantity.low < quantity.high, quantity
        assert quantity.key == quantity.key.lower(), f"{quantity.key}: write small letters"
    if kind.simulator is None:
        return
    clock = SteppedClock()
    plant = still_plant(kind.kind)
    link = LoopbackTransport(kind.simulator(settings, plant, 0, (), kind.name), clock.now_s)
    with closing(connect(kind, link, settings, kind.name)) as driver:
        for _ in range(2):
            stimulates = kind.kind == "stimulator"
            values = driver.state(clock.now_s()).measured if stimulates else driver.read().values
            assert list(values) == keys, f"it declares {keys} and gives {values}"
            clock.wait(180.0)
        for quantity in quantities:
            value = values[quantity.key]
            assert value is not None and quantity.plausible(value), (quantity, value)  # noqa: PT018


def check_positions(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A valve's declared positions are those of its driver; others declare none."""
    if kind.positions is None:
        assert kind.kind != "valve", "a valve declares its positions"
        return
    names = kind.positions(settings)
    assert len(set(names)) == len(names) >= 2, f"a valve has two positions or more: {names}"
    with _driver(kind, settings) as driver:
        assert driver.positions() == names, "its driver has other positions"


def check_sets(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """What a controller says that it can hold is what its driver holds; others declare nothing."""
    if kind.sets is None:
        assert kind.kind != "controller", "a controller declares what it sets"
        return
    quantities = kind.sets(settings)
    assert quantities, "it sets nothing"
    assert all(-math.inf < q.low < q.high < math.inf for q in quantities), quantities
    with _driver(kind, settings) as driver:
        assert driver.holds() == quantities, "its driver holds something else"


def check_holds(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A stimulator refuses, unsent, trains in a unit that it does not declare, and no others."""
    if kind.kind != "stimulator":
        return
    shape = (True, 20.0, 0.5, 0.0, 0.5)
    for unit, train in (
        ("V", PulseTrain(1.0, 1.0, *shape)),
        ("mA", PulseTrain(1.0, None, *shape, amplitude_ma=1.0)),
    ):
        with _driver(kind, settings) as driver:
            try:
                driver.program({driver.channels()[0]: train})
            except OutOfRange:
                assert unit not in kind.holds, f"it declares {unit} and refuses a gentle train"
            except _Asked:
                assert unit in kind.holds, f"it takes a train in {unit}, which it does not declare"
            else:
                raise AssertionError("it programmed a train without a word to the instrument")


def check_syringe(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A syringe has a width, and a volume where one is said."""
    if kind.syringe is None:
        return
    syringe = kind.syringe(settings)
    assert syringe.inner_diameter_mm > 0, syringe
    assert syringe.volume_ul is None or syringe.volume_ul > 0, syringe


def check_faults_can_be_played(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """The simulator takes each fault that is declared, with each value, and no other."""
    if kind.simulator is None:
        assert not kind.faults, "it declares faults and has no simulator"
        return
    for name, fault in kind.faults.items():
        assert fault.what, f"{name} says not what happens"
        assert fault.values, f"{name} has no value"
        for value in fault.values:
            played = kind.simulator(
                settings, still_plant(kind.kind), 0, (Fault(name, 1.0, 2.0, value),), "x"
            )
            played.advance(3.0)
    with refused(ValueError, "a fault that is not declared"):
        kind.simulator(settings, still_plant(kind.kind), 0, (Fault("no such fault", 0.0),), "x")


def check_making_a_driver_sends_nothing(kind: InstrumentType, settings: Any) -> None:  # noqa: ANN401
    """A driver is made without I/O."""
    with _driver(kind, settings):
        pass


class _Asked(AssertionError):
    """Something was sent."""


class _Wire:
    """What a driver is made on: nothing may be written to it before it is asked for something."""

    def __init__(self, inner: LoopbackTransport) -> None:
        self._inner = inner

    def write(self, data: bytes) -> None:
        """Refused."""
        raise _Asked(f"{data!r} was sent although nothing was asked")

    def read(self, size: int, timeout_s: float) -> bytes:
        """Refused."""
        raise _Asked("an answer was waited for although nothing was asked")

    def discard_input(self) -> bytes:
        """What has come."""
        return self._inner.discard_input()

    def close(self) -> None:
        """Nothing is held."""


@contextmanager
def _driver(kind: InstrumentType, settings: Any) -> Iterator[Any]:  # noqa: ANN401
    if kind.simulator is None:
        link: Any = "nowhere"
    else:
        simulator = kind.simulator(settings, still_plant(kind.kind), 0, (), kind.name)
        link = _Wire(LoopbackTransport(simulator, SteppedClock().now_s))
    with closing(connect(kind, link, settings, kind.name)) as driver:
        yield driver


CHECKS = (
    check_settings_are_plain,
    check_bus_key_tells_apart,
    check_heartbeat,
    check_rates,
    check_travel,
    check_syringe,
    check_measures,
    check_positions,
    check_sets,
    check_holds,
    check_faults_can_be_played,
    check_making_a_driver_sends_nothing,
)
