"""Join the pieces that are one nucleus, surest pair first.

Two judges: one trained on published fields and on drawn ones, whose weights and training record lie
in `weights/nucleus_joining.json`; and a plain rule, which stays for comparison and for whoever
wants nothing learned in the way.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from labrig_analysis.nucleus_pieces import Borders, Pieces, Values, pair_features

Judge = Callable[[Values], Values]
"""(pairs, 12) features to the probability that each pair is one nucleus."""


def plain_judge(depth: float) -> Judge:
    """One nucleus when the pass between the pieces is less than `depth` deep."""
    return lambda features: (features[:, 0] < depth).astype(np.float64)


@cache
def trained_judge() -> Judge:
    """The shipped network: 12 features, one hidden layer of tanh units, one probability."""
    text = resources.files("labrig_analysis").joinpath("weights/nucleus_joining.json").read_text()
    return network_judge(json.loads(text)["network"])


def network_judge(network: Mapping[str, npt.ArrayLike]) -> Judge:
    """A judge from its weights.

    Args:
        network: `mean` and `sd` (12), `hidden` (12 x units), `hidden_bias`, `output` (units) and
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

    Args:
        pieces: changed in place.
        borders: of all pairs that touch.
        typical_area: of a nucleus, in px.
        judge: pairs above one half are joined, most probable first, each join judged anew.
    """
    owner = np.arange(len(pieces.tops), dtype=np.int32)
    if not len(borders.first):
        return owner
    neighbours: dict[int, dict[int, Values]] = {}
    for a, b, crossing in zip(
        borders.first.tolist(), borders.second.tolist(), borders.crossings, strict=True
    ):
        neighbours.setdefault(a, {})[b] = crossing
        neighbours.setdefault(b, {})[a] = crossing
    age = dict.fromkeys(neighbours, 0)
    queue: list[tuple[float, int, int, int, int]] = []

    def ask(first: list[int], second: list[int]) -> None:
        crossings = np.array([neighbours[a][b] for a, b in zip(first, second, strict=True)])
        features = pair_features(pieces, np.array(first), np.array(second), crossings, typical_area)
        for a, b, p in zip(first, second, judge(features).tolist(), strict=True):
            if p > 0.5:
                heapq.heappush(queue, (-p, a, b, age[a], age[b]))

    ask(borders.first.tolist(), borders.second.tolist())
    while queue:
        _, kept, gone, kept_age, gone_age = heapq.heappop(queue)
        # A piece that has changed since was judged anew then; what is in the queue is stale.
        if age.get(kept) != kept_age or age.get(gone) != gone_age:
            continue
        pieces.join(kept, gone)
        owner[owner == gone] = kept
        age[kept] += 1
        del age[gone]
        for label, crossing in neighbours.pop(gone).items():
            del neighbours[label][gone]
            if label != kept:
                merged = _merged(neighbours[kept].get(label), crossing)
                neighbours[kept][label] = neighbours[label][kept] = merged
        around = list(neighbours[kept])
        if around:
            ask([kept] * len(around), around)
    return owner


def _merged(one: Values | None, other: Values) -> Values:
    """Two stretches of border as one: the higher passes, the lengths together."""
    if one is None:
        return other
    return np.append(np.maximum(one[:3], other[:3]), one[3] + other[3])
