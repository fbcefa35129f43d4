"""The junction's assay as a plan: silence, the nerve's impulses, the electrodes, and a block."""

import copy
import math
from datetime import date

import pytest
from ruamel.yaml import YAML

from labrig.catalogue import catalogue_folder
from labrig.plan.allocation import allocate
from labrig.plan.compile import assemble
from labrig.plan.timeline import Dose, Film, StimulationLevel, levels_with_ends
from labrig.protocol.models import Protocol
from labrig.protocol.nmj_assay import junction_test
from labrig.rig.models import Rig
from labrig_drivers.instrument import installed_types

TODAY = date(2026, 11, 30)
FOLDER = catalogue_folder()


def plain(path):
    return YAML(typ="safe").load(path.read_text(encoding="utf-8"))


PROTOCOL = plain(FOLDER / "nmj-chip.yaml")
RIG = plain(FOLDER / "rigs" / "simulated-chip-bench.yaml")


def compiled(protocol, rig):
    asked, bench = Protocol.model_validate(protocol), Rig.model_validate(rig)
    return assemble(
        asked, bench, allocate(asked, bench), installed_types(), today=TODAY, free_bytes=None
    )


@pytest.fixture(scope="module")
def plan():
    return compiled(PROTOCOL, RIG)


@pytest.fixture
def protocol():
    return copy.deepcopy(PROTOCOL)


@pytest.fixture
def rig():
    return copy.deepcopy(RIG)


def films(plan, assay):
    return [e for e in plan.timeline if isinstance(e, Film) and e.assay == assay]


def begun_s(plan):
    """By film, when it begins: the stage has come from the film before it."""
    found, here = {}, None
    for film in sorted((e for e in plan.timeline if isinstance(e, Film)), key=lambda f: f.offset_s):
        there = (film.x_um, film.y_um)
        if here is not None:
            found[film.key] = film.offset_s + math.dist(here, there) / 1000 / 5.0 + 0.3
        here = there
    return found


def played(plan, film, begins_s):
    """What any channel gives while a film runs."""
    found = set()
    levels = [e for e in plan.timeline if isinstance(e, StimulationLevel)]
    for level, end_s in levels_with_ends(levels, plan.forecast.duration_s):
        if level.offset_s < begins_s + film.length_s and end_s > begins_s:
            found |= {(level.instrument, s.channel, s.pattern) for s in level.trains if s.live}
    return found


def test_every_chip_is_filmed_in_every_step(plan):
    muscle = {w.well for w in plan.wells if w.compartment == "muscle"}
    by_step = {}
    for film in films(plan, "nmj"):
        by_step.setdefault((film.key.split("/")[1], film.step), []).append(film.well)
    # silence, three frequencies, electrodes; twice
    assert sorted(step for _, step in by_step) == sorted([0, 1, 2, 3, 4] * 2)
    assert all(sorted(wells) == sorted(muscle) for wells in by_step.values())


def test_a_film_shows_the_impulses_of_its_step_and_no_others(plan):
    unit = {w.well: w.pattern_unit for w in plan.wells}
    nerve = {w.chip: w.well for w in plan.wells if w.compartment == "nerve"}
    chip = {w.well: w.chip for w in plan.wells}
    begins = begun_s(plan)
    for film in films(plan, "nmj")[1:]:
        given = played(plan, film, begins[film.key])
        if film.step == 0:
            assert given == set()
            continue
        ((instrument, channel, pattern),) = given
        moved = nerve[chip[film.well]] if film.step < 4 else film.well
        assert f"{instrument}:{channel}" == unit[moved]
        assert pattern == f"nmj:{film.step}"
        assert (instrument == "led_driver") is (film.step < 4)


def test_films_are_long_enough_for_every_impulse_and_its_answer(plan):
    begins = begun_s(plan)
    levels = [e for e in plan.timeline if isinstance(e, StimulationLevel)]
    for film in films(plan, "nmj")[1:]:
        if film.step == 0:
            continue
        level = next(e for e in levels if e.offset_s >= begins[film.key] and e.trains)
        (spec,) = level.trains
        last_s = level.offset_s + (spec.pulses - 1) / spec.frequency_hz
        assert level.offset_s - begins[film.key] == pytest.approx(1.5, abs=0.02)
        assert begins[film.key] + film.length_s - last_s >= 0.9


def test_the_first_film_shows_its_test_however_soon_the_stage_arrives(plan):
    levels = [e for e in plan.timeline if isinstance(e, StimulationLevel) and e.trains]
    for block in ("s00", "s01"):
        first = min(
            (f for f in films(plan, "nmj") if f.key.split("/")[1] == block),
            key=lambda f: f.offset_s,
        )
        level = next(e for e in levels if e.offset_s >= first.offset_s)
        # a silence of 6 s
        assert first.begins_s <= level.offset_s - 1.0
        assert first.begins_s + first.length_s >= level.offset_s + 6 + 0.9


def test_a_chip_rests_between_steps_that_reach_it(plan):
    last = {}
    for film in sorted(films(plan, "nmj"), key=lambda f: f.offset_s):
        block = film.key.split("/")[1]
        before = last.get((block, film.well))
        if before is not None and film.step > 1:
            assert film.offset_s - before >= 20 - 3
        last[block, film.well] = film.offset_s + film.length_s


def test_the_block_is_given_to_every_muscle_before_its_films(plan):
    (dose,) = [e for e in plan.timeline if isinstance(e, Dose)]
    assert dose.factor == "d-tubocurarine"
    assert set(dose.wells) == {w.well for w in plan.wells if w.compartment == "muscle"}
    first_s = min(film.offset_s for film in films(plan, "block"))
    assert first_s - dose.offset_s >= 15 * 60 - 60
    assert first_s >= plan.phases[-1].start_s


def test_what_an_assay_leaves_out_is_as_in_the_one_that_it_is_like(protocol):
    asked = Protocol.model_validate(protocol)
    base, block = junction_test(asked, "nmj"), junction_test(asked, "block")
    assert block.steps == base.steps
    assert (block.by, block.direct, block.for_s) == (base.by, base.direct, base.for_s)
    assert base.after is None
    assert block.after is not None


def test_a_nerve_can_be_moved_by_electrodes_too(protocol, rig):
    del rig["lights"]
    rig["instruments"]["led_driver"]["settings"] = {"volts_per_volt": 2.0}
    for number, entry in enumerate(list(rig["electrodes"].values()), start=1):
        wells = [w[0] + str(int(w[1]) - 1) for w in entry["wells"]]
        rig["electrodes"][f"nerve_{number}"] = {
            **entry, "wells": wells, "stimulator": "led_driver", "channel": number,
        }  # fmt: skip
    protocol["patterns"] = {"twitch": protocol["patterns"]["twitch"]}
    protocol["assays"]["nmj"]["by"] = "twitch"
    plan = compiled(protocol, rig)
    assert [f.code for f in plan.findings if f.severity == "block"] == []
    begins = begun_s(plan)
    indirect = [f for f in films(plan, "nmj") if f.step == 1]
    given = {name for f in indirect for name, *_ in played(plan, f, begins[f.key])}
    assert given == {"led_driver"}


def test_chips_that_no_light_reaches_are_named(protocol, rig):
    del rig["lights"]["blue_4"]
    plan = compiled(protocol, rig)
    said = [f.why for f in plan.findings if f.code == "series.chip-not-moved"]
    assert any("chip_7, chip_8" in why for why in said)
    codes = {(f.code, f.severity) for f in plan.findings}
    assert ("light.dark-wells", "block") in codes


def test_light_of_tests_is_dosed(protocol, rig):
    protocol["patterns"]["blue"]["pulse_width"] = "100 ms"
    protocol["patterns"]["blue"]["irradiance"] = "2 mW/mm**2"
    protocol["assays"]["nmj"] |= {"for": "60 s"}
    plan = compiled(protocol, rig)
    assert ("light.dose", "warn") in {(f.code, f.severity) for f in plan.findings}


# name: (change of the protocol, path, what, remedy)
def _like_nothing(p):
    p["assays"]["block"]["like"] = "mnj"


def _nothing_said(p):
    p["assays"]["nmj"] = {"kind": "nmj", "direct": "twitch"}


def _light_for_the_muscle(p):
    p["assays"]["nmj"]["direct"] = "blue"


def _falling(p):
    p["assays"]["nmj"]["indirect"] = ["2 Hz", "1 Hz"]


def _too_early(p):
    p["imaging"]["series"][1]["at"] = ["treatment + 1 h"]


def _twice(p):
    p["imaging"]["series"][1]["at"] = ["block + 20 min", "block + 70 min"]


def _unknown_stock(p):
    p["assays"]["block"]["after"]["stock"] = "curare"


def _another_factor(p):
    p["assays"]["block"]["after"]["factor"] = "vincristine"


def _unknown_pattern(p):
    p["assays"]["nmj"]["by"] = "bleu"


def _sham(p):
    p["patterns"]["twitch"]["amplitude"] = "0 V"


def _regions(p):
    p["assays"]["nmj"]["grid"] = [0, 2]


MISTAKES = {
    _like_nothing: ("assays.block.like", "no other nmj assay 'mnj'", "'nmj'"),
    _nothing_said: ("assays.nmj", "does not say indirect, by, for", "indirect: [0.5 Hz"),
    _light_for_the_muscle: ("assays.nmj.direct", "the nerve's way", "pattern of electrodes"),
    _falling: ("assays.nmj.indirect", "do not rise: 2 Hz, 1 Hz", "lowest first"),
    _too_early: ("imaging.series.1.at.0", "for the last phase only", "block + 30 min"),
    _twice: ("imaging.series.1.at.1", "each time, and is done 2 times", "once"),
    _unknown_stock: ("assays.block.after.stock", "no stock 'curare'", "curare-stock"),
    _another_factor: ("assays.block.after.factor", "does not contain", "d-tubocurarine"),
    _unknown_pattern: ("assays.nmj.by", "no pattern 'bleu'", "'blue'"),
    _sham: ("assays.nmj.direct", "'twitch' moves nothing", "above 0"),
    _regions: ("assays.nmj.grid", "0 × 2 regions", "grid: [2, 2]"),
}


@pytest.mark.parametrize("change", MISTAKES, ids=lambda change: change.__name__)
def test_a_mistake_in_a_junctions_assay_is_placed_and_explained(tmp_path, protocol, change):
    from labrig.problems import FileProblems
    from labrig.protocol.loading import load_protocol

    where, what, remedy = MISTAKES[change]
    change(protocol)
    path = tmp_path / "night.yaml"
    with path.open("w", encoding="utf-8") as out:
        YAML(typ="safe").dump(protocol, out)
    with pytest.raises(FileProblems) as raised:
        load_protocol(path)
    found = raised.value.problems
    assert any(p.path == where and what in p.what and remedy in p.remedy for p in found), "\n".join(
        f"{p.path}: {p.what} -> {p.remedy}" for p in found
    )
