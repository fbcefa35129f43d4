"""What a run's measures tell of orders and recoveries, and of arms unlike from the start."""

import math

import pandas as pd
import pytest

from labrig.plan.plan import WellPlan
from labrig.protocol.loading import load_protocol
from labrig.protocol.moments import first_unlike_s, treatment_began_s
from labrig.report.readouts import COLUMNS, Series
from labrig.seed.index import Compared, Ordered, Recovery, seed_folder
from labrig.seed.measured import measured
from labrig.seed.readings import Readings


def readings(file, looks_h, **values):
    """By read-out the values of each arm, one well an arm, at common looks."""
    protocol = load_protocol(seed_folder() / file).model
    arms = list(next(iter(values.values())))
    wells = [WellPlan(f"A{n}", arm, protocol.donors[0].id, "", "", False)
             for n, arm in enumerate(arms, start=1)]  # fmt: skip

    def series(known, ask):
        rows = [
            (f"A{n}", moment, hours, value)
            for n, own in enumerate(values.get(known.name, {}).values(), start=1)
            for moment, (hours, value) in enumerate(zip(looks_h, own, strict=True))
        ]
        starts_s = {moment: hours * 3600.0 for moment, hours in enumerate(looks_h)}
        return Series(pd.DataFrame(rows, columns=list(COLUMNS)), starts_s, frozenset())

    return Readings(protocol, wells, series)


ORDER = Ordered(order=("contraction", "diameter"), arm="withdrawn", against="nerve")


@pytest.mark.parametrize(
    ("contraction", "diameter", "holds"),
    [
        ([2, 2, 1.5, 1.4, 1.3], [20, 20, 19, 19, 16], True),
        ([2, 2, 1.5, 1.4, 1.3], [20, 20, 19, 19, 19], True),  # what comes last need not be lost
        ([2, 2, 1.95, 1.9, 1.3], [20, 20, 16, 15, 14], False),
        ([2, 2, 2, 2, 2], [20, 20, 16, 15, 14], False),
        ([2, 2, 2, 2, 1.5], [20, 20, 20, 20, 15], None),  # between the same two looks
        ([2, 2, 2, 2, 2], [20, 20, 20, 20, 20], None),
    ],
)
def test_what_declines_first_is_read_from_looks(contraction, diameter, holds):
    # The wells of an arm may begin with more, and all of them may grow.
    nerve = {"contraction": [3, 3, 3, 3, 3], "diameter": [30, 30, 33, 33, 33]}
    grown = [value * up for value, up in zip(diameter, (1, 1, 1.1, 1.1, 1.1), strict=True)]
    seen = readings(
        "order-of-decline.yaml",
        [0, 23, 36, 48, 72],
        contraction={"nerve": nerve["contraction"], "withdrawn": contraction},
        diameter={"nerve": nerve["diameter"], "withdrawn": grown},
    )
    assert measured(seen, ORDER).holds is holds


GAPS = ("gap-12", "gap-24", "gap-48", "gap-72")
LOOKS_H = [47, 59.5, 71.5, 95.5, 107.5, 119.5, 143.5, 167.5]


@pytest.mark.parametrize(
    ("back", "holds"),
    [
        ((0.9, 0.8, 0.7, 0.6), True),
        ((0.6, 0.7, 0.8, 0.9), False),
        ((0.8, 0.4, 0.9, 0.7), False),  # it falls in all, and not from gap to gap
    ],
)
def test_a_recovery_is_a_share_of_what_was_lost(back, holds):
    ends_h = {"gap-12": 59.5, "gap-24": 71.5, "gap-48": 95.5, "gap-72": 119.5}
    arms = {"gap-0": [2.0] * len(LOOKS_H)}
    for (arm, end_h), share in zip(ends_h.items(), back, strict=True):
        arms[arm] = [2.0 if at <= 47 else 1.0 if at < end_h + 47 else 1.0 + share for at in LOOKS_H]
    seen = readings("../withdrawal-and-gap.yaml", LOOKS_H, contraction=arms)
    said = Recovery.model_validate({"recovery": GAPS, "of": "contraction", "is": "falling"})
    told = measured(seen, said)
    assert told.holds is holds
    assert f"gap-12 {back[0]:.0%}" in told.figures


def test_a_recovery_of_next_to_nothing_cannot_be_told():
    arms = {arm: [20.0, *[19.5] * 7] for arm in GAPS} | {"gap-0": [20.0] * 8}
    seen = readings("../withdrawal-and-gap.yaml", LOOKS_H, diameter=arms)
    said = Recovery.model_validate({"recovery": GAPS, "of": "diameter", "is": "falling"})
    assert measured(seen, said).holds is None


def test_arms_that_were_unlike_from_the_start_are_held_as_they_are():
    seen = readings(
        "uncoupling.yaml",
        [11, 83],
        contraction={"vehicle": [2, 2], "low-calcium": [1, 1], "dantrolene": [3, 1.5]},
    )

    def told(arm):
        return measured(seen, Compared.model_validate(
            {"compare": [arm, "vehicle"], "of": "contraction", "is": "lower"}))  # fmt: skip

    assert told("low-calcium").change == pytest.approx(-0.5)
    assert told("dantrolene").change == pytest.approx(-0.5)
    assert told("low-calcium").holds


def test_an_arm_that_was_not_measured_shows_nothing():
    nan = float("nan")
    arms = {"both": [0.6], "phasic": [nan], "tonic": [0.7]}
    seen = readings("patterns.yaml", [36], fatigue_test=arms)
    said = Compared.model_validate({"compare": ["phasic", "both"], "of": "fatigue", "is": "lower"})
    assert measured(seen, said).holds is False


def test_what_may_be_nothing_is_held_by_its_difference():
    seen = readings(
        "withdraw-all.yaml",
        [95],
        detachment={"kept": [0.0], "withdraw-all": [12.0]},
    )
    said = {"compare": ["withdraw-all", "kept"], "of": "detachment", "is": "higher"}
    assert measured(seen, Compared.model_validate(said)).change == pytest.approx(0.12)


def test_treatment_begins_where_an_arm_first_has_another_medium():
    own_medium = load_protocol(seed_folder() / "uncoupling.yaml").model
    assert treatment_began_s(own_medium) == 0.0
    assert first_unlike_s(own_medium, ["dantrolene", "vehicle"]) == 12 * 3600.0
    chips = load_protocol(seed_folder() / "nerve-side-insult.yaml").model
    assert first_unlike_s(chips, ["nerve-side-insult", "vehicle"]) == 12 * 3600.0
    assert first_unlike_s(chips, ["vehicle"]) == math.inf


def test_a_well_that_was_not_measured_at_last_does_not_count_by_what_it_was():
    protocol = load_protocol(seed_folder() / "mitochondria.yaml").model
    arms = {"A1": "antimycin", "B1": "antimycin", "A2": "vehicle"}
    wells = [WellPlan(well, arm, "donor-1", "", "", False) for well, arm in arms.items()]
    rows = [("A1", 0, 2.0, 0.6), ("B1", 0, 2.0, 0.6), ("A2", 0, 2.0, 0.6),
            ("A1", 1, 76.0, 0.15), ("A2", 1, 76.0, 0.6)]  # fmt: skip
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    seen = Readings(protocol, wells, lambda *_: Series(table, {0: 7200.0, 1: 273600.0}, ()))
    assert seen.change("fatigue", ("antimycin", "vehicle"), 84 * 3600.0) == pytest.approx(-0.75)
