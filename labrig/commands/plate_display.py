"""Says in the terminal how the arms of a plate map compare."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labrig.report.comparisons import ArmComparison
    from labrig.report.plate_statistics import PlateStatistics


def comparison_lines(found: PlateStatistics) -> Iterator[str]:
    """One line per read-out and arm, and what was left out."""
    for readout, comparisons in found.comparisons.items():
        for row in comparisons:
            yield f"{readout}, {row.arm} over {row.control}: {_result(row)}"
    if found.thin:
        yield f"Too few tubes for a diameter, so not compared: {', '.join(found.thin)}"
    if not found.comparisons:
        yield "Nothing was measured in the wells of the map."


def _result(row: ArmComparison) -> str:
    result = row.result
    if result is None:
        return row.why_not
    n = f"{row.donors} donors" if row.donors > 1 else f"one donor, {row.carriers}"
    if result.low is None or result.high is None or result.p is None:
        return f"{result.ratio:.3g} ({n}; {result.test})"
    adjusted = "" if row.p_holm is None else f", {row.p_holm:.2g} after Holm"
    return (
        f"{result.ratio:.3g} (95 % {result.low:.3g} to {result.high:.3g}; p {result.p:.2g}"
        f"{adjusted}; {n}; {result.test})"
    )
