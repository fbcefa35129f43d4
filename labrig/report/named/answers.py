"""What an outcome's question was answered with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from labrig_analysis.statistics.estimate import Estimate
from labrig_analysis.statistics.multiplicity import holm

Scale = Literal["ratio", "difference"]

ERROR_RATE = 0.05
"""Of all named outcomes together, two-sided [P]."""


@dataclass(frozen=True, slots=True)
class Point:
    """One unit's, or donor's, own value, for the figure and the long table."""

    group: str
    unit: str
    donor: str
    value: float


@dataclass(frozen=True, slots=True)
class Answer:
    """One question of one read-out.

    Attributes:
        outcome: its name in the protocol.
        kind: of outcome.
        readout: in words.
        asked: what more was asked, e.g. ``10 % quantile``; "" for nothing.
        of, against: arms, or cells, that are compared; against "" where nothing is.
        estimate: a log ratio, or a difference in ``unit``; without an error where ``why_not`` says
            so; None where nothing can be said.
        scale: of the estimate.
        unit: of a difference, or of a ratio that is one per something.
        scope: of whom it speaks.
        n: what was counted, e.g. ``4 donors``.
        method: how the error was told.
        p_holm: adjusted over all named outcomes; None without a test.
        tested: whether it is a question of the family; the others describe it.
        why_not: why there is no test.
        doubts: what a reader must know.
        points: of single units.
    """

    outcome: str
    kind: str
    readout: str
    asked: str
    of: str
    against: str
    estimate: Estimate | None
    scale: Scale
    unit: str
    scope: str
    n: str
    method: str
    p: float | None
    p_holm: float | None = None
    tested: bool = True
    why_not: str = ""
    doubts: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()

    @property
    def shown(self) -> bool:
        """Whether it differs from none, over all that was named."""
        return self.p_holm is not None and self.p_holm < ERROR_RATE

    @property
    def value(self) -> float | None:
        """A ratio, or a difference in ``unit``."""
        if self.estimate is None:
            return None
        return self.estimate.ratio if self.scale == "ratio" else self.estimate.value

    @property
    def interval(self) -> tuple[float, float] | None:
        """Of the value, 95 %; None without an error."""
        if self.estimate is None or self.estimate.low is None or self.estimate.high is None:
            return None
        if self.scale == "ratio":
            return math.exp(self.estimate.low), math.exp(self.estimate.high)
        return self.estimate.low, self.estimate.high


def as_family(answers: Sequence[Answer]) -> tuple[Answer, ...]:
    """Holm over every question that has a p; descriptions keep none."""
    asked = [i for i, each in enumerate(answers) if each.tested and each.p is not None]
    adjusted = dict(zip(asked, holm([answers[i].p or 0.0 for i in asked]), strict=True))
    return tuple(replace(each, p_holm=adjusted.get(i)) for i, each in enumerate(answers))


def scaled(estimate: Estimate, by: float) -> Estimate:
    """The same estimate in another unit."""
    return replace(
        estimate,
        value=estimate.value * by,
        error=None if estimate.error is None else estimate.error * abs(by),
        low=None if estimate.low is None else estimate.low * by,
        high=None if estimate.high is None else estimate.high * by,
    )


def in_unit(answer: Answer, per: float) -> Answer:
    """An answer of values that were divided by ``per``, in their own unit again."""
    if per == 1.0:
        return answer
    return replace(
        answer,
        estimate=None if answer.estimate is None else scaled(answer.estimate, per),
        points=tuple(replace(point, value=point.value * per) for point in answer.points),
    )
