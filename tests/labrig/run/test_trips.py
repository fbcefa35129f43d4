"""Which rules are broken: dwell, hysteresis, what cannot be trusted, and what is old."""

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.run.measured import Measured, seen_by
from labrig.run.trips import Band, Limit, Stale, Trip, Unseen, trips

OLD = Stale("old", "probe", "co2_percent", 900.0)
HIGH = Limit("co2", "probe", (Band("co2_percent", 4.0, 6.0),), for_s=600.0, hysteresis=0.5)


def look(at_s, co2, trusted=True):
    return Measured("probe", {"co2_percent": co2}, at_s, trusted)


def played(rule, looks):
    """What is broken after each look."""
    seen, before, found = {}, (), []
    for each in looks:
        seen["probe"] = seen_by(seen.get("probe"), each)
        before = trips([rule], seen, each.at_s, before)
        found.append(before[0] if before else None)
    return found


def standing(rule, looks):
    return [trip is not None and trip.stands for trip in played(rule, looks)]


STORIES = {
    "within": ([(0, 5.0), (900, 6.0), (1800, 4.0)], [False, False, False]),
    "one wild reading": ([(0, 9.0), (300, 5.0), (900, 9.0), (1400, 5.0)], [False] * 4),
    "one wild reading, then none for long": ([(0, 9.0), (4000, 5.0)], [False, False]),
    "too high for long": ([(0, 6.1), (300, 7.0), (600, 6.2)], [False, False, True]),
    "too low for long": ([(0, 3.9), (600, 3.0)], [False, True]),
    "a dwell that begins anew": (
        [(0, 7), (300, 5.9), (400, 7), (900, 7), (1000, 7)],
        [False, False, False, False, True],
    ),
    "within, but not by the hysteresis": (
        [(0, 7), (600, 7), (700, 5.6), (800, 5.5)],
        [False, True, True, False],
    ),
    "nothing that can be trusted changes nothing": (
        [(0, 7), (600, 7), (700, None), (800, None), (900, 5.0)],
        [False, True, True, True, False],
    ),
    "out on the other side": (
        [(0, 7), (600, 7), (700, 3.0), (800, 4.2), (900, 4.5)],
        [False, True, True, True, False],
    ),
}


@pytest.mark.parametrize("story", STORIES)
def test_a_limit_with_dwell_and_hysteresis(story):
    values, expected = STORIES[story]
    assert standing(HIGH, [look(at_s, value) for at_s, value in values]) == expected


def test_an_untrusted_value_is_none():
    assert standing(HIGH, [look(0, 7), look(600, 5.0, trusted=False), look(700, 7)]) == [
        False, False, True,
    ]  # fmt: skip


SERIES = st.lists(
    st.tuples(
        st.floats(1.0, 500.0),
        st.one_of(st.none(), st.floats(0.0, 10.0)),
        st.booleans(),
    ),
    max_size=30,
)
RULES = st.builds(
    lambda low, width, for_s, share: Limit(
        "co2", "probe", (Band("co2_percent", low, low + width),), for_s, share * width / 2
    ),
    st.floats(1.0, 6.0), st.floats(0.5, 3.0), st.floats(0.0, 1500.0), st.floats(0.0, 0.9),
)  # fmt: skip


def looks_of(series):
    at_s, found = 0.0, []
    for step_s, value, trusted in series:
        at_s += step_s
        found.append(look(at_s, value, trusted))
    return found


def valid(looks):
    return [each for each in looks if each.trusted and each.values["co2_percent"] is not None]


@given(RULES, SERIES)
def test_what_begins_to_stand_was_out_at_every_look_of_its_dwell(rule, series):
    looks = looks_of(series)
    found = played(rule, looks)
    [band] = rule.bands
    for index, trip in enumerate(found):
        if (
            trip is None
            or not trip.stands
            or (index and found[index - 1] and found[index - 1].stands)
        ):
            continue
        within = [e for e in valid(looks[: index + 1]) if e.at_s >= trip.since_s]
        assert within, "it began with a look"
        assert within[-1].at_s - trip.since_s >= rule.for_s
        assert all(not band.holds(each.values["co2_percent"]) for each in within)


@given(RULES, SERIES)
def test_what_stands_ends_at_the_first_look_that_is_inside_by_the_hysteresis_and_not_before(
    rule, series
):
    looks = looks_of(series)
    found = [None, *played(rule, looks)]
    [band] = rule.bands
    for before, after, each in zip(found, found[1:], looks, strict=False):
        if before is None or not before.stands:
            continue
        value = each.values["co2_percent"]
        inside = each.trusted and value is not None and band.holds(value, rule.hysteresis)
        assert (after is None) == inside
        if after is not None:
            assert after == before, "it keeps its time and its cause"


@given(RULES, SERIES)
def test_a_look_out_of_its_band_for_the_dwell_always_trips(rule, series):
    looks = looks_of(series)
    [band] = rule.bands
    out_since = None
    for each, trip in zip(looks, played(rule, looks), strict=True):
        value = each.values["co2_percent"]
        if not each.trusted or value is None:
            continue
        if band.holds(value):
            out_since = None
        elif out_since is None:
            out_since = each.at_s
        if out_since is not None and each.at_s - out_since >= rule.for_s:
            assert trip is not None
            assert trip.stands


@given(RULES, SERIES)
def test_judging_twice_changes_nothing(rule, series):
    seen = reduce(seen_by, looks_of(series), None)
    measured = {} if seen is None else {"probe": seen}
    now_s = 0.0 if seen is None else seen.latest.at_s
    rules = [
        rule,
        Stale("old", "probe", "co2_percent", 900.0),
        Unseen("un", "probe", ("co2_percent",)),
    ]
    once = trips(rules, measured, now_s)
    assert trips(rules, measured, now_s, once) == once


def test_each_rule_is_judged_by_its_own_instrument():
    rules = [HIGH, Limit("other", "second", (Band("co2_percent", None, 1.0),))]
    seen = {"second": seen_by(None, Measured("second", {"co2_percent": 2.0}, 0.0))}
    [trip] = trips(rules, seen, 0.0)
    assert (trip.rule.name, trip.stands, trip.value) == ("other", True, 2.0)


def test_two_bands_share_one_dwell():
    rule = Limit(
        "air", "probe", (Band("co2_percent", 4, 6), Band("temperature_c", 36, 38)), for_s=900.0
    )
    pairs = [(7.0, 37.0), (5.0, 39.0), (5.0, 39.0)]
    looks = [
        Measured("probe", {"co2_percent": co2, "temperature_c": t}, 600.0 * i)
        for i, (co2, t) in enumerate(pairs)
    ]
    assert standing(rule, looks) == [False, False, True]


def test_a_value_grows_old_though_nothing_is_heard():
    seen = {"probe": seen_by(None, look(100.0, 5.0))}
    assert trips([OLD], seen, 999.0) == ()
    assert trips([OLD], seen, 1000.0) == (Trip(OLD, 100.0, True, "co2_percent"),)
    seen["probe"] = seen_by(seen["probe"], look(1100.0, 5.0, trusted=False))
    assert trips([OLD], seen, 1100.0)[0].since_s == 100.0, "one that is not trusted is none"
    seen["probe"] = seen_by(seen["probe"], look(1200.0, 5.0))
    assert trips([OLD], seen, 1200.0) == ()


def test_one_that_was_never_heard_of_is_old_once_it_was_waited_for():
    first = trips([OLD], {}, 50.0)
    assert [trip.stands for trip in first] == [False]
    assert [trip.stands for trip in trips([OLD], {}, 949.0, first)] == [False]
    assert [trip.stands for trip in trips([OLD], {}, 950.0, first)] == [True]


def test_a_probe_that_warms_up_is_given_its_time_and_one_that_was_seen_is_not():
    rule = Unseen("un", "probe", ("co2_percent",), warm_up_s=900.0)
    assert standing(rule, [look(0, None), look(600, None), look(900, None), look(901, 5.0)]) == [
        False, False, True, False,
    ]  # fmt: skip
    assert standing(rule, [look(0, None), look(600, 5.0), look(601, None)]) == [False, False, True]
