"""Experimental units follow from the plumbing: many rigs, one rule for allocation and report."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labrig.catalogue import DEMO_PROTOCOL, DEMO_RIG, catalogue_folder
from labrig.plan.allocation import allocate, with_carriers
from labrig.plan.aspects import arm_levels
from labrig.plan.experimental_units import contrast, units_of
from labrig.plan.plan import WellPlan
from labrig.protocol.loading import load_protocol
from labrig.rig.loading import load_rig

ROWS, COLUMNS = "ABCD", range(1, 7)
PLATE = [f"{row}{column}" for row in ROWS for column in COLUMNS]
BY_ROW = [PLATE[i : i + 6] for i in range(0, 24, 6)]
PAIRS = [(f"{a}{c}", f"{b}{c}") for c in COLUMNS for a, b in ("AB", "CD")]
FOURS = [[f"{row}{c}" for row in ROWS] for c in COLUMNS]
DEMO = load_protocol(catalogue_folder() / DEMO_PROTOCOL).model
BENCH = load_rig(catalogue_folder() / DEMO_RIG).model
NERVE = DEMO.arms["nerve-sham"].targets
CONTROL = DEMO.arms["vehicle-sham"].model_copy(update={"boluses": (), "pattern": None})


def arm(**given):
    return CONTROL.model_copy(update={"role": "test", **given})


def protocol(arms, donors=1, wells_of=None):
    """The demo night with these arms on ``donors`` donors; wells of each, or equal columns."""
    first = DEMO.donors[0]
    named = tuple(
        first.model_copy(update={"id": f"d{i}", "wells": tuple(wells_of(i) if wells_of else ())})
        for i in range(donors)
    )
    few = DEMO.randomisation.model_copy(update={"candidates": 20})
    return DEMO.model_copy(update={"arms": arms, "donors": named, "randomisation": few})


def lines(groups, role="nerve", reservoir=None, pump=None):
    """One dosing line a group; ``reservoir`` and ``pump`` by the number of the line."""
    template = BENCH.lines["nerve_01"]
    return {
        f"{role}_l{i}": template.model_copy(
            update={
                "wells": tuple(wells), "role": role,
                "reservoir": reservoir(i) if reservoir else f"{role}_syringe_{i + 1:02d}",
                "pump": pump(i) if pump else f"{role}_{i + 1:02d}",
            }
        )
        for i, wells in enumerate(groups)
    }  # fmt: skip


MEDIUM = {name: line for name, line in BENCH.lines.items() if line.carries == "medium"}


def rig(dosing=(), electrodes=None):
    """The simulated bench with other dosing lines and electrodes."""
    channels = BENCH.electrodes
    if electrodes is not None:
        template = BENCH.electrodes["row_A"]
        channels = {
            f"e{i}": template.model_copy(update={"wells": tuple(wells), "channel": i + 1})
            for i, wells in enumerate(electrodes)
        }
    many = BENCH.reservoirs["nerve_syringe_01"]
    names = {line.reservoir for line in dict(dosing).values()} - set(BENCH.reservoirs)
    return BENCH.model_copy(
        update={
            "lines": {**MEDIUM, **dict(dosing)},
            "electrodes": channels,
            "reservoirs": {**BENCH.reservoirs, **dict.fromkeys(names, many)},
        }
    )


NERVE_ARMS = {"vehicle": CONTROL, "nerve": arm(targets=NERVE)}
TNF = {"TNF-alpha": 20.0}
SHAM = {"sham": CONTROL.model_copy(update={"pattern": "sham"})}
TONIC = {**SHAM, "tonic": arm(pattern="tonic_10hz_2mean")}


def with_insult(base):
    """The demo with a stock of TNF, which arms may then have."""
    cntf = base.factors["CNTF"].model_copy(update={"role": "insult"})
    stock = base.stocks["nerve-cocktail"].model_copy(
        update={"contents_ng_ml": {"TNF-alpha": 2000.0}, "vehicle": "nerve-vehicle"}
    )
    return base.model_copy(
        update={
            "factors": {**base.factors, "TNF-alpha": cntf},
            "stocks": {**base.stocks, "tnf": stock},
        }
    )


INSULTED = {"vehicle+TNF": arm(targets=TNF), "nerve+TNF": arm(targets={**NERVE, **TNF})}
BOLUS = {
    "vehicle": CONTROL,
    "h2o2": arm(boluses=(DEMO.arms["vehicle-sham"].boluses[0],)),
}
FACTORIAL = dict(DEMO.arms)
# rig, protocol, arms compared, carriers of either, donors share them
CASES = {
    "one nerve line a row": (rig(lines(BY_ROW)), protocol(NERVE_ARMS), (2, 2), ""),
    "one channel a row": (rig(), protocol(TONIC), (2, 2), ""),
    "channels a row, six donors by column": (
        rig(), protocol(TONIC, 6, lambda i: FOURS[i]), (2, 2), "shared by donors",
    ),
    "one channel an arm, six donors": (
        rig(electrodes=[PLATE[:12], PLATE[12:]]), protocol(TONIC, 6, lambda i: FOURS[i]), (1, 1),
        "cannot be told with this plumbing: 1 v 1 stimulator channels",
    ),
    "two medium pumps, full and low flow": (
        rig(), protocol({"full": CONTROL, "low": arm(flow_ml_h=0.3)}), (1, 1),
        "cannot be told with this plumbing: 1 v 1 pumps",
    ),
    "a rack of six syringes of their own at one rate": (
        rig(lines(PAIRS, pump=lambda i: f"nerve_{1 + i // 6:02d}")), protocol(NERVE_ARMS), (6, 6),
        "",
    ),
    "a rack whose rate must differ": (
        rig(lines(PAIRS, pump=lambda i: f"nerve_{1 + i // 3:02d}")),
        protocol({**NERVE_ARMS, "less": arm(targets={f: v / 2 for f, v in NERVE.items()})}),
        (1, 2), "cannot be told with this plumbing: 2 v 1 pumps",
    ),
    "one reservoir feeds six lines": (
        rig(lines(PAIRS, reservoir=lambda i: f"nerve_syringe_{1 + i // 6:02d}")),
        protocol(NERVE_ARMS), (1, 1), "cannot be told with this plumbing: 1 v 1 reservoirs",
    ),
    "nerve line over four wells, insult line a pair": (
        rig({**lines(FOURS), **lines(PAIRS, "insult")}), with_insult(protocol(INSULTED)), (3, 3),
        "",
    ),
    "medium line a row, nerve line a pair": (rig(lines(PAIRS)), protocol(NERVE_ARMS), (6, 6), ""),
    "two patterns of the same numbers": (
        rig(), protocol({**SHAM, "sham2": arm(pattern="twitch_2hz")}), (2, 2), "",
    ),
    "two rows wired, two not": (
        rig(electrodes=BY_ROW[:2]), protocol({**SHAM, "bare": arm()}), (2, 0), "not randomised",
    ),
    "a bolus line over twelve wells": (
        rig(lines([PLATE[:12], PLATE[12:]])), protocol(BOLUS), (1, 1), "1 v 1 dosing lines",
    ),
    "lines of one and of five wells": (
        rig(lines([group for row in BY_ROW for group in (row[:1], row[1:])])), protocol(NERVE_ARMS),
        (4, 4), "",
    ),
    "two donors by half plate, a line a pair": (
        rig(lines(PAIRS)), protocol(NERVE_ARMS, 2, lambda i: [w for f in FOURS[3 * i : 3 * i + 3]
                                                             for w in f]),
        (6, 6), "",
    ),
    "two donors by half plate, a channel a row": (
        rig(), protocol(TONIC, 2, lambda i: [w for f in FOURS[3 * i : 3 * i + 3] for w in f]),
        (2, 2), "shared by donors",
    ),
    "nothing differs": (rig(), protocol({"a": CONTROL, "b": arm()}), (12, 12), ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_carriers_of_a_contrast(case):
    bench, asked, carriers, why = CASES[case]
    wells, findings = allocate(asked, bench)
    assert wells, findings
    control, other, *_ = asked.arms
    found = contrast(wells, arm_levels(asked, bench), (other, control))
    assert sorted(found.carriers) == sorted(carriers)
    assert why in found.why_no_error
    assert bool(found.why_no_error) == bool(why)


def test_a_pump_that_runs_at_one_rate_joins_its_lines():
    bench, asked, _, _ = CASES["a rack whose rate must differ"]
    wells, _ = allocate(asked, bench)
    found = contrast(wells, arm_levels(asked, bench), ("nerve", "less"))
    assert found.unit_is == "pump"
    assert sum(found.carriers) <= 3


def test_units_of_unlike_size_are_told():
    bench, asked, *_ = CASES["lines of one and of five wells"]
    wells, _ = allocate(asked, bench)
    found = contrast(wells, arm_levels(asked, bench), ("nerve", "vehicle"))
    assert "units of 1 to 5 wells weigh alike" in found.remark


def test_a_split_plot_has_a_unit_for_each_contrast():
    few = DEMO.model_copy(
        update={"randomisation": DEMO.randomisation.model_copy(update={"candidates": 100})}
    )
    wells, _ = allocate(few, BENCH)
    levels = arm_levels(few, BENCH)
    found = {
        name: contrast(wells, levels, (name, "vehicle-sham"))
        for name in FACTORIAL
        if name != "vehicle-sham"
    }
    assert {name: each.carriers for name, each in found.items()} == {
        "vehicle-tonic": (2, 2), "nerve-sham": (6, 6), "nerve-tonic": (2, 2),
    }  # fmt: skip


def test_a_reservoir_that_holds_one_thing_leaves_nothing_to_the_lot():
    held = {
        f"nerve_syringe_{i + 1:02d}": BENCH.reservoirs["nerve_syringe_01"].model_copy(
            update={"holds": "nerve-cocktail" if i < 6 else "nerve-vehicle"}
        )
        for i in range(12)
    }
    bench = BENCH.model_copy(update={"reservoirs": {**BENCH.reservoirs, **held}})
    asked = protocol(NERVE_ARMS)
    wells, _ = allocate(asked, bench)
    found = contrast(wells, arm_levels(asked, bench), ("nerve", "vehicle"))
    assert len(found.forced) == 24
    assert "not randomised" in found.why_no_error


def test_carriers_of_a_plan_without_them_follow_from_protocol_and_rig():
    asked = protocol(NERVE_ARMS)
    wells, _ = allocate(asked, BENCH)
    old = [WellPlan(w.well, w.arm, w.donor, w.factor_unit, w.pattern_unit, w.edge) for w in wells]
    assert with_carriers(old, asked, BENCH) == wells


@st.composite
def plates(draw):
    """Wells of two arms and donors on random carriers of two aspects."""
    wells = []
    for index in range(draw(st.integers(2, 14))):
        carriers = tuple(
            (aspect, f"line {aspect}{draw(st.integers(0, 4))}")
            for aspect in ("p", "q")
            if draw(st.booleans())
        )
        arm_, donor = draw(st.sampled_from("xy")), draw(st.sampled_from("de"))
        wells.append(WellPlan(f"A{index}", arm_, donor, "", "", False, carriers))
    return wells


@given(plates(), st.sampled_from([(), ("p",), ("q",), ("p", "q")]))
@settings(max_examples=200, deadline=None)
def test_units_part_wells_as_carriers_do(wells, aspects):
    units = units_of(wells, ["x", "y"], aspects)
    by_name = {well.well: well for well in wells}
    unit_of = {name: unit for unit in units for name in unit.wells}
    assert sorted(unit_of) == sorted(by_name)
    assert sum(len(unit.wells) for unit in units) == len(wells)
    for one, other in itertools.combinations(wells, 2):
        shared = {c for c in one.carriers if c[0] in aspects} & set(other.carriers)
        together = unit_of[one.well] is unit_of[other.well]
        alike = (one.arm, one.donor) == (other.arm, other.donor)
        assert together or not (shared and alike)
        assert alike or not together
    # more aspects never make more units
    assert len(units) <= len(units_of(wells, ["x", "y"], aspects[:-1]))


@given(plates())
@settings(max_examples=200, deadline=None)
def test_carriers_are_counted_over_donors_and_never_exceed_units(wells):
    levels = {"x": {"p": "1", "q": "1"}, "y": {"p": "2", "q": "1"}}
    found = contrast(wells, levels, ("x", "y"))
    for name, count in zip("xy", found.carriers, strict=True):
        own = [unit for unit in found.units if unit.arm == name]
        assert count <= len(own)
    if not found.across_donors:
        assert sum(found.carriers) == len(found.units)
    shared = {
        (w.arm, c) for w in wells for o in wells for c in w.carriers
        if c[0] == "p" and c in o.carriers and w.arm == o.arm and w.donor != o.donor
    }  # fmt: skip
    assert found.across_donors == bool(shared)
