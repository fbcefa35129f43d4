"""Factors at two levels: main effects, simple effects, interactions and rescue, as cell weights.

Cells are named by the levels (0 or 1) of all factors in order. A contrast is formed within each
donor and tested over donors (``by_donor.over_donors``), or over all cells with one pooled error
(``pooled_effects``). With 0/1 coding the coefficient of a factor is its effect where the others are
0, which is seldom what is asked; so every contrast says where the others stand.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

from labrig_analysis.statistics.estimate import Estimate
from labrig_analysis.statistics.mixed_inference import contrast
from labrig_analysis.statistics.mixed_model import fit_mixed_model

Levels = tuple[int, ...]


def effect(
    factors: Sequence[str], of: Sequence[str], at: Mapping[str, int] | None = None
) -> dict[Levels, float]:
    """Weights of cells for the effect of one factor, or the interaction of several.

    The effect of one factor is level 1 less level 0; of two it is the change of the first's effect
    by the second, so that a rescue is the interaction of insult and nerve factor with everything
    else at full support. Factors that are neither in ``of`` nor in ``at`` are averaged over.

    >>> effect(["N", "A"], ["N"], at={"A": 1})
    {(0, 1): -1.0, (1, 1): 1.0}
    >>> effect(["N", "A"], ["N", "A"])
    {(0, 0): 1.0, (0, 1): -1.0, (1, 0): -1.0, (1, 1): 1.0}

    Args:
        factors: names, in the order of a cell's levels.
        of: the factors whose effect or interaction is asked.
        at: by factor, the level at which it is held.

    Raises:
        ValueError: a factor is unknown, given twice or held and asked at once, or a level is
            neither 0 nor 1.
    """
    held = dict(at or {})
    if not of or len({*of}) < len(of) or len({*factors}) < len(factors):
        raise ValueError("an effect is of one factor or of several different ones")
    for name in (*of, *held):
        if name not in factors:
            raise ValueError(f"no factor {name!r}; there are {', '.join(factors)}")
    for name, level in held.items():
        if name in of:
            raise ValueError(f"factor {name!r} cannot be held and asked at once")
        if level not in (0, 1):
            raise ValueError(f"factor {name!r} is held at 0 or 1, not at {level}")
    averaged = len(factors) - len(of) - len(held)
    weights = {}
    for levels in itertools.product((0, 1), repeat=len(factors)):
        cell = dict(zip(factors, levels, strict=True))
        if any(cell[name] != level for name, level in held.items()):
            continue
        sign = np.prod([1 if cell[name] else -1 for name in of])
        weights[levels] = float(sign) / 2**averaged
    return weights


def pooled_effects(
    values: Mapping[str, Mapping[Levels, float]], factors: Sequence[str]
) -> dict[str, Estimate]:
    """All main effects and interactions with one error over donors, donors as blocks.

    The model is donors + all effects at ±1/2, so that a main effect is averaged over the other
    factors, and df = (donors - 1)(cells - 1) where no cell is missing (Yates 1937).

    Args:
        values: by donor and cell, one mean of logarithms.
        factors: names, in the order of a cell's levels.

    Returns:
        by effect, named "N", "N:A" and so on: the change from level 0 to level 1.

    Raises:
        ValueError: cells are missing in all donors, so that effects cannot be told apart, or there
            is one donor.
    """
    if len(values) < 2:
        raise ValueError("one donor: nothing tells how effects differ between donors")
    rows = [
        (donor, cell, value) for donor, cells in values.items() for cell, value in cells.items()
    ]
    for _, cell, _ in rows:
        if len(cell) != len(factors) or any(level not in (0, 1) for level in cell):
            raise ValueError(f"cell {cell} does not give a level of 0 or 1 for each of {factors}")
    levels = np.array([cell for _, cell, _ in rows], float) - 0.5
    fixed = {f"donor {name}": np.array([float(of == name) for of, _, _ in rows]) for name in values}
    effects = {}
    for size in range(1, len(factors) + 1):
        for subset in itertools.combinations(range(len(factors)), size):
            effects[":".join(factors[i] for i in subset)] = levels[:, list(subset)].prod(axis=1)
    model = fit_mixed_model([value for _, _, value in rows], fixed | effects, {})
    return {name: contrast(model, {name: 1.0}) for name in effects}
