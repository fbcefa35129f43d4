"""A Pulse Pal that is silent, deaf, rebooted, wrong, or was left armed by another program."""

import pytest
from usual_train import TRAIN

from labrig_drivers import pulse_pal
from labrig_drivers.errors import NoReply, NotNow, PortLost, Refused, ReplyError, WrongInstrument
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.simulation import Fault
from labrig_drivers.transports.faulty import FaultyTransport, LinkFault


def test_stop_undoes_what_another_program_left(pulse_pal_bench):
    bench = pulse_pal_bench()
    # The vendor's client left channel 2 looping, channel 4 at +10 V, and triggers kept.
    for command in ("D5 52 02 01", "D5 4F 04 FF FF", "D5 4D 03", "D5 4D 03"):
        bench.raw.write(bytes.fromhex(command))
    bench.raw.discard_input()
    assert bench.simulator.armed_to_loop == (2,)
    assert bench.simulator.linked_inputs == (1,)
    bench.driver.stop()
    assert bench.is_quiet_and_disarmed()
    started = len(bench.electrodes.started)
    bench.pass_time(3600)
    assert len(bench.electrodes.started) == started


def test_a_stale_byte_is_not_taken_for_an_acknowledgement(pulse_pal_bench):
    bench = pulse_pal_bench()
    bench.raw.write(bytes.fromhex("D5 48"))
    bench.driver.program({1: TRAIN})
    assert bench.driver.identify().firmware == "21"


def test_a_silent_instrument_needs_a_hand(pulse_pal_bench):
    bench = pulse_pal_bench(faults=[Fault("silent", 0.0, 5.0)])
    with pytest.raises(NoReply, match="clicks the joystick at the bench"):
        bench.driver.identify()
    assert not bench.driver.state(0.0).reachable
    bench.clock.wait(5.0)
    assert bench.driver.state(5.0).reachable


def test_a_deaf_instrument_is_reported_and_comes_back_disarmed_by_stop(pulse_pal_bench):
    bench = pulse_pal_bench(faults=[Fault("dead_until_joystick", 4.0, 30.0)])
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.clock.wait(4.0)
    with pytest.raises(NoReply, match="joystick"):
        bench.driver.stop()
    with pytest.raises(NotNow, match="program first"):
        bench.trigger(1)
    bench.pass_time(26.0)
    assert bench.simulator.linked_inputs == (1,), "the click loads defaults"
    bench.driver.stop()
    assert bench.is_quiet_and_disarmed()


def test_a_trigger_that_nobody_confirms_counts_as_running(pulse_pal_bench):
    bench = pulse_pal_bench(faults=[Fault("silent", 1.0, 2.0)])
    bench.driver.program({1: TRAIN})
    bench.clock.wait(1.0)
    with pytest.raises(NoReply):
        bench.trigger(1)
    bench.clock.wait(2.0)
    assert bench.driver.state(3.0).running_until_s == {1: 11.0}


def test_a_rebooted_instrument_never_plays_its_defaults(pulse_pal_bench):
    bench = pulse_pal_bench(faults=[Fault("reboot", 15.0)])
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.pass_time(20.0)
    bench.trigger(1)
    (_, _, before), (_, _, after) = bench.electrodes.started
    assert after == before


def test_trains_under_way_are_not_touched_by_a_trigger_on_another_channel(pulse_pal_bench):
    bench = pulse_pal_bench()
    bench.driver.program({1: TRAIN, 2: TRAIN})
    bench.trigger(1)
    bench.pass_time(3.0)
    bench.trigger(2)
    bench.pass_time(20.0)
    assert [(at_s, channel) for at_s, channel, _ in bench.electrodes.started] == [(0, 1), (3, 2)]
    assert bench.electrodes.cut == []


def test_a_click_in_a_train_ends_it_and_is_told_by_silence(pulse_pal_bench):
    bench = pulse_pal_bench(faults=[Fault("joystick_click", 4.0)])
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.clock.wait(4.5)
    assert not bench.driver.state(4.5).reachable
    assert bench.electrodes.cut == [(4.0, 1)]
    bench.clock.wait(1.0)
    assert bench.driver.state(5.5).reachable


def test_a_rebooted_instrument_is_programmed_anew_by_a_new_connection(pulse_pal_bench):
    bench = pulse_pal_bench(faults=[Fault("reboot", 2.0)])
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.pass_time(3.0)
    assert bench.electrodes.cut == [(2.0, 1)]
    again = bench.connect(bench.raw)
    with pytest.raises(NotNow, match="since this connection began"):
        again.trigger((1,), 3.0)


def test_a_wrong_acknowledgement_stops_and_is_shown(pulse_pal_bench):
    bench = pulse_pal_bench(faults=[Fault("corrupt_ack", 0.0)])
    with pytest.raises(ReplyError) as caught:
        bench.driver.program({1: TRAIN})
    (_, sent), answered = caught.value.transcript
    assert sent.hex(" ").upper().startswith("D5 4A 11 01 00 80")
    assert answered == ("<", b"\x0f\x01\x01\x01")
    with pytest.raises(WrongInstrument):
        bench.driver.identify()


class Scripted:
    """A link whose every answer is the same."""

    def __init__(self, answer):
        self.answer = answer
        self.written = []

    def write(self, data):
        self.written.append(data)

    def read(self, size, timeout_s):
        return self.answer[:size]

    def discard_input(self):
        return b""

    def close(self):
        pass


def test_a_pulse_pal_1_is_the_wrong_instrument():
    driver = pulse_pal.INSTRUMENT.driver(
        Scripted(bytes.fromhex("4B 05 00 00 00")), PulsePalSettings(), "stim"
    )
    with pytest.raises(WrongInstrument, match="Pulse Pal 1"):
        driver.identify()


def test_firmware_22_may_refuse_a_programme():
    driver = pulse_pal.INSTRUMENT.driver(Scripted(b"\x00"), PulsePalSettings(), "stim")
    with pytest.raises(Refused):
        driver.program({1: TRAIN})


def test_stop_sends_every_step_to_an_instrument_that_does_not_answer():
    link = Scripted(b"")
    driver = pulse_pal.INSTRUMENT.driver(link, PulsePalSettings(), "stim")
    with pytest.raises(NoReply):
        driver.stop()
    assert [command[1] for command in link.written] == [74, 82, 82, 82, 82, 73, 80]


def test_each_command_is_one_write():
    link = Scripted(4 * b"\x01")
    driver = pulse_pal.INSTRUMENT.driver(link, PulsePalSettings(), "stim")
    driver.program({1: TRAIN})
    assert [len(command) for command in link.written] == [28, 4, 4, 4, 4, 180, 2]


def test_a_lost_port_is_not_taken_for_silence(pulse_pal_bench):
    bench = pulse_pal_bench(
        link=lambda inner: FaultyTransport(inner, {0: LinkFault("lost")}, "stim")
    )
    with pytest.raises(PortLost):
        bench.driver.state(0.0)
