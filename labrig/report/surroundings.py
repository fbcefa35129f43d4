"""Temperature and gases that the run steered: rows and a picture for the page."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labrig.display.legend import Legend
from labrig.plan.plan import Plan
from labrig.plan.timeline import ClimateLevel
from labrig.record.rows import Row
from labrig.record.surroundings import Stretch, readings_of, stretches_of
from labrig.report.drawing import INK, new_figure, styled, time_axis, to_svg
from labrig_drivers.kinds import quantity_of

LABELS = 5


def surroundings_rows(
    plan: Plan, rows: Iterable[Row], until_s: float, legend: Legend
) -> list[dict[str, Any]]:
    """One row a set point that was due."""
    return [_row(stretch, legend) for stretch in stretches_of(plan, rows, until_s)]


def _row(stretch: Stretch, legend: Legend) -> dict[str, Any]:
    told = quantity_of(stretch.quantity)
    unit = told.unit_label
    late_s = None if stretch.confirmed_s is None else stretch.confirmed_s - stretch.from_s
    if late_s is None:
        confirmed, ok = stretch.failed or "never", False
    else:
        confirmed, ok = (
            ("at once" if late_s < 2.0 else f"{late_s / 60:.1f} min late"),
            late_s < 60.0,
        )
    measured = "nothing"
    if stretch.mean is not None:
        measured = f"{stretch.mean:.2f} ({stretch.least:.2f} to {stretch.most:.2f}) {unit}"
    return {
        "name": stretch.name,
        "what": told.words,
        "wells": legend.wells_words(stretch.wells),
        "from": legend.clock(stretch.from_s),
        "to": legend.clock(stretch.to_s),
        "value": f"{stretch.value:g} {unit}",
        "confirmed": confirmed,
        "confirmed_ok": ok,
        "measured": measured,
        "by": stretch.by,
        "off": "" if stretch.off_s == 0 else f"{stretch.off_s / 60:.0f} min",
    }


@styled
def surroundings_figure(plan: Plan, rows: Sequence[Row], legend: Legend) -> str | None:
    """What was set and measured, a panel for each quantity; None where nothing is steered."""
    held = readings_of(plan, rows)
    quantities = list(dict.fromkeys(each.quantity for each in plan.climate))
    if not quantities:
        return None
    figure, axes = new_figure(9.5, 2.2, 1, len(quantities))
    for panel, quantity in zip(axes, quantities, strict=True):
        told = quantity_of(quantity)
        _panel(panel, plan, quantity, held)
        panel.set_title(f"{told.words} ({told.unit_label})")
        time_axis(panel, legend, LABELS)
    return to_svg(figure, "surroundings")


def _panel(
    panel: Any,  # noqa: ANN401 - matplotlib's Axes
    plan: Plan,
    quantity: str,
    held: Mapping[str, Sequence[tuple[float, float]]],
) -> None:
    end_h = plan.forecast.duration_s / 3600
    for each in plan.climate:
        if each.quantity != quantity:
            continue
        points = [
            (entry.offset_s / 3600, entry.value)
            for entry in plan.timeline
            if isinstance(entry, ClimateLevel)
            and (entry.instrument, entry.quantity) == (each.instrument, quantity)
        ]
        hours = [*(at_h for at_h, _ in points), end_h]
        values = [*(value for _, value in points), points[-1][1]] if points else []
        if values:
            panel.step(hours, values, where="post", color="#8fbf9f", linewidth=3.0)
        seen = held[each.name]
        panel.plot([at / 3600 for at, _ in seen], [v for _, v in seen], color=INK, linewidth=1.0)
