"""What one chamber got of another's effluent, for the page: sentences and rows."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from labrig.display.legend import Legend
from labrig.record.effluents import EffluentTotals

AIR = 0.01
"""Share of what a pump moved that is told as air [P]."""
DOUBT = 0.01
"""Share of what passed that is told as unsure [P]."""


def effluent_words(totals: Sequence[EffluentTotals]) -> list[str]:
    """What to know of it before the table; empty where nothing was planned."""
    if not totals:
        return []
    return list(_sentences(totals))


def _sentences(totals: Sequence[EffluentTotals]) -> Iterator[str]:
    planned_ul = sum(each.planned_ul for each in totals)
    passed_ul = sum(each.passed_ul for each in totals)
    share = f", {passed_ul / planned_ul:.1%} of what was planned" if planned_ul > 0 else ""
    one = len(totals) == 1
    yield (
        f"{len(totals)} {'line' if one else 'lines'} took {passed_ul / 1000:.2f} mL of effluent "
        f"from chamber to chamber{share}."
    )
    air = [each for each in totals if each.moved_ul - each.passed_ul > AIR * each.moved_ul]
    if air:
        yield (
            f"Into {', '.join(each.well for each in air)} went air besides "
            f"({sum(each.moved_ul - each.passed_ul for each in air):.0f} µL): less flowed into the "
            "chambers that were drawn from than their pumps took out."
        )
    unsure = [each for each in totals if each.most_ul - each.passed_ul > DOUBT * each.passed_ul]
    if unsure:
        yield (
            f"What passed into {', '.join(each.well for each in unsure)} is not sure: nobody read "
            "a pump of theirs, or of the chamber that they draw from, all the time; up to "
            f"{sum(each.most_ul - each.passed_ul for each in unsure):.0f} µL more may have come."
        )
    lost = [each for each in totals if each.censored_from_s is not None]
    if lost:
        yield (
            f"{', '.join(dict.fromkeys(each.source for each in lost))} was left out of the "
            "analysis, and so is what it fed from then on: nobody knows what its cells gave off."
        )
    yield (
        "How conditioned it was is a model, of cells that secrete steadily; no sensor measured it."
    )


def effluent_rows(totals: Sequence[EffluentTotals], legend: Legend) -> list[dict[str, Any]]:
    """One row a line and substance."""
    return [
        {
            "line": each.line,
            "source": each.source,
            "well": each.well,
            "planned_ul": f"{each.planned_ul:.0f}",
            "moved_ul": f"{each.moved_ul:.0f}",
            "passed_ul": _range(each.passed_ul, each.passed_ul, each.most_ul, "%.0f"),
            "factor": amount.factor,
            "planned": f"{amount.planned:.4g} {amount.unit}",
            "passed": f"{_range(amount.passed, amount.low, amount.high, '%.4g')} {amount.unit}",
            "out": "" if each.censored_from_s is None else legend.clock(each.censored_from_s),
        }
        for each in totals
        for amount in each.amounts
    ]


def _range(value: float, low: float, high: float, form: str) -> str:
    if high - low <= DOUBT * max(value, 1e-9):
        return form % value
    return f"{form % value} ({form % low} to {form % high})"
