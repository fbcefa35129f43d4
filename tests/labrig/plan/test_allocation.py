"""Arms meet plumbing and wiring: who gets what, and why it may be impossible."""

import pytest

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.plan.allocation import allocate
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig


@pytest.fixture(scope="module")
def demo():
    loaded = load_protocol(catalogue_folder() / DEMO_PROTOCOL).model
    few = loaded.randomisation.model_copy(update={"candidates": 40})
    return loaded.model_copy(update={"randomisation": few})


@pytest.fixture(scope="module")
def bench():
    return load_rig(catalogue_folder() / DEMO_RIG).model


def blocks(protocol, rig):
    wells, findings = allocate(protocol, rig)
    return wells, [f for f in findings if f.severity == "block"]


def without(rig, role):
    lines = {name: line for name, line in rig.lines.items() if line.role != role}
    return rig.model_copy(update={"lines": lines})


def test_wells_of_one_line_get_one_solution_and_of_one_channel_one_pattern(demo, bench):
    wells, found = blocks(demo, bench)
    assert found == []
    by_line, by_channel = {}, {}
    for well in wells:
        arm = demo.arms[well.arm]
        by_line.setdefault(well.factor_unit, set()).add(bool(arm.targets))
        by_channel.setdefault(well.pattern_unit, set()).add(arm.pattern)
    assert len(by_line) == 12
    assert set(by_channel) == {f"stimulator:{n}" for n in (1, 2, 3, 4)}
    assert all(len(kinds) == 1 for kinds in [*by_line.values(), *by_channel.values()])


def test_the_same_seed_gives_the_same_layout(demo, bench):
    assert allocate(demo, bench) == allocate(demo, bench)


def test_another_plate_blocks(demo, bench):
    _, (finding,) = blocks(demo.model_copy(update={"plate": "6-well"}), bench)
    assert finding.code == "allocation.plate"


def test_an_arm_with_no_line_to_feed_it_blocks(demo, bench):
    bare = without(without(bench, "nerve"), "insult")
    wells, found = blocks(demo, bare)
    assert wells == ()
    assert {f.code for f in found} == {"allocation.no-line"}
    arms = [f for f in found if f.where == "protocol: arms.nerve-sham"]
    assert any("no line left to feed it" in f.why and "nerve-cocktail" in f.why for f in arms)
    assert all("add lines" in f.remedy for f in found)


def test_tonic_and_sham_on_one_channel_block(demo, bench):
    one = bench.electrodes["row_A"].model_copy(update={"wells": bench.chambers.wells})
    _, (finding,) = blocks(demo, bench.model_copy(update={"electrodes": {"all": one}}))
    assert finding.code == "allocation.impossible"
    assert "'sham' and 'tonic_10hz_2mean' would share channel 1 of stimulator" in finding.why


def test_impulses_without_electrodes_block(demo, bench):
    _, (finding,) = blocks(demo, bench.model_copy(update={"electrodes": {}}))
    assert "no unit of impulses can have 'sham'" in finding.why


def test_a_full_reservoir_restricts_its_line(demo, bench):
    held = {
        name: reservoir.model_copy(update={"holds": "nerve-vehicle"})
        if name in ("nerve_syringe_01", "nerve_syringe_04")
        else reservoir
        for name, reservoir in bench.reservoirs.items()
    }
    wells, found = blocks(demo, bench.model_copy(update={"reservoirs": held}))
    assert found == []
    arm_of = {well.well: well.arm for well in wells}
    fed = [well for n in (1, 4) for well in bench.lines[f"nerve_{n:02d}"].wells]
    assert {arm_of[well].split("-")[0] for well in fed} == {"vehicle"}


def test_reservoirs_that_all_hold_the_vehicle_block_the_factor_arms(demo, bench):
    held = {
        name: reservoir.model_copy(update={"holds": "nerve-vehicle"})
        if name.startswith("nerve")
        else reservoir
        for name, reservoir in bench.reservoirs.items()
    }
    _, (finding,) = blocks(demo, bench.model_copy(update={"reservoirs": held}))
    assert "nerve-cocktail" in finding.why
    assert "as planned" in finding.remedy


def test_lines_of_one_reservoir_get_one_solution(demo, bench):
    lines = {
        name: line.model_copy(update={"reservoir": "nerve_syringe_01"})
        if name in ("nerve_01", "nerve_02", "nerve_03")
        else line
        for name, line in bench.lines.items()
    }
    wells, _ = allocate(demo, bench.model_copy(update={"lines": lines}))
    fed = {well for name in ("nerve_01", "nerve_02", "nerve_03") for well in lines[name].wells}
    assert len({bool(demo.arms[w.arm].targets) for w in wells if w.well in fed}) == 1


def test_arms_that_differ_in_flow_are_kept_on_pumps_of_their_own(demo, bench):
    arms = {
        "full": demo.arms["vehicle-sham"].model_copy(update={"pattern": None, "boluses": ()}),
        "low": demo.arms["vehicle-sham"].model_copy(
            update={"pattern": None, "boluses": (), "flow_ml_h": 0.25}
        ),
    }
    wells, found = blocks(demo.model_copy(update={"arms": arms}), bench)
    assert found == []
    left = {w.arm for w in wells if int(w.well[1:]) <= 3}
    right = {w.arm for w in wells if int(w.well[1:]) > 3}
    assert {len(left), len(right)} == {1}
    assert left != right


def test_a_donor_on_wells_that_the_rig_does_not_use_blocks(demo, bench):
    chambers = bench.chambers.model_copy(update={"wells": bench.chambers.wells[:12]})
    donor = demo.donors[0].model_copy(update={"wells": ("A1", "D6")})
    _, (finding,) = blocks(
        demo.model_copy(update={"donors": (donor,)}),
        bench.model_copy(update={"chambers": chambers}),
    )
    assert finding.code == "allocation.wells"
    assert "D6" in finding.why


def test_a_donor_that_lacks_an_arm_is_a_warning(demo, bench):
    first = demo.donors[0].model_copy(update={"id": "a", "wells": ("A1", "B1")})
    rest = tuple(w for w in bench.chambers.wells if w not in first.wells)
    second = demo.donors[0].model_copy(update={"id": "b", "wells": rest})
    _, findings = allocate(demo.model_copy(update={"donors": (first, second)}), bench)
    lacking = [f for f in findings if f.code == "allocation.donor-lacks-arm"]
    assert len(lacking) == 1
    assert "donor 'a'" in lacking[0].why


def test_a_protocol_for_any_plate_takes_the_rig_s(new_bench):
    bench = new_bench()
    bench.protocol["plate"] = "any"
    plan = bench.plan()
    assert plan.plate == "24-well"
    assert {well.well for well in plan.wells} == set(bench.rig["chambers"]["wells"])


def test_wells_that_the_rig_lacks_are_refused_for_any_plate(new_bench):
    bench = new_bench()
    bench.protocol["plate"] = "any"
    bench.protocol["donors"][0]["wells"] = ["B2", "H12"]
    assert "allocation.wells" in {finding.code for finding in bench.plan().findings}
