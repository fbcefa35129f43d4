"""Train the classifier that says whether two touching fragments are one nucleus; write its weights.

Run from the project's root, with published fields `*_img.png` and their labels `*_lab.png`:

    python analysis/training/train_nucleus_joining.py ../shared/images/nuclei

Trained on those fields (DSB2018, CC0) and on drawn ones (`synthetic.crowded_nuclei`, seeded).
Checked by leaving out half of the published fields at a time. Never trained on fields of myotubes.
"""

from __future__ import annotations

import argparse
import copy
import json
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from labrig_analysis.nuclei.fragments import FEATURES, Values, pair_features
from labrig_analysis.nuclei.merging import Classifier, network_classifier
from labrig_analysis.nuclei.segmentation import (
    NucleusSettings,
    OverSegmentation,
    full_size,
    merged_labels,
    over_segment,
)
from labrig_analysis.synthetic.crowded_nuclei import draw_field

WEIGHTS = Path(__file__).parents[1] / "labrig_analysis/weights/nucleus_merging.json"
DRAWN_SEEDS = range(1000, 1120)
# Of a published field, against a drawn one.
PUBLISHED_WEIGHT = 1
# Several small networks that differ in their start only, averaged: one alone scatters by a point.
MEMBERS, HIDDEN_UNITS = 4, 12
SHRINKAGE = 0.5
# Least share of a fragment that lies in one labelled nucleus for the fragment to be a clear case.
CLEAR = 0.4

Field = tuple[npt.NDArray[np.uint8], npt.NDArray[np.int32]]
Pairs = tuple[Values, Values]


def main() -> None:
    """Train, cross-validate, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("published", type=Path, help="folder with *_img.png and *_lab.png")
    folder = parser.parse_args().published
    names = sorted(path.name for path in folder.glob("*_img.png"))
    published = [_read(folder / name) for name in names]
    drawn = [draw_field(seed) for seed in DRAWN_SEEDS]
    real_pairs = [labelled_pairs(*field) for field in published]
    drawn_pairs = [labelled_pairs(*field) for field in drawn]
    scores = []
    for held_out in (0, 1):
        learned_from = [pairs for i, pairs in enumerate(real_pairs) if i % 2 != held_out]
        classifier = network_classifier(train(learned_from, drawn_pairs))
        scores.append(f1_at_half(published[held_out::2], classifier))
    network = train(real_pairs, drawn_pairs)
    record = {
        "what": "probability that two touching fragments are one nucleus",
        "features": FEATURES,
        "published": {
            "source": "DSB2018 fluorescence fields with corrected labels",
            "licence": "CC0",
            "fields": len(published),
            "pairs": sum(len(pairs[1]) for pairs in real_pairs),
        },
        "drawn": {
            "seeds": [DRAWN_SEEDS.start, DRAWN_SEEDS.stop],
            "pairs": sum(len(pairs[1]) for pairs in drawn_pairs),
        },
        "members": MEMBERS,
        "hidden_units_of_a_member": HIDDEN_UNITS,
        "shrinkage": SHRINKAGE,
        "published_weight": PUBLISHED_WEIGHT,
        "f1_at_iou_0.5_of_the_half_left_out": {
            "pooled": [round(score[0], 4) for score in scores],
            "mean_of_fields": [round(score[1], 4) for score in scores],
        },
    }
    rounded = {name: np.round(values, 5).tolist() for name, values in network.items()}
    WEIGHTS.write_text(json.dumps({"record": record, "network": rounded}, indent=1) + "\n")
    print(json.dumps(record, indent=1))


def labelled_pairs(image: npt.NDArray[np.uint8], truth: npt.NDArray[np.int32]) -> Pairs:
    """Features of all touching fragments of a field, and whether they are one nucleus (0 or 1).

    Besides the fragments as cut, fragments merged in part and whole nuclei against their neighbours
    are shown, as a classifier meets them later on.
    """
    cut = over_segment(image, NucleusSettings())
    if cut is None or not len(cut.borders.first):
        return np.empty((0, len(FEATURES))), np.empty(0)
    owner, share = _owners(cut, truth)
    everything = np.arange(len(owner), dtype=np.int32)
    shown = [_judged(cut, owner, share, everything)]
    for part_joined in (0.4, 0.8, 1.0):
        now = _joined_in_part(cut, owner, share, part_joined)
        if (now != everything).any():
            shown.append(_judged(cut, owner, share, now))
    return np.concatenate([x for x, _ in shown]), np.concatenate([y for _, y in shown])


def _judged(
    cut: OverSegmentation, owner: npt.NDArray[np.intp], share: Values, now: npt.NDArray[np.int32]
) -> Pairs:
    """Pairs that touch after fragment k became `now[k]`, where it is clear what they are."""
    fragments = copy.deepcopy(cut.fragments)
    for gone in np.flatnonzero(now != np.arange(len(now))):
        fragments.merge(np.array([int(now[gone])]), np.array([gone]))
    borders = cut.borders.relabelled(now)
    first, second = borders.first, borders.second
    merged = np.isin(np.arange(len(now)), now[now != np.arange(len(now))])
    new = (merged[first] | merged[second]) | (now == np.arange(len(now))).all()
    told = new & (np.maximum(share[first], share[second]) >= CLEAR)
    one = (owner[first] == owner[second]) & (np.minimum(share[first], share[second]) > 0.3)
    features = pair_features(fragments, first, second, borders.crossings, cut.typical_area_px)
    return features[told], one[told].astype(float)


def _joined_in_part(
    cut: OverSegmentation, owner: npt.NDArray[np.intp], share: Values, part: float
) -> npt.NDArray[np.int32]:
    """For each fragment the fragment that it is merged to, when this part of the merges is made."""
    rng = np.random.default_rng(len(owner))
    now = np.arange(len(owner), dtype=np.int32)
    for first, second in zip(cut.borders.first, cut.borders.second, strict=True):
        one = owner[first] == owner[second] and min(share[first], share[second]) > CLEAR
        if one and rng.random() < part:
            kept, gone = sorted((now[first], now[second]))
            now[now == gone] = kept
    return now


def _owners(
    cut: OverSegmentation, truth: npt.NDArray[np.int32]
) -> tuple[npt.NDArray[np.intp], Values]:
    """For each fragment the labelled nucleus that covers most of it, and how much it covers."""
    size = cut.labels.shape[::-1]
    small = cv2.resize(truth.astype(np.float32), size, interpolation=cv2.INTER_NEAREST).astype(int)
    fragments, nuclei = len(cut.fragments.tops), int(small.max()) + 1
    joint = np.bincount(cut.labels.ravel().astype(int) * nuclei + small.ravel(),
                        minlength=fragments * nuclei).reshape(fragments, nuclei)  # fmt: skip
    if nuclei == 1:
        return np.zeros(fragments, np.intp), np.zeros(fragments)
    return joint[:, 1:].argmax(axis=1) + 1, joint[:, 1:].max(axis=1) / joint.sum(axis=1).clip(1)


def train(published: Sequence[Pairs], drawn: Sequence[Pairs]) -> dict[str, Values]:
    """Weights of the network (see `nuclei.merging.network_classifier`): the mean of its members."""
    members = [_train_one(published, drawn, seed) for seed in range(MEMBERS)]
    return {
        "mean": members[0]["mean"],
        "sd": members[0]["sd"],
        "hidden": np.concatenate([member["hidden"] for member in members], axis=1),
        "hidden_bias": np.concatenate([member["hidden_bias"] for member in members]),
        "output": np.concatenate([member["output"] for member in members]) / MEMBERS,
        "output_bias": np.mean([member["output_bias"] for member in members], axis=0),
    }


def _train_one(published: Sequence[Pairs], drawn: Sequence[Pairs], seed: int) -> dict[str, Values]:
    """By L-BFGS on the log loss."""
    fields = [(*pairs, PUBLISHED_WEIGHT) for pairs in published] + [(*p, 1) for p in drawn]
    fields = [field for field in fields if len(field[1])]
    x = np.concatenate([field[0] for field in fields])
    y = np.concatenate([field[1] for field in fields])
    # A crowded field has many pairs that are much alike: it counts by the root of their number.
    weight = np.concatenate([np.full(len(y_), w / len(y_) ** 0.5) for _, y_, w in fields])
    weight /= weight.mean()
    mean, sd = x.mean(axis=0), x.std(axis=0) + 1e-6
    z = np.clip((x - mean) / sd, -4, 4)
    inputs, units = z.shape[1], HIDDEN_UNITS
    cuts = np.cumsum([inputs * units, units, units])

    def loss(flat: Values) -> tuple[float, Values]:
        hidden, hidden_bias, output, output_bias = np.split(flat, cuts)
        hidden = hidden.reshape(inputs, units)
        answer = np.tanh(z @ hidden + hidden_bias)
        evidence = answer @ output + output_bias
        off = weight * (1 / (1 + np.exp(-evidence)) - y)
        back = np.outer(off, output) * (1 - answer**2)
        value = (weight * (np.logaddexp(0, evidence) - y * evidence)).sum()
        gradient = [
            (z.T @ back + 2 * SHRINKAGE * hidden).ravel(), back.sum(axis=0),
            answer.T @ off + 2 * SHRINKAGE * output, [off.sum()],
        ]  # fmt: skip
        return value + SHRINKAGE * ((hidden**2).sum() + (output**2).sum()), np.concatenate(gradient)

    rng = np.random.default_rng(seed)
    start = np.concatenate(
        [rng.normal(0, 0.3, cuts[0]), np.zeros(units), rng.normal(0, 0.3, units), [0]]
    )
    best = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": 300}).x
    hidden, hidden_bias, output, output_bias = np.split(best, cuts)
    return {
        "mean": mean, "sd": sd, "hidden": hidden.reshape(inputs, units),
        "hidden_bias": hidden_bias, "output": output, "output_bias": output_bias,
    }  # fmt: skip


def f1_at_half(fields: Sequence[Field], classifier: Classifier) -> tuple[float, float]:
    """F1 at IoU 0.5, pooled over nuclei and as the mean of fields."""
    hits = wanted = 0
    by_field = []
    for image, truth in fields:
        found = _labels(image, classifier)
        n, m = int(found.max()) + 1, int(truth.max()) + 1
        joint = np.bincount((found.astype(int) * m + truth).ravel(), minlength=n * m).reshape(n, m)
        iou = joint / (joint.sum(1)[:, None] + joint.sum(0)[None] - joint).clip(1)
        hit = int((iou[1:, 1:] > 0.5).sum())
        both = (n - 1) + int((joint.sum(0)[1:] > 0).sum())
        hits, wanted = hits + 2 * hit, wanted + both
        by_field.append(2 * hit / max(both, 1))
    return hits / wanted, float(np.mean(by_field))


def _labels(image: npt.NDArray[np.uint8], classifier: Classifier) -> npt.NDArray[np.int32]:
    cut = over_segment(image, NucleusSettings())
    if cut is None:
        return np.zeros(image.shape, np.int32)
    return full_size(
        merged_labels(cut, classifier, NucleusSettings()), cut.downsampling, image.shape
    )


def _read(path: Path) -> Field:
    truth = path.with_name(path.name.replace("_img", "_lab"))
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    labels = cv2.imread(str(truth), cv2.IMREAD_UNCHANGED)
    if image is None or labels is None:
        raise FileNotFoundError(f"{path} or {truth.name} is no image")
    return image.astype(np.uint8), labels.astype(np.int32)


if __name__ == "__main__":
    main()
