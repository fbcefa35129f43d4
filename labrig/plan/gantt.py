"""The plan as one picture: phases, pumps, impulses, doses and pictures over time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from labrig.plan.plan import Plan
from labrig.plan.timeline import Dose, Film, FlowLevel, Frame, StimulationLevel

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_GREY, _BLUE, _RED, _GREEN = "#9a9a9a", "#3b6ea5", "#b5483a", "#4a8f5c"

Bar = tuple[float, float, float]
"""Start and end in hours, and how strong to draw it (0 to 1)."""


def bars(plan: Plan) -> dict[str, list[Bar]]:
    """Per pump and stimulator channel, when it works, and how fast against its own most."""
    end_s = plan.forecast.duration_s
    rows: dict[str, list[Bar]] = {}
    for pump in dict.fromkeys(e.instrument for e in plan.timeline if isinstance(e, FlowLevel)):
        own = [e for e in plan.timeline if isinstance(e, FlowLevel) and e.instrument == pump]
        most = max(level.rate_ul_min for level in own)
        ends = [*(level.offset_s for level in own[1:]), end_s]
        rows[pump] = [
            (level.offset_s / 3600, end / 3600, level.rate_ul_min / most)
            for level, end in zip(own, ends, strict=True)
            if level.rate_ul_min > 0 and end > level.offset_s
        ]
    levels = [e for e in plan.timeline if isinstance(e, StimulationLevel)]
    for level in levels:
        later = [x.offset_s for x in levels if x.instrument == level.instrument]
        end = min((x for x in later if x > level.offset_s), default=end_s)
        for spec in level.trains:
            row = f"{level.instrument} {spec.channel}: {spec.pattern}"
            rows.setdefault(row, []).append((level.offset_s / 3600, end / 3600, 1.0))
    return rows


def save_gantt(plan: Plan, path: Path) -> None:
    """Write the picture; the suffix of ``path`` chooses the format (.svg, .png).

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    rows = bars(plan)
    figure = Figure(figsize=(10, 1.6 + 0.22 * (len(rows) + 3)), layout="constrained")
    axes = figure.subplots()
    names = ["phases", *rows, "doses", "pictures", "films"]
    for index, (name, spells) in enumerate(rows.items(), start=1):
        colour = _RED if ":" in name else _BLUE
        for start, end, strength in spells:
            axes.barh(index, end - start, 0.7, start, color=colour, alpha=0.3 + 0.7 * strength)
    _phases(axes, plan)
    for offset, kind in enumerate((Dose, Frame, Film), start=len(rows) + 1):
        moments = sorted({e.offset_s / 3600 for e in plan.timeline if isinstance(e, kind)})
        # a tick a minute says as much as one a frame, and the file stays small
        thinned = sorted({round(moment * 60) / 60 for moment in moments})
        axes.vlines(thinned, offset - 0.35, offset + 0.35, color=_GREEN, lw=0.6)
    axes.set_yticks(range(len(names)), names, fontsize=7)
    axes.set_ylim(len(names) - 0.5, -0.7)
    axes.set_xlim(0, plan.forecast.duration_s / 3600)
    axes.set_xlabel("hours from t0")
    axes.set_title(f"{plan.protocol_name} on {plan.rig_name}" + (" (pilot)" if plan.pilot else ""))
    figure.savefig(path)


def _phases(axes: Axes, plan: Plan) -> None:
    for span in plan.phases:
        start, end = span.start_s / 3600, span.end_s / 3600
        axes.barh(0, end - start, 0.7, start, color=_GREY, alpha=0.4, edgecolor="white")
        axes.text((start + end) / 2, 0, span.name, ha="center", va="center", fontsize=7)
