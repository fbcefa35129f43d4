"""The state in which a journal leaves each entry, held in little."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from labrig.plan.key_table import WordTable
from labrig.plan.timeline import ROW_KINDS
from labrig.record.conclusion import remembering
from labrig.record.rows import Row

KINDS = st.sampled_from(["dose", "frame", "train", "level", "sample", "deviation", "run"])
STATES = st.sampled_from(["intent", "sent", "confirmed", "missed", "skipped", "unknown"])
SAID = st.lists(st.tuples(KINDS, st.text("abµ/0", max_size=3), STATES), max_size=60)


@given(said=SAID)
def test_the_last_row_of_each_entry_counts_and_of_nothing_else(said):
    rows = [
        Row(seq, kind, key, state, 1, float(seq), "", 0.0, "", {}, "")
        for seq, (kind, key, state) in enumerate(said, 1)
    ]
    last = WordTable()
    assert list(remembering(rows, last)) == rows
    expected = {row.key: row.state for row in rows if row.kind in ROW_KINDS}
    for key in {row.key for row in rows} | {"none"}:
        assert last.get(key) == expected.get(key)
    assert last.counts() == Counter(expected.values())
