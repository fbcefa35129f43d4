"""A night in which arms change: what came is what was planned, by well, factor and channel."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from labrig.catalogue import catalogue_folder
from labrig.truth.check import check_truth

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

ARMS = """arms:
  kept:
    role: control
    targets: &nerve {CNTF: 10 ng/mL, BDNF: 50 ng/mL, NT-4/5: 50 ng/mL}
    pattern: both
  gap:
    program:
      - {from: 0 h, targets: *nerve, pattern: tonic_10hz_2mean}
      - {from: 1 h, targets: none, pattern: sham, label: gap}
      - {from: 2 h, targets: *nerve, pattern: tonic_10hz_2mean, label: restore}
  pulses:
    pattern: sham
    program:
      - {from: 0.5 h, every: 1 h, for: 0.5 h, targets: *nerve}
      - {at: 1.5 h, bolus: {factor: leucine, reach: 130 ug/mL}}

"""
MIXED = "  both: {sequence: [tonic_10hz_2mean, twitch_2hz], each: 25 min}\n"


@pytest.fixture(scope="module")
def night(tmp_path_factory):
    folder = tmp_path_factory.mktemp("programmes")
    text = (catalogue_folder() / "demo-night.yaml").read_text(encoding="utf-8")
    before, rest = text.split("arms:\n")
    _, after = rest.split("imaging:\n")
    before = before.replace("\nperfusion:", f"{MIXED}\nperfusion:")
    after = after.replace("at: [1.1 h, 13.6 h]", "at: [45 min, restore + 30 min]")
    protocol = folder / "night.yaml"
    protocol.write_text(
        f"{before}{ARMS}phases:\n  - {{name: treatment, duration: 3 h}}\n\nimaging:\n{after}",
        encoding="utf-8",
    )
    rig = catalogue_folder() / "rigs" / "block-bench.yaml"
    done = subprocess.run(
        [sys.executable, "-m", "labrig", "run", str(protocol), "--rig", str(rig), "--rehearse",
         "--runs", str(folder), "--no-page"],
        cwd=folder, capture_output=True, text=True, timeout=500, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    (run,) = [path.parent for path in folder.glob("*/run.json")]
    return run


def ledger(night):
    return json.loads((night / "ledger.json").read_text(encoding="utf-8"))


def plan(night):
    return json.loads((night / "plan.json").read_text(encoding="utf-8"))["plan"]


def test_nothing_of_it_is_untrue(night):
    assert check_truth(night) == []


def test_every_well_had_what_its_programme_says(night):
    arm_of = {well["well"]: well["arm"] for well in plan(night)["wells"]}
    given = [w for w in ledger(night)["wells"] if w["fidelity"] is not None]
    assert {(arm_of[w["well"]], w["factor"]) for w in given} >= {
        ("kept", "CNTF"), ("gap", "CNTF"), ("pulses", "CNTF"), ("pulses", "leucine"),
    }  # fmt: skip
    assert all(0.95 < w["fidelity"] < 1.05 and w["censored_from_s"] is None for w in given)


def test_every_channel_gave_the_pulses_of_its_arm(night):
    arm_of = {well["pattern_unit"]: well["arm"] for well in plan(night)["wells"]}
    by_arm = {}
    for channel in ledger(night)["pulses"]:
        assert channel["delivered"] == channel["planned"]
        assert channel["uncertain"] == 0
        unit = f"{channel['stimulator']}:{channel['channel']}"
        by_arm.setdefault(arm_of[unit], set()).add(channel["delivered"])
    (kept,), (gap,), (tests,) = by_arm["kept"], by_arm["gap"], by_arm["pulses"]
    # two hours of three at 2 Hz, and in the films what the arm with shams gets too
    assert gap - tests == pytest.approx(2 * 3600 * 2, abs=2.5 * tests)
    assert tests < gap < kept
    assert gap / kept == pytest.approx(2 / 3, rel=0.05)
