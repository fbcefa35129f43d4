"""The Lead Fluid pump: word order, units, what it cannot see, and its register map."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig_drivers import leadfluid, vaisala_gmp25x
from labrig_drivers.errors import (
    NoReply,
    NotNow,
    OutOfRange,
    Refused,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.leadfluid import codec
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.leadfluid.simulator import SimulatedLeadFluid
from labrig_drivers.simulation import Fault, StillPump
from labrig_drivers.transports.modbus import ModbusLink, float_from, registers_from
from labrig_drivers.transports.recording import RecordingTransport
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

COMPUTER, PLC = 0, 1


@pytest.fixture
def stand(bench):
    """Makes a bench with a driver and a bare link to the same pump: ``stand(*faults)``."""

    def made(*faults, settings=LeadFluidSettings(), simulator=None):  # noqa: B008 - frozen
        stand = bench(leadfluid.INSTRUMENT, settings, faults, simulator)
        stand.pump = stand.driver()
        stand.link = ModbusLink(stand.transport(), "bare", settings.address)
        return stand

    return made


@pytest.mark.parametrize("mode", [COMPUTER, PLC])
def test_both_word_orders_are_spoken(stand, mode):
    stand = stand()
    stand.link.write_register(4127, mode)
    assert stand.pump.identify().model == "BT100F"
    stand.pump.set_rate(2.5)
    assert stand.link.read_holding(4015, 2) == ([0, 0x4020] if mode == COMPUTER else [0x4020, 0])
    assert stand.plant.flows == [(0.0, 2.5)]


def test_a_word_order_changed_behind_our_back_is_found_out(stand):
    stand = stand()
    stand.pump.set_rate(2.5)
    stand.link.write_register(4127, PLC)
    with pytest.raises(ReplyError, match="MODBUS mode"):
        stand.pump.state()
    assert stand.pump.state().rate_ul_min == 2.5


def test_a_change_of_unit_never_runs_the_old_number_in_the_new_unit(stand):
    stand = stand()
    for rate_ul_min in (900.0, 2500.0, 10.0):
        stand.pump.set_rate(rate_ul_min)
    assert [rate for _, rate in stand.plant.flows] == [900.0, 0.0, 2500.0, 0.0, 10.0]


def test_asserting_a_rate_again_writes_nothing(stand):
    stand = stand()
    stand.pump.set_rate(50)
    sent = []
    pump = stand.driver(
        RecordingTransport(stand.transport(), lambda *piece: sent.append(piece), stand.clock.now_s)
    )
    pump.set_rate(50)
    functions = {data[1] for direction, _, data in sent if direction == ">"}
    assert functions == {3}


def test_full_speed_and_direction_are_put_right(stand):
    stand = stand(settings=LeadFluidSettings(direction="counterclockwise"))
    stand.link.write_register(4024, 1)
    stand.pump.set_rate(50)
    assert stand.link.read_holding(4023, 2) == [1, 0]
    assert stand.plant.flows == [(0.0, 50.0)]


def test_external_control_is_not_overridden(stand):
    stand = stand()
    stand.link.write_register(4026, 1)
    with pytest.raises(NotNow, match="external control"):
        stand.pump.set_rate(50)
    assert stand.plant.flows == []


def test_a_dispense_ends_at_its_volume_to_the_moment(stand):
    stand = stand()
    stand.pump.dispense(10.5, 60.0)
    assert stand.pump.state().rate_ul_min == 60.0
    stand.clock.wait(60.0)
    state = stand.pump.state()
    assert state.delivered_ul == pytest.approx(10.5)
    assert stand.plant.flows == [(0.0, 60.0), (pytest.approx(10.5), 0.0)]


def test_a_pump_without_volume_mode_says_so(stand):
    settings = LeadFluidSettings()
    stand = stand(simulator=SimulatedLeadFluid(settings, PumpOnly(), model="BT100L"))
    assert stand.pump.identify().model == "BT100L"
    with pytest.raises(Refused, match="no volume mode"):
        stand.pump.dispense(10, 60)


class PumpOnly:
    def flow_changed(self, now_s, rate_ul_min):
        assert rate_ul_min == 0.0, "something was pumped"


def test_the_pump_sees_neither_a_stall_nor_worn_tubing(stand):
    stand = stand(Fault("stall", 60.0, 120.0), Fault("drift", 120.0, value=-0.2))
    stand.pump.set_rate(100)
    for _ in range(3):
        stand.clock.wait(60.0)
        assert stand.pump.state().running
    assert stand.pump.state().delivered_ul == pytest.approx(300.0)
    assert stand.plant.moved_ul(180.0) == pytest.approx(180.0)


def test_a_power_cut_leaves_it_standing_with_its_settings(stand):
    stand = stand(Fault("reboot", 30.0))
    stand.pump.set_rate(100)
    stand.clock.wait(60.0)
    state = stand.pump.state()
    assert (state.running, state.rate_ul_min) == (False, 100.0)
    assert state.delivered_ul == pytest.approx(50.0)


def test_trouble_on_the_line_passes(stand):
    stand = stand(
        Fault("silent", 10.0, 20.0), Fault("corrupt_reply", 20.0, 30.0), Fault("late_reply", 30, 40)
    )
    stand.pump.set_rate(100)
    for at_s, error in ((15.0, NoReply), (25.0, ReplyError), (35.0, NoReply)):
        stand.clock.wait(at_s - stand.clock.now_s())
        with pytest.raises(error):
            stand.pump.state()
    stand.clock.wait(10.0)
    assert stand.pump.state().running
    assert stand.plant.flows == [(0.0, 100.0)]


def test_another_instrument_is_found_out(stand, bench):
    probe = bench(vaisala_gmp25x.INSTRUMENT, VaisalaSettings(address=1))
    with pytest.raises(WrongInstrument, match="no Lead Fluid"):
        stand(simulator=probe.simulator).pump.identify()
    speed_pump = SimulatedLeadFluid(LeadFluidSettings(), PumpOnly(), model="BT100S")
    with pytest.raises(WrongInstrument, match="BT100S"):
        stand(simulator=speed_pump).pump.identify()


@pytest.mark.parametrize(
    ("address", "values"),
    [
        (4022, [9]),
        (4126, [2]),
        (4015, [0]),
        (4016, [0]),
        (4015, registers_from(1000.5, "low_first")),
        (4015, registers_from(-1.0, "low_first")),
        (4025, [1]),
    ],
)
def test_the_simulated_pump_refuses_values_and_keeps_what_it_had(stand, address, values):
    stand = stand()
    before = stand.link.read_holding(4015, 12)
    with pytest.raises(OutOfRange):
        stand.link.write_registers(address, values)
    assert stand.link.read_holding(4015, 12) == before


def test_gaps_read_zero_and_strange_places_are_refused(stand):
    link = stand().link
    assert codec.parse_text(link.read_input(1000, 30)[18:28]) == "LeadFluid BT100F"
    assert link.read_input(1005, 10) == [0] * 10
    assert link.read_holding(4100, 20) == [0] * 20
    for read, address in ((link.read_holding, 3100), (link.read_input, 0)):
        with pytest.raises(Refused, match="no such register"):
            read(address, 1)


@given(st.floats(0.001, 999_900.0))
def test_flows_and_volumes_survive_their_registers(value):
    number, unit = codec.number_and_unit(value)
    assert float_from(registers_from(number, "low_first"), "low_first") == number
    assert number * codec.UL_PER_UNIT[unit] == pytest.approx(value, rel=1e-6)


@pytest.mark.parametrize(
    ("registers", "says"),
    [
        ([0, 0x4020, 0, 0, 0, 0, 0, 7, 0, 0, 0, 0], "unit register reads 7"),
        ([0x4020, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0], "beyond 0.001"),
    ],
)
def test_a_panel_that_cannot_be_is_refused(registers, says):
    with pytest.raises(codec.BadRegisters, match=says):
        codec.parse_panel(registers, "low_first")


@pytest.mark.parametrize(
    "wrong", [{"address": 0}, {"direction": "up"}, {"min_rate_ul_min": 5.0, "max_rate_ul_min": 1.0}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        LeadFluidSettings(**wrong)


class FourDigits(SimulatedLeadFluid):
    """A pump that keeps of a number what its panel shows."""

    def _take(self, words, numbers):
        super()._take(words, {r: float(f"{n:.4g}") for r, n in numbers.items()})


@pytest.mark.parametrize("rate_ul_min", [16.66666, 0.3526667, 333.3333, 1234.567])
def test_a_pump_that_keeps_four_digits_is_no_liar(stand, rate_ul_min):
    stand = stand(simulator=FourDigits(LeadFluidSettings(), StillPump()))
    for _ in range(2):
        stand.pump.set_rate(rate_ul_min)
        state = stand.pump.state()
        assert state.running
        assert state.rate_ul_min == pytest.approx(rate_ul_min, rel=5e-4)
    stand.pump.dispense(33.33333, rate_ul_min)


def test_a_pump_that_keeps_another_number_is_found_out(stand):
    class Wrong(SimulatedLeadFluid):
        def _take(self, words, numbers):
            super()._take(words, {r: n * 1.01 for r, n in numbers.items()})

    with pytest.raises(ReplyError, match="it keeps"):
        stand(simulator=Wrong(LeadFluidSettings(), StillPump())).pump.set_rate(16.6)


@pytest.mark.parametrize("model", ["BT100F-1", "LEPP150F", "BT101F", "BT300L", "BT600F"])
def test_models_and_rebrands_are_known_by_their_letter(stand, model):
    simulator = SimulatedLeadFluid(LeadFluidSettings(), StillPump(), model=model)
    assert stand(simulator=simulator).pump.identify().model == model


@pytest.mark.parametrize("model", ["BT100S", "", "F", "BTF", "LF100X"])
def test_other_models_are_not(stand, model):
    simulator = SimulatedLeadFluid(LeadFluidSettings(), StillPump(), model=model)
    with pytest.raises(WrongInstrument, match="not a BT-F or BT-L"):
        stand(simulator=simulator).pump.identify()


class Echo:
    """An RS-485 adapter that hears itself."""

    def __init__(self, inner):
        self._inner, self._heard = inner, b""

    def write(self, data):
        self._heard += data
        self._inner.write(data)

    def read(self, size, timeout_s):
        data, self._heard = self._heard[:size], self._heard[size:]
        return data + self._inner.read(size - len(data), timeout_s)

    def discard_input(self):
        self._heard = b""
        return self._inner.discard_input()

    def close(self):
        self._inner.close()


def test_an_echo_is_named_whatever_is_asked(stand):
    stand = stand()
    link = ModbusLink(Echo(stand.transport()), "pump", 1)
    asked = [
        lambda: link.read_input(1018, 10),
        lambda: link.read_holding(4015, 12),
        lambda: link.write_registers(4015, registers_from(2.5, "low_first")),
        lambda: stand.instrument.driver(link, stand.settings, "pump").identify(),
    ]
    for ask in asked:
        with pytest.raises(ReplyError, match="echoes"):
            ask()
