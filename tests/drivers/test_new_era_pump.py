"""The New Era pump where it is not plain sailing: power, stalls, watchdog, noise, neighbours."""

import logging
from contextlib import suppress

import pytest

from labrig_drivers import new_era
from labrig_drivers.errors import (
    AlarmRaised,
    NoReply,
    NotNow,
    OutOfRange,
    PortLost,
    ReplyError,
    WrongInstrument,
)
from labrig_drivers.hosting import SharedBus
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.simulation import Fault
from labrig_drivers.transports.faulty import FaultyTransport, LinkFault
from labrig_drivers.transports.recording import RecordingTransport

BASIC, SAFE = NewEraSettings(), NewEraSettings(watchdog_s=10)
UL_PER_H = 1 / 60


@pytest.fixture
def stand(bench):
    """Makes a bench and a configured driver: ``stand(settings, *faults)``."""

    def made(settings=BASIC, *faults):
        stand = bench(new_era.INSTRUMENT, settings, faults)
        stand.pump = stand.driver()
        stand.pump.configure()
        return stand

    return made


def test_the_power_up_alarm_is_noted_and_the_command_sent_again(bench, caplog):
    caplog.set_level(logging.INFO)
    pump = bench(new_era.INSTRUMENT, BASIC).driver()
    assert pump.identify().model == "NE-1000"
    assert "powered up" in caplog.text
    assert pump.state().alarm is None


def test_another_syringe_is_found_out_and_configured_on_demand(bench):
    stand = bench(new_era.INSTRUMENT, NewEraSettings(syringe_diameter_mm=26.59))
    stand.settings = NewEraSettings(syringe_diameter_mm=4.699)
    pump = stand.driver()
    with pytest.raises(WrongInstrument, match=r"26\.59 mm.*4\.699 mm"):
        pump.identify()
    pump.configure()
    assert pump.identify().firmware == "3.928"


def test_a_running_pump_is_not_configured(stand):
    stand = stand()
    stand.pump.set_rate(100)
    with pytest.raises(NotNow, match="not stopped"):
        stand.pump.configure()
    assert stand.plant.flows == [(0.0, 100.0)]


def test_small_rates_keep_four_digits(stand):
    stand = stand()
    stand.pump.set_rate(10.58 * UL_PER_H)
    assert stand.pump.quantised(10.58 * UL_PER_H) == pytest.approx(10.58 * UL_PER_H, rel=1e-12)
    assert stand.plant.flows == [(0.0, pytest.approx(10.58 * UL_PER_H, rel=1e-12))]
    stand.clock.wait(3600)
    assert stand.pump.state().delivered_ul == 10.58


def test_the_counter_is_fine_even_on_a_pump_nobody_configured(bench):
    stand = bench(new_era.INSTRUMENT, BASIC)
    pump = stand.driver()
    pump.set_rate(10.58 * UL_PER_H)
    stand.clock.wait(360)
    assert pump.state().delivered_ul == 1.058


def test_a_change_within_a_unit_does_not_stop_and_wears_no_memory(stand):
    stand = stand()
    stand.pump.set_rate(20)
    sent = []
    pump = stand.driver(
        RecordingTransport(stand.transport(), lambda *piece: sent.append(piece), stand.clock.now_s)
    )
    pump.set_rate(30)
    pump.set_rate(30)
    commands = [data for direction, _, data in sent if direction == ">"]
    # A value without a unit is what the pump takes while pumping and does not write down.
    assert commands == [b"0\r", b"0RAT\r", b"0VOL\r", b"0RAT1800\r", b"0RAT\r", b"0VOL\r"]
    assert [rate for _, rate in stand.plant.flows] == [20.0, 30.0]


def test_a_dispense_stops_at_its_volume_to_the_moment(stand):
    stand = stand()
    stand.pump.dispense(10.58, 60.0)
    assert stand.simulator.next_wake_s() == pytest.approx(10.58)
    stand.clock.wait(100.0)
    assert stand.pump.state().delivered_ul == 10.58
    assert stand.plant.flows == [(0.0, 60.0), (pytest.approx(10.58), 0.0)]


def test_a_program_not_ended_by_stp_would_run_on(stand):
    # The trap that the driver's check of phase 2 is for, shown on the bare pump.
    stand = stand()
    for command in (b"PHN2", b"FUNRAT", b"PHN1", b"VOL10.00", b"RAT60.00UM", b"RUN1"):
        stand.simulator.receive(command + b"\r", 0.0)
    stand.clock.wait(100.0)
    assert stand.pump.state().running
    stand.pump.stop()
    stand.driver().dispense(10.0, 60.0)
    stand.clock.wait(100.0)
    assert not stand.pump.state().running


@pytest.mark.parametrize("settings", [BASIC, SAFE])
def test_a_stall_is_told_once_and_the_pump_can_be_started_again(stand, settings):
    stand = stand(settings, Fault("stall", from_s=5.0, until_s=9.0))
    stand.pump.set_rate(100)
    stand.clock.wait(8.0)
    state = stand.pump.state()
    assert (state.running, state.alarm) == (False, "stalled")
    assert state.delivered_ul == pytest.approx(100 / 60 * 5, abs=0.002)
    assert stand.pump.state().alarm == "stalled"
    stand.clock.wait(1.0)
    stand.pump.set_rate(100)
    state = stand.pump.state()
    assert (state.running, state.alarm) == (True, None)
    assert stand.plant.flows == [(0.0, 100.0), (5.0, 0.0), (9.0, 100.0)]


def test_a_command_that_meets_an_alarm_is_not_carried_out(stand):
    stand = stand(BASIC, Fault("stall", from_s=5.0, until_s=6.0))
    stand.pump.set_rate(100)
    stand.clock.wait(8.0)
    with pytest.raises(AlarmRaised) as caught:
        stand.pump.dispense(10, 100)
    assert caught.value.alarm == "stalled"
    assert stand.plant.flows[-1] == (5.0, 0.0)


def test_stopping_a_stalled_pump_succeeds_and_keeps_the_alarm(stand):
    stand = stand(BASIC, Fault("stall", from_s=5.0))
    stand.pump.set_rate(100)
    stand.clock.wait(8.0)
    stand.pump.stop()
    assert stand.pump.state().alarm == "stalled"


@pytest.mark.parametrize("settings", [BASIC, SAFE])
def test_a_power_cut_in_the_night_is_an_alarm(stand, settings):
    stand = stand(settings, Fault("reboot", from_s=5.0))
    stand.pump.set_rate(100)
    stand.clock.wait(8.0)
    state = stand.pump.state()
    assert (state.running, state.alarm) == (False, "power was interrupted")
    stand.pump.set_rate(100)
    assert [at_s for at_s, _ in stand.plant.flows] == [0.0, 5.0, 8.0]


def test_a_silent_host_stops_a_pump_in_safe_mode_only(stand):
    for settings, flows in ((SAFE, [(0.0, 100.0), (10.0, 0.0)]), (BASIC, [(0.0, 100.0)])):
        here = stand(settings)
        here.pump.set_rate(100)
        here.clock.wait(60.0)
        here.simulator.advance(here.clock.now_s())
        assert here.plant.flows == flows
    assert here.pump.state().running


def test_asking_for_the_state_feeds_the_watchdog(stand):
    stand = stand(SAFE)
    stand.pump.set_rate(100)
    for _ in range(10):
        stand.clock.wait(9.0)
        assert stand.pump.state().running
    stand.clock.wait(11.0)
    assert stand.pump.state().alarm == "host was silent too long"


@pytest.mark.parametrize(("before", "after"), [(SAFE, BASIC), (BASIC, SAFE)])
def test_a_pump_left_in_the_other_mode_is_met_without_stopping_it(stand, before, after):
    stand = stand(before)
    stand.pump.set_rate(100)
    stand.settings = after
    other = stand.driver()
    other.identify()
    assert other.state().running
    assert stand.plant.flows == [(0.0, 100.0)]


def test_half_a_packet_is_forgotten_after_half_a_second(stand):
    stand = stand(SAFE)
    status = bytes.fromhex("02 05 30 36 53 03")
    assert stand.simulator.receive(status[:3], 1.0) == b""
    assert stand.simulator.receive(status[3:], 1.4) != b""
    assert stand.simulator.receive(status[:3], 2.0) == b""
    assert stand.simulator.receive(status, 2.6) != b""


def test_a_damaged_packet_is_refused_by_the_pump(stand):
    stand = stand(SAFE)
    assert b"S?COM" in stand.simulator.receive(bytes.fromhex("02 05 30 36 54 03"), 1.0)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("silent", 5.0, 6.0), NoReply),
        (Fault("corrupt_reply", 5.0, 6.0), ReplyError),
        (Fault("late_reply", 5.0, 6.0, value=3.0), NoReply),
    ],
)
def test_after_trouble_on_the_line_answers_fit_their_questions_again(stand, fault, error):
    stand = stand(SAFE, fault)
    stand.pump.set_rate(100)
    stand.clock.wait(5.0)
    with pytest.raises(error):
        stand.pump.state()
    for _ in range(5):
        stand.clock.wait(1.0)
        state = stand.pump.state()
        assert (state.running, state.rate_ul_min, state.alarm) == (True, 100.0, None)


@pytest.mark.parametrize("settings", [BASIC, SAFE])
@pytest.mark.parametrize(
    "fault",
    [
        LinkFault("drop_request"),
        LinkFault("drop_reply"),
        LinkFault("truncate_reply", at=3),
        LinkFault("delay_reply"),
        LinkFault("split_reply", at=4),
        LinkFault("lost"),
    ],
)
def test_any_spoilt_exchange_is_an_error_or_harmless(stand, settings, fault):
    for spoilt in range(12):
        here = stand(settings)
        pump = here.driver(FaultyTransport(here.transport(), {spoilt: fault}))
        with suppress(NoReply, ReplyError, PortLost):
            pump.set_rate(100)
        if fault.name != "lost":
            pump.set_rate(100)
            assert pump.state().running
            assert here.plant.flows[-1] == (0.0, 100.0)


def test_the_counter_does_not_see_a_wrong_rate(stand):
    stand = stand(BASIC, Fault("rate_error", 0.0, value=-0.1))
    stand.pump.set_rate(60)
    stand.clock.wait(60.0)
    assert stand.pump.state().delivered_ul == 60.0
    assert stand.plant.moved_ul(60.0) == pytest.approx(54.0)


def test_pumps_of_one_chain_answer_each_for_itself(bench):
    stands = [bench(new_era.INSTRUMENT, NewEraSettings(address=n)) for n in (1, 12)]
    chain = SharedBus([stand.simulator for stand in stands])
    shared = bench(new_era.INSTRUMENT, NewEraSettings(address=1), simulator=chain)
    first = shared.driver()
    shared.settings = NewEraSettings(address=12)
    second = shared.driver()
    first.set_rate(100)
    second.set_rate(200)
    assert [stand.plant.flows for stand in stands] == [[(0.0, 100.0)], [(0.0, 200.0)]]
    shared.settings = NewEraSettings(address=3)
    with pytest.raises(NoReply, match="address 3"):
        shared.driver().identify()


def test_a_dispense_beyond_the_syringe_is_refused_unsent(stand):
    stand = stand(NewEraSettings(syringe_volume_ul=1000))
    with pytest.raises(OutOfRange, match="1000 µL"):
        stand.pump.dispense(1001, 100)
    assert stand.plant.flows == []


@pytest.mark.parametrize(
    "wrong", [{"address": 100}, {"syringe_diameter_mm": 60}, {"watchdog_s": 256}]
)
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        NewEraSettings(**wrong)


def test_an_unknown_fault_is_refused(bench):
    with pytest.raises(ValueError, match="knows no fault 'gremlin'"):
        bench(new_era.INSTRUMENT, BASIC, [Fault("gremlin", 0.0)])


def test_a_neighbours_alarm_told_unasked_fails_nobodys_command(bench):
    """In Safe mode a pump that stalls says so between another's question and answer."""
    settings = [NewEraSettings(address=n, watchdog_s=60) for n in (0, 1)]
    stands = [bench(new_era.INSTRUMENT, settings[0], [Fault("stall", 5.0)])]
    stands.append(bench(new_era.INSTRUMENT, settings[1]))
    chain = SharedBus([stand.simulator for stand in stands])
    shared = bench(new_era.INSTRUMENT, settings[0], simulator=chain)
    first = shared.driver()
    shared.settings = settings[1]
    second = shared.driver()
    first.set_rate(100)
    second.set_rate(100)
    shared.clock.wait(6.0)
    second.dispense(50, 100)
    assert second.state().running
    assert first.state().alarm == "stalled"


@pytest.mark.parametrize("settings", [BASIC, SAFE])
@pytest.mark.parametrize("late_s", [0.51, 0.9, 1.4])
def test_a_late_answer_is_not_taken_for_that_to_the_next_question(stand, settings, late_s):
    stand = stand(settings, Fault("late_reply", 5.0, 5.4, value=late_s))
    stand.pump.set_rate(100)
    stand.clock.wait(5.2)
    for _ in range(12):
        with suppress(NoReply, ReplyError):
            state = stand.pump.state()
            assert (state.running, state.rate_ul_min, state.alarm) == (True, 100.0, None)
            assert state.delivered_ul == pytest.approx(stand.clock.now_s() / 0.6, abs=0.2)
        stand.clock.wait(0.2)
    assert stand.pump.state().running


def test_identifying_arms_no_watchdog_and_writes_nothing(bench):
    stand = bench(new_era.INSTRUMENT, NewEraSettings(watchdog_s=3))
    stand.driver().identify()
    stand.clock.wait(60.0)
    stand.settings = BASIC
    pump = stand.driver()
    pump.identify()
    assert pump.state().alarm is None


def test_a_pump_that_is_released_runs_on_without_a_host(stand):
    stand = stand(SAFE)
    stand.pump.set_rate(100)
    stand.pump.release()
    stand.pump.release()
    stand.clock.wait(3600.0)
    stand.simulator.advance(stand.clock.now_s())
    assert stand.plant.flows == [(0.0, 100.0)]
    stand.settings = BASIC
    assert stand.driver().state().running


def test_lost_power_is_remembered_until_the_pump_is_started(bench):
    """Also when it is met first by a driver that has never spoken to it."""
    stand = bench(new_era.INSTRUMENT, SAFE)
    pump = stand.driver()
    pump.identify()
    assert pump.state().power_lost
    assert pump.state().power_lost
    pump.set_rate(100)
    assert not pump.state().power_lost
    assert not stand.driver().state().power_lost


def test_the_counter_goes_on_over_its_end_and_its_units(stand):
    stand = stand(NewEraSettings(syringe_diameter_mm=26.59))
    came_ul = 0.0
    for rate_ul_min, minutes in ((9000.0, 1.0), (9000.0, 2.0), (500.0, 3.0)):
        stand.pump.set_rate(rate_ul_min)
        stand.clock.wait(60.0 * minutes)
        came_ul += rate_ul_min * minutes
        assert stand.pump.state().delivered_ul == pytest.approx(came_ul, abs=10.0)
    for _ in range(8):
        stand.pump.dispense(1500.0, 9000.0)
        stand.clock.wait(12.0)
        came_ul += 1500.0
        assert stand.pump.state().delivered_ul == pytest.approx(came_ul, abs=11.0)
    assert came_ul > 2 * 10_000


def _say(simulator, command, at_s=0.0):
    reply = simulator.receive(f"{command}\r".encode(), at_s)
    return reply[1:-1].decode()


def test_a_factory_fresh_pump_stops_after_its_volume_and_counts_with_a_point(bench):
    """As the quick start and other people's clients have it."""
    simulator = bench(new_era.INSTRUMENT, NewEraSettings(syringe_diameter_mm=10.0)).simulator
    assert _say(simulator, "0") == "00A?R"
    assert _say(simulator, "0STP") == "00S?NA"
    assert _say(simulator, "0VOL1000") == "00S"
    assert _say(simulator, "0VOL") == "00S1000.UL"
    assert _say(simulator, "0RAT C 3.000 MM") == "00S"
    assert _say(simulator, "0RUN") == "00I"
    simulator.advance(60.0)
    assert _say(simulator, "0DIS", 60.0) == "00SI1000.W0.000UL"


def test_a_rate_changed_while_pumping_is_not_kept_over_a_power_cut(bench):
    stand = bench(new_era.INSTRUMENT, BASIC, [Fault("reboot", 20.0)])
    simulator = stand.simulator
    for command in ("0", "0RAT100.0UM", "0RUN", "0RAT200.0"):
        _say(simulator, command, 1.0)
    assert _say(simulator, "0RAT", 2.0) == "00I200.0UM"
    simulator.advance(30.0)
    assert _say(simulator, "0", 30.0) == "00A?R"
    assert _say(simulator, "0RAT", 30.0) == "00S100.0UM"
