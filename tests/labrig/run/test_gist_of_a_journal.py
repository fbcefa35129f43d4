"""What is kept of a journal that is read once: no row of what there are many of."""

from __future__ import annotations

import pytest

from labrig.record.gist import gist_of
from labrig.record.ledger import dose_ledger
from labrig.record.rows import RowUnreadable


def test_a_night_read_once_gives_its_ledger_and_keeps_no_row_of_pictures_trains_and_pumps(
    rehearse, script
):
    night, plan = rehearse(), script.night()
    night.run(plan)
    rows = night.rows()
    gist = gist_of(plan, iter(rows))
    assert gist.ledger(rows[-1].run_s) == dose_ledger(plan, rows, rows[-1].run_s)
    assert (gist.count, gist.last) == (len(rows), rows[-1])
    kept = {(row.kind, row.state) for row in gist.few}
    assert {("run", "noted"), ("level", "confirmed"), ("reading", "confirmed")} <= kept
    assert not {"frame", "train", "sample", "checkpoint"} & {kind for kind, _ in kept}
    assert len(gist.few) < len(rows) / 3
    pictures = [row for row in rows if row.kind == "frame" and row.state == "confirmed"]
    assert {gist.words.by_key[row.key].state for row in pictures} == {"confirmed"}


def test_a_row_that_says_nothing_sound_is_told_to_whoever_asks_for_the_ledger(rehearse, script):
    night, plan = rehearse(), script.night()
    night.run(plan)
    rows = night.rows()
    next(row for row in rows if row.kind == "dose" and row.state == "sent").detail.clear()
    gist = gist_of(plan, rows)
    assert gist.words.ended_s == rows[-1].run_s
    with pytest.raises(RowUnreadable):
        gist.ledger(rows[-1].run_s)
