"""What a drawn allocation avoids is still refused when arms are put into wells by hand."""

from __future__ import annotations

import pytest

ARMS = {"B2": "nerve", "B3": "vehicle", "C2": "nerve", "C3": "vehicle"}


def one_line_for_both(bench):
    bench.rig["lines"]["nerve_B2"]["wells"] = ["B2", "B3"]
    del bench.rig["lines"]["nerve_B3"]


def one_syringe_for_both(bench):
    bench.rig["lines"]["nerve_B3"]["reservoir"] = "syringe_B2"


def one_channel_for_both(bench):
    bench.rig["electrodes"]["pair_B2"]["wells"] = ["B2", "B3"]
    del bench.rig["electrodes"]["pair_B3"]


def one_pump_for_two_flows(bench):
    bench.protocol["arms"]["nerve"]["flow"] = "0.5 mL/h"


FORCED = {
    "a line for two arms": (one_line_for_both, "perfusion.line-shared"),
    "a syringe for stock and vehicle": (one_syringe_for_both, "supplies.reservoir-conflict"),
    "a channel for two patterns": (one_channel_for_both, "stim.channel-shared"),
    "a pump for two flows": (one_pump_for_two_flows, "perfusion.pump-shared"),
    "no dosing line": (lambda b: b.rig["lines"].pop("nerve_B2"), "perfusion.no-line"),
    "no medium line": (lambda b: b.rig["lines"].pop("base_B2"), "perfusion.no-line"),
    "no electrodes": (lambda b: b.rig["electrodes"].pop("pair_B2"), "stim.no-electrodes"),
}


@pytest.mark.parametrize("name", FORCED)
def test_a_forced_allocation_is_refused(name, bench):
    bend, code = FORCED[name]
    assert not bench.plan(ARMS).blocked
    bend(bench)
    found = bench.graded(ARMS)
    assert found[code] == "block"
