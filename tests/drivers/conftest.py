"""What the tests of drivers share: a stepped clock, a plant that remembers, three kinds of link."""

from contextlib import ExitStack

import pytest

from labrig_drivers import pulse_pal
from labrig_drivers.conformance import SteppedClock
from labrig_drivers.hosting import host_on_pty, host_on_tcp
from labrig_drivers.instrument import connect
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.transports.loopback import LoopbackTransport
from labrig_drivers.transports.serial_port import open_serial


class RememberingPlant:
    """A pump's liquid and a probe's air; remembers every change of flow."""

    def __init__(self):
        self.flows = []
        self.co2_percent, self.temperature_c = 5.0, 37.0

    def flow_changed(self, now_s, rate_ul_min):
        self.flows.append((now_s, rate_ul_min))

    def air(self, now_s):
        return self.co2_percent, self.temperature_c

    def moved_ul(self, until_s):
        """Volume that really moved."""
        ends = [at_s for at_s, _ in self.flows[1:]] + [until_s]
        return sum(
            rate * (end_s - at_s) / 60 for (at_s, rate), end_s in zip(self.flows, ends, strict=True)
        )


def make_driver(instrument, settings, transport, name="instrument under test"):
    """A driver of this type on this transport, as the rig makes it."""
    return connect(instrument, transport, settings, name)


class Bench:
    """One simulated instrument on a stepped clock, and drivers for it over a loopback."""

    def __init__(self, instrument, settings, faults=(), simulator=None):
        self.instrument, self.settings = instrument, settings
        self.clock, self.plant = SteppedClock(), RememberingPlant()
        self.simulator = simulator or instrument.simulator(
            settings, self.plant, 0, tuple(faults), "simulated instrument"
        )

    def transport(self):
        return LoopbackTransport(self.simulator, self.clock.now_s)

    def driver(self, transport=None):
        return make_driver(self.instrument, self.settings, transport or self.transport())


@pytest.fixture
def bench():
    """Makes a Bench: ``bench(INSTRUMENT, settings, faults)``."""
    return Bench


@pytest.fixture
def wire():
    """``wire(link, bench)`` opens drivers for it over ``loopback``, ``pty`` or ``tcp``."""
    with ExitStack() as stack:

        def wired(link, bench):
            if link == "loopback":
                return bench.driver
            host = {"pty": host_on_pty, "tcp": host_on_tcp}[link]
            port = stack.enter_context(host(bench.simulator, clock=bench.clock.now_s))
            serial = bench.instrument.serial
            return lambda: bench.driver(open_serial(port.address, serial, "wired"))

        yield wired


def pytest_generate_tests(metafunc):
    if "hardware" in metafunc.fixturenames:
        ports = [pair.partition("=")[::2] for pair in metafunc.config.getoption("--instrument")]
        absent = pytest.param(None, marks=pytest.mark.skip(reason="no --instrument NAME=PORT"))
        metafunc.parametrize("hardware", ports or [absent])


class LateOnce(LoopbackTransport):
    """The first answer is still under way when its time-out ends; it comes while one waits on."""

    late: bytes | None = None

    def read(self, size, timeout_s):
        if self.late is None:
            self.late = bytes(self._arrived)
            self._arrived.clear()
            return b""
        self._arrived[:0] = self.late
        self.late = b""
        return super().read(size, timeout_s)


@pytest.fixture
def late_once():
    """A loopback whose first answer comes after its time-out."""
    return LateOnce


class Electrodes:
    """A plant that writes down what happens to it."""

    def __init__(self):
        self.started = []
        self.cut = []

    def train_started(self, now_s, channel, **train):
        self.started.append((now_s, channel, train))

    def train_stopped(self, now_s, channel):
        self.cut.append((now_s, channel))


class PulsePalBench:
    """A simulated Pulse Pal, its electrodes, a stepped clock and a driver."""

    def __init__(self, faults=(), link=lambda inner: inner, **settings):
        self.settings = PulsePalSettings(**settings)
        self.clock = SteppedClock()
        self.electrodes = Electrodes()
        self.simulator = pulse_pal.INSTRUMENT.simulator(
            self.settings, self.electrodes, 0, faults, "stim"
        )
        self.raw = LoopbackTransport(self.simulator, self.clock.now_s)
        self.driver = self.connect(link(self.raw))

    def connect(self, link):
        return pulse_pal.INSTRUMENT.driver(link, self.settings, "stim")

    def trigger(self, *channels):
        self.driver.trigger(channels, self.clock.now_s())

    def pass_time(self, seconds):
        self.clock.wait(seconds)
        self.simulator.advance(self.clock.now_s())

    def is_quiet_and_disarmed(self):
        self.simulator.advance(self.clock.now_s())
        return (
            not any(self.simulator.playing(channel) for channel in (1, 2, 3, 4))
            and all(self.simulator.output_v(channel) == 0 for channel in (1, 2, 3, 4))
            and self.simulator.armed_to_loop == ()
            and self.simulator.linked_inputs == ()
        )


@pytest.fixture(scope="session")
def pulse_pal_bench():
    """Makes a PulsePalBench: ``pulse_pal_bench(faults, link, **settings)``."""
    return PulsePalBench
