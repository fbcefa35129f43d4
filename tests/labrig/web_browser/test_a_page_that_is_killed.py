"""A page that is looked at and killed, again and again, leaves nothing behind in a night."""

from __future__ import annotations

import hashlib

import pytest
from browsed_bench import CATALOGUE, get, until

from labrig.record.reading import journal_digest, read_journal
from labrig.report.build import build_report
from labrig.report.maker import Maker
from labrig.web.navigation import RUN_TABS

pytestmark = pytest.mark.slow
KILLED = 20
MAKER = Maker("0.1.0", "2026-03-02T09:00:00+00:00")


def looked_at(address, folder, screens):
    for rest in screens:
        get(f"{address}/run/{folder.root.name}{rest}")


def contents(folder):
    """SHA-256 of every file; SQLite's own memory of its readers is none of the night's."""
    return {
        str(path.relative_to(folder.root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.root.rglob("*"))
        if path.is_file() and not path.name.endswith(("-shm", "-wal"))
    }


def test_the_night_and_its_report_are_the_same_to_the_byte(bench):
    alone = bench.start(CATALOGUE / "demo-night.yaml", "inf")
    until(lambda: bench.runners[alone.root.name].poll() is not None, 120.0)

    visited = bench.start(CATALOGUE / "demo-night.yaml", "inf")
    runner = bench.runners[visited.root.name]
    for _ in range(KILLED):
        looked_at(bench.open_page(), visited, ("", "/log", "/pictures"))
        bench.kill_page()
    until(lambda: runner.poll() is not None, 120.0)
    assert runner.returncode == bench.runners[alone.root.name].returncode == 0
    digests = [journal_digest(read_journal(folder.journal)) for folder in (alone, visited)]
    assert digests[0] == digests[1]

    report = build_report(visited, MAKER).read_bytes()
    before = contents(visited)
    looked_at(bench.open_page(), visited, [rest for _, rest in RUN_TABS])
    bench.kill_page()
    assert contents(visited) == before
    assert build_report(visited, MAKER).read_bytes() == report
