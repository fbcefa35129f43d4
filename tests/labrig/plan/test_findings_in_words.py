"""A finding says what, why and what to do; an override is told; every code is documented."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import labrig.plan


@pytest.fixture
def strong_field(bench):
    """The small bench with electrodes too near to each other."""
    for pair in bench.rig["electrodes"].values():
        pair["spacing"] = "0.7 cm"
    return bench


def test_a_finding_says_value_limit_basis_and_remedy(strong_field):
    finding = next(f for f in strong_field.plan().findings if f.code == "stim.field")
    assert "8.57 V/cm" in finding.why
    assert "limit 8 V/cm" in finding.why
    assert "[S]" in finding.why
    assert finding.remedy
    assert finding.overridable


def test_an_override_turns_a_block_into_a_warning_with_its_reason(strong_field):
    strong_field.protocol["overrides"] = [
        {"finding": "stim.field", "reason": "short pulses, tried on this donor", "by": "AB"}
    ]
    plan = strong_field.plan()
    finding = next(f for f in plan.findings if f.code == "stim.field")
    assert finding.severity == "warn"
    assert "Overridden by AB: short pulses" in finding.why
    assert not plan.blocked


def test_what_cannot_be_done_cannot_be_overridden(bench):
    bench.protocol["imaging"]["interval"] = "10 s"
    bench.protocol["overrides"] = [
        {"finding": "imaging.round-too-long", "reason": "it will be all right", "by": "AB"}
    ]
    plan = bench.plan()
    assert plan.blocked
    assert bench.graded()["override.not-allowed"] == "warn"


def _codes_in_source():
    room = Path(labrig.plan.__path__[0])
    text = "".join(path.read_text(encoding="utf-8") for path in sorted(room.rglob("*.py")))
    subjects = set(re.findall(r'(?:Finding|_block)\(\s*"([a-z]+)\.', text))
    pattern = re.compile(rf'"((?:{"|".join(subjects)})\.[a-z-]+)"')
    found = set(pattern.findall(text))
    return found | {
        "design.one-factor-unit",
        "design.one-flow-unit",
        "design.one-medium-unit",
        "design.one-pattern-unit",
        "simulation.unknown-factor",  # said where the simulation is put together
        "watch.untested",  # said where people are called
    }


def test_every_code_is_documented():
    page = Path(labrig.plan.__path__[0]).parents[1] / "docs" / "findings.md"
    documented = set(re.findall(r"^\| `([a-z.-]+)` \|", page.read_text(encoding="utf-8"), re.M))
    assert _codes_in_source() == documented
