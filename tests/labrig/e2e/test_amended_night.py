"""A night that is amended while somebody follows it: its new pictures are measured, all adds up."""

from __future__ import annotations

import csv
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from labrig.run_folder import RunFolder

BENCH = Path(__file__).parents[3] / "protocols" / "rigs" / "simulated-bench.yaml"
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
SPEED = 90
"""An amendment is made 40 s of this computer's time ahead: here an hour of the night."""


@pytest.fixture
def protocols(short_night, tmp_path):
    """Two wells for 90 min, and the same with more flow, pictures and films, for 110 min."""
    head, rest = short_night.read_text(encoding="utf-8").split("arms:\n")
    arms, tail = rest.split("\nphases:")
    arm = arms[arms.index("  vehicle-sham:") : arms.index("  vehicle-tonic:")]
    donors = "donors:\n  - {id: d1, passage: 4, wells: [C4, B2]}\n\nmedia:"
    head = head[: head.index("donors:")] + donors + head.split("\nmedia:")[1]
    first = f"{head}arms:\n{arm}\nphases:{tail}"
    then = first
    for old, new in (
        ("duration: 1 h}", "duration: 80 min}"),
        ("interval: 30 min ", "interval: 10 min "),
        ("at: [40 min, 70 min]", "at: [40 min, 75 min, 95 min]"),
        ("flow: 1.0 mL/h", "flow: 1.2 mL/h"),
    ):
        assert then.count(old) == 1, old
        then = then.replace(old, new)
    files = (tmp_path / "two-wells.yaml", tmp_path / "longer.yaml")
    for file, text in zip(files, (first, then), strict=True):
        file.write_text(text, encoding="utf-8")
    return files


def table(path):
    with path.open(newline="", encoding="utf-8") as stream:
        return list(csv.DictReader(stream))


def test_what_an_amendment_adds_is_taken_measured_and_told(labrig, sentry, protocols, tmp_path):
    first, then = protocols
    night = subprocess.Popen(
        [sys.executable, "-m", "labrig", "run", str(first), "--rig", str(BENCH), "--runs", "runs",
         "--simulate", "--speed", str(SPEED), "--no-page", "--no-watch"],
        cwd=tmp_path, env=sentry[0], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while labrig("status", "--json", check=False).returncode != 0:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        [root] = (tmp_path / "runs").iterdir()
        labrig("amend", root, then, "--reason", "it grows faster", "--by", "A. Miller")
        _, told = night.communicate(timeout=420)
    finally:
        night.kill()
        night.wait()
    assert night.returncode == 0, told
    assert "AMENDED by A. Miller" in told
    assert told.count("\nends ") == 2

    folder = RunFolder.at(root)
    films = table(folder.measures / "contractions.csv")
    assert Counter(film["film"] for film in films) == {"0": 2, "1": 2, "2": 2}
    rounds = sorted({int(field["round"]) for field in table(folder.measures / "fields.csv")})
    assert rounds == list(range(rounds[-1] + 1))
    assert len(rounds) > 4, "more than the first plan had"
    assert folder.complete.exists()
    assert "Amendments while it ran" in (folder.report / "report.html").read_text("utf-8")
    labrig("verify", root)
    labrig("export", root, "--as", "tables")
