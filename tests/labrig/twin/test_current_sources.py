"""What a current source does to the simulated cells: as much as the voltage that it takes."""

from __future__ import annotations

import json
import math
from statistics import NormalDist

import pytest

from labrig.twin.physical import PhysicalRecord, recorded
from labrig.twin.plants import PLANTS
from labrig.twin.responses import read_responses
from labrig.twin.spec import ElectrodeSpec, TwinSpec, WellSpec
from labrig.twin.world import World

SHAPE = {"phase_ms": 1.0, "biphasic": True, "frequency_hz": 10.0, "burst_s": 0.0, "gap_s": 0.0,
         "duration_s": 10.0}  # fmt: skip


def world(wells=("A1",), resistance_ohm=150.0):
    return World(TwinSpec(
        seed=3, chamber_volume_ul=1000.0, stage="stage",
        wells=tuple(WellSpec(well, "d", "unknown", ((0.0, 0.0),)) for well in wells),
        reservoirs=(), lines=(), factors=(),
        electrodes=(ElectrodeSpec("stim", 1, tuple(wells), resistance_ohm),),
    ))  # fmt: skip


def least_volts():
    """The amplitude below which too few tubes follow to be counted."""
    numbers = read_responses().numbers
    z = NormalDist().inv_cdf(numbers["activity"]["least_share"])
    return numbers["threshold"]["median_v"] * math.exp(z * numbers["threshold"]["log_sd"])


def pulses(made, well, **amplitude):
    PLANTS["stimulator"](made, "stim", 0.0).train_started(5.0, 1, **amplitude, **SHAPE)
    return made.truth(60.0)[well]["pulses"]


def test_volts_and_the_milliamperes_that_they_drive_are_felt_alike():
    least_v = least_volts()
    for volts in (0.5 * least_v, 0.99 * least_v, 1.01 * least_v, 3 * least_v):
        by_volts = pulses(world(), "A1", amplitude_v=volts)
        by_current = pulses(world(), "A1", amplitude_v=None, amplitude_ma=1000.0 * volts / 150.0)
        assert by_current == by_volts
        assert (by_volts > 0) is (volts > least_v)


def test_wells_on_one_channel_share_a_current_and_not_a_voltage():
    least_v = least_volts()
    enough_for_one_ma = 1.5 * 1000.0 * least_v / 150.0
    two = ("A1", "A2")
    assert pulses(world(), "A1", amplitude_v=None, amplitude_ma=enough_for_one_ma) > 0
    assert pulses(world(two), "A2", amplitude_v=None, amplitude_ma=enough_for_one_ma) == 0
    assert pulses(world(two), "A2", amplitude_v=None, amplitude_ma=2 * enough_for_one_ma) > 0
    assert pulses(world(two), "A2", amplitude_v=1.5 * least_v) > 0


@pytest.mark.parametrize(
    ("amplitude", "written"),
    [
        ({"amplitude_v": 4.0}, [1, 1.0, 4.0, True, 10.0, 0.0, 0.0, 10.0]),
        (
            {"amplitude_v": None, "amplitude_ma": 20.0},
            [1, 1.0, None, True, 10.0, 0.0, 0.0, 10.0, 20.0],
        ),
    ],
)
def test_what_was_done_is_on_record_in_its_own_unit(tmp_path, amplitude, written):
    record = PhysicalRecord(tmp_path / "physical.jsonl")
    inner = PLANTS["stimulator"](world(), "stim", 600.0)
    recorded("stimulator", inner, record, "stim", 600.0).train_started(
        605.0, 1, **amplitude, **SHAPE
    )
    record.close()
    [line] = (tmp_path / "physical.jsonl").read_text().splitlines()
    assert json.loads(line) == ["stim", 5.0, "train", *written]
