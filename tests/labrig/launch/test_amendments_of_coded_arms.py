"""What is told of an amendment while arms are coded names none of them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

from labrig.launch.amending import Proposal, objections, told_paths
from labrig.plan.amending import Refusal
from labrig.plan.findings import Finding


@pytest.mark.parametrize("coded", [True, False])
def test_neither_findings_nor_refusals_name_an_arm(tmp_path, coded):
    protocol = json.dumps({"blinding": {"arms": "coded"}} if coded else {})
    found = [
        Finding("targets.above-range", severity, "arms.treated.CNTF", "treated gets too much",
                "give treated less")
        for severity in ("block", "warn")
    ]  # fmt: skip
    proposal = Proposal(
        SimpleNamespace(protocol=protocol), tmp_path, 2, 60.0, ("arms.treated.targets",), (),
        (Refusal("arms.treated.role", "its wells were drawn", "keep it"),
         Refusal("arms", "pump_7 would hold another solution", "use it", "one would")),
        (found[0],), (found[1],),
    )  # fmt: skip
    said = " ".join([*map(str, objections(proposal)), *told_paths(proposal)])
    assert ("treated" in said, "pump_7" in said) == (not coded, not coded)
    assert [one.refuses for one in objections(proposal)] == [True, True, True, False]
