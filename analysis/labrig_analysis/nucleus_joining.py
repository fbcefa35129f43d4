"""Join the pieces that are one nucleus, surest pairs first.

Two judges: one trained on published fields and on drawn ones, whose weights and training record lie
in `weights/nucleus_joining.json`; and a plain rule, which stays for comparison and for whoever
wants nothing learned in the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from labrig_analysis.nucleus_pieces import Borders, Pieces, Values, pair_features

Judge = Callable[[Values], Values]
"""(pairs, 17) features to the probability that each pair is one nucleus."""


def plain_judge(depth: float) -> Judge:
    """One nucleus when the pass between the pieces is less than `depth` deep."""
    return lambda features: (features[:, 0] < depth).astype(np.float64)


@cache
def trained_judge() -> Judge:
    """The shipped network: 17 features, one hidden layer of tanh units, one probability."""
    text = resources.files("labrig_analysis").joinpath("weights/nucleus_joining.json").read_text()
    return network_judge(json.loads(text)["network"])


def network_judge(network: Mapping[str, npt.ArrayLike]) -> Judge:
    """A judge from its weights.

    Args:
        network: `mean` and `sd` (17), `hidden` (17 x units), `hidden_bias`, `output` (units) and
            `output_bias` (1).
    """
    w = {name: np.asarray(values, np.float64) for name, values in network.items()}

    def judge(features: Values) -> Values:
        scaled = np.clip((features - w["mean"]) / w["sd"], -4, 4)
        evidence = np.tanh(scaled @ w["hidden"] + w["hidden_bias"]) @ w["output"]
        return np.asarray(1 / (1 + np.exp(-(evidence + w["output_bias"]))), np.float64)

    return judge


def join_pieces(
    pieces: Pieces, borders: Borders, typical_area: float, judge: Judge
) -> npt.NDArray[np.int32]:
    """For each piece 0..n the piece it is part of in the end.

    In each round all pairs are judged, and those that are each other's surest partner are joined.

    Args:
        pieces: changed in place.
        borders: of all pairs that touch.
        typical_area: of a nucleus, in px.
        judge: pairs above one half are joined.
    """
    owner = np.arange(len(pieces.tops), dtype=np.int32)
    while len(borders.first):
        first, second = borders.first, borders.second
        likely = judge(pair_features(pieces, first, second, borders.crossings, typical_area))
        # Equal pairs are told apart by their order, so that no piece is in two pairs at once.
        likely = likely - 1e-9 * np.arange(len(likely))
        best = np.full(len(owner), 0.5)
        np.maximum.at(best, first, likely)
        np.maximum.at(best, second, likely)
        chosen = (likely > 0.5) & (likely == best[first]) & (likely == best[second])
        if not chosen.any():
            break
        kept, gone = first[chosen], second[chosen]
        pieces.join(kept, gone)
        now = np.arange(len(owner), dtype=np.int32)
        now[gone] = kept
        owner = now[owner]
        borders = borders.relabelled(now)
    return owner
