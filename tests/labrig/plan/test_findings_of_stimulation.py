"""Impulses and electrodes: each case bends one thing and gives its finding."""

from __future__ import annotations

import pytest

WELLS = ("B2", "B3", "C2", "C3")


def pattern(bench, **values):
    bench.protocol["patterns"]["tonic"] |= values


def electrodes(bench, **values):
    for well in WELLS:
        bench.rig["electrodes"][f"pair_{well}"] |= values


def second_pattern(bench, **values):
    bench.protocol["patterns"]["fast"] = bench.protocol["patterns"]["tonic"] | values
    bench.protocol["arms"]["vehicle"] = {"role": "control", "pattern": "fast"}


def monophasic(bench):
    pattern(bench, shape="monophasic")


# name: (how to bend, the codes that come with their severity)
CASES = {
    "charge density": (
        lambda b: pattern(b, pulse_width="4 ms", frequency="1 Hz"),
        {"stim.charge-density": "warn", "stim.polarisation": "warn"},
    ),
    "field": (
        lambda b: (pattern(b, amplitude="7 V"), electrodes(b, spacing="1.2 cm")),
        {"stim.field": "warn"},
    ),
    "field too strong": (
        lambda b: electrodes(b, spacing="0.7 cm"),
        {"stim.field": "block"},
    ),
    "wide pulse": (
        lambda b: (
            pattern(b, pulse_width="6 ms", amplitude="1 V"),
            electrodes(b, material="graphite"),
        ),
        {"stim.pulse-width": "warn"},
    ),
    "far too wide a pulse": (
        lambda b: pattern(b, pulse_width="12 ms", amplitude="1 V"),
        {"stim.pulse-width": "block"},
    ),
    "platinum polarises": (
        lambda b: electrodes(b, material="platinum"),
        {"stim.polarisation": "block"},
    ),
    "strong current": (
        lambda b: electrodes(b, resistance="50 ohm"),
        {"stim.current": "warn"},
    ),
    "heating": (
        lambda b: pattern(b, frequency="100 Hz", train_on="5 s", train_off="2 s"),
        {"stim.heating": "block"},
    ),
    "monophasic": (monophasic, {"stim.net-dc": "block"}),
    "more volts than the stimulator has": (
        lambda b: (pattern(b, amplitude="15 V"), electrodes(b, spacing="4 cm")),
        {"stim.instrument-limit": "block"},
    ),
    "computed resistance": (
        lambda b: electrodes(b, resistance_basis="computed"),
        {"stim.resistance-computed": "note"},
    ),
    "mean rates differ": (
        lambda b: second_pattern(b, train_off="15 s"),
        {"stim.unmatched-rate": "warn", "design.no-sham": "warn"},
    ),
    "pulses differ": (
        lambda b: second_pattern(b, pulse_width="0.2 ms"),
        {"stim.unmatched-pulse": "warn", "design.no-sham": "warn"},
    ),
    "no electrodes": (
        lambda b: b.rig["electrodes"].clear(),
        {"allocation.impossible": "block", "bench.unused": "note"},
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_bad_stimulation_is_found(name, bench, new_findings):
    bend, expected = CASES[name]
    bend(bench)
    assert new_findings() == expected


def test_stimulation_without_exchange(bench):
    del bench.protocol["perfusion"], bench.protocol["arms"]["nerve"]["targets"]
    bench.protocol["stocks"].clear()
    bench.protocol["phases"][1]["duration"] = "60 h"
    assert bench.graded()["stim.without-exchange"] == "block"


def test_wells_on_one_channel_share_its_current(bench):
    for left, right in (("B2", "B3"), ("C2", "C3")):
        bench.rig["electrodes"][f"pair_{left}"]["wells"] = [left, right]
        del bench.rig["electrodes"][f"pair_{right}"]
    found = {f.code: f for f in bench.plan().findings}
    assert "80 mA in all" in found["stim.channel-current"].why


def test_pulses_lost_to_rearming_are_told(bench):
    pattern(bench, frequency="200 Hz", amplitude="0.5 V")
    for key in ("train_on", "train_off"):
        del bench.protocol["patterns"]["tonic"][key]
    assert "stim.rearm-gap" not in bench.graded()
    pattern(bench, frequency="30 Hz", train_on="0.14 s", train_off="0.06 s")
    note = next(f for f in bench.plan().findings if f.code == "stim.rearm-gap")
    assert "25 Hz" in note.why
