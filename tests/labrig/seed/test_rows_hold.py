"""Every row of the paper starts, and the culture answers with its sign: by state, and as measured.

The rows that are run to their report are drawn anew each time from those that were seen to, by
protocol: rows that share one are told from one run, whose test bears their numbers. LABRIG_ROWS
says how many at least (four), LABRIG_ROWS_SEED draws the same again. CI draws a dozen beside its
other slow tests, begins as many as its time allows, and names all of them. All by hand, or weekly:
``labrig seed check --run FOLDER``, an hour and a half of CPU. A short run has few wells and small
fields, so only what the culture's own state shows clearly must show in it.
"""

import os
import random
from datetime import date

import pytest

from labrig.seed.index import load_index
from labrig.seed.rows import checked
from labrig.seed.short_runs import run_rows

INDEX = load_index()
ASKED = [number for number, row in INDEX.rows.items() if row.protocol]
TODAY = date(2026, 11, 30)


def seed_of_this_run():
    """As it was set; else one of its own, the same in all processes that share the tests."""
    given = os.environ.get("LABRIG_ROWS_SEED") or os.environ.get("PYTEST_XDIST_TESTRUNUID")
    return given or str(random.SystemRandom().randrange(10**6))


SEED = seed_of_this_run()


def draw(index, seed, at_least):
    """Rows that were seen, those of one protocol together, until there are as many as wanted."""
    together = {}
    for number, row in index.rows.items():
        if row.seen:
            together.setdefault(row.protocol, []).append(number)
    drawn, groups = [], [*together.values()]
    random.Random(seed).shuffle(groups)
    while groups and sum(map(len, drawn)) < at_least:
        drawn.append(groups.pop())
    return drawn


DRAWN = draw(INDEX, SEED, int(os.environ.get("LABRIG_ROWS", "4")))


def test_most_of_the_paper_is_asked_about():
    assert len(ASKED) >= 52


def test_a_draw_can_be_repeated_and_takes_only_rows_that_were_seen():
    drawn = [number for numbers in draw(INDEX, "7", 12) for number in numbers]
    assert len(drawn) >= 12
    assert all(INDEX.rows[number].seen for number in drawn)
    assert draw(INDEX, "7", 12) == draw(INDEX, "7", 12) != draw(INDEX, "8", 12)


@pytest.mark.slow
@pytest.mark.parametrize("number", ASKED)
def test_a_row_starts_and_its_culture_answers_as_expected(number):
    found = checked(number, INDEX.rows[number], TODAY)
    assert found.good, "\n".join(found.lines)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("numbers", DRAWN, ids="+".join)
def test_drawn_rows_run_to_a_report_that_shows_them(numbers, tmp_path):
    rows = [INDEX.rows[number] for number in numbers]
    foretold = [checked(number, row, TODAY).told for number, row in zip(numbers, rows, strict=True)]
    for number, told, seen in zip(numbers, foretold, run_rows(rows, tmp_path), strict=True):
        assert seen.good, f"LABRIG_ROWS_SEED={SEED} {number}: {seen}"
        assert seen.missed(told) == (), f"LABRIG_ROWS_SEED={SEED} {number}"
