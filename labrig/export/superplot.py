"""SuperPlot: tubes faint, wells small, donors large and coloured (Lord 2020, J Cell Biol 219).

Colour is the donor, so that it shows at once whether an effect holds in each; the large mark is the
donor's geometric mean over its wells, the line the geometric mean over donors.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from labrig.export.source import Source
from labrig.export.spreadsheet import csv_text
from labrig.export.well_values import Readout, WellValue, readouts
from labrig.report.drawing import INK, new_figure, style_of, styled
from labrig.report.growth import geometric

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = ("level", "run", "donor", "arm", "unit", "well", "time_h")


def superplots(source: Source) -> dict[str, bytes]:
    """By name of file: SVG, PNG and table of every readout that was measured."""
    files: dict[str, bytes] = {}
    for readout in readouts(source):
        figure = draw(readout, source.arms, source.donors)
        name = f"superplot_{readout.name}"
        files[f"{name}.svg"] = _saved(figure, "svg")
        files[f"{name}.png"] = _saved(figure, "png")
        table = csv_text((*COLUMNS, readout.name), table_rows(readout, source.arms))
        files[f"{name}.csv"] = table.encode()
    return files


def table_rows(readout: Readout, arms: Sequence[str]) -> Iterator[dict[str, Any]]:
    """All that is drawn, level by level: tube, well, donor."""
    for value in readout.wells:
        for tube in value.tubes:
            yield _row("tube", value) | {readout.name: tube}
    for value in readout.wells:
        yield _row("well", value) | {readout.name: value.value}
    for arm, donor, mean in donor_means(readout, arms):
        yield {"level": "donor", "arm": arm, "donor": donor, readout.name: mean}


def donor_means(readout: Readout, arms: Sequence[str]) -> list[tuple[str, str, float]]:
    """Arm, donor and geometric mean over the donor's wells of that arm."""
    donors = dict.fromkeys(value.donor for value in readout.wells)
    return [
        (arm, donor, geometric(own))
        for arm in arms
        for donor in donors
        if (own := [v.value for v in readout.wells if (v.arm, v.donor) == (arm, donor)])
    ]


@styled
def draw(readout: Readout, arms: Sequence[str], donors: Sequence[str]) -> Figure:
    """The figure, arms from left to right, a legend of donors."""
    import numpy as np

    figure, (axes,) = new_figure(max(4.5, 1.5 * len(arms) + 1.5), 4.2)
    spread = np.random.default_rng(0)
    style = style_of(donors)
    for at, arm in enumerate(arms):
        for nth, donor in enumerate(donors):
            own = [v for v in readout.wells if (v.arm, v.donor) == (arm, donor)]
            if own:
                middle = at + (nth - (len(donors) - 1) / 2) * 0.7 / len(donors)
                _donor(axes, own, middle, 0.28 / len(donors), style[donor], spread)
        means = [mean for name, _, mean in donor_means(readout, arms) if name == arm]
        if means and min(means) > 0:
            over = math.exp(math.fsum(map(math.log, means)) / len(means))
            axes.hlines(over, at - 0.4, at + 0.4, color=INK, linewidth=1.4)
    for donor in donors:
        axes.scatter([], [], color=style[donor][0], marker=style[donor][1], label=donor)
    axes.set_xticks(range(len(arms)), arms, rotation=20 if len(arms) > 4 else 0)
    axes.set_ylabel(readout.label)
    axes.grid(visible=False, axis="x")
    figure.legend(loc="outside lower center", ncols=min(6, max(1, len(donors))), title="donor")
    return figure


def _donor(
    axes: Axes,
    wells: Sequence[WellValue],
    middle: float,
    width: float,
    style: tuple[str, str],
    spread: Any,  # noqa: ANN401 - numpy's generator
) -> None:
    colour, marker = style
    tubes = [tube for well in wells for tube in well.tubes]
    axes.scatter(middle + spread.uniform(-width, width, len(tubes)), tubes, s=6, alpha=0.18,
                 color=colour, linewidths=0)  # fmt: skip
    values = [well.value for well in wells]
    across = [
        middle + width * (2 * n / (len(values) - 1) - 1 if len(values) > 1 else 0)
        for n in range(len(values))
    ]
    axes.scatter(across, values, s=26, alpha=0.75, color=colour, marker=marker, linewidths=0)
    axes.scatter([middle], [geometric(values)], s=150, color=colour, marker=marker,
                 edgecolors="white", linewidths=1.4, zorder=3)  # fmt: skip


def _row(level: str, value: WellValue) -> dict[str, Any]:
    return {
        "level": level, "run": value.run, "donor": value.donor, "arm": value.arm,
        "unit": value.unit, "well": value.well, "time_h": value.time_h,
    }  # fmt: skip


@styled
def _saved(figure: Figure, kind: str) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format=kind, dpi=200, metadata=_no_date(kind))
    return stream.getvalue()


def _no_date(kind: str) -> dict[str, Any]:
    return {"Date": None} if kind == "svg" else {"Software": None}
