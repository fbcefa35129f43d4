"""What instruments did is written once, however often their bench is rebuilt."""

from __future__ import annotations

import json

import pytest

from labrig.rig.bench import BenchSpec, InstrumentSpec, PortSpec, open_bench
from labrig.twin.bench import TwinBench
from labrig.twin.physical import PhysicalRecord, recorded
from labrig.twin.spec import LineSpec, ReservoirSpec, TwinSpec, WellSpec
from labrig_drivers.kinds import PulseTrain
from labrig_drivers.simulation import still_plant

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
    ports=tuple(PortSpec(name, "sim", None) for name in ("chain", "pulse", "stage")),
    instruments=(
        InstrumentSpec("pump", "new_era_ne1000", "chain", {"address": 0, "watchdog_s": 120}, ""),
        InstrumentSpec("stim", "pulse_pal_2", "pulse", {}, ""),
        InstrumentSpec("stage", "asi_ms2000", "stage", {}, ""),
    ),
    hosted=(),
)


class Hands:
    now_s = 0.0

    def now(self):
        return self.now_s


def lines(folder, what):
    text = (folder / "physical.jsonl").read_text(encoding="utf-8")
    return [line for line in map(json.loads, text.splitlines()) if line[2] == what]


@pytest.mark.parametrize("written", ["whole", "torn", "lost"])
def test_a_killed_process_loses_nothing_and_repeats_nothing(tmp_path, written):
    clock = Hands()
    first = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    drivers = open_bench(BENCH, first.open_transport).drivers
    drivers["pump"].identify()
    drivers["pump"].set_rate(10.0)
    drivers["stage"].move_to(1500.0, -300.0)
    clock.now_s = 30.0
    drivers["stim"].program({1: PulseTrain(0.4, 9.0, True, 10.0, 10.0, 0.0, 10.0)})
    drivers["stim"].trigger((1,), clock.now_s)
    if written == "lost":
        first.history.close()
    else:
        first.close()
    path = tmp_path / "physical.jsonl"
    if written == "torn":
        path.write_bytes(path.read_bytes()[:-7])

    clock.now_s = 300.0
    again = TwinBench(SPEC, BENCH, tmp_path, clock.now)
    again.rebuild()
    again.truth()
    again.close()

    assert [line[1:] for line in lines(tmp_path, "flow")] == [
        [0.0, "flow", pytest.approx(10.0)],
        [120.0, "flow", 0.0],
    ], "the watchdog of the pump bit while nobody was there"
    assert len(lines(tmp_path, "train")) == 1
    stands = lines(tmp_path, "at")
    assert stands[-1][3:] == pytest.approx([1500.0, -300.0], abs=0.1)
    assert len(stands) == len({tuple(line) for line in stands})


def test_a_full_disk_keeps_what_waits(tmp_path):
    record = PhysicalRecord(tmp_path / "nowhere" / "physical.jsonl")
    record.tell("pump", 1.0, "flow", 3.0)
    with pytest.raises(OSError, match="physical"):
        record.close()
    (tmp_path / "nowhere").mkdir()
    record.close()
    assert lines(tmp_path / "nowhere", "flow") == [["pump", 1.0, "flow", 3.0]]


def test_what_an_instrument_of_any_kind_holds_is_written_down(tmp_path):
    record = PhysicalRecord(tmp_path / "physical.jsonl")
    plant = recorded("valve", still_plant("valve"), record, "valve", ahead_s=600.0)
    plant.setting_held(603.2, "position", "waste")
    plant.setting_held(604.0, "light_percent", 12.5)
    record.close()
    assert lines(tmp_path, "held") == [
        ["valve", 3.2, "held", "position", "waste"],
        ["valve", 4.0, "held", "light_percent", 12.5],
    ]
