"""How every figure looks and becomes the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from datetime import UTC, timedelta
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

from labrig.display.times import DAYS

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from labrig.display.legend import Legend

# Okabe & Ito 2008: told apart with every common colour blindness; a marker says the same.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#8F6B00", "#3A86C8", "#000000", "#6C6C6C")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
INK, QUIET, RULE = "#1b2430", "#5a6572", "#d5dbe1"
BAD, WARN, GOOD = "#b3261e", "#9a5b00", "#1c6b3c"

_STYLE: dict[str, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "labrig",
    "font.family": "sans-serif",
    "font.size": 10,
    "axes.edgecolor": QUIET,
    "axes.labelcolor": INK,
    "axes.titlesize": 10.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "xtick.color": QUIET,
    "ytick.color": QUIET,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def style_of(arms: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Colour and marker by arm; the same on every figure of a report."""
    return {
        arm: (COLOURS[i % len(COLOURS)], MARKERS[i % len(MARKERS)]) for i, arm in enumerate(arms)
    }


P = ParamSpec("P")
R = TypeVar("R")


def styled(draw: Callable[P, R]) -> Callable[P, R]:
    """Draw with the report's style, and leave matplotlib's own as it was."""

    @wraps(draw)
    def drawn(*args: P.args, **kwargs: P.kwargs) -> R:
        import matplotlib as mpl

        with mpl.rc_context(_STYLE):  # type: ignore[arg-type] # its keys are a 300-fold Literal
            return draw(*args, **kwargs)

    return drawn


def new_figure(
    width_in: float, height_in: float, rows: int = 1, columns: int = 1
) -> tuple[Figure, list[Any]]:
    """A figure and its axes in reading order; no window and no global state."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width_in, height_in))
    return figure, list(figure.subplots(rows, columns, squeeze=False).flat)


_STEPS_H = (1, 2, 3, 6, 12, 24, 48, 72, 168, 336, 672)


def time_axis(panel: Any, legend: Legend, most: int) -> None:  # noqa: ANN401 - matplotlib's axes
    """Hours from the start below and, where the time of day is known, the clock in the lab above.

    Args:
        panel: its x is in hours, with its limits set.
        legend: of the run.
        most: labels of the clock that there is room for.
    """
    panel.set_xlabel("hours from the start")
    if legend.zero is None:
        return
    low_h, high_h = panel.get_xlim()
    step_h = next((step for step in _STEPS_H if (high_h - low_h) / step <= most), _STEPS_H[-1])
    began = (legend.zero + timedelta(hours=low_h)).astimezone(legend.zone)
    # On whole hours by the clock, also across a change to or from summer time.
    wall = began.replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    at_h: list[float] = []
    labels: list[str] = []
    for _ in range(int((high_h - low_h) / step_h) + 1 + 24 // min(step_h, 24)):
        moment = wall.replace(tzinfo=legend.zone).astimezone(UTC)
        hours = (moment - legend.zero).total_seconds() / 3600
        if low_h <= hours <= high_h:
            at_h.append(hours)
            new_day = wall.hour < step_h or not labels
            labels.append(f"{DAYS[wall.weekday()]} {wall:%H:%M}" if new_day else f"{wall:%H:%M}")
        wall += timedelta(hours=step_h)
    above = panel.secondary_xaxis("top")
    above.set_xticks(at_h, labels)
    above.tick_params(labelsize=8, colors=QUIET)
    above.spines["top"].set_visible(False)


def to_svg(figure: Figure, name: str) -> str:
    """Inline SVG without date; ids carry ``name``, so that figures on one page do not clash."""
    text = io.StringIO()
    figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    svg = text.getvalue()
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.S)
    # The page decides how large it is; the view box keeps its proportions.
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    used = set(re.findall(r'(?:url\(#|href="#)([^")]+)', svg))
    svg = re.sub(
        r' id="([^"]+)"',
        lambda m: f' id="{name}-{m[1]}"' if m[1] in used else "",
        svg,
    )
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", svg).strip()
