"""How long pumps have run, asked of a journal without reading it through."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta

import pytest

from labrig.record.glimpse import pump_hours
from labrig.record.journal import open_journal
from labrig.record.rows import JournalEntry


class Clock:
    """Stands where it was set."""

    at_s = 0.0

    def now_s(self):
        return self.at_s

    def utc(self):
        return datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=self.at_s)


def test_a_look_counts_until_the_next_and_no_longer_than_ten_minutes(tmp_path):
    looks = [(0, True), (300, True), (600, False), (900, True), (1200, True), (9000, True)]
    path, clock = tmp_path / "journal.sqlite", Clock()
    with closing(open_journal(path, clock)) as journal:
        for clock.at_s, runs in looks:
            detail = {"running": runs, "rate_ul_min": 5.0, "delivered_ul": 1.0, "alarm": None}
            journal.note(JournalEntry("sample", "base", "confirmed", detail))
    assert pump_hours(path) == {"base": pytest.approx(900 / 3600)}
    assert pump_hours(tmp_path / "none.sqlite") == {}
