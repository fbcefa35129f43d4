"""People of a simulated bench, put together from what its run folder holds."""

from __future__ import annotations

import json
from collections.abc import Iterator

from labrig.plan.plan import Plan
from labrig.run_folder import RunFolder
from labrig.twin.bench import TwinBench
from labrig.twin.people import SimulatedAssay, SimulatedPeople
from labrig.twin.spec import TwinSpec

PER_NG_ML = {"ng/mL": 1.0, "pg/mL": 1000.0, "ug/mL": 0.001, "µg/mL": 0.001}
"""Units in which a simulated laboratory writes."""


def simulated_people(
    plan: Plan, spec: TwinSpec, twin: TwinBench, folder: RunFolder
) -> SimulatedPeople:
    """Those of one run."""
    return SimulatedPeople(
        plan.seed, spec.faults, twin.hands, twin.held, folder, tuple(_assays(plan)),
        twin.fill, {supply.name: supply.unusable_ml for supply in plan.supplies},
    )  # fmt: skip


def _assays(plan: Plan) -> Iterator[SimulatedAssay]:
    protocol = json.loads(plan.protocol) if plan.protocol else {}
    for result in protocol.get("results") or ():
        if result.get("measures") and result["of"] != "well":
            yield SimulatedAssay(
                result["file"],
                result["of"],
                result["column"],
                result["measures"],
                PER_NG_ML.get(result.get("unit", ""), 1.0),
                result.get("lod"),
            )
