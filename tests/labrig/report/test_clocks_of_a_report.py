"""Times of a report are those of the lab, the same for every reader."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from zoneinfo import ZoneInfo

import pytest

from labrig.display.legend import Legend
from labrig.report.clocks import both_clocks, zone_words
from labrig.report.drawing import new_figure, time_axis

BERLIN = ZoneInfo("Europe/Berlin")


def test_a_time_is_told_in_the_lab_and_in_utc():
    assert both_clocks("2026-03-01T18:00:00+00:00", Legend(zone=BERLIN)) == (
        "Sun 1 Mar 2026 19:00 (2026-03-01 18:00 UTC)"
    )
    assert both_clocks("2026-03-01T18:00:00+00:00", Legend()) == "Sun 1 Mar 2026 18:00 UTC"
    assert both_clocks("", Legend()) == ""
    assert zone_words(SimpleNamespace(identity={})) == "UTC", "a run of an older labrig"


def labels(zone, zero, hours, most):
    _, (panel,) = new_figure(4, 2)
    panel.set_xlim(0, hours)
    time_axis(panel, Legend(zone=zone, zero=zero), most)
    above = panel.child_axes[0]
    return [(round(at, 2), t.get_text()) for at, t in
            zip(above.get_xticks(), above.get_xticklabels(), strict=True)]  # fmt: skip


def test_the_axis_has_whole_hours_by_the_clock_and_names_each_day():
    began = datetime(2026, 3, 1, 17, 20, tzinfo=UTC)
    assert labels(BERLIN, began, 14.0, 5) == [
        (2.67, "Sun 21:00"), (5.67, "Mon 00:00"), (8.67, "03:00"), (11.67, "06:00"),
    ]  # fmt: skip


@pytest.mark.parametrize(("began", "at_h"), [((10, 24), [4.0, 11.0]), ((3, 28), [5.0, 10.0])])
def test_a_night_in_which_the_clocks_change(began, at_h):
    month, day = began
    found = labels(BERLIN, datetime(2026, month, day, 18, 0, tzinfo=UTC), 14.0, 3)
    assert [at for at, _ in found] == at_h, "six hours by the clock are seven, or five"
    assert [text for _, text in found] == ["Sun 00:00", "06:00"]


def test_without_a_time_of_day_there_is_but_the_run_clock():
    _, (panel,) = new_figure(4, 2)
    time_axis(panel, Legend(), 5)
    assert panel.child_axes == []
    assert panel.get_xlabel() == "hours from the start"
