"""Test series as levels and films: who is tested when, what it costs, what is told of it."""

import itertools
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.plan.pulse_times import pulse_times_s, pulses_given
from labrig.plan.timeline import Film, Frame, StimulationLevel
from labrig.run.captures import rehearsed

FF = {
    "kind": "frequencies",
    "at": ["1 Hz", "5 Hz", "20 Hz"],
    "train": "2 s",
    "rest": "20 s",
    "pulse_width": "0.4 ms",
    "amplitude": "6 V",
}
FATIGUE = {
    "kind": "fatigue",
    "frequency": "10 Hz",
    "on": "0.5 s",
    "off": "0.5 s",
    "for": "35 s",
    "film": ["first 5 s", "last 5 s"],
    "pulse_width": "0.4 ms",
    "amplitude": "6 V",
}
STAIRCASE = {
    "kind": "staircase",
    "pulse_width": "2 ms",
    "frequency": "1 Hz",
    "pulses": 5,
    "amplitude": {"from": "2 V", "to": "6 V", "step": "1 V"},
}


def with_series(bench, assays, series):
    bench.protocol["assays"] = assays
    bench.protocol["imaging"] |= {
        "series": series,
        "films": {
            "at": [],
            "channel": "phase",
            "duration": "2 s",
            "frame_rate": "50 Hz",
            "exposure": "10 ms",
        },
    }
    return bench


def films_of(plan):
    return [e for e in plan.timeline if isinstance(e, Film)]


def levels_of(plan, stimulator="stim"):
    return [
        e for e in plan.timeline if isinstance(e, StimulationLevel) and e.instrument == stimulator
    ]


def playing(plan, at_s):
    """What plays on which channel."""
    level = [level for level in levels_of(plan) if level.offset_s <= at_s][-1]
    return {spec.channel: spec.pattern for spec in level.trains if spec.live}


def test_each_well_is_filmed_once_a_step_while_its_channel_alone_is_tested(bench):
    plan = with_series(bench, {"ff": FF}, [{"at": ["10 min"], "assay": "ff"}]).plan()
    films = films_of(plan)
    assert Counter((f.well, f.step) for f in films) == {
        (well, step): 1 for well in ("B2", "B3", "C2", "C3") for step in range(3)
    }
    unit = {well.well: int(well.pattern_unit.rpartition(":")[2]) for well in plan.wells}
    ends_s = [*(film.offset_s for film in films[1:]), films[-1].offset_s + 20.0]
    for film, until_s in zip(films, ends_s, strict=True):
        tenths = range(int(10 * (until_s - film.offset_s)))
        seen = [playing(plan, film.offset_s + tenth / 10) for tenth in tenths]
        assert {unit[film.well]: f"ff:{film.step}"} in seen
        assert not [plays for plays in seen if set(plays) - {unit[film.well]}]
        assert film.test.frequency_hz == (1.0, 5.0, 20.0)[film.step]
        assert film.test.amplitude_v == 6.0


def test_films_never_overlap_and_hold_their_trains_with_rest_before_and_after(bench):
    plan = with_series(bench, {"ff": FF}, [{"at": ["10 min"], "assay": "ff"}]).plan()
    films = films_of(plan)
    for before, after in itertools.pairwise(films):
        assert after.offset_s >= before.offset_s + before.length_s
    starts = [level.offset_s for level in levels_of(plan) if level.trains and ":" in
              level.trains[0].pattern]  # fmt: skip
    for film, start_s in zip(films, starts, strict=True):
        assert film.offset_s + 1.5 <= start_s <= film.offset_s + 15.0
        assert film.length_s >= 1.5 + 2.0


def test_every_film_of_a_series_holds_its_test_however_soon_the_stage_arrives(bench):
    plan = with_series(bench, {"ff": FF}, [{"at": ["10 min"], "assay": "ff"}]).plan()
    levels = [level for level in levels_of(plan) if level.trains and ":" in
              level.trains[0].pattern]  # fmt: skip
    for film, level in zip(films_of(plan), levels, strict=True):
        ends_s = level.offset_s + level.trains[0].duration_s
        for way_s in (0.0, level.offset_s - film.offset_s - 1.5):
            begins_s = max(film.offset_s + way_s, film.begins_s)
            assert begins_s <= level.offset_s - 1.0
            assert begins_s + film.length_s >= ends_s


def test_a_channel_rests_between_its_trains(bench):
    plan = with_series(bench, {"ff": FF}, [{"at": ["10 min"], "assay": "ff"}]).plan()
    for channel in (1, 2, 3, 4):
        own = [(level.offset_s, spec.duration_s) for level in levels_of(plan) for spec in
               level.trains if spec.channel == channel and ":" in spec.pattern]  # fmt: skip
        assert len(own) == 3
        for (start_s, length_s), (next_s, _) in itertools.pairwise(own):
            assert next_s - start_s - length_s >= 20.0


def test_tests_give_exactly_the_pulses_that_they_name(bench):
    plan = with_series(
        bench,
        {"ff": FF, "tiring": FATIGUE, "capture": STAIRCASE},
        [{"at": ["10 min"], "assay": "capture"}, {"at": ["end - 2 h"], "assay": "ff"},
         {"at": ["end - 1 h"], "assay": "tiring"}],
    ).plan()  # fmt: skip
    for channel in (1, 2, 3, 4):
        given_ = pulses_given(levels_of(plan), "stim", channel, 24 * 3600.0)
        assert {name: n for name, n in given_.items() if ":" in name} == {
            "ff:0": 2, "ff:1": 10, "ff:2": 40, "tiring:0": 35 * 5,
            **{f"capture:{i}": 5 for i in range(5)},
        }  # fmt: skip


def test_no_train_outlasts_ten_seconds_and_none_is_begun_that_its_level_cuts(bench):
    plan = with_series(bench, {"tiring": FATIGUE}, [{"at": ["2 h"], "assay": "tiring"}]).plan()
    levels = levels_of(plan)
    for level, after in itertools.pairwise(levels):
        for spec in level.trains:
            assert spec.duration_s <= 10.0
            if ":" in spec.pattern:
                into_s = (after.offset_s - level.offset_s) % spec.every_s or spec.every_s
                begun = [t for t in pulse_times_s(spec) if t < into_s - 1e-6]
                assert len(begun) % 5 == 0, "a burst is cut"


def test_own_patterns_stand_back_for_a_series_on_every_channel_and_come_back(bench):
    bench.protocol["arms"]["vehicle"]["pattern"] = "tonic"
    plan = with_series(bench, {"ff": FF}, [{"at": ["5 h"], "assay": "ff"}]).plan()
    films = films_of(plan)
    begin_s, end_s = films[0].offset_s, films[-1].offset_s + films[-1].length_s
    during = [playing(plan, begin_s + i) for i in range(int(end_s - begin_s))]
    assert all(name.startswith("ff:") for plays in during for name in plays.values())
    everyone = dict.fromkeys((1, 2, 3, 4), "tonic")
    assert playing(plan, begin_s - 60.0) == everyone
    assert playing(plan, end_s + 60.0) == everyone
    assert [level.key for level in levels_of(plan)] == [
        f"stim/stim/{n:04d}" for n in range(len(levels_of(plan)))
    ]
    assert playing(plan, 24 * 3600.0) == {}


def test_a_test_of_fatigue_is_filmed_at_its_beginning_and_end_alone(bench):
    plan = with_series(bench, {"tiring": FATIGUE}, [{"at": ["2 h"], "assay": "tiring"}]).plan()
    last = films_of(plan)[-1].well  # to the first one the stage may be on its way for longer
    films = [f for f in films_of(plan) if f.well == last]
    assert [f.test.part for f in films] == ["first", "last"]
    assert [round(f.length_s, 2) for f in films] == [6.5, 6.0]
    begun = [level.offset_s for level in levels_of(plan) if level.trains]
    start_s = next(at_s for at_s in begun if at_s >= films[0].offset_s)
    assert films[1].offset_s == pytest.approx(start_s + 30.0)


def test_the_order_is_drawn_from_the_seed_and_anew_for_each_series(bench):
    def orders(seed):
        bench.protocol["randomisation"]["seed"] = seed
        plan = with_series(
            bench, {"ff": FF}, [{"at": ["2 h", "8 h", "14 h"], "assay": "ff"}]
        ).plan()
        first = [f for f in films_of(plan) if f.step == 0]
        return [tuple(f.well for f in first if f"/s{n:02d}/" in f.key) for n in range(3)]

    assert orders(7) == orders(7)
    assert len({*orders(7), *orders(8), *orders(9)}) > 3


def test_a_series_that_no_gap_holds_takes_the_stage_from_rounds_and_says_so(bench):
    long = FF | {"at": [f"{n} Hz" for n in range(1, 16)], "rest": "180 s"}
    plan = with_series(bench, {"ff": long}, [{"at": ["5 h"], "assay": "ff"}]).plan()
    films = films_of(plan)
    begin_s, end_s = films[0].offset_s, films[-1].offset_s + films[-1].length_s
    pictures = [e.offset_s for e in plan.timeline if isinstance(e, Frame)]
    assert not [s for s in pictures if begin_s <= s <= end_s]
    codes = {f.code: f for f in plan.findings}
    assert codes["series.rounds-left-out"].severity == "warn"
    assert "5.5 h" in codes["series.rounds-left-out"].why
    rounds = {e.round for e in plan.timeline if isinstance(e, Frame)}
    assert {0, 47} <= rounds, "the first and the last are always taken"


def test_a_series_longer_than_the_run_is_refused_with_its_length(bench):
    endless = FATIGUE | {"for": "1800 s", "rest": "5 h"}
    bench.rig["electrodes"] = {
        "all": {**bench.rig["electrodes"]["pair_B2"], "wells": ["B2", "B3", "C2", "C3"]}
    }
    bench.protocol["arms"]["vehicle"]["pattern"] = "tonic"
    plan = with_series(
        bench, {"tiring": endless}, [{"at": ["end - 5 h", "2 h"], "assay": "tiring"}]
    ).plan()
    refused = [f for f in plan.findings if f.code == "series.does-not-fit"]
    assert refused
    assert "min" in refused[0].why
    assert "one-per-channel" in refused[0].remedy


def test_one_well_a_channel_spares_the_others_their_tests(bench):
    bench.rig["electrodes"] = {
        "left": {**bench.rig["electrodes"]["pair_B2"], "wells": ["B2", "C2"]},
        "right": {**bench.rig["electrodes"]["pair_B3"], "wells": ["B3", "C3"]},
    }
    bench.protocol["arms"]["vehicle"]["pattern"] = "tonic"
    for wells, films, pulses in (("all", 12, 2 * 52), ("one-per-channel", 6, 52)):
        plan = with_series(
            bench, {"ff": FF}, [{"at": ["5 h"], "assay": "ff", "wells": wells}]
        ).plan()
        assert len(films_of(plan)) == films
        given_ = pulses_given(levels_of(plan), "stim", 1, 24 * 3600.0)
        assert sum(n for name, n in given_.items() if ":" in name) == pulses


def test_what_tests_cost_is_told(bench):
    plan = with_series(
        bench, {"tiring": FATIGUE | {"for": "1200 s"}}, [{"at": ["2 h"], "assay": "tiring"}]
    ).plan()
    codes = {f.code: f for f in plan.findings}
    assert "6000 pulses" in codes["stim.test-dose-share"].why
    assert codes["series.treatment-paused"].severity in ("note", "warn")
    quiet = with_series(bench, {"ff": FF}, [{"at": ["2 h"], "assay": "ff"}]).plan()
    assert "stim.test-dose-share" not in {f.code for f in quiet.findings}


def test_unlike_numbers_of_wells_are_unlike_doses(bench):
    bench.rig["electrodes"] = {
        "left": {**bench.rig["electrodes"]["pair_B2"], "wells": ["B2", "C2", "C3"]},
        "right": {**bench.rig["electrodes"]["pair_B3"], "wells": ["B3"]},
    }
    bench.protocol["arms"]["vehicle"]["pattern"] = "tonic"
    plan = with_series(bench, {"ff": FF}, [{"at": ["5 h"], "assay": "ff"}]).plan()
    assert "series.unequal" in {f.code for f in plan.findings}


def test_the_top_step_of_a_staircase_is_judged_and_placed(bench):
    strong = STAIRCASE | {"amplitude": {"from": "2 V", "to": "19 V", "step": "1 V"}}
    plan = with_series(bench, {"capture": strong}, [{"at": ["10 min"], "assay": "capture"}]).plan()
    field = [f for f in plan.findings if f.code == "stim.field"]
    assert len(field) == 1
    assert (field[0].where, field[0].severity) == ("protocol: assays.capture", "block")
    assert "15.8 V/cm" in field[0].why


def test_films_too_slow_for_ripple_are_told_of(bench):
    plan = with_series(
        bench, {"ff": FF | {"at": ["1 Hz", "50 Hz"]}}, [{"at": ["2 h"], "assay": "ff"}]
    ).plan()
    found = {f.code: f for f in plan.findings}["series.frame-rate"]
    assert "125 frames/s" in found.remedy


def test_a_share_of_capture_needs_its_staircase_before_it(bench):
    bench.protocol["patterns"]["tonic"] |= {"amplitude": None, "of_capture": "90 %"}
    for at, severity in (("5 h", "block"), ("0 h", None)):
        plan = with_series(bench, {"capture": STAIRCASE}, [{"at": [at], "assay": "capture"}]).plan()
        found = [f.severity for f in plan.findings if f.code == "series.capture-late"]
        assert found == ([severity] if severity else [])
    spec = next(s for e in levels_of(plan) for s in e.trains if s.pattern == "tonic")
    assert (spec.of_capture, spec.capture, spec.amplitude_v) == (0.9, "capture", 5.4)


@settings(max_examples=25, deadline=None)
@given(
    rates=st.lists(st.integers(1, 60), min_size=2, max_size=5, unique=True),
    train_s=st.sampled_from([0.5, 1.0, 2.0, 7.5, 10.0]),
    rest_s=st.integers(1, 60),
    at_h=st.floats(0.0, 23.9),
)
def test_whatever_is_asked_pulses_come_whole_and_films_do_not_overlap(
    new_bench, rates, train_s, rest_s, at_h
):
    assay = FF | {
        "at": [f"{rate} Hz" for rate in sorted(rates)],
        "train": f"{train_s} s",
        "rest": f"{rest_s} s",
    }
    bench = with_series(new_bench(), {"ff": assay}, [{"at": [f"{at_h:.3f} h"], "assay": "ff"}])
    plan = bench.plan()
    films = films_of(plan)
    assert len(films) == 4 * len(rates)
    for before, after in itertools.pairwise(films):
        assert after.offset_s >= before.offset_s + before.length_s
    for channel in (1, 2, 3, 4):
        given_ = pulses_given(levels_of(plan), "stim", channel, 24 * 3600.0)
        assert [given_[f"ff:{i}"] for i in range(len(rates))] == [
            int((train_s - 0.0008) * rate + 1e-6) + 1 for rate in sorted(rates)
        ]
    pictures = [(e.offset_s, e.key) for e in plan.timeline if isinstance(e, Frame)]
    begin_s, end_s = films[0].offset_s, films[-1].offset_s + films[-1].length_s
    assert not [key for at_s, key in pictures if begin_s < at_s < end_s]


def test_a_rehearsal_plays_the_strongest_that_there_can_be(bench):
    bench.protocol["patterns"]["tonic"] |= {
        "amplitude": None, "of_capture": "150 %", "at_most": "8 V",
    }  # fmt: skip
    plan = with_series(bench, {"capture": STAIRCASE}, [{"at": ["0 h"], "assay": "capture"}]).plan()
    units = {w.pattern_unit for w in plan.wells if w.arm == "nerve"}
    assert rehearsed(plan) == {"capture": dict.fromkeys(units, 5.0)}  # 7.5 V; 6 V would be 9
