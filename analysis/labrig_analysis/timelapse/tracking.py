"""One tube over the rounds of a time-lapse: which label is which tube, and what became of it.

Labels of registered pictures are matched by overlap: tubes hardly move between rounds, and a
tube that grows keeps the ground it had. Nothing is guessed across rounds that show nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import linear_sum_assignment

from labrig_analysis.arrays import LabelImage

LEAST_OVERLAP = 0.5
"""Share of the smaller of two areas that must be common for them to be one tube [P]."""
MOST_GAP = 2
"""A tube unseen for more rounds than this is lost [P]."""

Numbers = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Tracks:
    """What tracking found.

    Attributes:
        observations: One row per tube and round: ``round``, ``label`` (in that round's picture),
            ``track``, ``area_px``.
        tracks: One row per track: ``track``, ``first_round``, ``last_round``, ``rounds`` (seen),
            ``began`` (``present`` from the first round, ``appeared``, ``split``), ``parent``
            (track it split from, else 0), ``ended`` (``present`` to the last round, ``fused``,
            ``lost``), ``into`` (track it fused into, else 0).
    """

    observations: pd.DataFrame
    tracks: pd.DataFrame


@dataclass(slots=True)
class _Life:
    track: int
    first_round: int
    last_round: int
    rounds: int = 1
    began: str = "appeared"
    parent: int = 0
    ended: str = "present"
    into: int = 0


def track_tubes(rounds: Sequence[LabelImage | None]) -> Tracks:
    """Follow tubes through the label pictures of one field.

    Args:
        rounds: (y, x) labels, 0 outside tubes, of each round in order, already registered
            (`registration.undo_drift`). None: the round was missed or its frame is bad; it is
            passed over and ends no track.

    Returns:
        The tracks. When two tubes become one label, the larger goes on and the other ends as
        ``fused`` into it. A bad segmentation that joins two tubes for one round looks the same
        and comes back as a ``split``.

    Raises:
        ValueError: The pictures differ in shape.
    """
    lives: dict[int, _Life] = {}
    seen: list[tuple[int, int, int, int]] = []
    known: Numbers | None = None
    usable = [(number, labels) for number, labels in enumerate(rounds) if labels is not None]
    for turn, (number, labels) in enumerate(usable):
        if known is None:
            known = np.zeros(labels.shape, np.int64)
        if labels.shape != known.shape:
            raise ValueError(
                f"round {number} has shape {labels.shape}, those before it {known.shape}: "
                "tracking needs registered pictures of one field"
            )
        open_tracks = [t for t, life in lives.items() if life.ended == "present"]
        tracks_of = _match(known, labels, lives, number, first=turn == 0)
        areas = np.bincount(labels.ravel())
        for label, track in sorted(tracks_of.items()):
            seen.append((number, label, track, int(areas[label])))
        _close(open_tracks, set(tracks_of.values()), lives, [n for n, _ in usable[: turn + 1]])
        known = _remember(known, labels, tracks_of, lives)
    observations = pd.DataFrame(seen, columns=["round", "label", "track", "area_px"])
    columns = list(_Life.__dataclass_fields__)
    rows = [[getattr(life, name) for name in columns] for life in lives.values()]
    return Tracks(observations, pd.DataFrame(rows, columns=columns))


def _match(
    known: Numbers, labels: LabelImage, lives: dict[int, _Life], number: int, *, first: bool
) -> dict[int, int]:
    """The track of each label; begins tracks, and ends those that have fused."""
    common = _overlaps(known, labels)
    new_areas, old_areas = np.bincount(labels.ravel()), np.bincount(known.ravel())
    close = {
        pair: size
        for pair, size in common.items()
        if size >= LEAST_OVERLAP * min(old_areas[pair[0]], new_areas[pair[1]])
    }
    tracks_of = _one_to_one(close)
    goes_on = {track: label for label, track in tracks_of.items()}
    for label in np.flatnonzero(new_areas).tolist():
        if label == 0 or label in tracks_of:
            continue
        track = max(lives, default=0) + 1
        life = _Life(track, number, number, rounds=0)
        parents = [t for (t, other) in close if other == label and t in goes_on]
        if first:
            life.began = "present"
        elif parents:
            life.began, life.parent = "split", parents[0]
        lives[track] = life
        tracks_of[label] = track
    for track in tracks_of.values():
        lives[track].last_round = number
        lives[track].rounds += 1
    for (track, label), size in close.items():
        swallowed = track not in goes_on and size >= LEAST_OVERLAP * old_areas[track]
        if swallowed and lives[track].ended == "present":
            lives[track].ended, lives[track].into = "fused", tracks_of[label]
    return tracks_of


def _overlaps(known: Numbers, labels: LabelImage) -> dict[tuple[int, int], int]:
    """Pixels that a track's last outline and a label have in common."""
    both = (known > 0) & (labels > 0)
    if not both.any():
        return {}
    most = int(labels.max()) + 1
    pairs, sizes = np.unique(known[both] * most + labels[both], return_counts=True)
    return {
        divmod(pair, most): size for pair, size in zip(pairs.tolist(), sizes.tolist(), strict=True)
    }


def _one_to_one(close: dict[tuple[int, int], int]) -> dict[int, int]:
    """Match tracks by label so that the pixels in common are most (Kuhn 1955)."""
    if not close:
        return {}
    tracks = sorted({track for track, _ in close})
    labels = sorted({label for _, label in close})
    gain = np.zeros((len(tracks), len(labels)))
    for (track, label), size in close.items():
        gain[tracks.index(track), labels.index(label)] = size
    rows, columns = linear_sum_assignment(gain, maximize=True)
    return {
        labels[column]: tracks[row]
        for row, column in zip(rows.tolist(), columns.tolist(), strict=True)
        if gain[row, column] > 0
    }


def _close(
    open_tracks: list[int], present: set[int], lives: dict[int, _Life], so_far: list[int]
) -> None:
    """End the tracks that have not been seen for too many usable rounds."""
    for track in open_tracks:
        life = lives[track]
        missed = sum(number > life.last_round for number in so_far)
        if track not in present and life.ended == "present" and missed > MOST_GAP:
            life.ended = "lost"


def _remember(
    known: Numbers, labels: LabelImage, tracks_of: dict[int, int], lives: dict[int, _Life]
) -> Numbers:
    """Last outlines: of tracks seen now, and under them of those that may come back."""
    table = np.zeros(int(labels.max(initial=0)) + 1, np.int64)
    for label, track in tracks_of.items():
        table[label] = track
    waiting = [
        track
        for track, life in lives.items()
        if life.ended == "present" and track not in tracks_of.values()
    ]
    old = np.where(np.isin(known, waiting), known, 0)
    return np.where(labels > 0, table[labels], old)
