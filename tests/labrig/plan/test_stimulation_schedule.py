import pytest
from hypothesis import given
from hypothesis import strategies as st

from labrig.plan.stimulation_schedule import LONGEST_TRAIN_S, REARM_REST_S, train
from labrig.protocol.impulses import Pattern


def pattern(frequency, on=None, off=None, width="0.4 ms", shape="biphasic"):
    given = {
        "pulse_width": width,
        "amplitude": "6 V",
        "shape": shape,
        "frequency": f"{frequency} Hz",
    }
    if on is not None:
        given |= {"train_on": f"{on} s", "train_off": f"{off} s"}
    return Pattern.model_validate(given)


# frequency, on, off -> train length, re-armed every, pulses a train
CASES = {
    "tonic": ((10, 10, 40), (10.0, 50.0, 100)),
    "phasic": ((100, 0.5, 24.5), (0.5, 25.0, 50)),
    "acute, two bursts a train": ((100, 0.2, 4.8), (5.2, 10.0, 40)),
    "continuous 1 Hz ends in a pause": ((1, None, None), (9.5004, 10.0, 10)),
    "continuous 100 Hz leaves a rest": ((100, None, None), (9.98, 10.0, 998)),
    "bouts of five minutes": ((1, 300, 3300), (9.5004, 10.0, 10)),
    "one pulse in ten seconds": ((0.1, None, None), (1.0008, 10.0, 1)),
}


@pytest.mark.parametrize("name", CASES)
def test_trains(name):
    (frequency, on, off), expected = CASES[name]
    spec = train(1, name, pattern(frequency, on, off))
    assert (spec.duration_s, spec.every_s, spec.pulses) == pytest.approx(expected, abs=2e-4)


@given(
    frequency=st.integers(1, 200),
    on=st.integers(1, 100).map(lambda n: n / 10),
    off=st.integers(1, 600).map(lambda n: n / 10),
    continuous=st.booleans(),
)
def test_no_train_outlasts_ten_seconds_or_meets_the_next(frequency, on, off, continuous):
    spec = train(1, "p", pattern(frequency, *(() if continuous else (on, off))))
    assert spec.duration_s <= LONGEST_TRAIN_S + 1e-9
    rest = spec.every_s - spec.duration_s
    assert rest >= (REARM_REST_S - 1e-4 if continuous else off - 1e-6)
    assert spec.pulses >= 1
    if not continuous and on * frequency == int(on * frequency):
        asked = frequency * on / (on + off)
        assert spec.pulses / spec.every_s == pytest.approx(asked, rel=1e-6)


def test_a_long_bout_is_a_level_of_its_own(bench):
    bench.protocol["patterns"]["tonic"] |= {"train_on": "300 s", "train_off": "3300 s"}
    bench.protocol["patterns"]["tonic"]["frequency"] = "1 Hz"
    plan = bench.plan()
    levels = [e for e in plan.timeline if e.key.startswith("stim/")]
    assert [bool(level.trains) for level in levels[:5]] == [False, True, False, True, False]
    assert levels[2].offset_s - levels[1].offset_s == 300.0
    assert levels[3].offset_s - levels[1].offset_s == 3600.0
    assert {figure.pulses for figure in plan.forecast.pulses} == {23 * 300}
