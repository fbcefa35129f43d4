"""How noisy the classes of units are: their intervals, and the labels that chance alone gives.

A class of one unit is a threshold on one noisy ratio. How units of one arm and donor scatter tells
how noisy; from that follow the interval of each ratio and how many units would be given a label in
a night in which nothing happened.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.protocol.definition import Definition
from labrig.report.verdict import UnitVerdict

_STEPS = 2001
_REACH = 8.0


@dataclass(frozen=True, slots=True)
class UnitNoise:
    """How units of one arm and donor scatter, as standard deviations of logarithms.

    Attributes:
        mass, strength: None where no two units tell it.
        df: degrees of freedom of either.
        controls: by donor, how many units the control has.
        expected: units with a label other than "none", expected by chance; None where unknown.
        expected_sarcopenia: of them, sarcopenia-like.
        of: how many units are classed.
    """

    mass: float | None
    strength: float | None
    df: tuple[int, int]
    controls: Mapping[str, int]
    expected: float | None
    expected_sarcopenia: float | None
    of: int

    def interval(self, unit: UnitVerdict) -> tuple[float, float] | None:
        """90 % interval of a unit's m by Student's t; None where nothing tells it."""
        ratio, controls = unit.latest("m"), self.controls.get(unit.unit.donor, 0)
        if self.mass is None or ratio is None or ratio <= 0 or not controls:
            return None
        from scipy.special import stdtrit

        reach = float(stdtrit(self.df[0], 0.95)) * self.mass * math.sqrt(1 + 1 / controls)
        return ratio * math.exp(-reach), ratio * math.exp(reach)


def unit_noise(
    verdicts: Sequence[UnitVerdict], control: str | None, definition: Definition
) -> UnitNoise:
    """Of all classed units, the control's standing beside them.

    Guards are left out: losses of cells by chance come on top. That a class must last does not
    lessen the number, because a well that is thin by chance stays so.
    """
    classed = [v for v in verdicts if v.unit.arm != control]
    controls: dict[str, int] = {}
    for verdict in verdicts:
        if verdict.unit.arm == control:
            controls[verdict.unit.donor] = controls.get(verdict.unit.donor, 0) + 1
    (mass, df_m), (strength, df_s) = (_scatter(classed, name) for name in ("m", "s"))
    expected = sarcopenia = None
    judged = [v for v in classed if v.label != "not assessable" and controls.get(v.unit.donor)]
    if mass is not None and strength is not None and judged:
        each = [_chances(mass, strength, controls[v.unit.donor], definition) for v in judged]
        expected = math.fsum(any_label for any_label, _ in each)
        sarcopenia = math.fsum(both for _, both in each)
    return UnitNoise(mass, strength, (df_m, df_s), controls, expected, sarcopenia, len(judged))


def _scatter(classed: Sequence[UnitVerdict], name: str) -> tuple[float | None, int]:
    """Pooled within arm and donor; what their control errs is common to them and drops out."""
    cells: dict[tuple[str, str], list[float]] = {}
    for verdict in classed:
        ratio = verdict.latest(name)  # type: ignore[arg-type]
        if ratio is not None and ratio > 0:
            cells.setdefault((verdict.unit.arm, verdict.unit.donor), []).append(math.log(ratio))
    squares, df = 0.0, 0
    for logs in cells.values():
        mean = math.fsum(logs) / len(logs)
        squares += math.fsum((value - mean) ** 2 for value in logs)
        df += len(logs) - 1
    return (math.sqrt(squares / df) if df and squares > 0 else None), df


def _chances(
    mass: float, strength: float, controls: int, definition: Definition
) -> tuple[float, float]:
    """Of one unit whose true ratios are 1: of any label, and of sarcopenia-like."""
    import numpy as np
    from scipy.special import ndtr

    widen = math.sqrt(1 + 1 / controls)
    low_m, low_s, low_q = (math.log(t) for t in (
        definition.low_mass_m, definition.low_strength_s, definition.low_quality_q
    ))  # fmt: skip
    z = np.linspace(-_REACH, _REACH, _STEPS)
    log_m = z * mass * widen
    # "none" needs s above its own threshold and, for q = s / m, above low_q times m.
    kept = ndtr(-np.maximum(low_s, low_q + log_m) / (strength * widen)) * (log_m > low_m)
    density = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
    none = float((kept * density).sum() * (z[1] - z[0]))
    both = float(ndtr(low_m / (mass * widen)) * ndtr(low_s / (strength * widen)))
    return 1 - none, both
