"""The Watlow EZ-ZONE PM: its frames, its unit and word order, what can go wrong."""

import math
from pathlib import Path

import pytest

from labrig_drivers.conformance import controller
from labrig_drivers.errors import NoReply, OutOfRange, ReplyError, WrongInstrument
from labrig_drivers.simulation import Fault
from labrig_drivers.transcript import parse_transcript, replay_against_simulator
from labrig_drivers.transports.modbus import ModbusLink, float_from, registers_from
from labrig_drivers.watlow_pm import INSTRUMENT, codec
from labrig_drivers.watlow_pm.settings import WatlowPmSettings

TRANSCRIPTS = Path(__file__).parent / "transcripts"


class Plate:
    """A heated plate: as warm as somebody says; remembers what it was driven to."""

    def __init__(self, value=37.0):
        self.value, self.driven = value, []

    def setting_held(self, now_s, quantity, value):
        self.driven.append((quantity, value))

    def measured(self, now_s, quantity):
        return self.value


@pytest.fixture
def stand(bench):
    """``stand(settings, faults)``: a simulated controller, its driver, what it heats."""

    def made(settings=None, faults=(), value=37.0):
        settings = settings or WatlowPmSettings()
        plate = Plate(value)
        simulator = INSTRUMENT.simulator(settings, plate, 0, tuple(faults), "heater")
        found = bench(INSTRUMENT, settings, (), simulator)
        return found, found.driver(), plate

    return made


def raw(found):
    return ModbusLink(found.transport(), "raw", 1)


@pytest.mark.parametrize("name", ["watlow_pm_low_first", "watlow_pm_high_first"])
def test_the_simulator_answers_what_is_known_of_real_frames(name, stand):
    steps = parse_transcript((TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8"))
    found, _, plate = stand()
    if "high" in name:
        raw(found).write_register(codec.WORD_ORDER, codec.HIGH_FIRST)
    replay_against_simulator(steps, found.simulator, 0.0)
    if "low_first" in name:
        assert plate.driven[-1] == ("temperature_c", "off")
        assert plate.driven[-2] == ("temperature_c", pytest.approx(37.0, abs=1e-4))


@pytest.mark.parametrize("check", controller.CHECKS)
@pytest.mark.parametrize("link", ["loopback", "pty", "tcp"])
@pytest.mark.parametrize("holds", ["temperature", "o2"])
def test_it_is_a_controller(holds, check, link, stand, wire):
    found, _, _ = stand(WatlowPmSettings(holds=holds), value=37.0 if holds != "o2" else 18.0)
    check(wire(link, found), found.clock)


@pytest.mark.parametrize("order", [codec.LOW_FIRST, codec.HIGH_FIRST])
@pytest.mark.parametrize("unit", [codec.CELSIUS, codec.FAHRENHEIT])
def test_whatever_it_speaks_a_degree_is_a_degree(order, unit, stand):
    found, driver, plate = stand(value=41.0)
    raw(found).write_register(codec.WORD_ORDER, order)
    raw(found).write_register(codec.WORD_ORDER + 2, unit)
    driver.identify()
    assert driver.read().values["temperature_c"] == pytest.approx(41.0, abs=1e-4)
    driver.set_point("temperature_c", 41.5)
    assert driver.set_points()["temperature_c"] == pytest.approx(41.5, abs=1e-4)
    assert plate.driven[-1][1] == pytest.approx(41.5, abs=1e-4)


def test_a_unit_that_was_changed_at_its_panel_is_noticed_before_anything_is_set(stand):
    found, driver, plate = stand()
    driver.set_point("temperature_c", 37.0)
    raw(found).write_register(codec.WORD_ORDER + 2, codec.CELSIUS)
    driver.set_point("temperature_c", 39.0)
    assert plate.driven[-1][1] == pytest.approx(39.0, abs=1e-4)


def test_set_points_wear_out_no_eeprom(stand):
    found, driver, _ = stand()
    assert raw(found).read_holding(codec.SAVES, 2) == [codec.YES, 0]
    driver.set_point("temperature_c", 41.5)
    assert raw(found).read_holding(codec.SAVES, 2) == [codec.NO, 0]


def test_after_a_power_cut_it_is_what_its_eeprom_holds(stand):
    found, driver, plate = stand(faults=[Fault("reboot", 100.0)])
    driver.set_point("temperature_c", 41.5)
    found.clock.wait(101.0)
    assert driver.set_points()["temperature_c"] == pytest.approx(37.0, abs=1e-4)
    assert plate.driven[-1][1] == pytest.approx(37.0)


def test_one_that_is_off_holds_nothing_and_is_set_before_it_is_on(stand):
    found, driver, plate = stand()
    raw(found).write_register(codec.CONTROL_MODE, codec.OFF)
    assert driver.set_points() == {}
    driver.set_point("temperature_c", 40.0)
    assert driver.set_points()["temperature_c"] == pytest.approx(40.0, abs=1e-4)
    driven = [value for _, value in plate.driven if value != "off"]
    assert [round(value, 3) for value in driven[-1:]] == [40.0]
    assert 37.0 not in [round(v, 3) for v in driven[1:]], "it worked towards the old set point"


def test_its_own_limits_are_heeded_unsent(stand):
    found, driver, _ = stand()
    high_f = registers_from(codec.fahrenheit(40.0), "low_first")
    raw(found).write_registers(codec.LOWEST_SET_POINT + 2, high_f)
    with pytest.raises(OutOfRange, match=r"take set points from .* to 40 °C, not 41"):
        driver.set_point("temperature_c", 41.0)
    assert driver.set_points()["temperature_c"] == pytest.approx(37.0, abs=1e-4)


def test_a_broken_sensor_gives_no_value_and_says_so(stand):
    found, driver, plate = stand(faults=[Fault("sensor_break", 50.0, 60.0)])
    assert driver.read().trusted
    found.clock.wait(50.0)
    reading = driver.read()
    assert (reading.values, reading.trusted) == ({"temperature_c": None}, False)
    assert reading.note == "its sensor is open or broken"
    assert plate.driven[-1] == ("temperature_c", "off")
    found.clock.wait(20.0)
    assert driver.read().trusted


def test_an_output_that_does_nothing_shows_in_what_it_measures_alone(stand):
    found, driver, plate = stand(faults=[Fault("no_output", 50.0)])
    found.clock.wait(50.0)
    driver.set_point("temperature_c", 41.0)
    assert driver.set_points()["temperature_c"] == pytest.approx(41.0, abs=1e-4)
    assert plate.driven[-1] == ("temperature_c", "off")


def test_a_hand_at_its_panel_is_seen(stand):
    found, driver, _ = stand(faults=[Fault("panel", 50.0, 51.0, 30.0)])
    driver.set_point("temperature_c", 39.0)
    found.clock.wait(50.0)
    assert driver.set_points()["temperature_c"] == pytest.approx(30.0, abs=1e-4)


def test_one_that_drifts_reads_more_and_holds_less(stand):
    found, driver, plate = stand(faults=[Fault("drift", 50.0, 90.0, 0.8)])
    found.clock.wait(50.0)
    assert driver.read().values["temperature_c"] == pytest.approx(37.8, abs=1e-4)
    assert plate.driven[-1][1] == pytest.approx(36.2)


def test_a_gas_has_no_fahrenheit(stand):
    _, driver, _ = stand(WatlowPmSettings(holds="co2"), value=5.0)
    driver.set_point("co2_percent", 10.0)
    assert driver.set_points() == {"co2_percent": pytest.approx(10.0)}
    assert driver.read().values == {"co2_percent": pytest.approx(5.0)}


def test_silence_names_the_protocol_that_it_leaves_the_factory_with(stand):
    _, driver, _ = stand(faults=[Fault("silent", 0.0)])
    with pytest.raises(NoReply, match="Standard Bus"):
        driver.identify()


def test_another_modbus_device_is_no_pm(bench):
    from labrig_drivers import vaisala_gmp25x
    from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

    probe = bench(vaisala_gmp25x.INSTRUMENT, VaisalaSettings(address=1))
    driver = INSTRUMENT.driver(raw(probe), WatlowPmSettings(), "heater")
    with pytest.raises(WrongInstrument, match="as a PM would"):
        driver.identify()


def test_a_set_point_that_is_not_taken_is_an_error(stand, monkeypatch):
    found, driver, _ = stand()
    locked = found.simulator.write

    def write(address, values, now_s):
        if address != codec.SET_POINT:
            locked(address, values, now_s)

    monkeypatch.setattr(found.simulator, "write", write)
    with pytest.raises(ReplyError, match="it keeps 37"):
        driver.set_point("temperature_c", 41.0)


def test_floats_and_enumerations():
    assert float_from([0x3333, 0x42C5], "low_first") == pytest.approx(98.6, abs=1e-5)
    assert float_from([0x42C5, 0x3333], "high_first") == pytest.approx(98.6, abs=1e-5)
    assert codec.enumeration([0, 0]) == 0
    with pytest.raises(codec.BadRegisters):
        codec.enumeration([30, 7])
    assert codec.input_note(999) == "input error 999"
    assert math.isclose(codec.celsius(codec.fahrenheit(41.5)), 41.5)


@pytest.mark.parametrize(
    "wrong",
    [{"address": 0}, {"holds": "humidity"}, {"least_c": 50.0}, {"most_percent": 140.0}],
)
def test_settings_that_cannot_be(wrong):
    with pytest.raises(ValueError, match=r"write|address"):
        WatlowPmSettings(**wrong)
