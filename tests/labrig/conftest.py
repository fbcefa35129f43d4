"""Every simulated night that a test leaves behind is held against what its instruments did.

And no test asks how full the disk of this machine is.
"""

from __future__ import annotations

import shutil

import pytest

from labrig.truth.check import check_truth

DEEPEST = 4
ROOM = type(shutil.disk_usage("."))(total=2 * 10**12, used=10**12, free=10**12)


@pytest.fixture(autouse=True)
def room_on_the_disk(monkeypatch):
    monkeypatch.setattr(shutil, "disk_usage", lambda path: ROOM)


@pytest.fixture(autouse=True)
def nights_are_true(request):
    spoilt = request.node.get_closest_marker("spoilt_night") is not None
    looked_at = "tmp_path" in request.fixturenames and not spoilt
    root = request.getfixturevalue("tmp_path") if looked_at else None
    yield
    if root is None:
        return
    untrue = [
        f"{record.parents[1].name}: {violation}"
        for depth in range(1, DEEPEST)
        for record in root.glob("/".join(["*"] * depth) + "/twin/physical.jsonl")
        if (record.parents[1] / "run.json").exists()
        for violation in check_truth(record.parents[1])
    ]
    assert untrue == []
