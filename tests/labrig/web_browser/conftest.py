"""A real page process, real runners on a simulated bench, and a real browser in front of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
import run_stories
from browsed_bench import Bench, Visitor
from chromium import chromium

from labrig.run_folder import RunFolder

write_run = run_stories.write_run
story = run_stories.story


@pytest.fixture(scope="module")
def bench(tmp_path_factory):
    made = Bench(tmp_path_factory.mktemp("bench"))
    yield made
    made.close()


@pytest.fixture(scope="session")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def visitor(browser):
    made = []

    def visit(**options):
        made.append(Visitor(browser, **options))
        return made[-1]

    yield visit
    for one in made:
        one.context.close()
        assert one.complaints == []


@pytest.fixture(scope="module")
def album(bench, write_run, story):
    """A night that has ended, with pictures, films and measures, in the page's folder of runs."""
    night = write_run(replace(story, films_measured=True, missed_round=1, stopped="leak at A3"))
    link = bench.runs / night.root.name
    link.symlink_to(night.root)
    return RunFolder(link)


@pytest.fixture(scope="module")
def change_of_clocks(bench, write_run, story):
    """Name of a run of the night in which Berlin sets its clocks back, at 01:00 UTC."""
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(run_stories, "START", datetime(2026, 10, 24, 18, 0, tzinfo=UTC))
        night = write_run(replace(story, measured=False, imaged=False, until_s=13.9 * 3600))
    link = bench.runs / "change-of-clocks"
    link.symlink_to(night.root)
    return link.name
