"""How every figure looks and becomes the same bytes each time."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

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
