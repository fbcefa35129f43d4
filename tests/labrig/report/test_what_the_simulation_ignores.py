"""The report of a simulated run says of which factors its culture knows nothing."""

from __future__ import annotations

from types import SimpleNamespace

from labrig.plan.findings import Finding
from labrig.protocol.definition import Definition
from labrig.report.run_facts import assumptions

WHERE = "protocol: factors (kryptonite)"


def record(simulated):
    """As much of a run as the table of assumptions reads."""
    findings = (
        Finding("simulation.unknown-factor", "note", WHERE, "does not answer to it", "say"),
        Finding("design.other", "note", "elsewhere", "why", "how"),
    )
    rules = SimpleNamespace(fidelity_low=0.8, fidelity_high=1.2, max_gap_s=3600.0)
    return SimpleNamespace(
        plan=SimpleNamespace(factors=(), findings=findings, rules=rules),
        protocol=SimpleNamespace(
            factors={}, definition=Definition(), imaging=SimpleNamespace(channels={})
        ),
        rig=SimpleNamespace(electrodes={}),
        identity={"simulated": simulated},
        pictures_from=(),
    )


def test_a_factor_that_the_culture_ignores_is_a_row_of_the_assumptions():
    told = [row for row in assumptions(record(True)) if WHERE in row[0]]
    assert [row[1] for row in told] == ["does not answer to it"]
    assert not [row for row in assumptions(record(False)) if WHERE in row[0]]
