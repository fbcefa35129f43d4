"""Simulated people do what steps ask, the same each time; what they do is in the liquid."""

from __future__ import annotations

import pytest

from labrig.plan.timeline import PEOPLE, PersonStep
from labrig.run_folder import RunFolder
from labrig.twin.liquid import Chamber, Line, Plumbing, Reservoir
from labrig.twin.people import SimulatedAssay, SimulatedPeople
from labrig.twin.spec import FaultSpec


def step(**changes):
    parts = {
        "key": "step/feed/0", "offset_s": 3600.0, "phase": "night", "step": "feed",
        "do": "change-medium", "what": "change the medium", "unnamed": "change the medium",
        "within_s": 1800.0, "wait_s": 3600.0, "takes_s": 600.0, "hold_s": 0.0, "signatures": 1,
        "if_missed": "flag", "wells": ("A1", "A2"), "exchange": 1.0, "medium": "dm",
    }  # fmt: skip
    return PersonStep(**(parts | changes))


def people(tmp_path, *faults, assays=(), did=None):
    held = {"A1": {"BDNF": 10.0}, "A2": {}}
    return SimulatedPeople(
        3, [FaultSpec(PEOPLE, *fault) for fault in faults],
        lambda *act: None if did is None else did.append(act), held.__getitem__,
        RunFolder(tmp_path), assays,
    )  # fmt: skip


@pytest.mark.parametrize("within_s", [120.0, 1800.0])
def test_they_come_in_time_and_do_the_same_after_a_takeover(tmp_path, within_s):
    asked = step(within_s=within_s)
    first, again = people(tmp_path).reaction(asked), people(tmp_path).reaction(asked)
    assert first == again
    assert 0 < first.begin_after_s < first.done_after_s < within_s


def test_they_hold_pumps_no_longer_than_cells_can_bear(tmp_path):
    reaction = people(tmp_path).reaction(step(takes_s=3000.0, hold_s=300.0, within_s=9000.0))
    assert reaction.done_after_s - reaction.begin_after_s < 300.0


def test_faults_are_theirs_while_they_last(tmp_path):
    late = people(tmp_path, ("late", 0.0, 7200.0, 900.0))
    assert late.reaction(step()).begin_after_s > 1800.0 + 900.0
    assert late.reaction(step(offset_s=7300.0)).begin_after_s < 1800.0
    assert people(tmp_path, ("refuses", 0.0, 7200.0)).reaction(step()).refuses
    absent = people(tmp_path, ("absent", 0.0, 7200.0)).reaction(step())
    assert (absent.begin_after_s, absent.done_after_s) == (None, None)


def test_a_change_of_medium_is_told_to_the_bench_and_a_sample_is_not(tmp_path):
    did = []
    someone = people(tmp_path, did=did)
    someone.did(step(), 3700.0)
    someone.did(step(do="sample", exchange=0.0), 3700.0)
    assert did == [("step/feed/0", ("A1", "A2"), 1.0, "dm", {}, 3700.0)]


def test_samples_are_measured_once_each_and_below_its_limit_none_has_a_value(tmp_path):
    assay = SimulatedAssay("elisa.csv", "take", "BDNF_pg_ml", "BDNF", 1000.0, lod=5.0)
    someone = people(tmp_path, assays=[assay])
    taken = step(step="take", do="sample", exchange=0.0, labels=("p-A1-1", "p-A2-1"))
    someone.did(taken, 3700.0)
    once = (tmp_path / "twin" / "results" / "elisa.csv").read_text()
    someone.did(taken, 3700.0)
    assert (tmp_path / "twin" / "results" / "elisa.csv").read_text() == once
    head, first, second = once.splitlines()
    assert head == "label,BDNF_pg_ml"
    assert first.startswith("p-A1-1,")
    assert float(first.split(",")[1]) == pytest.approx(10_000.0, rel=0.4)
    assert second == "p-A2-1,<LOD"


def test_a_bench_rebuilt_after_a_death_knows_the_medium_that_was_changed(tmp_path):
    from labrig.rig.bench import BenchSpec
    from labrig.twin.bench import TwinBench
    from labrig.twin.spec import FactorSpec, TwinSpec, WellSpec

    wells = tuple(WellSpec(well, "d", "unknown", ((0.0, 0.0),)) for well in ("A1", "A2"))
    spec = TwinSpec(3, 1000.0, "stage", wells, (), (), (), (FactorSpec("CNTF", "nerve", 6.0, 1.0),))
    now = [0.0]

    def bench():
        made = TwinBench(spec, BenchSpec((), (), ()), tmp_path, lambda: now[0])
        for chamber in made._world._plumbing.chambers.values():
            chamber.factors_ng_ml["CNTF"] = 100.0
        return made

    one = bench()
    now[0] = 600.0
    for _ in range(2):  # safe to repeat
        one.hands("step/feed/0", ("A1",), 0.5, "dm", {}, 600.0)
    now[0] = 900.0
    before = {well: one.held(well) for well in ("A1", "A2")}
    one.close()
    assert before["A1"]["CNTF"] == pytest.approx(before["A2"]["CNTF"] / 2, rel=1e-6)
    again = bench()
    again.rebuild()
    for well in before:
        assert again.held(well)["CNTF"] == pytest.approx(before[well]["CNTF"])
    again.close()


def test_of_a_changed_bottle_the_tube_comes_first():
    old, new = Reservoir({"X": 1.0}, True, 1000.0), Reservoir({"X": 3.0}, True, 500.0)
    line = Line(old, ("A1",), 0.0, rate_ul_min=10.0)
    plumbing = Plumbing({"base": line}, {"A1": Chamber(10.0, {})}, {}, {"bottle": old})
    plumbing.advance(600.0)
    line.put_on(new, 200.0)
    plumbing.advance(600.0 + 19 * 60.0)
    assert plumbing.chambers["A1"].factors_ng_ml["X"] == pytest.approx(1.0, rel=1e-3)
    plumbing.advance(600.0 + 40 * 60.0)
    assert plumbing.chambers["A1"].factors_ng_ml["X"] == pytest.approx(3.0, rel=1e-3)
    assert (old.left_ul, new.left_ul) == (pytest.approx(900.0), pytest.approx(100.0))


def test_the_bench_is_told_which_bottles_were_changed(tmp_path):
    did = []
    people(tmp_path, did=did).did(step(bottles=(("bottle", 120.0),)), 3700.0)
    assert did[0][4] == {"bottle": 120.0}
