"""Light on the nerve, electrodes in the muscle, a block: the simulated chip through its films."""

import dataclasses
import math
from datetime import date

import numpy as np
import pytest

from labrig.catalogue import catalogue_folder
from labrig.launch.twin_spec import twin_spec
from labrig.plan.allocation import allocate
from labrig.plan.compile import assemble
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig
from labrig.twin.cameras import SceneCamera
from labrig.twin.world import World
from labrig_analysis.films.junction import measure_junction
from labrig_analysis.labels.grid_regions import grid_regions
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.tubes.phase import segment_tube_like_objects
from labrig_drivers.instrument import installed_types

RATE_HZ, SECONDS, PULSES_HZ = 50.0, 13.0, 2.0
SIZE_PX, PIXEL_UM = 256, 1.3
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def bench():
    folder = catalogue_folder()
    protocol = load_protocol(folder / "nmj-chip.yaml").model
    rig = load_rig(folder / "rigs" / "simulated-chip-bench.yaml").model
    plan = assemble(
        protocol, rig, allocate(protocol, rig), installed_types(), today=date(2026, 11, 30),
        free_bytes=None,
    )  # fmt: skip
    return plan, rig, twin_spec(protocol, rig, plan)


def filmed(world, bench, tmp_path, chip, start_s, stimulator, volts):
    """Answered over given of the regions that are seen, and the median latency."""
    _, rig, spec = bench
    muscle = next(w for w in spec.wells if w.chip == chip and w.compartment == "muscle")
    nerve = next(w.well for w in spec.wells if w.chip == chip and w.compartment == "nerve")
    world.move_stage(start_s, *muscle.fields_um[0])
    sources = rig.lights if stimulator == "led_driver" else rig.electrodes
    side = nerve if stimulator == "led_driver" else muscle.well
    channel = next(s.channel for s in sources.values() if side in s.wells)
    begins_s = start_s + 1.0
    length_s = SECONDS - 2.0
    world.start_train(stimulator, channel, begins_s, volts, PULSES_HZ, length_s, 0.0, length_s)
    scene = world.scene(start_s + SECONDS, start_s)
    camera = SceneCamera(
        "camera", (SIZE_PX, SIZE_PX), {"phase": PIXEL_UM}, {"phase": "cells"},
        tmp_path / "truth.jsonl",
    )  # fmt: skip
    camera.aim({"channel": "phase", "attachment": scene})
    frames = np.stack([p.pixels for p in camera.film(18.0, RATE_HZ, round(SECONDS * RATE_HZ))])
    mask = segment_tube_like_objects(
        np.median(frames[::50], axis=0).astype(np.float32), PIXEL_UM, MeasureSettings().tubes
    )
    given = 1.0 + np.arange(math.floor(length_s * PULSES_HZ)) / PULSES_HZ
    found = measure_junction(
        frames, pixel_size_um=PIXEL_UM, frame_rate_hz=RATE_HZ, pulses_s=given,
        mask=mask.labels > 0, regions=grid_regions((SIZE_PX, SIZE_PX), 2, 2),
    )  # fmt: skip
    table = found.regions.dropna(subset=["points"])
    return table, scene


def best(table):
    """Of the region that follows most."""
    return float(table["fidelity"].max())


def test_impulses_of_the_nerve_are_seen_as_often_as_they_pass_and_a_block_ends_them(
    bench, tmp_path
):
    world = World(bench[2])
    by_light, scene = filmed(world, bench, tmp_path, "chip_1", 1000.0, "led_driver", 3.75)
    passes = scene["transmission"]
    assert 0.7 < passes < 1.0
    spread = math.sqrt(passes * (1 - passes) / by_light["resolved"].max())
    assert best(by_light) == pytest.approx(passes, abs=3 * spread)
    by_electrodes, _ = filmed(world, bench, tmp_path, "chip_1", 1060.0, "stimulator", 15.0)
    assert best(by_electrodes) == 1.0
    later_ms = by_light["latency_ms"].median() - by_electrodes["latency_ms"].median()
    assert later_ms == pytest.approx(1000 * scene["latency_s"], abs=4.0)
    # dark flashes move nothing
    dark, _ = filmed(world, bench, tmp_path, "chip_1", 1120.0, "led_driver", 0.0)
    assert dark["answered"].sum() == 0
    # 8 x 30 uL in 18 s each: the plan's bolus
    world.set_flow("block", 1200.0, 8 * 100.0)
    world.set_flow("block", 1218.0, 0.0)
    blocked, after = filmed(world, bench, tmp_path, "chip_1", 2100.0, "led_driver", 3.75)
    assert after["transmission"] < 0.05
    assert best(blocked) <= 0.1
    still, _ = filmed(world, bench, tmp_path, "chip_1", 2160.0, "stimulator", 15.0)
    assert best(still) == 1.0


def test_a_bench_without_lights_on_the_nerve_moves_no_muscle(bench, tmp_path):
    plan, rig, spec = bench
    dark = dataclasses.replace(spec, lights=())
    table, _ = filmed(
        World(dark), (plan, rig, dark), tmp_path, "chip_1", 1000.0, "led_driver", 3.75
    )
    assert table["answered"].sum() == 0
