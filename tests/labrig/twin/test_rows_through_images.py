"""What the simulated culture answers is what its pictures and films are measured to show.

Each well is held against its own first pictures, as a report does.
"""

from __future__ import annotations

import math

import pytest

from labrig.twin.cameras import RENDERERS, culture_state, scene_geometry
from labrig.twin.spec import (
    ElectrodeSpec,
    FactorSpec,
    LightSpec,
    LineSpec,
    ReservoirSpec,
    TwinSpec,
    WellSpec,
)
from labrig.twin.world import World
from labrig_analysis.films.contraction import measure_contraction
from labrig_analysis.measurement import measure
from labrig_analysis.synthetic.film import TwitchKinetics, render_film

pytestmark = pytest.mark.slow

UM, SIDE, FILM_SIDE = 1.3, 560, 260
HOUR_S = 3600.0
ENDLESS = {"tonic": (10.0, 10.0, 40.0), "phasic": (100.0, 0.5, 24.5)}
"""Frequency, burst and gap; both are 2 Hz on the mean."""
G_MOL = {"dantrolene": 314.0, "antimycin-A": 548.0}


class Arms:
    """One well an arm, all of one donor; each with its own bottle and its own channel."""

    def __init__(self, days=5.5, hours=72.0, **arms):
        names = sorted({name for dosed, _ in arms.values() for name in dosed})
        self.wells = {arm: f"A{index + 1}" for index, arm in enumerate(arms)}
        self.world = World(
            TwinSpec(
                seed=21,
                chamber_volume_ul=1000.0,
                stage="stage",
                wells=tuple(
                    WellSpec(well, "d", "unknown", ((1e4 * i, 0.0),), days)
                    for i, well in enumerate(self.wells.values())
                ),
                reservoirs=tuple(
                    ReservoirSpec(arm, 1e9, dict(dosed), True) for arm, (dosed, _) in arms.items()
                ),
                lines=tuple(
                    LineSpec(arm, arm, "pump", (well,), 0.0, True)
                    for arm, well in self.wells.items()
                ),
                electrodes=tuple(
                    ElectrodeSpec("stim", i, (well,)) for i, well in enumerate(self.wells.values())
                ),
                factors=tuple(FactorSpec(name, "drug", 1e6, 1.0) for name in names),
            )
        )
        self.before = {arm: self._measured(arm, 0.0) for arm in arms}
        self.world.set_flow("pump", 60.0, 200.0 * len(arms))
        for index, (_, pattern) in enumerate(arms.values()):
            if pattern:
                hz, burst_s, gap_s = ENDLESS[pattern]
                self.world.start_train("stim", index, 60.0, 15.0, hz, burst_s, gap_s, math.inf)
        self.world.advance(hours * HOUR_S)
        for index in range(len(arms)):
            self.world.stop_train("stim", index, hours * HOUR_S)
        self.after = {arm: self._measured(arm, hours * HOUR_S + 60.0) for arm in arms}

    def change(self, arm, what):
        """The last value over the well's own first one."""
        return self.after[arm][what] / self.before[arm][what]

    def _measured(self, arm, at_s):
        index = list(self.wells).index(arm)
        self.world.move_stage(at_s, 1e4 * index, 0.0)
        self.world.start_train("stim", index, at_s + 0.25, 15.0, 2.0, 10.0, 0.0, 6.0)
        scene = self.world.scene(at_s + 6.5, at_s)
        field = scene_geometry(scene["seed"], scene["well"], 0, SIDE * UM, SIDE * UM)
        state = culture_state(scene, UM, 1.0)
        planes = [
            RENDERERS[shows](field, state, (SIDE, SIDE), UM, 1, bit_depth=12)
            for shows in ("tubes", "nuclei")
        ]
        row = measure(planes, UM, ["tubes", "nuclei"])
        film = render_film(
            field, state, (FILM_SIDE, FILM_SIDE), UM, pulses_s=scene["pulses_s"],
            frame_rate_hz=50.0, n_frames=325, rng_seed=3, pulse_amplitude_v=scene["amplitude_v"],
            kinetics=TwitchKinetics(scene["time_to_peak_s"], scene["half_relaxation_s"]),
        )  # fmt: skip
        beat = measure_contraction(
            film.frames, pixel_size_um=UM, frame_rate_hz=50.0, pulses_s=scene["pulses_s"]
        ).summary.iloc[0]
        seen = row.field.iloc[0]
        return {
            "D": float(seen["diameter_geometric_mean_um"]),
            "D90": float(seen["diameter_p90_um"]),
            "N": float(seen["nuclei"]),
            "FI": float(seen["fusion_index"]),
            "per_tube": float(seen["nuclei_per_myotube"]),
            "C": float(beat["amplitude_um"]),
            "R": float(beat["amplitude_um"] / beat["time_to_peak_s"]),
            "half_relaxation": float(beat["half_relaxation_s"]),
            "F": float(beat["fatigue_ratio"]),
        }


def test_insults_and_support_show_in_widths_and_twitches():
    arms = Arms(
        vehicle=({}, None),
        tnf=({"TNF-alpha": 20.0}, None),
        bdnf=({"BDNF": 50.0, "CNTF": 10.0}, None),
        igf=({"IGF-1": 100.0}, None),
        uncoupled=({"dantrolene": 10e-6 * 314.0 * 1e6}, None),
        antimycin=({"antimycin-A": 100e-9 * 548.0 * 1e6}, None),
    )
    assert arms.change("tnf", "D") < 0.88 * arms.change("vehicle", "D")
    assert arms.change("tnf", "C") < 0.9 * arms.change("vehicle", "C")
    assert arms.change("bdnf", "D") > 1.02 * arms.change("vehicle", "D")
    assert arms.change("igf", "D") > 1.08 * arms.change("vehicle", "D")
    assert arms.change("igf", "per_tube") > 1.05 * arms.change("vehicle", "per_tube")
    assert arms.change("uncoupled", "C") < 0.6 * arms.change("vehicle", "C")
    # Two wells are two fields: what single fields scatter by is left room.
    assert arms.change("uncoupled", "D") == pytest.approx(arms.change("vehicle", "D"), rel=0.12)
    assert arms.change("antimycin", "F") < 0.95 * arms.change("vehicle", "F")


def test_patterns_show_in_the_form_of_the_twitch():
    arms = Arms(sham=({}, None), tonic=({}, "tonic"), phasic=({}, "phasic"))
    for quantity in "CR":
        assert arms.change("phasic", quantity) > 1.03 * arms.change("tonic", quantity)
    assert arms.change("tonic", "C") > 1.03 * arms.change("sham", "C")
    assert arms.change("phasic", "half_relaxation") < 0.9 * arms.change("tonic", "half_relaxation")
    assert arms.change("phasic", "D90") > arms.change("tonic", "D90")


def test_before_fusion_there_are_no_tubes_and_factors_decide_how_many_come():
    arms = Arms(days=0.5, hours=120.0, vehicle=({}, None), cntf=({"CNTF": 50.0}, None),
                no_donor=({"DETA-NO": 250e-6 * 163.0 * 1e6}, None))  # fmt: skip
    assert all(not seen["FI"] > 0.05 for seen in arms.before.values())
    assert arms.after["vehicle"]["FI"] > 0.4
    for arm in ("cntf", "no_donor"):
        assert arms.after[arm]["FI"] < 0.96 * arms.after["vehicle"]["FI"]


def test_death_shows_in_nuclei():
    arms = Arms(vehicle=({}, None), lost=({"staurosporine": 50e-9 * 466.5 * 1e6}, None))
    assert arms.change("lost", "N") < 0.85 * arms.change("vehicle", "N")
    assert arms.change("lost", "D") < 0.97 * arms.change("vehicle", "D")


def photographed(scene, shows):
    """One plane and the tubes and nuclei beside it, measured."""
    field = scene_geometry(scene["seed"], scene["well"], 0, SIDE * UM, SIDE * UM)
    state = culture_state(scene, UM, 1.0)
    names = ["tubes", "nuclei", shows]
    planes = [RENDERERS[n](field, state, (SIDE, SIDE), UM, 1, bit_depth=12) for n in names]
    return measure(planes, UM, names).stains.set_index("readout")["value"]


def test_clusters_answer_to_agrin_and_to_what_cleaves_it():
    arms = Arms(agrin=({"agrin": 10.0}, None),
                cleaved=({"agrin": 10.0, "neurotrypsin": 190.0}, None))  # fmt: skip
    area = {}
    for index, arm in enumerate(("agrin", "cleaved")):
        arms.world.move_stage(73 * HOUR_S, 1e4 * index, 0.0)
        found = photographed(arms.world.scene(73 * HOUR_S, 73 * HOUR_S), "clusters")
        area[arm] = found["clusters_per_mm2"]
    assert area["cleaved"] < 0.8 * area["agrin"]


def filmed(scene):
    """The response of the tubes to the pulses of a film."""
    field = scene_geometry(scene["seed"], scene["well"], 0, FILM_SIDE * UM, FILM_SIDE * UM)
    film = render_film(
        field, culture_state(scene, UM, 1.0), (FILM_SIDE, FILM_SIDE), UM,
        pulses_s=[t + scene["latency_s"] for t in scene["pulses_s"]], frame_rate_hz=50.0,
        n_frames=500, rng_seed=3, pulse_amplitude_v=scene["amplitude_v"],
    )  # fmt: skip
    return measure_contraction(
        film.frames, pixel_size_um=UM, frame_rate_hz=50.0, pulses_s=scene["pulses_s"],
        mask=film.truth.tube_mask,
    ).summary.iloc[0]  # fmt: skip


def test_less_of_the_tubes_follow_a_weak_pulse_and_fewer_still_when_uncoupled():
    arms = Arms(vehicle=({}, None), uncoupled=({"dantrolene": 10e-6 * 314.0 * 1e6}, None))
    said = {}
    for index, arm in enumerate(("vehicle", "uncoupled")):
        for volts in (7.0, 16.0):
            at_s = (73 + volts / 100.0) * HOUR_S
            arms.world.move_stage(at_s, 1e4 * index, 0.0)
            arms.world.start_train("stim", index, at_s + 0.25, volts, 2.0, 10.0, 0.0, 9.0)
            seen = filmed(arms.world.scene(at_s + 10.0, at_s))
            said[arm, volts] = float(seen["amplitude_um"]) if seen["followed"] else 0.0
    assert said["vehicle", 7.0] < said["vehicle", 16.0]
    part = {arm: said[arm, 7.0] / said[arm, 16.0] for arm in ("vehicle", "uncoupled")}
    assert part["uncoupled"] < part["vehicle"]


def test_an_insult_of_the_nerve_is_seen_as_pulses_that_the_muscle_misses():
    def answered(dosed):
        world = World(
            TwinSpec(
                seed=4, chamber_volume_ul=1000.0, stage="stage",
                wells=(
                    WellSpec("A1", "d", "unknown", ((0.0, 0.0),), 28.0, 4, "nerve", "c1"),
                    WellSpec("A2", "d", "unknown", ((9e3, 0.0),), 7.0, 4, "muscle", "c1"),
                ),
                reservoirs=(ReservoirSpec("r", 1e9, dosed, True),),
                lines=(LineSpec("l", "r", "pump", ("A1",), 0.0, True),),
                electrodes=(), factors=tuple(FactorSpec(n, "drug", 1e6, 1.0) for n in dosed),
                lights=(LightSpec("led", 1, ("A1",), ((0.5, 0.0), (2.0, 1.0))),),
            )
        )  # fmt: skip
        world.set_flow("pump", 0.0, 100.0)
        at_s = 24 * HOUR_S
        world.move_stage(at_s, 9e3, 0.0)
        world.start_train("led", 1, at_s + 0.25, 2.0, 2.0, 10.0, 0.0, 9.0)
        return float(filmed(world.scene(at_s + 10.0, at_s))["capture_fraction"])

    assert answered({}) > 0.75
    assert answered({"vincristine": 8.25}) < answered({}) - 0.15
