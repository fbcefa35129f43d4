"""Trains of any shape, endless ones too, are counted and looked up without being written out."""

from __future__ import annotations

import math
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.rig.bench import BenchSpec, InstrumentSpec, PortSpec
from labrig.twin.bench import TwinBench
from labrig.twin.spec import ElectrodeSpec, LineSpec, ReservoirSpec, TwinSpec, WellSpec
from labrig.twin.trains import Train
from labrig.twin.world import World

SPEC = TwinSpec(
    seed=5,
    chamber_volume_ul=1000.0,
    stage="stage",
    wells=(WellSpec("A1", "d1", "unknown", ((0.0, 0.0),)),),
    reservoirs=(ReservoirSpec("bottle", 1e9, {}, True),),
    lines=(LineSpec("base", "bottle", "base_pump", ("A1",), 0.0, True),),
    electrodes=(ElectrodeSpec("stim", 1, ("A1",)),),
    factors=(),
)


def written_out(train):
    """Every pulse by the plainest loop."""
    found, burst_start_s = [], 0.0
    while burst_start_s < train.duration_s - 1e-9:
        rest_s = train.duration_s - burst_start_s
        length_s = min(train.burst_s, rest_s) if train.gap_s > 0 else train.duration_s
        for i in range(max(1, round(length_s * train.frequency_hz))):
            found.append(burst_start_s + i / train.frequency_hz)
        burst_start_s += length_s + train.gap_s
        if train.gap_s <= 0:
            break
    return [t for t in found if t < min(train.duration_s, train.cut_s)]


TRAINS = st.builds(
    Train,
    start_s=st.just(0.0),
    duration_s=st.integers(1, 200).map(lambda n: n / 8),
    frequency_hz=st.sampled_from([0.5, 1.0, 2.0, 8.0, 16.0]),
    burst_s=st.sampled_from([0.25, 0.5, 2.0]),
    gap_s=st.sampled_from([0.0, 0.5, 1.75]),
    amplitude_v=st.just(15.0),
    cut_s=st.one_of(st.just(math.inf), st.integers(0, 200).map(lambda n: n / 8 + 0.01)),
)


@settings(max_examples=300, deadline=None)
@given(TRAINS, st.integers(0, 220).map(lambda n: n / 8 + 0.003), st.integers(0, 100))
def test_counting_is_as_writing_out(train, seconds, since):
    times = written_out(train)
    assert train.pulses_in(seconds) == sum(t < seconds for t in times)
    window = (since / 8 - 0.003, since / 8 + 1.0)
    assert list(train.pulses_between_s(*window)) == pytest.approx(
        [t for t in times if window[0] <= t <= window[1]]
    )


def test_an_endless_train_counts_as_it_goes_and_when_it_is_cut():
    world = World(SPEC)
    world.start_train("stim", 1, 0.0, 15.0, 10.0, 0.0, 0.0, math.inf)
    assert world.truth(100.0)["A1"]["pulses"] == 1000
    assert world.truth(1000.0)["A1"]["pulses"] == 10_000
    assert len(world.scene(2000.0, 1999.0)["pulses_s"]) == 21
    world.stop_train("stim", 1, 2000.55)
    assert world.truth(5000.0)["A1"]["pulses"] == 20_006


def test_direct_voltage_adds_up_whatever_its_sign():
    world = World(SPEC)
    world.hold_voltage("stim", 1, 10.0, 4.0)
    world.hold_voltage("stim", 1, 20.0, -1.0)
    assert world.truth(25.0)["A1"]["direct_v_s"] == 45.0
    world.hold_voltage("stim", 1, 30.0, 0.0)
    assert world.truth(99.0)["A1"]["direct_v_s"] == 50.0


def stimulator_bench(tmp_path):
    clock = [0.0]
    instrument = InstrumentSpec("stim", "pulse_pal_2", "stim_port", {}, "")
    port = PortSpec("stim_port", "simulated", None)
    bench = BenchSpec((port,), (instrument,), ())
    twin = TwinBench(SPEC, bench, tmp_path, lambda: clock[0])
    return clock, twin, twin.open_transport(port)


PIECES = st.one_of(
    st.binary(max_size=6),
    st.builds(
        lambda op, rest: bytes((213, op)) + rest, st.integers(72, 91), st.binary(max_size=30)
    ),
    st.builds(lambda ch, on: bytes((213, 82, ch, on)), st.integers(1, 4), st.integers(0, 1)),
    st.builds(lambda bits: bytes((213, 77, bits)), st.integers(0, 15)),
    st.builds(
        lambda times, volts, flags: b"\xd5\x49" + times + volts + flags,
        st.lists(st.sampled_from([0, 1, 2, 20, 4000]), min_size=32, max_size=32).map(
            lambda times: b"".join(t.to_bytes(4, "little") for t in times)
        ),
        st.binary(min_size=24, max_size=24),
        st.binary(min_size=26, max_size=26),
    ),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(PIECES, st.sampled_from([0.0, 0.001, 0.6, 400.0])), max_size=12))
def test_no_bytes_kill_or_hang_the_simulated_stimulator(tmp_path_factory, doings):
    clock, twin, link = stimulator_bench(tmp_path_factory.mktemp("twin"))
    began = time.monotonic()
    for data, wait_s in doings:
        link.write(data)
        clock[0] += wait_s
        link.read(1000, 0.0)
    truth = twin.truth()["A1"]
    assert math.isfinite(truth["pulses"])
    assert math.isfinite(truth["direct_v_s"])
    twin.scene(clock[0] - 5.0)
    twin.close()
    assert time.monotonic() - began < 5.0


def test_voltage_left_by_another_program_reaches_the_truth(tmp_path):
    clock, twin, link = stimulator_bench(tmp_path)
    link.write(bytes.fromhex("D5 4F 01 00 C0"))
    clock[0] = 60.0
    assert twin.truth()["A1"]["direct_v_s"] == 300.0
    twin.close()


def test_a_continuous_train_of_bursts_is_played_for_a_day(tmp_path):
    clock, twin, link = stimulator_bench(tmp_path)
    times = b"".join(n.to_bytes(4, "little") for n in (8, 0, 8, 184, 4000, 6000, 20_000, 0))
    volts = bytes.fromhex("FF FF 01 00 00 80")
    link.write(b"\xd5\x49" + 4 * times + 4 * volts + 4 * bytes((1, 0, 0, 0)) + bytes(10))
    link.write(bytes.fromhex("D5 52 01 01"))
    clock[0] = 86_400.0
    assert twin.truth()["A1"]["pulses"] == pytest.approx(86_400 * 2 * 20, abs=25)
    link.write(bytes.fromhex("D5 52 01 00"))
    pulses = twin.truth()["A1"]["pulses"]
    clock[0] = 90_000.0
    assert twin.truth()["A1"]["pulses"] == pulses
    twin.close()
