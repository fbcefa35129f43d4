"""A muscle side behind its nerve side: delay, fidelity and silent beats of drawn films."""

from __future__ import annotations

import drawn_calcium as draw
import numpy as np
import pytest

from labrig_analysis.films.calcium import measure_calcium
from labrig_analysis.films.delay import response_delays

EVENTS = np.arange(1.0, 19.0, 1.5)


def both(film, rate_hz=100.0):
    traces = [
        measure_calcium(film, frame_rate_hz=rate_hz, mask=region, background=draw.NOWHERE)
        for region in (draw.FIRST, draw.SECOND)
    ]
    least = tuple(7.5 * float(found.summary["noise_dff"].iloc[0]) for found in traces)
    first, second = (found.trace["dff"].to_numpy() for found in traces)
    return response_delays(traces[0].trace["time_s"].to_numpy(), first, second, EVENTS, least)


@pytest.mark.parametrize("delay_s", [0.0, 0.004, 0.03, 0.12])
def test_the_delay_is_the_one_that_was_drawn_also_below_a_frame(delay_s):
    summary = both(draw.drawn(EVENTS, delay_s=delay_s)).summary.iloc[0]
    assert summary["delay_ms"] == pytest.approx(1000 * delay_s, abs=2.0)
    assert (summary["responses"], summary["fidelity"]) == (len(EVENTS), 1.0)


def test_beats_that_the_second_side_did_not_answer_are_counted():
    found = both(draw.drawn(EVENTS, delay_s=0.02, silent=(2, 5, 6)))
    assert list(np.flatnonzero(~found.responses["answered"])) == [2, 5, 6]
    assert found.summary["fidelity"].iloc[0] == pytest.approx(1 - 3 / len(EVENTS))


def test_swapped_sides_give_a_negative_delay():
    film = draw.drawn(EVENTS, delay_s=0.03)
    swapped = film[:, :, ::-1]
    found = both(swapped)
    assert found.summary["delay_ms"].iloc[0] < -20


def test_a_first_side_that_does_not_answer_leaves_no_row():
    time_s = np.arange(100) / 10.0
    still = response_delays(time_s, np.zeros(100), np.zeros(100), EVENTS[:3], (0.1, 0.1))
    assert len(still.responses) == 0
    assert np.isnan(still.summary["fidelity"].iloc[0])


def test_traces_of_other_lengths_are_refused():
    with pytest.raises(ValueError, match="one of each per frame"):
        response_delays(np.arange(5.0), np.zeros(5), np.zeros(4), EVENTS, (0.1, 0.1))
