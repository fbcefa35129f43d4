"""A launch of a blinded protocol: syringe codes for the bench, no word that tells an arm. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from labrig.launch.amending import NOT_SHOWN, WHO_READS
from labrig.plan.alike import FindingGroup
from labrig.plan.plan import Plan
from labrig.protocol.blinding_key import BlindingKey


def coded_loading(plan: Plan, key: BlindingKey) -> Plan:
    """The plan with codes for solutions, and without what is in them."""
    return replace(
        plan,
        loading=tuple(
            replace(row, solution=key.solutions.get(row.solution, "?"), contents="", lot="")
            for row in plan.loading
        ),
    )


def coded_findings(groups: Iterable[FindingGroup]) -> tuple[FindingGroup, ...]:
    """Their codes and grades, each once."""
    found = {(group.severity, group.code): group for group in groups}
    return tuple(
        replace(group, why=NOT_SHOWN, remedy=WHO_READS, places=("",)) for group in found.values()
    )
