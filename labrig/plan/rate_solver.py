"""Which flows of which stocks hold a chamber at its target concentrations.

Qᵢ = Cᵢ*(Q + kᵢV)/(rᵢSᵢ) for one factor a stock; a stock of several factors has one flow for
all of them, so non-negative least squares over the stocks, relative to each target (Lawson
and Hanson 1974, through scipy). The base medium makes up the rest of the total flow.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from labrig.plan.perfusion_physics import decay_rate_per_h

DUST_ML_H = 1e-9
"""Less than a cell's volume an hour: what least squares leave of 0 [P]."""


@dataclass(frozen=True, slots=True)
class Chamber:
    """What the solver must know of one well."""

    volume_ml: float
    flow_ml_h: float


@dataclass(frozen=True, slots=True)
class Solution:
    """Flows that hold the targets, or as near as the stocks allow.

    Attributes:
        flows_ml_h: by stock.
        base_ml_h: medium that makes up the total; below 0 when the stocks are too weak.
        reached_ng_ml: steady concentration of every factor with these flows.
    """

    flows_ml_h: Mapping[str, float]
    base_ml_h: float
    reached_ng_ml: Mapping[str, float]


def solve(
    chamber: Chamber,
    targets_ng_ml: Mapping[str, float],
    half_lives_h: Mapping[str, float],
    stocks: Mapping[str, Mapping[str, float]],
) -> Solution:
    """Flows of ``stocks`` for ``targets_ng_ml``.

    Args:
        chamber: volume and total flow.
        targets_ng_ml: factor -> concentration; factors at 0 or absent should stay 0.
        half_lives_h: factor -> half-life at 37 °C.
        stocks: stock -> factor -> concentration as it arrives (ng/mL × recovery).

    Returns:
        The solution; infeasibility shows as a negative base or as a reached concentration
        off its target, and is the caller's to report.
    """
    loss = {
        factor: chamber.flow_ml_h + decay_rate_per_h(half_lives_h[factor]) * chamber.volume_ml
        for factor in {f for contents in stocks.values() for f in contents} | set(targets_ng_ml)
    }
    names = [name for name, contents in stocks.items() if any(contents.values())]
    flows = _flows(names, targets_ng_ml, loss, stocks)
    reached = {
        factor: sum(flows[name] * stocks[name].get(factor, 0.0) for name in names) / loss[factor]
        for factor in sorted(loss)
    }
    return Solution(flows, chamber.flow_ml_h - sum(flows.values()), reached)


def _flows(
    names: list[str],
    targets: Mapping[str, float],
    loss: Mapping[str, float],
    stocks: Mapping[str, Mapping[str, float]],
) -> dict[str, float]:
    wanted = {factor: value for factor, value in targets.items() if value > 0}
    separate = all(
        len([f for f, value in stocks[name].items() if value > 0]) == 1 for name in names
    ) and len({next(f for f, v in stocks[n].items() if v > 0) for n in names}) == len(names)
    if separate:
        # one factor a stock: the closed form is exact and needs no SciPy
        flows = {}
        for name in names:
            factor, strength = next((f, v) for f, v in stocks[name].items() if v > 0)
            flows[name] = wanted.get(factor, 0.0) * loss[factor] / strength
        return flows
    if not wanted:
        return dict.fromkeys(names, 0.0)
    import numpy as np

    factors = sorted(
        {f for name in names for f, value in stocks[name].items() if value > 0} | set(wanted)
    )
    least = min(wanted.values())
    matrix = np.zeros((len(factors), len(names)))
    goal = np.zeros(len(factors))
    for row, factor in enumerate(factors):
        # relative errors: 10 % of CNTF at 10 ng/mL weighs as much as 10 % of BDNF at 50
        scale = wanted.get(factor, least)
        goal[row] = wanted.get(factor, 0.0) / scale
        for column, name in enumerate(names):
            matrix[row, column] = stocks[name].get(factor, 0.0) / loss[factor] / scale
    columns = np.linalg.norm(matrix, axis=0)  # equal column lengths keep nnls well conditioned
    solved, _, rank, _ = np.linalg.lstsq(matrix / columns, goal, rcond=None)
    # The one solution, if no flow of it is below 0: most often, and SciPy takes long to load.
    if rank < len(names) or (solved / columns <= -DUST_ML_H).any():
        from scipy.optimize import nnls

        solved, _ = nnls(matrix / columns, goal)
    found = {name: float(solved[i] / columns[i]) for i, name in enumerate(names)}
    return {name: flow if flow >= DUST_ML_H else 0.0 for name, flow in found.items()}


def least_stock_ng_ml(
    target_ng_ml: float,
    chamber: Chamber,
    half_life_h: float,
    recovery: float,
    allowed_ml_h: float,
) -> float:
    """The weakest stock that reaches a target within the allowed flow.

    S_min = C*(Q + kV)/(r Q_allowed); infinite when no flow is allowed.
    """
    if allowed_ml_h <= 0:
        return math.inf
    loss = chamber.flow_ml_h + decay_rate_per_h(half_life_h) * chamber.volume_ml
    return target_ng_ml * loss / (recovery * allowed_ml_h)
