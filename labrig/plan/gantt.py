"""The plan as one picture: phases, pumps, impulses, doses and pictures over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labrig.plan.plan import Plan
from labrig.plan.timeline import levels_with_ends
from labrig.plan.words import MANY_ROWS, words_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY, _BLUE, _RED, _GREEN = "#9a9a9a", "#3b6ea5", "#b5483a", "#4a8f5c"

Bar = tuple[float, float, float]
"""Start and end in hours, and how strong to draw it (0 to 1)."""


def bars(plan: Plan) -> dict[str, list[Bar]]:
    """Per lane of an instrument, when it works, and how much against its own most."""
    rows: dict[str, list[Bar]] = {}
    for level, end_s in levels_with_ends(plan.timeline, plan.forecast.duration_s):
        for name, value in words_of(level).lanes.items():
            row = rows.setdefault(name, [])
            if value > 0 and end_s > level.offset_s:
                row.append((level.offset_s / 3600, end_s / 3600, value))
    return {name: _against_most(row) for name, row in rows.items()}


def _against_most(row: list[Bar]) -> list[Bar]:
    most = max((value for _, _, value in row), default=1.0)
    return [(start, end, value / most) for start, end, value in row]


def save_gantt(plan: Plan, path: Path) -> None:
    """Write the picture; the suffix of ``path`` chooses the format (.svg, .png).

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    rows = bars(plan)
    events = _events(plan)
    names = ["phases", *rows, *events]
    figure = Figure(figsize=(10, 1.4 + 0.22 * len(names)), layout="constrained")
    axes = figure.subplots()
    for index, (name, spells) in enumerate(rows.items(), start=1):
        colour = _RED if ":" in name else _BLUE
        for start, end, strength in spells:
            axes.barh(index, end - start, 0.7, start, color=colour, alpha=0.3 + 0.7 * strength)
    _phases(axes, plan)
    for index, moments in enumerate(events.values(), start=len(rows) + 1):
        axes.vlines(moments, index - 0.35, index + 0.35, color=_GREEN, lw=0.6)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.set_xlim(0, plan.forecast.duration_s / 3600)
    axes.set_xlabel("hours from t0")
    axes.set_title(f"{plan.protocol_name} on {plan.rig_name}" + (" (pilot)" if plan.pilot else ""))
    figure.savefig(path)


def _events(plan: Plan) -> dict[str, list[float]]:
    """By what they are called, the hours of what acts and of pictures."""
    moments: dict[str, set[float]] = {}
    for entry in plan.timeline:
        if entry.role != "level" and entry.kind != "reading":
            # a tick per minute says as much as one per frame, and the file stays small
            minute = round(entry.offset_s / 60) / 60
            moments.setdefault(MANY_ROWS[entry.row_kind], set()).add(minute)
    return {name: sorted(moments[name]) for name in MANY_ROWS.values() if name in moments}


def _phases(axes: Axes, plan: Plan) -> None:
    for span in plan.phases:
        start, end = span.start_s / 3600, span.end_s / 3600
        axes.barh(0, end - start, 0.7, start, color=_GREY, alpha=0.4, edgecolor="white")
        axes.text((start + end) / 2, 0, span.name, ha="center", va="center", fontsize=7)
