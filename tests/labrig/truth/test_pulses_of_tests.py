"""The truth checker sees a step of a test series that gave other pulses than it was to give."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from labrig.truth.night import Row, Train
from labrig.truth.pulses import _resolved, _tests

LEVEL = {
    "key": "stim/0001", "instrument": "pulses", "offset_s": 100.0,
    "trains": [{"pattern": "ff:1", "channel": 1, "pulses": 10, "gap_s": 0.0, "every_s": 2.5}],
}  # fmt: skip


def night(pulses, state="acknowledged", faults=()):
    long_s = pulses / 5.0 - 0.05
    played = Train(100.0, 1e9, 1, 0.4, 9.0, True, 5.0, long_s, 0.0, long_s)
    row = Row(1, "train", "stim/0001", state, 100.0, {})
    return SimpleNamespace(
        rows=[row], faults=faults, entries=lambda *kinds: [LEVEL],
        physical=SimpleNamespace(trains={"pulses": [played]}),
    )  # fmt: skip


@pytest.mark.parametrize(("pulses", "wrong"), [(10, 0), (9, 1), (11, 1)])
def test_one_pulse_too_many_or_too_few_in_a_test(pulses, wrong):
    assert len(list(_tests(night(pulses)))) == wrong


def test_a_test_that_was_never_triggered_is_told_elsewhere():
    assert list(_tests(night(0, state="missed"))) == []


@pytest.mark.parametrize(("frozen_v", "amplitudes"), [(6.0, [9.0]), (None, []), (20.0, [])])
def test_what_an_amplitude_in_percent_of_capture_may_have_been(frozen_v, amplitudes):
    spec = {
        "channel": 1, "of_capture": 1.5, "capture": "c", "amplitude_v": 12.0, "fallback_v": 8.0,
        "if_unknown": "ask",
    }  # fmt: skip
    said = {"assay": "c", "instrument": "pulses", "channel": 1, "volts": frozen_v}
    one = night(10)
    one.rows.append(Row(2, "run", "capture-frozen", "noted", 50.0, said))
    train = one.physical.trains["pulses"][0]
    assert [s["amplitude_v"] for s in _resolved(one, "pulses", spec, train)] == amplitudes
