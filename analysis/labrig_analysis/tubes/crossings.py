"""Part tubes that cross.

Four arms that meet at a place and pair into two straight lines are two tubes, one over the other.
Nothing else is parted: at a fork of three arms, and where tubes touch side by side, an image does
not say which arm belongs to which tube, so those stay one label, forks are kept out of widths, and
the label is one cluster.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import LabelImage
from labrig_analysis.tubes.centreline import Thinned, thin_labels

# Arms need less detail than widths do.
_THINNING_WIDTH_PX = 8.0
# Two arms are one tube when they deviate from a straight line by less than this (assumption: half
# of the smallest angle at which a crossing can be told from a contact).
_STRAIGHT_DEG = 25.0
# Two forks nearer than this many half widths are one place: lines of tubes that cross at a slant
# run together for a while.
_ONE_PLACE_HALF_WIDTHS = 3.0
# An arm's direction is read from here to there, in half widths from the fork.
_DIRECTION_FROM, _DIRECTION_TO = 1.0, 4.0


class SplitLabels(NamedTuple):
    """Labels with crossings parted."""

    labels: LabelImage
    """(y, x) int32, 1..n without gaps."""
    clusters: npt.NDArray[np.int32]
    """(n + 1,) the label that each new one was part of; 0 for 0."""


class _Arm(NamedTuple):
    chain: int
    direction: npt.NDArray[np.float64]
    """(x, y), unit length, away from the fork; zero for an arm too short to have one."""


def split_crossings(labels: LabelImage) -> SplitLabels:
    """Give each of two crossing tubes its own label; the overlap goes to the nearer centreline.

    Args:
        labels: (y, x) int32, 1..n without gaps.
    """
    count = int(labels.max(initial=0))
    thinned = thin_labels(labels, _THINNING_WIDTH_PX)
    owner = _tubes_of_chains(thinned)
    chain_label = [_label_of(thinned, number) for number in range(len(thinned.chains))]
    tubes_of: dict[int, list[int]] = {}
    for number, label in enumerate(chain_label):
        known = tubes_of.setdefault(label, [])
        if owner[number] >= 0 and owner[number] not in known:
            known.append(owner[number])
    split = {label: tubes for label, tubes in tubes_of.items() if label and len(tubes) > 1}
    clusters = list(range(count + 1))
    if not split:
        return SplitLabels(labels, np.array(clusters, np.int32))
    new_label = {}
    for label, tubes in split.items():
        new_label[tubes[0]] = label
        for tube in tubes[1:]:
            new_label[tube] = len(clusters)
            clusters.append(label)
    parted = _repaint(labels, thinned, owner, new_label, list(split))
    return SplitLabels(parted, np.array(clusters, np.int32))


def _tubes_of_chains(thinned: Thinned) -> list[int]:
    """For each chain the number of its tube; -1 for all that belong to no crossing tube."""
    place_of, bridges = _places(thinned)
    meeting: dict[int, list[_Arm]] = {}
    for number, chain in enumerate(thinned.chains):
        if number in bridges:
            continue
        for end, fork in enumerate(chain.forks):
            if fork:
                direction = _direction(thinned, number, end)
                meeting.setdefault(place_of[fork], []).append(_Arm(number, direction))
    parent = list(range(len(thinned.chains)))

    def root(number: int) -> int:
        while parent[number] != number:
            number = parent[number]
        return number

    crossing: list[int] = []
    for arms in meeting.values():
        pairs = _crossing(arms)
        crossing.extend(arm.chain for pair in pairs for arm in pair)
        for first, second in pairs or [(arms[0], arm) for arm in arms[1:]]:
            parent[root(second.chain)] = root(first.chain)
    # A label may hold loose pieces of line beside the crossing tubes: those claim no pixels.
    crossing_tubes = {root(number) for number in crossing}
    tubes = [root(number) for number in range(len(thinned.chains))]
    return [
        tube if number not in bridges and tube in crossing_tubes else -1
        for number, tube in enumerate(tubes)
    ]


def _places(thinned: Thinned) -> tuple[dict[int, int], set[int]]:
    """Which place each fork belongs to, and the chains that only bridge forks of one place."""
    forks = {fork for chain in thinned.chains for fork in chain.forks if fork}
    place = {fork: fork for fork in forks}
    bridges = set()
    for number, chain in enumerate(thinned.chains):
        first, last = chain.forks
        half_width = float(thinned.distance[tuple(chain.pixels.T)].max())
        if first and last and len(chain.pixels) < _ONE_PLACE_HALF_WIDTHS * half_width:
            bridges.add(number)
            old, new = place[last], place[first]
            place = {fork: new if at == old else at for fork, at in place.items()}
    return place, bridges


def _direction(thinned: Thinned, number: int, end: int) -> npt.NDArray[np.float64]:
    chain = thinned.chains[number]
    pixels = chain.pixels if end == 0 else chain.pixels[::-1]
    half_width = float(np.median(thinned.distance[tuple(pixels.T)]))
    start, stop = int(_DIRECTION_FROM * half_width), int(_DIRECTION_TO * half_width)
    stop = min(stop, len(pixels) - 1)
    if stop - start < 2:
        return np.zeros(2)
    step = (pixels[stop] - pixels[start])[::-1].astype(np.float64)
    return np.asarray(step / np.hypot(*step))


def _crossing(arms: list[_Arm]) -> list[tuple[_Arm, _Arm]]:
    """The two straight pairs among exactly four arms; empty when there are none."""
    if len(arms) != 4 or len({arm.chain for arm in arms}) != 4:
        return []
    straight = -np.cos(np.radians(_STRAIGHT_DEG))
    for second in (1, 2, 3):
        a, b = arms[0], arms[second]
        c, d = (arm for k, arm in enumerate(arms) if k not in (0, second))
        if a.direction @ b.direction < straight and c.direction @ d.direction < straight:
            return [(a, b), (c, d)]
    return []


def _label_of(thinned: Thinned, number: int) -> int:
    pixels = thinned.chains[number].pixels
    row, column = pixels[len(pixels) // 2]
    return int(thinned.labels[row, column])


def _repaint(
    labels: LabelImage,
    thinned: Thinned,
    owner: list[int],
    new_label: dict[int, int],
    split: list[int],
) -> LabelImage:
    """Give every pixel of a split label to the tube of the nearest centreline."""
    seeds = np.zeros(thinned.labels.shape, np.int32)
    for chain, tube in zip(thinned.chains, owner, strict=True):
        if tube in new_label:
            seeds[tuple(chain.pixels.T)] = new_label[tube]
    _, nearest = cv2.distanceTransformWithLabels(
        (seeds == 0).astype(np.uint8), cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL
    )
    tube_of_seed = np.zeros(int(nearest.max()) + 1, np.int32)
    tube_of_seed[nearest[seeds > 0]] = seeds[seeds > 0]
    small = tube_of_seed[nearest]
    inner = slice(thinned.margin, -thinned.margin)
    size = (labels.shape[1], labels.shape[0])
    wide = cv2.resize(small[inner, inner].astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    return np.where(np.isin(labels, split), wide.astype(np.int32), labels)
