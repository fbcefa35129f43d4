"""Wells that are in no comparison, or not in the one per protocol, each with its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig.protocol.analysis_plan import AnalysisPlan
from labrig.record.ledger import Ledger
from labrig.report.outcome import clock
from labrig.report.record import Record

if TYPE_CHECKING:
    import pandas as pd


def without_named(table: pd.DataFrame, plan: AnalysisPlan) -> pd.DataFrame:
    """Rows of wells that the analysis plan does not exclude by name."""
    named = [out.well for out in plan.exclusions]
    return table if table.empty or not named else table[~table["well"].isin(named)]


def in_no_comparison(
    wells: pd.DataFrame, rounds: Sequence[int], min_tubes: int, plan: AnalysisPlan
) -> tuple[str, ...]:
    """Wells excluded by name, or whose diameter rests on too few tubes when arms are compared."""
    thin = wells[wells["round"].isin(rounds) & (wells["tubes"] < min_tubes)]
    return (
        *(f"{out.well}, as planned: {out.reason}" for out in plan.exclusions),
        *(
            f"{row.well} at {row.hours:.1f} h: {row.tubes} tubes of {min_tubes} needed"
            for row in thin.itertuples()
        ),
    )


def not_per_protocol(record: Record, ledger: Ledger) -> dict[str, str]:
    """By well, why its doses keep it out of the analysis per protocol."""
    definition = record.protocol.definition
    why = {
        well: f"{well} left out from {clock(at_s)}, its doses did not come"
        for well, at_s in ledger.censored_from_s.items()
    }
    for dose in ledger.wells:
        low, high = definition.fidelity_low, definition.fidelity_high
        if dose.fidelity is not None and not low <= dose.fidelity <= high:
            share = f"{dose.fidelity:.0%} of its {dose.factor} (allowed {low:.0%} to {high:.0%})"
            why.setdefault(dose.well, f"{dose.well} left out: it got {share}")
    return why
