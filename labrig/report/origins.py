"""Which origins of loss, of those the seed paper tells apart, the arms of a run can tell apart."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labrig.protocol.models import Arm, Protocol
from labrig_analysis.statistics import effect_from_cells, estimable

EFFECTS = ("mean", "N", "A", "M", "V", "N×A", "N×M", "A×M")
"""Nerve factors, activity, muscle insult, low supply, and what the origins need of interplay."""


@dataclass(frozen=True, slots=True)
class Origin:
    """One origin that the seed paper tells apart, and whether these arms can.

    Attributes:
        ratio: what the effect multiplies the diameter by, from the arms' means; None where it
            cannot be told or nothing is measured.
    """

    name: str
    contrast: str
    identifiable: bool
    why: str
    ratio: float | None


def origins(protocol: Protocol, arm_log_means: Mapping[str, float]) -> tuple[Origin, ...]:
    """Which origins of loss these arms can tell apart.

    An origin is identifiable when its contrast lies in the row space of the arms. In a culture of
    muscle cells alone a synaptogenic origin cannot be told from a neurogenic one by any arms.

    Args:
        protocol: its arms.
        arm_log_means: by arm, the mean of log diameter over units; empty when not measured.
    """
    design = {arm: _effects(protocol, arm) for arm in protocol.arms}
    found = []
    for name, contrast, needs, absent in (
        ("neurogenic, trophic", "nerve factors withdrawn (N)", ("N",), "arms that differ in nerve "
         "factors alone"),
        ("neurogenic, activity", "impulses withdrawn (A)", ("A",), "arms that differ in impulses "
         "alone"),
        ("musculogenic", "insult (M) and its rescue (N×M, A×M)", ("M", "N×M", "A×M"),
         "an insult arm, and the insult with and without nerve factors and impulses"),
        ("vasculogenic", "low supply (V)", ("V",), "an arm with less flow"),
    ):  # fmt: skip
        rows = _without_idle_effects(list(design.values()), needs)
        wanted = [[float(e == need) for e in EFFECTS] for need in needs]
        able = all(estimable(rows, w) for w in wanted)
        ratio = None
        if able and set(arm_log_means) == set(design):
            by_arm = dict(zip(design, rows, strict=True))
            change = effect_from_cells(by_arm, arm_log_means, wanted[0])
            # N and A are support: their origin is their loss. M and V are the harm itself.
            ratio = math.exp(-change if needs[0] in ("N", "A") else change)
        why = "" if able else f"not identifiable with these arms: it needs {absent}"
        found.append(Origin(name, contrast, able, why, ratio))
    found.append(
        Origin(
            "synaptogenic",
            "transmission blocked, impulses given directly",
            False,
            "not identifiable with these arms: muscle cells alone have no synapse to lose",
            None,
        )
    )
    return tuple(found)


def _effects(protocol: Protocol, arm: str) -> list[float]:
    asked = protocol.arms[arm]
    n, m = (float(_gets(protocol, asked, role)) for role in ("nerve", "insult"))
    pattern = protocol.patterns.get(asked.pattern or "")
    a = float(pattern is not None and pattern.amplitude_v > 0)
    full = protocol.perfusion.flow_ml_h if protocol.perfusion else 0.0
    v = float(asked.flow_ml_h is not None and asked.flow_ml_h < full)
    return [1.0, n, a, m, v, n * a, n * m, a * m]


def _gets(protocol: Protocol, arm: Arm, role: str) -> bool:
    targeted = [
        factor
        for factor, target in arm.targets.items()
        if not isinstance(target, (int, float)) or target > 0
    ]
    given = [*targeted, *(bolus.factor for bolus in arm.boluses)]
    return any(protocol.factors[factor].role == role for factor in given)


def _without_idle_effects(rows: list[list[float]], needs: Sequence[str]) -> list[list[float]]:
    """Interplay that the origin does not ask about is left out of the model."""
    keep = {"mean", "N", "A", "M", "V", *needs}
    return [[x if e in keep else 0.0 for e, x in zip(EFFECTS, row, strict=True)] for row in rows]
