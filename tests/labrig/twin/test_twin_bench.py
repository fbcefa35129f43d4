"""The simulated bench outlives the process it lived in."""

from __future__ import annotations

import pytest

from labrig.rig.bench import BenchSpec, InstrumentSpec, PortSpec, open_bench
from labrig.twin.bench import TwinBench
from labrig.twin.spec import LineSpec, ReservoirSpec, TwinSpec, WellSpec
from labrig_drivers.instrument import SerialSettings
from labrig_drivers.kinds import PulseTrain

SPEC = TwinSpec(
    seed=3,
    chamber_volume_ul=1000.0,
    stage="stage",
    wells=(WellSpec("A1", "d", "unknown", ((0.0, 0.0),)),),
    reservoirs=(ReservoirSpec("bottle", 1e6, {}, True),),
    lines=(LineSpec("base", "bottle", "pump", ("A1",), 0.0, True),),
    electrodes=(),
    factors=(),
)
BENCH = BenchSpec(
    ports=(
        PortSpec("chain", "sim", SerialSettings(19200)),
        PortSpec("pulse", "sim", SerialSettings(115200)),
        PortSpec("stage", "sim", SerialSettings(9600)),
    ),
    instruments=(
        InstrumentSpec("pump", "new_era_ne1000", "chain", {"address": 0, "watchdog_s": 120}, ""),
        InstrumentSpec("other", "new_era_ne1000", "chain", {"address": 1}, ""),
        InstrumentSpec("stim", "pulse_pal_2", "pulse", {}, ""),
        InstrumentSpec("stage", "asi_ms2000", "stage", {}, ""),
    ),
    hosted=(),
)


class Hands:
    """A clock that is moved by hand."""

    now_s = 0.0

    def now(self):
        return self.now_s


@pytest.fixture
def clock():
    return Hands()


@pytest.fixture
def opened(tmp_path, clock):
    """Open the bench of this folder, as each new process would."""
    twins = []

    def open_again():
        twin = TwinBench(SPEC, BENCH, tmp_path, clock.now)
        twins.append(twin)
        return twin, open_bench(BENCH, twin.open_transport)

    yield open_again
    for twin in twins:
        twin.close()


def test_the_bench_is_rebuilt_as_it_stood(opened, clock):
    twin, bench = opened()
    pump, stage, stim = (bench.drivers[n] for n in ("pump", "stage", "stim"))
    for driver in bench.drivers.values():
        driver.identify()
    pump.set_rate(10.0)
    stage.move_to(1500.0, -300.0)
    clock.now_s = 30.0
    train = PulseTrain(0.4, 9.0, True, 10.0, 10.0, 0.0, 10.0)
    stim.program({1: train})
    stim.trigger((1,), clock.now_s)
    before = twin.truth()

    # killed: nothing is said to any instrument
    again, bench = opened()
    assert again.rebuild() == 30.0
    assert again.truth() == before
    assert bench.drivers["stage"].position_um() == pytest.approx((1500.0, -300.0), abs=0.1)
    state = bench.drivers["pump"].state()
    assert state.running
    assert state.delivered_ul == pytest.approx(5.0, abs=0.01)


def test_real_time_goes_on_while_nobody_is_there(opened, clock):
    """The watchdog of an unattended pump bites at its own time, not when somebody asks."""
    _, bench = opened()
    bench.drivers["pump"].identify()
    bench.drivers["pump"].set_rate(10.0)
    again, bench = opened()
    again.rebuild()
    clock.now_s = 600.0
    state = bench.drivers["pump"].state()
    assert not state.running
    assert state.alarm == "host was silent too long"
    assert state.delivered_ul == pytest.approx(20.0, abs=0.05), "two minutes at 10 uL/min"


def test_a_torn_last_line_is_where_the_power_went(opened, tmp_path):
    _, bench = opened()
    bench.drivers["pump"].identify()
    history = tmp_path / "wire_history.txt"
    whole = history.read_text(encoding="ascii")
    history.write_text(whole + "12.5 chain 0a0", encoding="ascii")
    again, _ = opened()
    assert again.rebuild() == 0.0
