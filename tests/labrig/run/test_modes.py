"""One mode per instrument: whatever comes in whatever order, it is one of four, and says why."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.run.mode import FOLLOWING, HALTED, Mode

HELD = Mode("held", (), "held")
CO2 = Mode("suspended", ("co2",))
HELD_AND_CO2 = Mode("suspended", ("co2",), "held")

TRANSITIONS = [
    # before, what happens, after
    (FOLLOWING, ("hold",), HELD),
    (FOLLOWING, ("resume",), FOLLOWING),
    (FOLLOWING, ("suspend", "co2"), CO2),
    (FOLLOWING, ("release", "co2"), FOLLOWING),
    (FOLLOWING, ("halt",), HALTED),
    (HELD, ("hold",), HELD),
    (HELD, ("resume",), FOLLOWING),
    (HELD, ("suspend", "co2"), HELD_AND_CO2),
    (HELD, ("release", "co2"), HELD),
    (HELD, ("halt",), HALTED),
    (CO2, ("hold",), HELD_AND_CO2),
    (CO2, ("resume",), CO2),
    (CO2, ("suspend", "leak"), Mode("suspended", ("co2", "leak"))),
    (CO2, ("suspend", "co2"), CO2),
    (CO2, ("release", "co2"), FOLLOWING),
    (CO2, ("release", "leak"), CO2),
    (CO2, ("halt",), HALTED),
    (HELD_AND_CO2, ("resume",), CO2),
    (HELD_AND_CO2, ("release", "co2"), HELD),
    (HELD_AND_CO2, ("halt",), HALTED),
    (HALTED, ("hold",), HALTED),
    (HALTED, ("resume",), HALTED),
    (HALTED, ("suspend", "co2"), HALTED),
    (HALTED, ("release", "co2"), HALTED),
    (HALTED, ("halt",), HALTED),
]
EVENTS = st.one_of(
    st.sampled_from([("hold",), ("resume",)]),
    st.tuples(st.sampled_from(["suspend", "release"]), st.sampled_from(["co2", "leak", "dry"])),
)


def after(mode, *events):
    for name, *arguments in events:
        mode = getattr(mode, name)(*arguments)
    return mode


@pytest.mark.parametrize(("before", "event", "expected"), TRANSITIONS)
def test_each_transition(before, event, expected):
    assert after(before, event) == expected


@given(st.lists(EVENTS))
def test_it_is_what_was_said_last_of_the_hold_and_of_each_rule(events):
    held, broken = False, set()
    for name, *rule in events:
        if name in ("hold", "resume"):
            held = name == "hold"
        elif name == "suspend":
            broken.update(rule)
        else:
            broken.difference_update(rule)
    mode = after(FOLLOWING, *events)
    assert set(mode.why) == broken
    assert mode.name == ("suspended" if broken else "held" if held else "following")
    assert mode.wanted == (not held)


@given(st.lists(EVENTS), st.lists(EVENTS))
def test_nothing_leads_out_of_a_stop(before, later):
    mode = after(FOLLOWING, *before, ("halt",), *later)
    assert mode == HALTED
    assert not mode.wanted


def test_a_mode_is_a_value():
    with pytest.raises(dataclasses.FrozenInstanceError):
        FOLLOWING.name = "held"  # type: ignore[misc]
