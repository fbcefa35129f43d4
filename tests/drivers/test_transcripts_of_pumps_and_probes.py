"""Bytes quoted from manuals, against the code that sends them and the simulator that answers."""

from pathlib import Path

import pytest

from labrig_drivers import leadfluid, new_era, vaisala_gmp25x
from labrig_drivers.errors import AlarmRaised, OutOfRange, Refused
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.new_era import codec
from labrig_drivers.new_era.conversation import Conversation
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.simulation import Fault
from labrig_drivers.transcript import (
    TranscriptTransport,
    parse_transcript,
    replay_against_simulator,
)
from labrig_drivers.transports.modbus import ModbusLink, float_from, registers_from
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

TRANSCRIPTS = Path(__file__).parent / "transcripts"


def steps_of(name):
    return parse_transcript((TRANSCRIPTS / f"{name}.txt").read_text(encoding="utf-8"))


def new_era_basic(link):
    pump = Conversation(link, 0, 0, "pump")
    assert pump.ask("RAT").data == "1.500MM"
    with pytest.raises(OutOfRange, match="DIA99"):
        pump.ask("DIA99")
    assert pump.ask("RUN").status == "I"
    with pytest.raises(AlarmRaised, match="stalled"):
        pump.ask("RAT")


def leadfluid_start(link):
    pump = ModbusLink(link, "pump", 1)
    pump.write_registers(4015, registers_from(2.5, "low_first"))
    pump.write_register(4126, 1)
    with pytest.raises(Refused, match="no such register"):
        pump.read_holding(3100, 10)


def leadfluid_s_series(link):
    pump = ModbusLink(link, "pump", 1)
    assert pump.read_holding(3100, 10) == [600, 0, 1, 0, 0, 0, 0, 1, 0, 0]
    pump.write_register(3100, 600)
    pump.write_register(3102, 0)


def vaisala_read(link):
    settings = VaisalaSettings(model="GMP252")
    probe = vaisala_gmp25x.INSTRUMENT.driver(ModbusLink(link, "probe", 240), settings, "probe")
    reading = probe.read()
    assert reading.values["co2_percent"] == pytest.approx(0.046566, abs=1e-6)
    assert (reading.values["temperature_c"], reading.trusted, reading.note) == (37.0, True, "")


def vaisala_link(link):
    probe = ModbusLink(link, "probe", 240)
    probe.write_registers(0x020A, registers_from(37.0, "low_first"))
    assert probe.read_device_identification()[1] == b"GMP25x Carbon Dioxide Probe"


HOST_SIDE = [new_era_basic, leadfluid_start, leadfluid_s_series, vaisala_read, vaisala_link]


@pytest.mark.parametrize("act", HOST_SIDE)
def test_host_side_sends_what_the_manual_prints(act):
    link = TranscriptTransport(steps_of(act.__name__))
    act(link)
    link.finish()


def test_safe_mode_packets_of_the_host_are_those_of_the_manual():
    # Time passes inside this transcript, so its host side is read off it frame by frame.
    sent = [step.data for step in steps_of("new_era_safe") if step.direction == ">"]
    safe = codec.safe_frame
    assert sent == [safe(0, command) for command in ("SAF10", "RUN", "STP", "")]


SIMULATORS = {
    "new_era_basic": (new_era.INSTRUMENT, NewEraSettings(), [Fault("stall", 1.0)]),
    "new_era_safe": (new_era.INSTRUMENT, NewEraSettings(), [Fault("stall", 1.0)]),
    "new_era_watchdog": (new_era.INSTRUMENT, NewEraSettings(), []),
    "leadfluid_start": (leadfluid.INSTRUMENT, LeadFluidSettings(), []),
    "vaisala_read": (vaisala_gmp25x.INSTRUMENT, VaisalaSettings(model="GMP252"), []),
    "vaisala_link": (vaisala_gmp25x.INSTRUMENT, VaisalaSettings(model="GMP252"), []),
}


@pytest.mark.parametrize("name", SIMULATORS)
def test_simulator_answers_what_the_manual_prints(name, bench):
    stand = bench(*SIMULATORS[name])
    now_s = 0.0
    if name.startswith("new_era"):
        stand.simulator.receive(b"\r", now_s)  # takes the alarm of powering up
        stand.simulator.receive(b"RAT1.500MM\r", now_s)
    else:
        now_s = 60.0  # past the probe's warming up
        stand.plant.co2_percent = float_from([0xD47A, 0x43E8], "low_first") * 1e-4
    replay_against_simulator(steps_of(name), stand.simulator, now_s)
