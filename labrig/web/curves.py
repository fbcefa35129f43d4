"""The planned concentration of a factor in one well, as the points of a small drawing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from labrig.display.concentrations import scale_of
from labrig.display.numbers import number_words
from labrig.plan.dose_model import FactorLoss
from labrig.plan.foreseen import Curve
from labrig.web.look import Look

WIDTH, HEIGHT = 320.0, 90.0


@dataclass(frozen=True, slots=True)
class CurveDrawing:
    """One drawing, :data:`WIDTH` by :data:`HEIGHT`.

    Attributes:
        band: outline of what the uncertainty of a half-life allows.
        line: what is expected.
        now: where the present is, from the left; None before anything was heard.
        top: the value at its upper edge.
    """

    factor: str
    band: str
    line: str
    now: float | None
    top: str


def curve_drawings(
    curves: Iterable[Curve],
    factors: Sequence[FactorLoss],
    well: str,
    look: Look,
    *,
    blind: bool,
) -> list[CurveDrawing]:
    """One for each factor that the well is to get; none while factors must not be told."""
    own = [curve for curve in curves if curve.well == well and max(curve.high_ng_ml) > 0]
    return [] if blind else [_drawing(curve, factors, look) for curve in own]


def _drawing(curve: Curve, factors: Sequence[FactorLoss], look: Look) -> CurveDrawing:
    end_s, top = curve.times_s[-1] or 1.0, max(curve.high_ng_ml)

    def point(at_s: float, value: float) -> str:
        return f"{at_s / end_s * WIDTH:.1f},{HEIGHT - value / top * (HEIGHT - 4):.1f}"

    scale, unit = scale_of(factors, curve.factor, top)
    step = max(1, len(curve.times_s) // 160)
    at = range(0, len(curve.times_s), step)
    upper = [point(curve.times_s[i], curve.high_ng_ml[i]) for i in at]
    lower = [point(curve.times_s[i], curve.low_ng_ml[i]) for i in reversed(at)]
    return CurveDrawing(
        curve.factor,
        " ".join([*upper, *lower]),
        " ".join(point(curve.times_s[i], curve.values_ng_ml[i]) for i in at),
        None if look.now_s is None else min(look.now_s, end_s) / end_s * WIDTH,
        number_words(top / scale, unit),
    )
