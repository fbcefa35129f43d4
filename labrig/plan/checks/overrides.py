"""A person may take responsibility for a block: it becomes a warning that says who and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from labrig.plan.findings import Finding
from labrig.protocol.models import Protocol


def override_lines(findings: Sequence[Finding]) -> tuple[str, ...]:
    """Lines of a protocol with which a person takes responsibility for what may be overridden."""
    codes = dict.fromkeys(f.code for f in findings if f.severity == "block" and f.overridable)
    if not codes:
        return ()
    lines = ["overrides:"]
    for code in codes:
        lines += [
            f"  - finding: {code}",
            "    reason: why it is right here, in ten letters or more",
            "    by: who answers for it",
        ]
    return tuple(lines)


def lift(protocol: Protocol, findings: Sequence[Finding]) -> list[Finding]:
    """Apply the protocol's overrides.

    Findings: ``override.not-allowed`` (warn) for a block that no reason lifts,
    ``override.unused`` (note) for one that nothing needs.
    """
    overrides = {override.finding: override for override in protocol.overrides}
    result = []
    for finding in findings:
        override = overrides.get(finding.code)
        if override is None or finding.severity != "block" or not finding.overridable:
            result.append(finding)
            continue
        result.append(
            replace(
                finding,
                severity="warn",
                why=f"{finding.why}. Overridden by {override.by}: {override.reason}",
            )
        )
    for index, override in enumerate(protocol.overrides):
        matching = [f for f in findings if f.code == override.finding and f.severity == "block"]
        where = f"protocol: overrides.{index}"
        if not matching:
            result.append(
                Finding(
                    "override.unused",
                    "note",
                    where,
                    f"nothing blocks with the code {override.finding}",
                    "remove the override, or correct its code",
                )
            )
        elif not any(finding.overridable for finding in matching):
            result.append(
                Finding(
                    "override.not-allowed",
                    "warn",
                    where,
                    f"{override.finding} cannot be overridden: the run could not be carried out",
                    "mend the finding itself",
                )
            )
    return result
