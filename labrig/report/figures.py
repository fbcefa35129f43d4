"""The figures of the report: each a function from tables to one inline SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from labrig.display.concentrations import scale_of
from labrig.display.legend import Legend
from labrig.plan.foreseen import Curve
from labrig.plan.plan import Plan
from labrig.plan.timeline import levels_with_ends
from labrig.plan.words import words_of
from labrig.record.kinds.levels import AirRead
from labrig.record.ledger import Ledger
from labrig.record.rows import Row
from labrig.record.said import said
from labrig.report.contraction import READOUTS as CONTRACTION
from labrig.report.drawing import (
    BAD,
    COLOURS,
    GOOD,
    INK,
    QUIET,
    RULE,
    WARN,
    new_figure,
    style_of,
    styled,
    time_axis,
    to_svg,
)
from labrig.report.growth import READOUTS
from labrig.report.outcome import Outcome

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

MANY_LABELS, SOME_LABELS, FEW_LABELS = 14, 5, 3
"""Of the clock, for which a figure, a half and a third of one have room."""
_WIDE_IN = 9.5
_FATE_COLOUR = {
    "on time": GOOD, "late": WARN, "missed": BAD, "failed": BAD, "uncertain": WARN,
    "skipped": QUIET,
}  # fmt: skip


@styled
def timeline_figure(plan: Plan, outcome: Outcome, legend: Legend) -> str:
    """Phases, settings, pictures, doses and what went wrong, on the run's clock."""
    settings = _settings(plan)
    lanes = ["deviations", "doses", "pictures", *settings, "phases"]
    figure, (axes,) = new_figure(_WIDE_IN, 1.2 + 0.3 * len(lanes))
    top = len(lanes) - 1
    ends_h = max(plan.forecast.duration_s, outcome.until_s) / 3600
    shades = ("#e3ebf3", "#cfdcea")
    for index, span in enumerate(plan.phases):
        axes.broken_barh(
            [(span.start_s / 3600, (span.end_s - span.start_s) / 3600)], (top - 0.4, 0.8),
            facecolor=shades[index % 2], edgecolor="white",
        )  # fmt: skip
        axes.text(span.start_s / 3600 + 0.05, top, span.name, va="center", fontsize=9, color=INK)
    for lane, stretches in enumerate(settings.values(), start=3):
        spans = [(from_h, to_h - from_h) for from_h, to_h in stretches]
        axes.broken_barh(spans, (lane - 0.3, 0.6), facecolor="#b9a6d3")
    slipped = {slip.key: slip.fate for slip in outcome.slips}
    for lane, kinds in ((2, ("frame", "film")), (1, ("dose",))):
        due: dict[str, list[float]] = {}
        for entry in plan.timeline:
            if entry.kind in kinds and entry.offset_s <= outcome.until_s:
                due.setdefault(slipped.get(entry.key, "on time"), []).append(entry.offset_s / 3600)
        for fate, hours in due.items():
            tall = 0.5 if fate == "on time" else 0.8
            axes.vlines(
                _told_apart(hours, ends_h), lane - tall / 2, lane + tall / 2,
                color=_FATE_COLOUR[fate], linewidth=0.7 if fate == "on time" else 1.6,
            )  # fmt: skip
    hours = [deviation.at_s / 3600 for deviation in outcome.deviations]
    axes.plot(hours, [0] * len(hours), marker="D", linestyle="", color=BAD, markersize=5)
    for gap in outcome.gaps:
        axes.axvspan(gap.from_s / 3600, gap.to_s / 3600, color=BAD, alpha=0.15, linewidth=0)
    axes.axvline(outcome.until_s / 3600, color=INK, linewidth=1)
    axes.set_yticks(range(len(lanes)), lanes)
    axes.set_ylim(-0.6, top + 0.6)
    axes.set_xlim(0, ends_h)
    time_axis(axes, legend, MANY_LABELS)
    axes.grid(visible=False, axis="y")
    return to_svg(figure, "timeline")


def _told_apart(hours: Sequence[float], ends_h: float) -> list[float]:
    """Of ticks within a quarter of a point the first: a week has a hundred thousand pictures."""
    step_h = ends_h / (4 * 72 * _WIDE_IN)
    first: dict[int, float] = {}
    for hour in hours:
        first.setdefault(int(hour / step_h), hour)
    return list(first.values())


@styled
def concentration_figure(plan: Plan, ledger: Ledger, legend: Legend) -> str | None:
    """Concentration by factor: target, predicted with its half-life band, modelled as delivered.

    One line for wells that were fed alike; red where they are left out. None when no
    factor is dosed.
    """
    by_factor = {
        loss.factor: [c for c in plan.forecast.curves if c.factor == loss.factor and
                      any(c.values_ng_ml)]
        for loss in plan.factors
    }  # fmt: skip
    shown = {factor: curves for factor, curves in by_factor.items() if curves}
    if not shown:
        return None
    columns = min(2, len(shown))
    rows = -(-len(shown) // columns)
    figure, axes = new_figure(9.5, 2.5 * rows + 0.4, rows, columns)
    for panel, (factor, curves) in zip(axes, shown.items(), strict=False):
        highest = max(max(curve.values_ng_ml) for curve in curves)
        scale, unit = scale_of(plan.factors, factor, highest)
        _predicted(panel, curves, scale)
        drawn = set()
        for dose in ledger.wells:
            values = dose.curve.values_ng_ml
            censored = dose.well in ledger.censored_from_s
            if dose.factor != factor or not any(values) or (values, censored) in drawn:
                continue
            drawn.add((values, censored))
            panel.plot(_hours(dose.curve.times_s), [v / scale for v in values],
                       color=BAD if censored else COLOURS[0], linewidth=1.5)  # fmt: skip
        panel.set_title(f"{factor} ({unit})")
        panel.set_ylim(bottom=0)
        panel.set_xlim(0, plan.forecast.duration_s / 3600)
    for panel in axes[len(shown) :]:
        panel.set_visible(False)
    for panel in axes[: len(shown)][-columns:]:
        time_axis(panel, legend, SOME_LABELS)
    _dose_legend(figure, censored=bool(ledger.censored_from_s))
    return to_svg(figure, "doses")


@styled
def growth_figure(
    table: pd.DataFrame, arms: Sequence[str], phases: Plan, legend: Legend
) -> str | None:
    """Growth over time by arm; None: no measures."""
    return _over_time(table, arms, phases, legend, READOUTS, "growth")


@styled
def contraction_figure(
    table: pd.DataFrame, arms: Sequence[str], phases: Plan, legend: Legend
) -> str | None:
    """Optical contraction over time by arm; None: no film that counts."""
    return _over_time(table, arms, phases, legend, CONTRACTION, "contraction")


def _over_time(
    table: pd.DataFrame,
    arms: Sequence[str],
    phases: Plan,
    legend: Legend,
    readouts: Mapping[str, str],
    title: str,
) -> str | None:
    """Each readout over time: units faint, the mean of an arm's units bold."""
    shown = [name for name in readouts if name in table and table[name].notna().any()]
    if not shown:
        return None
    figure, axes = new_figure(9.5, 3.3, 1, len(shown))
    style = style_of(arms)
    handles: list[Any] = []
    for panel, name in zip(axes, shown, strict=True):
        handles = []
        known = table[table[name].notna()]
        for arm in arms:
            colour, marker = style[arm]
            own = known[known["arm"] == arm]
            for _, unit in own.groupby("unit", sort=False):
                panel.plot(unit["hours"], unit[name], color=colour, alpha=0.35, linewidth=1)
            mean = own.groupby("round")[["hours", name]].mean()
            handles += panel.plot(mean["hours"], mean[name], color=colour, marker=marker,
                                  linewidth=2.2, markersize=5, label=arm)  # fmt: skip
        for span in phases.phases[1:]:
            panel.axvline(span.start_s / 3600, color=QUIET, linewidth=0.8, linestyle=":")
        panel.set_title(readouts[name])
        panel.set_xlim(left=0)
        time_axis(panel, legend, FEW_LABELS)
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9)
    return to_svg(figure, title)


@styled
def superplot(
    tubes: pd.DataFrame, wells: pd.DataFrame, units: pd.DataFrame, arms: Sequence[str]
) -> str | None:
    """Diameters at one round: tubes faint, wells small, the n of the run large (Lord 2020).

    With several donors colour is the donor, and a large dot its mean; with one, colour is the arm,
    and a large dot an experimental unit. The line is the geometric mean over large dots.

    Args:
        tubes: columns arm, donor, diameter_mean_um of the tubes that count.
        wells: columns arm, donor, diameter_um.
        units: columns arm, donor, diameter_um.
        arms: from left to right.
    """
    if units.empty or units["diameter_um"].isna().all():
        return None
    import numpy as np

    figure, (axes,) = new_figure(9.5, 3.6)
    spread = np.random.default_rng(0)
    donors = list(dict.fromkeys(units["donor"]))
    several = len(donors) > 1
    style = style_of(donors if several else arms)
    for index, arm in enumerate(arms):
        middles = []
        for number, donor in enumerate(donors):
            colour, marker = style[donor if several else arm]
            own = units[(units["arm"] == arm) & (units["donor"] == donor)]["diameter_um"].dropna()
            large = [float(np.exp(np.log(own).mean()))] if several and len(own) else list(own)
            middles += large
            for table, column, size, alpha, width in (
                (tubes, "diameter_mean_um", 7, 0.22, 0.30),
                (wells, "diameter_um", 26, 0.7, 0.24),
                (None, "", 120, 1.0, 0.12),
            ):
                values = np.array(large) if table is None else table[
                    (table["arm"] == arm) & (table["donor"] == donor)
                ][column].dropna().to_numpy(float)  # fmt: skip
                across = index + spread.uniform(-width, width, len(values))
                if size > 7:
                    across = index + np.linspace(-width, width, len(values)) * (len(values) > 1)
                if several and table is None:
                    across = index + width * (2 * number / (len(donors) - 1) - 1) + 0 * values
                named = several and table is None and index == 0
                axes.scatter(across, values, s=size, alpha=alpha, color=colour,
                             marker=marker if size > 7 else "o", linewidths=1.2 if size > 50 else 0,
                             edgecolors="white" if size > 7 else "none",
                             label=donor if named else None)  # fmt: skip
        if middles:
            middle = float(np.exp(np.log(middles).mean()))
            axes.hlines(middle, index - 0.36, index + 0.36, color=INK, linewidth=1.4)
    if several:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False)
    axes.set_xticks(range(len(arms)), arms)
    axes.set_ylabel(READOUTS["diameter_um"])
    axes.grid(visible=False, axis="x")
    return to_svg(figure, "superplot")


@styled
def environment_figure(plan: Plan, rows: Sequence[Row], legend: Legend) -> str | None:
    """CO2 and temperature with their limits, and what else a probe gave; None without readings."""
    readings = [
        (row.run_s / 3600, told.values)
        for row in rows
        if row.kind == "reading" and isinstance(told := said(row), AirRead)
    ]
    if not readings:
        return None
    rules = plan.rules
    steered = {each.quantity for each in plan.climate if each.probe}
    panels: list[tuple[str, str, float | None, float | None]] = [
        ("co2_percent", "CO2 (%)", rules.co2_percent, rules.warn_co2_percent),
        ("temperature_c", "Temperature (°C)", rules.temperature_c, rules.warn_temperature_c),
    ]
    panels += [(key, _title(key), None, None) for key in _other_quantities(readings)]
    panels = [p for p in panels if any(v.get(p[0]) is not None for _, v in readings)]
    if not panels:
        return None
    figure, axes = new_figure(9.5, 2.2, 1, len(panels))
    for panel, (name, title, wanted, limit) in zip(axes, panels, strict=True):
        known = [(at_h, value) for at_h, v in readings if (value := v.get(name)) is not None]
        values = [value for _, value in known]
        if name in steered:
            wanted = None  # what it follows stands among the treatments
        if wanted is not None and limit is not None:
            panel.axhspan(wanted - limit, wanted + limit, color="#e7f1ea", linewidth=0)
        panel.plot([at_h for at_h, _ in known], values, color=INK, linewidth=1.2)
        if wanted is not None and limit is not None:
            panel.set_ylim(min(*values, wanted - 1.4 * limit), max(*values, wanted + 1.4 * limit))
        panel.set_title(title)
        time_axis(panel, legend, SOME_LABELS)
    return to_svg(figure, "environment")


def _other_quantities(readings: Sequence[tuple[float, Mapping[str, float | None]]]) -> list[str]:
    """Keys of what is measured besides, as a row holds it: a number under a name with a unit."""
    known = ("co2_percent", "temperature_c")
    found = (key for _, values in readings for key in values if "_" in key)
    return [key for key in dict.fromkeys(found) if key not in known]


def _title(key: str) -> str:
    name, _, unit = key.rpartition("_")
    return f"{name.replace('_', ' ').capitalize()} ({unit})"


def _predicted(panel: Any, curves: Sequence[Curve], scale: float) -> None:  # noqa: ANN401
    drawn = set()
    for curve in curves:
        same = (curve.target_ng_ml, curve.low_ng_ml, curve.high_ng_ml)
        if same in drawn or not any(curve.values_ng_ml):
            continue
        drawn.add(same)
        hours = _hours(curve.times_s)
        low = [min(pair) / scale for pair in zip(curve.low_ng_ml, curve.high_ng_ml, strict=True)]
        high = [max(pair) / scale for pair in zip(curve.low_ng_ml, curve.high_ng_ml, strict=True)]
        panel.fill_between(hours, low, high, color=RULE, linewidth=0)
        if curve.target_ng_ml != curve.values_ng_ml:
            panel.plot(hours, [t / scale for t in curve.target_ng_ml], color=INK, linestyle="--",
                       linewidth=1, drawstyle="steps-post")  # fmt: skip


def _dose_legend(figure: Figure, *, censored: bool) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: list[Any] = [
        Line2D([], [], color=INK, linestyle="--", linewidth=1, label="target"),
        Patch(facecolor=RULE, label="predicted, over the half-life's range"),
        Line2D([], [], color=COLOURS[0], label="as the pumps believe"),
    ]
    if censored:
        handles.append(Line2D([], [], color=BAD, label="the same, well left out"))
    figure.legend(handles=handles, loc="outside lower center", ncols=4, fontsize=9)


def _hours(times_s: Sequence[float]) -> list[float]:
    return [time / 3600 for time in times_s]


def _settings(plan: Plan) -> dict[str, list[tuple[float, float]]]:
    """Stretches, in hours, in which what is set to work works; by what it is called.

    Flow, valves and surroundings are left out: they always hold something.
    """
    stretches: dict[str, list[tuple[float, float]]] = {}
    for level, end_s in levels_with_ends(plan.timeline, plan.forecast.duration_s):
        if level.kind in ("flow", "valve", "climate"):
            continue
        words = words_of(level)
        own = stretches.setdefault(words.many, [])
        if any(words.lanes.values()):
            own.append((level.offset_s / 3600, end_s / 3600))
    return stretches
