"""Nights drawn from seeds, with everything that may go wrong: what they say of themselves is so.

A failing seed prints its story and the command that repeats it. Thousands run by hand:
``labrig soak --nights 5000``.
"""

from __future__ import annotations

import pytest

from labrig.rig.fault_kinds import COMPUTER_FAULTS
from labrig.soak.drawing import WIDER, night_of
from labrig.soak.drawn_benches import BENCHES
from labrig.soak.drawn_plans import FAULTS, WITH_MORE_TROUBLE, WITH_SETTINGS, seeded_night
from labrig.soak.drawn_protocols import other_night
from labrig.soak.playing import play_here
from labrig_drivers.instrument import installed_types, usable_types


def told(seed, found):
    again = f"labrig soak --nights 1 --seed {seed} --folder RUN"
    return "\n  ".join([night_of(seed).story(), *map(str, found), again])


QUICK = (0, 5, 6, 7, 13, 102, 176, 202, 217, 221, 239, 283, *range(100_000, 100_008),
         *range(200_000, 200_004), 301_654, 301_723, 301_744, 302_242, 302_770, 302_850, 303_774,
         400_031, 400_041, 400_071, 400_756, 401_209, 401_374, 401_730, 402_828,
         600_003, 600_083)  # fmt: skip
"""Each met a fault once: power cuts, coarse counters, holds, stops, questions, clicks,
deaths between a row and its alarm, counters that change their unit, hands beside a dose."""
MIXED = (*range(300_000, 300_032), *range(WIDER, WIDER + 32))
OWN = {"heat": "climate", "valves": "valve", "series": "film", "chips": "dose"}
"""By bench, a kind of entry that it is there for."""
MANY = (*range(100, 280), *range(WITH_SETTINGS, WITH_SETTINGS + 70),
        *range(WITH_MORE_TROUBLE, WITH_MORE_TROUBLE + 110))  # fmt: skip


@pytest.mark.parametrize("seed", QUICK)
def test_a_few_nights_are_true(seed):
    found = play_here(night_of(seed))
    assert not found, told(seed, found)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_many_nights_are_true():
    untrue = {seed: found for seed in (*MANY, *MIXED) if (found := play_here(night_of(seed)))}
    stories = "\n".join(told(seed, found) for seed, found in list(untrue.items())[:5])
    assert not untrue, f"{len(untrue)} of {len(MANY)} nights: {sorted(untrue)}\n{stories}"


@pytest.mark.slow
@pytest.mark.parametrize("bench", sorted(BENCHES))
def test_a_night_on_every_other_bench_is_drawn_and_true(bench):
    night = other_night(1, bench)
    assert OWN.get(bench, "frame") in {entry.kind for entry in night.plan.timeline}
    assert play_here(night) == []


def test_every_type_that_is_simulated_can_be_drawn():
    simulated = {t.name for t in usable_types(installed_types())[0] if t.simulator is not None}
    assert set(FAULTS) == simulated


def test_a_seed_is_the_same_night_for_ever():
    assert seeded_night(7) == seeded_night(7)
    assert seeded_night(7) != seeded_night(8)


def test_the_seeds_hold_every_kind_of_trouble():
    nights = [seeded_night(seed) for seed in MANY]
    faults = {
        (n.instruments[f.instrument][0], f.name)
        for n in nights
        for f in n.faults
        if f.instrument != "computer"
    }
    assert faults == {(kind, name) for kind, names in FAULTS.items() for name in names}
    assert {visit.what for n in nights for visit in n.visits} == {
        "stop", "stop, perhaps", "take back", "hold", "resume", "answer", "note",
    }  # fmt: skip
    assert {death.how for n in nights for death in n.deaths} == {
        "at_s", "after_rows", "after_writes",
    }  # fmt: skip
    troubles = {f.name for n in nights for f in n.faults if f.instrument == "computer"}
    assert troubles == set(COMPUTER_FAULTS) - {"kill"}
    assert {len(n.instruments) for n in nights} >= {2, 5, 8}
