from itertools import pairwise

import pytest

from labrig.plan.film_schedule import LATE_S, rounds_of_films
from labrig.plan.perfusion_physics import steady_state_ng_ml
from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, Reading, StimulationLevel


def of(plan, kind, instrument=None):
    return [
        e
        for e in plan.timeline
        if isinstance(e, kind) and (instrument is None or e.instrument == instrument)
    ]


def test_the_small_bench_is_sound(small_plan):
    """The cases elsewhere bend this one: what it says by itself is known."""
    assert not small_plan.blocked
    assert sorted(f.code for f in small_plan.findings) == [
        "bench.unwitnessed",
        "calibration.tube-hours",
        "design.no-conditioned-medium",
        "design.no-positive-control",
        "design.power",
        "design.units",
        "factor.half-life-assumed",
    ]


def test_timeline_is_sorted_and_its_keys_are_unique(small_plan):
    order = [(entry.offset_s, entry.key) for entry in small_plan.timeline]
    assert order == sorted(order)
    assert len({key for _, key in order}) == len(order)


def test_every_pump_has_a_level_at_the_start_and_a_safe_one_at_the_end(small_plan):
    for pump in ("base", "nerve_B2", "nerve_B3", "nerve_C2", "nerve_C3"):
        levels = of(small_plan, FlowLevel, pump)
        assert levels[0].offset_s == 0.0
        assert levels[-1].offset_s == 24 * 3600.0
        assert levels[0].key == f"flow/{pump}/0000"
    assert of(small_plan, FlowLevel, "base")[-1].rate_ul_min > 0
    assert of(small_plan, FlowLevel, "nerve_B2")[-1].rate_ul_min == 0


def test_vehicle_wells_get_the_same_flows_as_dosed_ones(small_plan):
    rates = {
        tuple(level.rate_ul_min for level in of(small_plan, FlowLevel, f"nerve_{well.well}"))
        for well in small_plan.wells
    }
    assert len(rates) == 1
    assert rates.pop() == pytest.approx((0.0, 0.1763, 0.0), abs=1e-4)
    base = [level.rate_ul_min for level in of(small_plan, FlowLevel, "base")]
    assert base == pytest.approx([1000 / 60, (1000 - 10.578) / 60, (1000 - 10.578) / 60], rel=1e-4)


def test_what_the_pumps_run_reaches_the_target_within_their_steps(small_plan):
    chambers = {chamber.well: chamber for chamber in small_plan.chambers}
    dosed = [well.well for well in small_plan.wells if well.arm == "nerve"]
    assert len(dosed) == 2
    for well in dosed:
        inlet = next(i for i in chambers[well].inlets if i.contents_ng_ml)
        rate = of(small_plan, FlowLevel, inlet.pump)[1].rate_ul_min * inlet.share
        base = of(small_plan, FlowLevel, "base")[1].rate_ul_min
        total_ml_h = (rate + base) * 60 / 1000
        for factor, strength in inlet.contents_ng_ml:
            steady = steady_state_ng_ml(rate * 60 / 1000 * strength, 1.0, total_ml_h, 12.0)
            assert steady == pytest.approx({"CNTF": 10, "BDNF": 50}[factor], rel=5e-3)


def test_predicted_curve_ends_at_its_target_inside_its_band(small_plan):
    curves = {(c.well, c.factor): c for c in small_plan.forecast.curves}
    assert {factor for _, factor in curves} == {"CNTF", "BDNF"}
    for curve in curves.values():
        assert curve.values_ng_ml[-1] == pytest.approx(curve.target_ng_ml[-1], rel=0.005)
        assert curve.low_ng_ml[-1] <= curve.values_ng_ml[-1] <= curve.high_ng_ml[-1]
    band = next(c for (_, factor), c in curves.items() if factor == "CNTF")
    assert band.low_ng_ml[-1] == pytest.approx(10 * 1.0578 / (1 + 0.1733), rel=1e-2)


def test_stimulation_is_on_in_its_phase_only(small_plan):
    levels = of(small_plan, StimulationLevel)
    assert [level.offset_s for level in levels] == [0.0, 3600.0, 24 * 3600.0]
    assert [len(level.trains) for level in levels] == [0, 2, 0]
    figures = small_plan.forecast.pulses
    assert {figure.pulses for figure in figures} == {23 * 7200}
    assert {round(figure.mean_rate_hz, 9) for figure in figures} == {2.0}


def test_frames_of_a_round_are_spread_and_stay_within_it(small_plan):
    frames = of(small_plan, Frame)
    first = [frame for frame in frames if frame.round == 0]
    assert [frame.well for frame in first] == ["B3", "B3", "B2", "B2", "C2", "C2", "C3", "C3"]
    assert first[0].key == "frame/r000/B3/f0/phase"
    gaps = [b.offset_s - a.offset_s for a, b in pairwise(first)]
    assert min(gaps) > 0.25
    assert len({frame.round for frame in frames}) == 48
    second = [frame for frame in frames if frame.round == 1]
    assert [b.offset_s - a.offset_s for a, b in zip(first, second, strict=True)] == [1800.0] * 8


def test_films_go_between_rounds_and_before_the_end(bench):
    bench.protocol["imaging"]["films"] = {
        "at": ["0 h", "12 h", "24 h"],
        "channel": "phase",
        "duration": "5 s",
        "frame_rate": "50 Hz",
        "exposure": "10 ms",
    }
    plan = bench.plan()
    films, frames = of(plan, Film), of(plan, Frame)
    assert len(films) == plan.forecast.films == 12
    assert films[0].frames == 250
    assert max(film.offset_s for film in films) + 5 < 24 * 3600
    last_of_round_0 = max(frame.offset_s for frame in frames if frame.round == 0)
    assert films[0].offset_s > last_of_round_0
    for film in films:
        assert not any(abs(film.offset_s - f.offset_s) < 0.2 for f in frames)


def test_while_films_are_taken_every_electrode_gives_their_stimulus(bench):
    bench.protocol["patterns"]["twitch"] = {
        "pulse_width": "0.4 ms",
        "amplitude": "6 V",
        "shape": "biphasic",
        "frequency": "2 Hz",
    }
    bench.protocol["imaging"]["films"] = {
        "at": ["10 min", "12.1 h"],
        "channel": "phase",
        "duration": "2 s",
        "frame_rate": "50 Hz",
        "exposure": "10 ms",
        "stimulus": "twitch",
    }
    plan = bench.plan()
    levels = of(plan, StimulationLevel)
    spans = [(a, b.offset_s) for a, b in pairwise(levels) if a.trains]
    tests = [(level, end_s) for level, end_s in spans if level.trains[0].pattern == "twitch"]
    assert [len(level.trains) for level, _ in tests] == [4, 4], "shams are tested too"
    assert [level.offset_s for level, _ in tests] == [600.0, 12.1 * 3600]
    films = of(plan, Film)
    for film in films:
        assert any(a.offset_s <= film.offset_s and film.offset_s + 2 < b for a, b in tests)
    assert [len(level.trains) for level, _ in spans] == [4, 2, 4, 2], "and back to their own"
    given = {(f.electrode, f.pattern): f.pulses for f in plan.forecast.pulses}
    assert given["pair_B2", "twitch"] == given["pair_C3", "twitch"] > 0
    rounds = rounds_of_films(plan.timeline)
    assert {(film.key[:8], rounds[film.key]) for film in films} == {
        ("film/t00", 0),
        ("film/t01", 24),
    }


@pytest.mark.parametrize("at", ["29.9 min", "12.49 h"])
def test_the_films_stimulus_has_ended_when_the_next_round_begins(bench, at):
    bench.protocol["patterns"]["twitch"] = {
        "pulse_width": "0.4 ms",
        "amplitude": "6 V",
        "shape": "biphasic",
        "frequency": "2 Hz",
    }
    bench.protocol["imaging"]["films"] = {
        "at": [at],
        "channel": "phase",
        "duration": "2 s",
        "frame_rate": "50 Hz",
        "exposure": "10 ms",
        "stimulus": "twitch",
    }
    plan = bench.plan()
    levels = of(plan, StimulationLevel)
    ((start_s, end_s),) = (
        (a.offset_s, b.offset_s)
        for a, b in pairwise(levels)
        if a.trains and a.trains[0].pattern == "twitch"
    )
    last_film_s = max(film.offset_s for film in of(plan, Film))
    assert end_s >= last_film_s + 2 + LATE_S
    assert not [f for f in of(plan, Frame) if start_s <= f.offset_s < end_s - 1e-6]


def test_a_channel_is_taken_in_the_rounds_nearest_to_the_films(bench):
    bench.protocol["imaging"]["films"] = {
        "at": ["10 min", "12.1 h"],
        "channel": "phase",
        "duration": "2 s",
        "frame_rate": "50 Hz",
        "exposure": "10 ms",
    }
    bench.protocol["imaging"]["channels"]["phase"]["rounds"] = "with-films"
    assert {frame.round for frame in of(bench.plan(), Frame)} == {0, 24}


def test_a_probe_is_read_at_its_interval(bench):
    bench.rig["ports"]["probe"] = {"address": "sim"}
    bench.rig["instruments"]["co2"] = {"type": "vaisala_gmp25x", "port": "probe"}
    bench.rig["probe"] = "co2"
    readings = of(bench.plan(), Reading)
    assert len(readings) == 24 * 12
    assert readings[12].key == "read/co2/00012"
    assert readings[12].offset_s == 3600.0


def test_a_target_by_steps_and_an_aging_stock_change_flows_in_time(bench):
    bench.protocol["arms"]["nerve"]["targets"] = {
        "CNTF": [
            {"at": "2 h", "concentration": "10 ng/mL"},
            {"at": "10 h", "concentration": "20 ng/mL"},
        ]
    }
    del bench.protocol["stocks"]["cocktail"]["contents"]["BDNF"]
    steps = of(bench.plan(), FlowLevel, "nerve_B2")
    assert [level.offset_s / 3600 for level in steps] == [0.0, 2.0, 10.0, 24.0]
    assert steps[2].rate_ul_min == pytest.approx(2 * steps[1].rate_ul_min, rel=1e-2)
    bench.protocol["stocks"]["cocktail"]["half_life_cold"] = "84 h"
    aging = of(bench.plan(), FlowLevel, "nerve_B2")
    assert [level.offset_s / 3600 for level in aging] == [0.0, 2.0, 6.0, 10.0, 12.0, 18.0, 24.0]
    assert aging[5].rate_ul_min == pytest.approx(aging[4].rate_ul_min * 2 ** (6 / 84), rel=1e-2)


BOLUS = {"factor": "CNTF", "stock": "cocktail", "at": "3 h", "volume": "20 uL", "rate": "6 mL/h"}


def test_a_bolus_goes_to_its_arm_and_the_vehicle_to_the_other(bench):
    bench.protocol["arms"]["nerve"] = {"boluses": [BOLUS], "pattern": "tonic"}
    plan = bench.plan()
    doses = of(plan, Dose)
    arm = {well.well: well.arm for well in plan.wells}
    assert len(doses) == 4
    assert not plan.blocked
    for dose in doses:
        assert (dose.factor == "vehicle") == (arm[dose.wells[0]] == "vehicle")
        assert dose.volume_ul == 20.0
        assert dose.rate_ul_min == pytest.approx(100.0)
        assert dose.on_unknown == "assume_done"
    curve = next(c for c in plan.forecast.curves if c.factor == "CNTF")
    assert max(curve.values_ng_ml) == pytest.approx(20.0, rel=0.1)


def test_below_its_least_rate_a_pump_works_in_strokes(bench):
    for well in ("B2", "B3", "C2", "C3"):
        bench.rig["instruments"][f"nerve_{well}"]["settings"]["syringe_diameter_mm"] = 26.59
        bench.rig["reservoirs"][f"syringe_{well}"]["volume"] = "60 mL"
    plan = bench.plan()
    assert "perfusion.time-proportioned" in {f.code for f in plan.findings}
    levels = of(plan, FlowLevel, "nerve_B2")
    volume_ul = sum(a.rate_ul_min * (b.offset_s - a.offset_s) / 60 for a, b in pairwise(levels))
    assert volume_ul == pytest.approx(23 * 10.578, rel=0.01)
    strokes = [level for level in levels if level.rate_ul_min > 0]
    assert strokes[1].offset_s - strokes[0].offset_s < 3600 * 0.945 / 10
    curve = next(c for c in plan.forecast.curves if c.factor == "CNTF")
    late = [v for t, v in zip(curve.times_s, curve.values_ng_ml, strict=True) if t > 8 * 3600]
    assert min(late) > 9.5
    assert max(late) < 10.5


def test_the_same_files_give_the_same_plan(bench, small_plan):
    assert bench.plan() == small_plan


def test_loading_list_names_every_reservoir_and_adds_the_reserve(small_plan):
    rows = {row.reservoir: row for row in small_plan.loading}
    assert set(rows) == {"bottle", "syringe_B2", "syringe_B3", "syringe_C2", "syringe_C3"}
    assert rows["bottle"].volume_ml == pytest.approx(4 * (24 - 23 * 0.010578) * 1.15, abs=0.11)
    arm = {well.well: well.arm for well in small_plan.wells}
    for well, its_arm in arm.items():
        row = rows[f"syringe_{well}"]
        assert row.solution == ("cocktail" if its_arm == "nerve" else "plain")
    assert "CNTF 1 µg/mL" in next(r.contents for r in rows.values() if r.solution == "cocktail")


def test_a_medium_pump_in_strokes_is_not_left_in_a_pause(bench):
    bench.rig["instruments"]["base"]["settings"] = {"min_rate_ul_min": 50.0}
    levels = of(bench.plan(), FlowLevel, "base")
    assert min(level.rate_ul_min for level in levels) == 0.0
    assert levels[-1].rate_ul_min == 50.0
