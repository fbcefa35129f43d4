"""An interlock that could not do in this run what it is there for is found before the night."""

import pytest

CO2 = {"instrument": "probe", "quantity": "co2_percent"}


@pytest.fixture
def graded(bench):
    """Findings about interlocks, by code, with a rule in the rig and the air read as said."""

    def find(rule, interval="5 min", read=True, **environment):
        bench.rig["ports"]["air"] = {"address": "sim"}
        bench.rig["instruments"]["probe"] = {"type": "vaisala_gmp25x", "port": "air"}
        if read:
            bench.rig["probe"] = "probe"
        bench.rig["interlocks"] = {"rule": rule}
        bench.protocol["environment"] = {"interval": interval, **environment}
        return {k: v for k, v in bench.graded().items() if k.startswith("interlock.")}

    return find


CASES = {
    "a sound rule": (CO2 | {"low": 4, "high": 6, "for": "10 min", "hysteresis": 0.5}, {}),
    "acts at the first reading": (CO2 | {"high": 6}, {"interlock.rarely-read": "note"}),
    "a dwell within readings": (
        CO2 | {"high": 6, "for": "4 min"}, {"interlock.rarely-read": "note"},
    ),
    "above the limit by plan": (
        CO2 | {"high": 4.9, "for": "10 min"}, {"interlock.set-point": "block"},
    ),
    "never ends by plan": (
        CO2 | {"high": 5.4, "hysteresis": 0.5, "for": "10 min"}, {"interlock.set-point": "block"},
    ),
    "ends just at the set point": (
        CO2 | {"high": 5.5, "hysteresis": 0.5, "for": "10 min"}, {},
    ),
    "older than the next reading": (
        CO2 | {"older_than": "5 min"}, {"interlock.between-readings": "block"},
    ),
    "older than two readings": (CO2 | {"older_than": "11 min"}, {}),
    "suspends what feeds": (
        CO2 | {"high": 6, "for": "10 min", "action": "suspend", "suspends": ["base", "stim"]},
        {"interlock.medium-goes-on": "note"},
    ),
    "suspends what does not": (
        CO2 | {"high": 6, "for": "10 min", "action": "suspend", "suspends": ["nerve_B2", "stim"]},
        {},
    ),
    "a bottle that is drawn from": ({"reservoir": "bottle", "quantity": "left_ml", "low": 50}, {}),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_a_rule_in_a_run(graded, case):
    rule, expected = CASES[case]
    assert graded(rule) == expected


def test_a_probe_that_is_not_read_in_this_run(graded):
    rule = CO2 | {"high": 6, "for": "10 min"}
    assert graded(rule, read=False) == {"interlock.never-measured": "block"}


def test_a_reservoir_that_is_not_drawn_from(graded, bench):
    bench.rig["reservoirs"]["spare"] = {"volume": "1 L"}
    rule = {"reservoir": "spare", "quantity": "left_ml", "low": 50}
    assert graded(rule) == {"interlock.never-measured": "block"}


def test_the_set_point_is_the_protocols(graded):
    rule = CO2 | {"low": 8, "high": 12, "for": "10 min"}
    assert graded(rule) == {"interlock.set-point": "block"}
    assert graded(rule, co2_percent=10.0) == {}
