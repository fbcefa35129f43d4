"""The Vaisala probe: units, warming up, missing values, mistaken identity, its register map."""

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig_drivers import leadfluid, vaisala_gmp25x
from labrig_drivers.errors import NoReply, OutOfRange, Refused, ReplyError, WrongInstrument
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.simulation import Fault
from labrig_drivers.transports.modbus import ModbusLink, registers_from
from labrig_drivers.vaisala_gmp25x import codec
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

WARM_S = 60.0
LOW = "low_first"


@pytest.fixture
def stand(bench):
    """Makes a bench with a warm probe: ``stand(model, *faults)``."""

    def made(model="GMP251", *faults):
        stand = bench(vaisala_gmp25x.INSTRUMENT, VaisalaSettings(model=model), faults)
        stand.probe = stand.driver()
        stand.link = ModbusLink(stand.transport(), "bare", 240)
        stand.clock.wait(WARM_S)
        return stand

    return made


@pytest.mark.parametrize("model", ["GMP251", "GMP252"])
def test_either_model_gives_percent(stand, model):
    stand = stand(model)
    stand.plant.co2_percent, stand.plant.temperature_c = 4.8, 36.5
    reading = stand.probe.read()
    assert reading.values["co2_percent"] == pytest.approx(4.8)
    assert (reading.values["temperature_c"], reading.trusted, reading.note) == (36.5, True, "")
    assert stand.probe.identify().model == model
    assert stand.probe.identify().serial_number == "SIM00001"


def test_a_warming_probe_is_not_trusted_and_has_no_value(stand):
    stand = stand("GMP251", Fault("reboot", WARM_S))
    stand.clock.wait(11.9)
    reading = stand.probe.read()
    assert (reading.values["co2_percent"], reading.trusted, reading.note) == (
        None,
        False,
        "warming up",
    )
    stand.clock.wait(0.2)
    assert stand.probe.read().trusted


def test_a_failed_sensor_is_not_trusted(stand):
    stand = stand("GMP251", Fault("sensor_error", WARM_S, WARM_S + 1))
    reading = stand.probe.read()
    assert (reading.values["co2_percent"], reading.trusted) == (None, False)
    assert "probe error" in reading.note
    stand.clock.wait(2.0)
    assert stand.probe.read().trusted


def test_a_drifting_probe_does_not_know_it(stand):
    reading = stand("GMP251", Fault("drift", 0.0, value=0.7)).probe.read()
    assert reading.values["co2_percent"] == pytest.approx(5.7)
    assert reading.trusted


@pytest.mark.parametrize(
    ("device", "co2", "trusted", "note"),
    [
        (0, 0, True, ""),
        (1, 0, False, "critical probe error"),
        (2, 0, False, "probe error"),
        (4, 0, True, "probe warning"),
        (6, 2, False, "probe error, CO2 reading not reliable, probe warning"),
        (0, 256, False, "warming up"),
        (0, 4, False, "unknown status 0/4"),
        (8, 0, False, "unknown status 8/0"),
    ],
)
def test_what_a_status_means(device, co2, trusted, note):
    assert codec.status_note(device, co2) == (trusted, note)


def test_ppm_taken_for_percent_is_found_out(stand):
    stand = stand("GMP252")
    stand.settings = VaisalaSettings(model="GMP251")
    with pytest.raises(WrongInstrument, match="GMP252"):
        stand.driver().read()


def test_another_instrument_is_found_out(bench):
    pump = bench(leadfluid.INSTRUMENT, LeadFluidSettings(address=240)).simulator
    stand = bench(vaisala_gmp25x.INSTRUMENT, VaisalaSettings(), simulator=pump)
    with pytest.raises(WrongInstrument, match="does not tell who it is"):
        stand.driver().identify()


@pytest.mark.parametrize(
    ("fault", "error"),
    [("silent", NoReply), ("corrupt_reply", ReplyError), ("late_reply", NoReply)],
)
def test_trouble_on_the_line_passes(stand, fault, error):
    stand = stand("GMP251", Fault(fault, WARM_S, WARM_S + 5))
    with pytest.raises(error):
        stand.probe.read()
    stand.clock.wait(6.0)
    assert stand.probe.read().values["co2_percent"] == pytest.approx(5.0)


@pytest.mark.parametrize(
    ("address", "values", "error"),
    [
        (0x0000, [0, 0], Refused),
        (0x0801, [0], Refused),
        (0x0700, [0], Refused),
        (0x0300, [248], OutOfRange),
        (0x0308, [101], OutOfRange),
        (0x0303, [9], OutOfRange),
        (0x0304, [77], OutOfRange),
        (0x0306, [2], OutOfRange),
        (0x0208, registers_from(20.0, "low_first"), OutOfRange),
    ],
)
def test_the_simulated_probe_refuses_writes(stand, address, values, error):
    with pytest.raises(error) as caught:
        stand().link.write_registers(address, values)
    assert caught.type is error


def test_volatile_compensation_is_lost_with_power(stand):
    stand = stand("GMP251", Fault("reboot", WARM_S + 1))
    wanted = registers_from(37.0, "low_first")
    stand.link.write_registers(0x020A, wanted)
    assert stand.link.read_holding(0x0002, 2) == registers_from(stand.plant.temperature_c, LOW)
    stand.link.write_registers(0x0305, [1])
    assert stand.link.read_holding(0x0002, 2) == wanted
    stand.clock.wait(2.0)
    assert stand.link.read_holding(0x020A, 2) == registers_from(25.0, "low_first")


def test_whole_number_registers(stand):
    assert stand("GMP252").link.read_holding(0x0100, 2) == [0x7FFF, 5000]


def test_percent_taken_for_ppm_is_noticed(stand):
    """A GMP251 that the rig file calls a GMP252: 5 % would be read as 5 ppm."""
    stand = stand("GMP251")
    reading = vaisala_gmp25x.INSTRUMENT.driver(
        stand.link, VaisalaSettings(model="GMP252"), "probe"
    ).read()
    assert not reading.trusted
    assert "5 ppm is less than any air holds" in reading.note
    assert "GMP251" in reading.note


def test_as_delivered_neither_humidity_nor_oxygen_is_compensated(stand):
    link = stand().link
    assert link.read_holding(0x0204, 4) == [0, 0, 0, 0]
    assert link.read_holding(0x0306, 2) == [0, 0]


@pytest.mark.parametrize(("real", "written"), [("GMP252", "GMP251"), ("GMP251", "GMP252")])
def test_the_other_model_is_found_out_when_it_identifies_itself(stand, real, written):
    stand = stand(real)
    stand.settings = VaisalaSettings(model=written)
    with pytest.raises(WrongInstrument, match=f"this is a {real}"):
        stand.driver().identify()


@pytest.mark.parametrize(
    ("co2", "temperature_c"), [(0.0, 37.0), (-0.1, 37.0), (5.0, 465.0), (5.0, -100.0)]
)
def test_air_that_cannot_be_is_not_trusted(stand, co2, temperature_c):
    stand = stand()
    stand.plant.co2_percent, stand.plant.temperature_c = co2, temperature_c
    reading = stand.probe.read()
    assert not reading.trusted
    assert "cannot be" in reading.note


class Slow:
    """A line on which each answer comes so late, in a time that waiting takes."""

    def __init__(self, simulator, delays):
        self.simulator, self.delays = simulator, list(delays)
        self.now_s, self.coming = WARM_S, []

    def write(self, data):
        answer = self.simulator.receive(data, self.now_s)
        delay_s = self.delays.pop(0) if self.delays else 0.0
        # A device answers in the order in which it was asked.
        due_s = max([self.now_s + delay_s, *(at_s for at_s, _ in self.coming)])
        if answer:
            self.coming.append((due_s, answer))

    def read(self, size, timeout_s):
        if not self.coming or self.coming[0][0] > self.now_s + timeout_s:
            self.now_s += timeout_s
            return b""
        due_s, answer = self.coming.pop(0)
        self.now_s = max(self.now_s, due_s)
        if answer[size:]:
            self.coming.insert(0, (self.now_s, answer[size:]))
        return answer[:size]

    def discard_input(self):
        self.coming = [(at_s, data) for at_s, data in self.coming if at_s > self.now_s]
        return b""

    def close(self):
        pass


@settings(
    max_examples=300,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    delays=st.lists(
        st.sampled_from([0.0, 0.0, 0.0, 0.4, 0.6, 1.0, 1.2, 1.4, 2.0, 5.0]), max_size=14
    ),
    pauses=st.lists(st.sampled_from([0.0, 0.1, 1.0, 30.0]), min_size=6, max_size=6),
    calls=st.lists(st.sampled_from(["read", "identify"]), min_size=6, max_size=6),
)
def test_no_late_answer_is_read_as_the_answer_to_another_question(delays, pauses, calls, bench):
    air = bench(vaisala_gmp25x.INSTRUMENT, VaisalaSettings())
    air.plant.co2_percent, air.plant.temperature_c = 4.8, 36.5
    line = Slow(air.simulator, delays)
    probe = air.driver(line)
    for call, pause_s in zip(calls, pauses, strict=True):
        line.now_s += pause_s
        try:
            answer = getattr(probe, call)()
        except (NoReply, ReplyError):
            continue
        if call == "read":
            assert answer.values["co2_percent"] == pytest.approx(4.8)
            assert answer.values["temperature_c"] == pytest.approx(36.5)
            assert answer.trusted
        else:
            assert answer.serial_number == "SIM00001"


class Babble:
    """A line on which somebody talks for ever, a byte each tenth of a second."""

    def write(self, data):
        pass

    def read(self, size, timeout_s):
        wanted = bytes.fromhex("F0 03 FA")[:size] + bytes(max(0, size - 3))
        time.sleep(0.02)
        return wanted[: max(1, min(size, 5))]

    def discard_input(self):
        return b""


def test_a_babbling_line_is_left_after_a_while():
    probe = vaisala_gmp25x.INSTRUMENT.driver(
        ModbusLink(Babble(), "probe", 240, timeout_s=0.05), VaisalaSettings(), "probe"
    )
    began_s = time.monotonic()
    for _ in range(2):
        with pytest.raises((ReplyError, NoReply)):
            probe.read()
    assert time.monotonic() - began_s < 5.0
