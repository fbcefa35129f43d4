"""The small run folders of the report's tests, for what is exported of them."""

from __future__ import annotations

from dataclasses import replace

import pytest
import run_stories

from labrig.export.source import read_source
from labrig.report.maker import Maker

write_run = run_stories.write_run
story = run_stories.story
MAKER = Maker("0.1.0", "2026-03-02T09:00:00+00:00")
_ONE_DONOR = """  - id: demo-donor
    age_group: unknown
    passage: 4                  # [K] human: at most P6
"""


def _donor(name: str, columns: range) -> str:
    wells = ", ".join(f"{row}{column}" for row in "ABCD" for column in columns)
    return f"  - {{id: {name}, passage: 4, wells: [{wells}]}}\n"


TWO_DONORS = ((_ONE_DONOR, _donor("young-1", range(1, 4)) + _donor("old-2", range(4, 7))),)


@pytest.fixture
def two_donors(story):
    """A night of two donors in which nothing goes wrong but that one arm shrinks."""
    return replace(
        story,
        edits=(*story.edits, *TWO_DONORS),
        films_measured=True,
        shrink={"nerve-tonic": 0.7},
    )


@pytest.fixture(scope="session")
def source_of(write_run):
    """What would be exported of a story; each is analysed once."""
    known = {}

    def of(told):
        if repr(told) not in known:
            known[repr(told)] = read_source(write_run(told).root, MAKER)
        return known[repr(told)]

    return of
