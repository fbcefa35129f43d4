"""The example of a real bench, rehearsed: what a newcomer does before the first real night."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

CATALOGUE = Path(__file__).parents[3] / "protocols"


@pytest.mark.slow
def test_the_first_real_night_can_be_rehearsed_and_misses_nothing(labrig, tmp_path):
    # dated today, and with a camera whose pictures any disk can hold
    today = datetime.now(UTC).astimezone().date().isoformat()
    text = (CATALOGUE / "rigs" / "example-bench.yaml").read_text(encoding="utf-8")
    for old, new in (("on: 2026-11-20", f"on: {today}"), ("_px: 2304", "_px: 256")):
        assert old in text
        text = text.replace(old, new)
    rig = tmp_path / "bench.yaml"
    rig.write_text(text, encoding="utf-8")

    night = CATALOGUE / "first-real-night.yaml"
    done = labrig("run", night, "--rig", rig, "--rehearse", "--json")
    run = json.loads(done.stdout.splitlines()[-1])["run"]

    status = json.loads(labrig("status", run, "--json").stdout)
    assert status["condition"] == "finished"
    assert status["counters"]["pictures"] == 6 * 5 * 28
    assert not {"missed", "late", "deviations", "unknown"} & set(status["counters"])
