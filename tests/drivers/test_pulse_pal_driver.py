"""The Pulse Pal's driver over its simulator: what reaches the electrodes."""

from dataclasses import replace
from pathlib import Path

import pytest
from usual_train import TRAIN

from labrig_drivers import pulse_pal
from labrig_drivers.conformance import stimulator
from labrig_drivers.errors import NotNow, OutOfRange
from labrig_drivers.pulse_pal.settings import PulsePalSettings
from labrig_drivers.transcript import TranscriptTransport, parse_transcript

TRANSCRIPTS = Path(__file__).parent / "transcripts"


@pytest.mark.parametrize("check", stimulator.CHECKS)
def test_conforms_to_its_kind(check, pulse_pal_bench):
    bench = pulse_pal_bench()
    check(lambda: bench.connect(bench.raw), bench.clock)


def test_identifies_itself(pulse_pal_bench):
    identity = pulse_pal_bench().driver.identify()
    assert (identity.model, identity.firmware) == ("Pulse Pal 2", "21")


@pytest.mark.parametrize(
    ("transcript", "call"),
    [
        ("pulse_pal_handshake.txt", lambda driver: driver.identify()),
        ("pulse_pal_stop.txt", lambda driver: driver.stop()),
    ],
)
def test_sends_the_transcripts_bytes(transcript, call):
    link = TranscriptTransport(parse_transcript((TRANSCRIPTS / transcript).read_text()))
    call(pulse_pal.INSTRUMENT.driver(link, PulsePalSettings(), "stim"))
    link.finish()


def test_the_electrodes_get_exactly_the_train_asked_for(pulse_pal_bench):
    bench = pulse_pal_bench(volts_per_volt=2.0)
    phasic = replace(TRAIN, amplitude_v=15, frequency_hz=100, burst_s=0.5, gap_s=1.5, duration_s=8)
    bench.driver.program({2: phasic})
    bench.clock.wait(3.0)
    bench.trigger(2)
    [(now_s, channel, train)] = bench.electrodes.started
    assert (now_s, channel) == (3.0, 2)
    assert train == {
        "phase_ms": 0.4,
        "amplitude_v": 15.0,
        "biphasic": True,
        "frequency_hz": 100.0,
        "burst_s": 0.5,
        "gap_s": 1.5,
        "duration_s": 8.0,
    }


def test_a_train_ends_by_itself_when_the_computer_is_lost(pulse_pal_bench):
    bench = pulse_pal_bench()
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.driver.close()
    bench.pass_time(9.99)
    assert bench.simulator.playing(1)
    bench.pass_time(0.02)
    assert not bench.simulator.playing(1)
    assert bench.electrodes.cut == []


def test_trains_can_follow_each_other_without_a_gap(pulse_pal_bench):
    bench = pulse_pal_bench()
    bench.driver.program({1: TRAIN})
    for _ in range(360):
        bench.trigger(1)
        bench.clock.wait(10.0)
    assert len(bench.electrodes.started) == 360
    assert bench.electrodes.started[-1][0] == pytest.approx(3590.0)


def test_two_channels_start_together(pulse_pal_bench):
    bench = pulse_pal_bench()
    bench.driver.program({1: TRAIN, 3: replace(TRAIN, duration_s=5)})
    bench.trigger(1, 3)
    assert [channel for _, channel, _ in bench.electrodes.started] == [1, 3]
    assert bench.driver.state(0.0).running_until_s == {1: 10.0, 3: 5.0}


def test_a_trigger_within_a_train_sends_nothing(pulse_pal_bench):
    bench = pulse_pal_bench()
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.clock.wait(5.0)
    with pytest.raises(NotNow, match=r"still playing for 5\.0000 s"):
        bench.trigger(1)
    bench.pass_time(60)
    assert len(bench.electrodes.started) == 1


def test_programming_ends_what_runs(pulse_pal_bench):
    bench = pulse_pal_bench()
    bench.driver.program({1: TRAIN})
    bench.trigger(1)
    bench.driver.program({2: TRAIN})
    assert bench.electrodes.cut == [(0.0, 1)]
    with pytest.raises(NotNow):
        bench.trigger(1)
    bench.trigger(2)


@pytest.mark.parametrize("channel", [0, 5])
def test_channels_it_has_not_are_refused(channel, pulse_pal_bench):
    with pytest.raises(OutOfRange, match="channels 1 to 4"):
        pulse_pal_bench().driver.program({channel: TRAIN})


@pytest.mark.parametrize("check", stimulator.CHECKS)
def test_conforms_over_a_pty(check, bench, wire, pulse_pal_bench):
    settings = PulsePalSettings()
    simulator = pulse_pal_bench().simulator
    wired = bench(pulse_pal.INSTRUMENT, settings, simulator=simulator)
    check(wire("pty", wired), wired.clock)
