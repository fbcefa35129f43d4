"""Every row of the paper starts, and the culture answers with its sign: by state, and as measured.

The rows that are run to their report are drawn anew each time from those that were seen to. Set
LABRIG_ROWS_SEED to draw the same again, and LABRIG_ROWS for more of them: a dozen takes twenty
minutes, which is most of what CI has for all slow tests, so it draws four. All by hand, or weekly:
``labrig seed check --run FOLDER``, an hour and a half of CPU. A short run has few wells and small
fields, so only what the culture's own state shows clearly must show in it.
"""

import os
import random
from datetime import date

import pytest

from labrig.seed.index import load_index
from labrig.seed.rows import checked
from labrig.seed.short_runs import run_short

INDEX = load_index()
ASKED = [number for number, row in INDEX.rows.items() if row.protocol]
SEEN = [number for number, row in INDEX.rows.items() if row.seen]
RUN_ROWS = min(len(SEEN), int(os.environ.get("LABRIG_ROWS", "4")))
SEED = int(os.environ.get("LABRIG_ROWS_SEED", random.SystemRandom().randrange(10**6)))


def test_most_of_the_paper_is_asked_about():
    assert len(ASKED) >= 52


@pytest.mark.slow
@pytest.mark.parametrize("number", ASKED)
def test_a_row_starts_and_its_culture_answers_as_expected(number):
    found = checked(number, INDEX.rows[number], date(2026, 11, 30))
    assert found.good, "\n".join(found.lines)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("slot", range(RUN_ROWS))
def test_a_row_that_was_drawn_runs_to_a_report_that_shows_it(slot, tmp_path):
    number = random.Random(SEED).sample(SEEN, RUN_ROWS)[slot]
    row = INDEX.rows[number]
    foretold = checked(number, row, date(2026, 11, 30)).told
    seen = run_short(row, tmp_path)
    assert seen.good, f"LABRIG_ROWS_SEED={SEED} {number}: {seen}"
    assert seen.missed(foretold) == (), f"LABRIG_ROWS_SEED={SEED} {number}"
