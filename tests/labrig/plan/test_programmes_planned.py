"""What a programme becomes: flows that add up at each moment, vehicles in the place of what stops,
spells of flow, impulses that change between trains, boluses by what they reach."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from labrig.plan.boluses import bolus_volume_ul
from labrig.plan.chamber_model import ChamberModel, Feed
from labrig.plan.timeline import Dose, FlowLevel, StimulationLevel, TrainSpec
from labrig.plan.train_rests import rest_from_s
from labrig.protocol.models import Protocol
from labrig.protocol.segments import segments

NERVE = {"CNTF": "10 ng/mL", "BDNF": "50 ng/mL"}
GAP = [
    {"from": "0 h", "targets": NERVE, "pattern": "tonic"},
    {"from": "8 h", "targets": "none", "pattern": "sham", "label": "gap"},
    {"from": "16 h", "targets": NERVE, "pattern": "tonic", "label": "restore"},
]


def inflow_ml_h(plan, well, at_s):
    """What flows into a well through all lines at a moment."""
    chamber = next(c for c in plan.chambers if c.well == well)
    held = {}
    for level in plan.timeline:
        if isinstance(level, FlowLevel) and level.offset_s <= at_s:
            held[level.instrument] = level.rate_ul_min
    return sum(held.get(i.pump, 0.0) * i.share for i in chamber.inlets) * 60 / 1000


def gap_beside_kept(bench):
    bench.protocol["arms"] = {
        "kept": {"role": "control", "targets": NERVE, "pattern": "tonic"},
        "gap": {"program": GAP},
    }
    bench.protocol["phases"] = [{"name": "treatment", "duration": "24 h"}]
    return bench


def with_idle_lines(bench):
    """A second dosing line at every well, of a role that no stock takes."""
    for number, well in enumerate(bench.rig["chambers"]["wells"]):
        bench.rig["instruments"][f"spare_{well}"] = {
            "type": "new_era_ne1000",
            "port": "chain",
            "settings": {"address": 10 + number, "syringe_diameter_mm": 8.585},
        }
        bench.rig["reservoirs"][f"spare_{well}"] = {"volume": "3 mL", "cold": True}
        bench.rig["lines"][f"spare_{well}"] = {
            **bench.rig["lines"][f"nerve_{well}"],
            "reservoir": f"spare_{well}",
            "pump": f"spare_{well}",
            "role": "spare",
        }
    return bench


def test_a_pump_that_arms_share_is_told_with_what_helps(bench):
    found = [f for f in gap_beside_kept(bench).plan().findings if f.code == "perfusion.pump-shared"]
    (only,) = found
    assert "at 8 h" in only.why
    assert "gap without cocktail at that time" in only.why
    for remedy in ("times as strong", "second dosing line", "base pump of their own", "selector"):
        assert remedy in only.remedy


def test_the_stock_as_strong_as_it_says_mends_it(bench):
    plan = gap_beside_kept(bench).plan()
    (only,) = [f for f in plan.findings if f.code == "perfusion.pump-shared"]
    times = float(only.remedy.split("mix cocktail ")[1].split(" times")[0])
    for factor, strength in (("CNTF", 1.0), ("BDNF", 5.0)):
        bench.protocol["stocks"]["cocktail"]["contents"][factor] = f"{strength * times} ug/mL"
    assert "perfusion.pump-shared" not in bench.graded()


def test_an_idle_line_brings_the_vehicle_in_the_place_of_a_stock_that_stops(bench):
    plan = with_idle_lines(gap_beside_kept(bench)).plan()
    assert not {"perfusion.pump-shared", "perfusion.vehicle-balance"} & {
        f.code for f in plan.findings
    }
    for well in plan.wells:
        chamber = next(c for c in plan.chambers if c.well == well.well)
        spare = next(i for i in chamber.inlets if i.line.startswith("spare"))
        assert spare.solution == ("plain" if well.arm == "gap" else "")
        for at_h in (4, 12, 20):
            assert inflow_ml_h(plan, well.well, at_h * 3600) == pytest.approx(1.0, rel=0.01)
    moved = {
        (e.offset_s / 3600, e.rate_ul_min > 0)
        for e in plan.timeline
        if isinstance(e, FlowLevel) and e.instrument.startswith("spare") and e.offset_s < 86400
    }
    assert moved == {(0.0, False), (8.0, True), (16.0, False)}


def test_an_idle_line_is_left_alone_where_its_pump_reaches_further(bench):
    with_idle_lines(gap_beside_kept(bench))
    for well in bench.rig["chambers"]["wells"]:
        bench.rig["lines"][f"spare_{well}"] |= {"pump": "spare_B2", "reservoir": "spare_B2"}
    plan = bench.plan()
    assert all(i.solution == "" for c in plan.chambers for i in c.inlets if "spare" in i.line)
    assert "perfusion.pump-shared" in {f.code for f in plan.findings}


def test_a_withdrawn_factor_is_predicted_to_leave(bench):
    plan = with_idle_lines(gap_beside_kept(bench)).plan()
    gap = next(w.well for w in plan.wells if w.arm == "gap")
    curve = next(c for c in plan.forecast.curves if (c.well, c.factor) == (gap, "CNTF"))
    at = {round(t / 3600, 1): v for t, v in zip(curve.times_s, curve.values_ng_ml, strict=True)}
    assert at[8.0] == pytest.approx(10.0, rel=0.02)
    assert at[16.0] < 0.01
    assert at[24.0] == pytest.approx(10.0, rel=0.02)


def test_a_flow_in_spells_becomes_levels_and_holds_its_mean(bench):
    bench.protocol["arms"] = {
        "spells": {"role": "control", "flow": {}, "targets": NERVE},
    }
    arm = {"program": [{"from": "0 h", "flow": {"rate": "4 mL/h", "on": "15 min", "every": "1 h"},
                        "targets": NERVE}]}  # fmt: skip
    bench.protocol["arms"] = {"spells": {"role": "control", **arm}}
    bench.protocol["phases"] = [{"name": "treatment", "duration": "24 h"}]
    plan = bench.plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    assert inflow_ml_h(plan, "B2", 300) == pytest.approx(4.0, rel=0.01)
    assert inflow_ml_h(plan, "B2", 1000) == 0.0
    base = [e for e in plan.timeline if isinstance(e, FlowLevel) and e.instrument == "base"]
    assert len(base) == 48 + 1
    curve = next(c for c in plan.forecast.curves if c.factor == "CNTF")
    last = curve.values_ng_ml[-100:]
    assert sum(last) / len(last) == pytest.approx(10.0, rel=0.1)


STRETCH = st.tuples(st.integers(1, 22), st.sampled_from(["none", 5, 10]), st.sampled_from([1, 2]))


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(STRETCH, min_size=1, max_size=5, unique_by=lambda stretch: stretch[0]))
def test_what_flows_in_is_what_the_programme_says_at_each_moment(new_bench, stretches):
    bench = new_bench()
    program = [
        {
            "from": f"{hour} h",
            "targets": "none" if held == "none" else {"CNTF": f"{held} ng/mL", "BDNF": "50 ng/mL"},
            "flow": f"{flow} mL/h",
        }
        for hour, held, flow in sorted(stretches)
    ]
    bench.protocol["stocks"]["cocktail"]["contents"] = {"CNTF": "1 ug/mL"}
    bench.protocol["stocks"]["second"] = {
        "contents": {"BDNF": "5 ug/mL"}, "carrier": "0.1 % BSA", "vehicle": "plain",
    }  # fmt: skip
    with_idle_lines(bench)
    bench.protocol["arms"] = {"timed": {"role": "control", "program": program}}
    plan = bench.plan()
    assert not plan.blocked, [f for f in plan.findings if f.severity == "block"]
    for own in segments(Protocol.model_validate(bench.protocol), "timed"):
        at_s = (own.start_s + own.end_s) / 2
        assert inflow_ml_h(plan, "B2", at_s) == pytest.approx(own.flow.rate_ml_h, rel=0.01)


def test_an_arm_that_is_not_refreshed_is_told_and_not_refused(bench):
    for arm in bench.protocol["arms"].values():
        arm["flow"] = "0 mL/h"
        arm.pop("targets", None)
    assert bench.graded()["perfusion.no-flow"] == "note"
    assert not bench.plan().blocked


def test_a_short_wash_is_told_and_a_long_one_is_not(bench):
    def program(lasts):
        return [
            {"from": "0 h", "targets": NERVE},
            {"from": "8 h", "targets": "none"},
            {"from": "8 h", "for": lasts, "flow": "5 mL/h", "label": "wash"},
        ]

    bench.protocol["arms"] = {"washed": {"role": "control", "program": program("12 min")}}
    assert bench.graded()["perfusion.wash-short"] == "warn"
    bench.protocol["arms"]["washed"]["program"] = program("1 h")
    assert "perfusion.wash-short" not in bench.graded()


def test_patterns_of_one_arm_are_not_compared_with_each_other(bench):
    fast = {**bench.protocol["patterns"]["tonic"], "train_off": "10 s"}
    bench.protocol["patterns"]["fast"] = fast
    bench.protocol["arms"]["nerve"] |= {"program": [{"from": "12 h", "pattern": "fast"}]}
    assert "stim.unmatched-rate" not in bench.graded()
    bench.protocol["arms"]["vehicle"]["pattern"] = "tonic"
    assert bench.graded()["stim.unmatched-rate"] == "warn"


def test_impulses_stop_and_restart_between_trains(bench):
    bench.protocol["arms"]["nerve"] |= {
        "program": [
            {"from": "3605 s", "pattern": "sham"},  # in the middle of a train, which begins at 1 h
            {"from": "5 h", "pattern": "tonic"},
        ]
    }
    plan = bench.plan()
    levels = [e for e in plan.timeline if isinstance(e, StimulationLevel)]
    assert [(level.offset_s, bool(level.trains)) for level in levels] == [
        (0.0, False), (3600.0, True), (3610.02, False), (18000.0, True), (86400.0, False),
    ]  # fmt: skip
    pulses = {f.electrode: f.pulses for f in plan.forecast.pulses if f.pattern == "tonic"}
    assert set(pulses.values()) == {100 + 19 * 3600 * 2}


def test_mixed_patterns_play_in_turn(bench):
    patterns = bench.protocol["patterns"]
    patterns["burst"] = {**patterns["tonic"], "train_on": "5 s", "train_off": "20 s"}
    patterns["both"] = {"sequence": ["tonic", "burst"], "each": "25 min"}
    bench.protocol["arms"]["nerve"]["pattern"] = "both"
    plan = bench.plan()
    levels = [e for e in plan.timeline if isinstance(e, StimulationLevel) and e.trains]
    assert {spec.pattern for spec in levels[0].trains} == {"tonic"}
    assert {spec.pattern for spec in levels[1].trains} == {"burst"}
    assert [level.offset_s for level in levels[:3]] == [3600.0, 5100.0, 6600.0]
    assert len(levels) == 23 * 60 / 25 // 1 + 1
    assert {f.pattern for f in plan.forecast.pulses} == {"tonic", "burst"}
    assert "stim.unmatched-rate" not in bench.graded()


def spec(**more):
    fixed = {"channel": 1, "pattern": "p", "phase_ms": 0.4, "amplitude_v": 5.0, "biphasic": True}
    times = {"frequency_hz": 10.0, "burst_s": 10.0, "gap_s": 0.0, "duration_s": 10.0}
    return TrainSpec(**{**fixed, **times, "every_s": 50.0, "pulses": 100, **more})


@settings(max_examples=200, deadline=None)
@given(
    st.integers(0, 5000).map(lambda n: n / 10),
    st.lists(st.tuples(st.integers(1, 100), st.integers(1, 300)), min_size=1, max_size=4),
)
def test_a_rest_is_one_of_all_channels_and_the_first(at_s, trains):
    specs = tuple(
        spec(channel=n, duration_s=on / 10, every_s=(on + off) / 10)
        for n, (on, off) in enumerate(trains)
    )
    level = StimulationLevel("k", 0.0, "p", "s", specs, ("A1",))
    found = rest_from_s(level, at_s, at_s + 500)

    def plays(time):
        return any(
            1e-5 < (time - 0.0) % s.every_s < min(s.duration_s, s.every_s) - 1e-5 for s in specs
        )

    if found is None:
        steps = [at_s + n / 10 for n in range(1200)]
        assert not any(
            all(s.duration_s + 0.05 < t % s.every_s < s.every_s - 0.01 for s in specs)
            for t in steps
        )
    else:
        assert not plays(found)
        assert found - at_s <= 120


def test_no_train_begins_just_before_the_change():
    level = StimulationLevel("k", 2890.2915016380234, "p", "s", (), ("A1",))
    level = replace(level, trains=(spec(duration_s=9.99, every_s=10.0),))
    found = rest_from_s(level, 2899.0, 3000.0)
    assert found is not None
    assert level.offset_s + 10.0 - 1e-5 < found <= level.offset_s + 10.0


@settings(max_examples=100, deadline=None)
@given(st.floats(1.0, 400.0), st.floats(500.0, 1e6), st.floats(0.2, 5.0))
def test_a_bolus_reaches_what_it_says(reach_ng_ml, stock_ng_ml, volume_ml):
    volume_ul = bolus_volume_ul(reach_ng_ml, stock_ng_ml, volume_ml)
    model = ChamberModel(volume_ml, 1e6, [Feed("line", stock_ng_ml)])
    model.add("line", volume_ul)
    assert model.concentration_ng_ml == pytest.approx(reach_ng_ml, rel=1e-6)


def test_a_bolus_by_what_it_reaches_is_a_volume_into_each_well(bench):
    program = [{"at": "2 h", "bolus": {"factor": "CNTF", "stock": "cocktail", "reach": "50 ng/mL"}}]
    bench.protocol["arms"]["nerve"] = {"pattern": "tonic", "program": program}
    plan = bench.plan()
    doses = [e for e in plan.timeline if isinstance(e, Dose)]
    assert {round(d.volume_ul, 3) for d in doses} == {round(bolus_volume_ul(50, 1000, 1.0), 3)}
    assert {d.factor for d in doses} == {"CNTF", "vehicle"}
    nerve = next(w.well for w in plan.wells if w.arm == "nerve")
    curve = next(c for c in plan.forecast.curves if (c.well, c.factor) == (nerve, "CNTF"))
    assert max(curve.values_ng_ml) == pytest.approx(50, rel=0.1)


def test_a_stock_that_has_aged_too_far_is_told(bench):
    bench.protocol["stocks"]["cocktail"]["half_life_cold"] = "2 h"
    bolus = {"factor": "CNTF", "stock": "cocktail", "reach": "500 ng/mL"}
    bench.protocol["arms"]["nerve"] = {"program": [{"at": "8 h", "bolus": bolus}]}
    assert bench.graded()["dose.out-of-reach"] == "block"


def bolus_of(stock="cocktail", **keys):
    return {"factor": "CNTF", "stock": stock, "volume": "20 uL", "rate": "1.2 mL/h", **keys}


def test_wells_without_boluses_get_the_vehicle_of_the_largest_at_that_moment(bench):
    small, large = bolus_of(volume="20 uL"), bolus_of(volume="40 uL")
    bench.protocol["arms"] = {
        "vehicle": {"role": "control", "pattern": "sham"},
        "small": {"pattern": "sham", "program": [{"at": "2 h", "bolus": small}]},
        "large": {"pattern": "sham", "program": [{"at": "2 h", "bolus": large}]},
    }
    plan = bench.plan()
    given = [e for e in plan.timeline if isinstance(e, Dose)]
    assert [d.volume_ul for d in given if d.factor == "vehicle"] == [40.0] * sum(
        w.arm == "vehicle" for w in plan.wells
    )
    assert len({d.instrument for d in given}) == len(given), "a pump gives two at once"
    assert {d.volume_ul for d in given if d.factor == "CNTF"} == {20.0, 40.0}


@pytest.mark.parametrize(
    ("program", "code"),
    [
        # twenty microlitres at 1.2 mL/h take a minute
        ([{"at": "2 h", "bolus": bolus_of()}, {"at": "7230 s", "bolus": bolus_of()}], True),
        ([{"at": "2 h", "bolus": bolus_of()}, {"at": "7260 s", "bolus": bolus_of()}], False),
        (
            [
                {"at": "2 h", "bolus": bolus_of(rate="0.02 mL/h")},
                {"from": "2.5 h", "targets": NERVE},
            ],
            True,
        ),
        (
            [
                {"at": "2 h", "bolus": bolus_of(rate="0.02 mL/h")},
                {"from": "3.5 h", "targets": NERVE},
            ],
            False,
        ),
    ],
    ids=["two at once", "one after the other", "a flow begins meanwhile", "a flow begins later"],
)
def test_a_pump_does_one_thing_at_a_time(bench, program, code):
    bench.protocol["arms"]["nerve"] = {"pattern": "sham", "program": program}
    assert ("dose.pump-busy" in bench.graded()) is code


def test_lines_of_one_pump_that_a_stock_parts_name_the_vehicle_that_is_missing(bench):
    del bench.protocol["stocks"]["cocktail"]["vehicle"]
    found = [f for f in bench.plan().findings if f.code == "perfusion.pump-shared"]
    assert "cocktail does not flow in" in found[0].why
    assert "names no vehicle" in found[0].why
    assert found[0].remedy.startswith("name a `vehicle:` for cocktail")


def test_a_finding_about_a_bolus_points_at_its_entry_and_says_what_to_write(bench):
    program = [{"from": "1 h", "targets": NERVE}, {"at": "4 h", "bolus": bolus_of()}]
    bench.protocol["arms"]["nerve"] = {"pattern": "sham", "program": program}
    bench.protocol["arms"]["again"] = {"pattern": "tonic", "program": program}
    (busy,) = [f for f in bench.plan().findings if f.code == "dose.pump-busy"]
    assert busy.where == (
        "protocol: arms.nerve.program.1.bolus (cocktail at 4 h; the same in again)"
    )
    assert "`{from: 4 h, for: 30 min, targets: {CNTF: ..., BDNF: ...}}`" in busy.remedy


def test_a_bolus_that_stands_twice_is_not_given_once_in_silence(bench):
    bolus = bolus_of()
    bench.protocol["arms"]["nerve"] = {
        "pattern": "sham",
        "boluses": [{**bolus, "at": "2 h"}],
        "program": [{"at": "2 h", "bolus": bolus}],
    }
    assert bench.graded()["dose.twice"] == "block"
