"""Arms are compared at the planned time, or the page says at what other one."""

from dataclasses import replace

import pytest

from labrig.plan.plan import WellPlan
from labrig.report.analysis import analyse
from labrig.report.moments import at_time
from labrig.report.record import read_record

WELLS = [WellPlan(w, "xy"[i % 2], "d", "", "", False) for i, w in enumerate("abcd")]
STARTS = {round_: 3600.0 * hours for round_, hours in enumerate((0, 24, 47, 48, 72))}

# what each round shows, rounds cut off, planned hour -> the round, and whether that is it
MOMENTS = {
    "there": ({1: "abcd", 3: "abcd", 4: "abcd"}, (), 72, 4, True),
    "a time before the end": ({1: "abcd", 3: "abcd", 4: "abcd"}, (), 48, 3, True),
    "a little before it": ({1: "abcd", 2: "abcd", 3: "ab"}, (), 48, 2, True),
    "never reached": ({1: "abcd", 3: "abcd"}, (), 72, 3, False),
    "cut off": ({1: "abcd", 3: "abcd", 4: "abcd"}, (4,), 72, 3, False),
    "one arm only": ({1: "abcd", 3: "abcd", 4: "ac"}, (), 72, 3, False),
    "nothing so early": ({3: "abcd"}, (), 24, None, False),
    "none is named": ({1: "abcd", 3: "abcd"}, (), float("inf"), 3, True),
}


@pytest.mark.parametrize("case", MOMENTS)
def test_the_round_of_comparison(case):
    shown, cut_off, hours, chosen, planned = MOMENTS[case]
    seen = [(round_, well) for round_, own in shown.items() for well in own]
    moment = at_time(seen, WELLS, STARTS, 3600.0 * hours, cut_off)
    assert moment.number == chosen
    assert (moment.why_not == "") == planned
    assert planned or f"{hours:g} h" in moment.why_not


@pytest.mark.parametrize("last_film", ["4 h", "13.6 h"])
def test_a_plan_that_names_no_time_means_its_last_films_however_early(write_run, story, last_film):
    edits = (*story.edits, ("at: [1.1 h, 13.6 h]", f"at: [1.1 h, {last_film}]"))
    found = analyse(read_record(write_run(replace(story, edits=edits, films_measured=True))))
    assert found.compared.strength.why_not == ""
