"""The forest plot: every donor's ratio, what they show together, and where a next donor may lie."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from labrig.report.arms.effects import Effect
from labrig.report.drawing import BAD, COLOURS, INK, QUIET, new_figure, styled, to_svg
from labrig.study.analysis import Forest

_ROW_IN, _HEAD_IN = 0.22, 0.75


@styled
def forest_figure(
    forests: Sequence[Forest],
    together: Mapping[tuple[tuple[str, str], str], Effect],
    thresholds: Mapping[str, float],
) -> str | None:
    """Inline SVG, a panel per contrast and read-out; None without any.

    Args:
        forests: in the order of the panels.
        together: by contrast and read-out, the primary analysis over all donors.
        thresholds: by read-out, the ratio at and below which the definition speaks of a loss.
    """
    if not forests:
        return None
    rows = max(len(forest.donors) for forest in forests) + 3
    columns = 2 if len(forests) > 1 else 1
    lines = math.ceil(len(forests) / columns)
    figure, panels = new_figure(9.6, lines * (rows * _ROW_IN + _HEAD_IN), lines, columns)
    for panel, forest in zip(panels, forests, strict=False):
        _draw(panel, forest, together.get((forest.pair, forest.readout)), thresholds)
    for panel in panels[len(forests) :]:
        panel.set_visible(False)
    return to_svg(figure, "forest")


def _draw(
    panel: Any,  # noqa: ANN401 - matplotlib has no types for axes made here
    forest: Forest,
    together: Effect | None,
    thresholds: Mapping[str, float],
) -> None:
    names = [row.donor for row in forest.donors]
    for at, row in enumerate(forest.donors):
        if row.estimate is None:
            panel.text(1.0, at, f" {row.why_not}", fontsize=7, color=QUIET, va="center")
            continue
        if row.estimate.ratio_interval is not None:
            panel.plot(row.estimate.ratio_interval, [at, at], color=COLOURS[0], linewidth=1.2)
        panel.plot(row.estimate.ratio, at, "s", color=COLOURS[0], markersize=5)
    at = len(names)
    labels = [*names, "all donors"]
    if together is not None and together.estimate is not None:
        interval = together.estimate.ratio_interval
        if interval is not None:
            low, high = interval
            middle = together.estimate.ratio
            panel.fill(
                [low, middle, high, middle], [at, at - 0.3, at, at + 0.3], color=INK, zorder=3
            )
        else:
            panel.plot(together.estimate.ratio, at, "D", color=INK, markersize=6)
    if forest.joined is not None:
        at += 1
        labels.append("a next donor")
        low, high = (math.exp(limit) for limit in forest.joined.prediction)
        panel.plot([low, high], [at, at], color=QUIET, linewidth=2.5, solid_capstyle="butt")
    panel.axvline(1.0, color=QUIET, linewidth=0.8)
    panel.axvline(thresholds[forest.readout], color=BAD, linewidth=0.9, linestyle="--")
    panel.set_xscale("log")
    low, high = panel.get_xlim()
    low, high = min(low, 0.7), max(high, 1.15)
    panel.set_xlim(low, high)
    ticks = [t for t in (0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0, 1.2, 1.5, 2.0, 3.0)
             if low <= t <= high]  # fmt: skip
    panel.set_xticks(ticks, [f"{t:g}" for t in ticks])
    panel.minorticks_off()
    panel.set_yticks(range(len(labels)), labels)
    panel.set_ylim(len(labels) - 0.4, -0.6)
    panel.grid(axis="y", visible=False)
    word = {"mass": "diameter", "strength": "contraction"}[forest.readout]
    panel.set_title(f"{forest.pair[0]}\n{word} over {forest.pair[1]}", fontsize=9)
