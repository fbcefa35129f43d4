"""Merge the fragments that are one nucleus, surest pairs first.

Two classifiers: one trained on published fields and on drawn ones, whose weights and training
record lie in `weights/nucleus_merging.json`; and a plain rule, which stays for comparison and for
whoever wants nothing learned in the way.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import cache
from importlib import resources

import numpy as np
import numpy.typing as npt

from labrig_analysis.nuclei.fragments import Borders, Fragments, Values, pair_features

Classifier = Callable[[Values], Values]
"""(pairs, 17) features to the probability that each pair is one nucleus."""


def plain_classifier(depth: float) -> Classifier:
    """One nucleus when the saddle between the fragments is less than `depth` deep."""
    return lambda features: (features[:, 0] < depth).astype(np.float64)


@cache
def trained_classifier() -> Classifier:
    """The shipped network: 17 features, one hidden layer of tanh units, one probability."""
    text = resources.files("labrig_analysis").joinpath("weights/nucleus_merging.json").read_text()
    return network_classifier(json.loads(text)["network"])


def network_classifier(network: Mapping[str, npt.ArrayLike]) -> Classifier:
    """A classifier from its weights.

    Args:
        network: `mean` and `sd` (17), `hidden` (17 x units), `hidden_bias`, `output` (units) and
            `output_bias` (1).
    """
    w = {name: np.asarray(values, np.float64) for name, values in network.items()}

    def classifier(features: Values) -> Values:
        scaled = np.clip((features - w["mean"]) / w["sd"], -4, 4)
        evidence = np.tanh(scaled @ w["hidden"] + w["hidden_bias"]) @ w["output"]
        return np.asarray(1 / (1 + np.exp(-(evidence + w["output_bias"]))), np.float64)

    return classifier


def merge_fragments(
    fragments: Fragments, borders: Borders, typical_area: float, classifier: Classifier
) -> npt.NDArray[np.int32]:
    """For each fragment 0..n the fragment it is part of in the end.

    In each round all pairs are judged, and those that are each other's surest partner are merged.

    Args:
        fragments: changed in place.
        borders: of all pairs that touch.
        typical_area: of a nucleus, in px.
        classifier: pairs above one half are merged.
    """
    owner = np.arange(len(fragments.tops), dtype=np.int32)
    while len(borders.first):
        first, second = borders.first, borders.second
        likely = classifier(
            pair_features(fragments, first, second, borders.crossings, typical_area)
        )
        # Equal pairs are told apart by their order, so that no fragment is in two pairs at once.
        likely = likely - 1e-9 * np.arange(len(likely))
        best = np.full(len(owner), 0.5)
        np.maximum.at(best, first, likely)
        np.maximum.at(best, second, likely)
        chosen = (likely > 0.5) & (likely == best[first]) & (likely == best[second])
        if not chosen.any():
            break
        kept, gone = first[chosen], second[chosen]
        fragments.merge(kept, gone)
        now = np.arange(len(owner), dtype=np.int32)
        now[gone] = kept
        owner = now[owner]
        borders = borders.relabelled(now)
    return owner
