"""How well nuclei are found, and the fusion index with them, end to end.

Truth: `nuclei/` (DSB2018, labels) and `skmc/` (human myotubes: nucleus centres, tube masks). The
classifier of touching nuclei was trained on all of `nuclei/`: its row is of two that have each seen
only the other half; the constants of edges and curvature were looked at on all of it.

Nothing was trained on `skmc/`. How nuclei are cut was chosen on every seventh of its fields, and
the rest is shown apart; which classes of error there are was counted on all fields, and from it
came that a nucleus cut by the border needs a larger area. Faster ways were checked on every third
or fourth field. "Not looked at" says on what nothing was chosen, not what nobody saw.

What limits the figures. DSB2018: its labels hold specks, often of 21 px exactly, where there is no
nucleus; so F1 is also printed without true objects of less than a tenth of the field's median area.
A U-Net of 128,000 weights (20 minutes on one half and drawn fields) found 0.83 to 0.85 of the other
half, one of 230,000 (80 minutes, eightfold averaging, its threshold chosen on that other half) 0.85
and 0.87, alone or within our foreground, where we find 0.86 and 0.87; its maps as four more
features of the classifier changed nothing.

Tubes an image: no level of the mask between 0.6 and 1.5 of ours errs by less than 0.89, the median
of counts over nine levels by 0.89 to 0.91, with the true nuclei by 0.98; cutting tubes at narrow
necks makes it worse (0.92 to 1.09), closing gaps or counting nuclei by their centres leaves it
(0.90 to 0.97). The largest errors are tubes that a bridge of some pixels merges in one mask and not
in the other. Only a level chosen for each field with its truth does better than 0.7.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from accuracy_tubes import SKMC_PIXEL_UM
from scipy.optimize import linear_sum_assignment

from labrig_analysis.measurement import measure
from labrig_analysis.nuclei.fusion import INSIDE_RULES
from labrig_analysis.nuclei.segmentation import NucleusSettings, segment_nuclei

NEAR_PX = 16
# Part of the median true area of a field below which a labelled object is called a speck.
SPECK = 0.1
TUNED_EVERY = 7


def nuclei_by_iou(
    folder: Path, settings: NucleusSettings, speck: float = 0.0
) -> list[tuple[int, int, int]]:
    """(hits, found, true) of each DSB2018 field, a hit being IoU > 0.5.

    True objects below `speck` of the field's median area count as ground, and so does what is found
    mostly on them.
    """
    counts = []
    for path in sorted(folder.glob("*_img.png")):
        found = segment_nuclei(_grey(path), settings).labels.astype(np.int64)
        truth = cv2.imread(str(path).replace("_img", "_lab"), cv2.IMREAD_UNCHANGED)
        n, m = int(found.max()) + 1, int(truth.max()) + 1
        joint = np.bincount((found * m + truth).ravel(), minlength=n * m).reshape(n, m)
        areas = joint.sum(0)
        real = areas > max(0, speck * np.median(areas[1:][areas[1:] > 0]))
        real[0] = False
        iou = joint / (joint.sum(1)[:, None] + areas[None] - joint).clip(1)
        hit = (iou[1:, real] > 0.5).any(axis=1)
        ignored = ~hit & (joint[1:, 1:][:, ~real[1:]].sum(1) > 0.5 * joint[1:].sum(1))
        counts.append((int(hit.sum()), n - 1 - int(ignored.sum()), int(real.sum())))
    return counts


def skmc_fields(folder: Path) -> Iterator[dict[str, float]]:
    """Per field: nuclei hit, found and true; fusion indices found and true in per cent."""
    for path in sorted(folder.glob("*_dapi.png")):
        tubes = _grey(path.with_name(path.name.replace("_dapi", "_myhc")))
        measured = measure([tubes, _grey(path)], SKMC_PIXEL_UM, ["tubes", "nuclei"])
        truth = _grey(path.with_name(path.name.replace("_dapi", "_gt_nuccenter")))
        centres = cv2.connectedComponentsWithStats((truth > 128).astype(np.uint8))[3][1:]
        mask = _grey(path.with_name(path.name.replace("_dapi", "_gt_myotube"))) > 128
        found = measured.nuclei[["x_px", "y_px"]].to_numpy()
        row: dict[str, float] = {
            "hits": _near(found, centres),
            "found": len(found),
            "true": len(centres),
            "tubes_found": int((measured.tubes["nuclei"] >= 2).sum()),
        }
        _, tube = cv2.connectedComponents(mask.astype(np.uint8), connectivity=8)
        at = np.rint(centres).astype(int)
        inside = tube[at[:, 1], at[:, 0]]
        per_tube = np.bincount(inside, minlength=2)[1:]
        row["tubes_true"] = int((per_tube >= 2).sum())
        for least in (1, 2, 3):
            row[f"true_ge{least}"] = 100 * per_tube[per_tube >= least].sum() / max(1, len(centres))
            for rule in INSIDE_RULES:
                name = f"fusion_index_ge{least}_{rule}"
                row[f"{rule}_ge{least}"] = 100 * float(measured.field[name].iloc[0])
        yield row


def print_nuclei(images: Path) -> None:
    """The tables of nuclei and fusion."""
    if (images / "nuclei").is_dir():
        for who, speck in (("trained", 0.0), ("trained", SPECK), ("plain", 0.0)):
            settings = NucleusSettings(parting=who)
            hits, found, true = np.array(nuclei_by_iou(images / "nuclei", settings, speck)).T
            pooled = 2 * hits.sum() / (found + true).sum()
            mean = (2 * hits / (found + true)).mean()
            left_out = ", true specks left out" if speck else ""
            seen = " (classifier has seen them)" if who == "trained" else ""
            print(
                f"DSB2018, {who} classifier{left_out}: "
                f"F1 pooled {pooled:.3f}, mean of fields {mean:.3f}{seen}"
            )
        print(f"DSB2018, trained classifier, half left out: {json.dumps(_held_out())}")
    if (images / "skmc").is_dir():
        rows = list(skmc_fields(images / "skmc"))
        for name, part in (
            ("looked at", rows[::TUNED_EVERY]),
            ("not looked at", [r for i, r in enumerate(rows) if i % TUNED_EVERY]),
            ("all", rows),
            ("all whose true mask is not empty", [r for r in rows if r["true_ge1"] > 0]),
        ):
            _print_skmc(name, part)


def _print_skmc(name: str, rows: list[dict[str, float]]) -> None:
    table = {key: np.array([row[key] for row in rows]) for key in rows[0]}
    hits, found, true = table["hits"], table["found"], table["true"]
    f1 = 2 * hits.sum() / (found + true).sum()
    print(
        f"skmc nuclei, {name} ({len(rows)} fields): F1 {f1:.3f}, "
        f"count error mean {100 * (abs(found - true) / true).mean():.1f} %, "
        f"total {100 * (found.sum() / true.sum() - 1):+.1f} %"
    )
    error = abs(table["tubes_found"] - table["tubes_true"]).mean()
    print(f"skmc tubes with >= 2 nuclei, {name}: mean error {error:.2f} an image")
    for rule in INSIDE_RULES:
        for least in (1, 2, 3):
            ours, truth = table[f"{rule}_ge{least}"], table[f"true_ge{least}"]
            print(
                f"  fusion index >= {least}, {rule}: mean error {abs(ours - truth).mean():.1f} "
                f"points, bias {(ours - truth).mean():+.1f}, r {np.corrcoef(ours, truth)[0, 1]:.3f}"
            )


def _held_out() -> dict[str, list[float]]:
    from importlib import resources

    text = resources.files("labrig_analysis").joinpath("weights/nucleus_merging.json").read_text()
    scores: dict[str, list[float]] = json.loads(text)["record"][
        "f1_at_iou_0.5_of_the_half_left_out"
    ]
    return scores


def _near(found: np.ndarray, truth: np.ndarray) -> int:
    """One-to-one matches within `NEAR_PX`."""
    if not len(found) or not len(truth):
        return 0
    distance = np.hypot(*(found[:, None] - truth[None]).transpose(2, 0, 1))
    cost = np.where(distance <= NEAR_PX, distance, 1e6)
    rows, columns = linear_sum_assignment(cost)
    return int((cost[rows, columns] <= NEAR_PX).sum())


def _grey(path: Path) -> np.ndarray:
    image = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
    if image is None:
        raise FileNotFoundError(f"{path} is no image")
    return image
