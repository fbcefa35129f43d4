"""Predicted concentrations as a picture: one panel per factor, one line per arm."""

from __future__ import annotations

from pathlib import Path

from labrig.plan.foreseen import Curve
from labrig.plan.plan import Plan


def representatives(plan: Plan) -> dict[str, dict[str, Curve]]:
    """Factor -> arm -> the curve of the arm's first well."""
    arm_of = {well.well: well.arm for well in plan.wells}
    chosen: dict[str, dict[str, Curve]] = {}
    for curve in plan.forecast.curves:
        chosen.setdefault(curve.factor, {}).setdefault(arm_of[curve.well], curve)
    return chosen


def save_curves(plan: Plan, path: Path) -> None:
    """Write the picture: line predicted, band from an assumed half-life, dashes the target.

    A plan without any factor gives a picture that says so.

    Raises:
        OSError: the file cannot be written.
    """
    from matplotlib.figure import Figure

    chosen = representatives(plan)
    figure = Figure(figsize=(9, 2.4 * max(1, len(chosen))), layout="constrained")
    panels = figure.subplots(max(1, len(chosen)), squeeze=False, sharex=True)[:, 0]
    if not chosen:
        panels[0].text(0.5, 0.5, "no factor is given in this protocol", ha="center")
    for axes, (factor, by_arm) in zip(panels, chosen.items(), strict=False):
        for arm, curve in by_arm.items():
            hours = [time / 3600 for time in curve.times_s]
            (line,) = axes.plot(hours, curve.values_ng_ml, lw=1.2, label=arm)
            axes.fill_between(
                hours, curve.low_ng_ml, curve.high_ng_ml, alpha=0.2, color=line.get_color()
            )
            axes.plot(hours, curve.target_ng_ml, lw=0.8, ls="--", color="black")
        unit = next((loss.unit for loss in plan.factors if loss.factor == factor), "ng/mL")
        axes.set_ylabel(f"{factor}, {unit}", fontsize=8)
        axes.legend(fontsize=6, loc="lower right")
    basis = {loss.factor: loss.basis for loss in plan.factors}
    assumed = [factor for factor in chosen if basis.get(factor) == "assumed"]
    panels[-1].set_xlabel(
        "hours from t0" + (f"; half-life assumed: {', '.join(assumed)}" if assumed else "")
    )
    figure.suptitle(f"Predicted concentrations, {plan.protocol_name}", fontsize=10)
    figure.savefig(path)
