"""Tubes of a field followed over the rounds of a run, from its label images and tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig_measure.records import Rows

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEAST_ROUNDS = 3
PLACE = ("well", "field", "kind")
GROWTH = ("log_slope_per_day", "log_slope_se", "points", "duration_h", "reason")
COLUMNS = (
    *PLACE, "track", "first_round", "last_round", "rounds", "began", "parent", "ended", "into",
    *GROWTH, "diameter_definition",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Sighting:
    """One field in one round.

    Attributes:
        labels: file of its tube labels; None: measuring failed, or the frame is flagged, and it
            is passed over.
        drift_px: (right, down) against the field's first round.
        diameters_um: by label, the mean diameter of tubes that have one.
    """

    round: int
    hours: float
    labels: Path | None
    drift_px: tuple[float, float]
    diameters_um: Mapping[int, float]


@dataclass(frozen=True, slots=True)
class Series:
    """A field of one kind, in order of its rounds."""

    well: str
    field: int
    kind: str
    sightings: tuple[Sighting, ...]
    diameter_definition: str | None
    """What the diameters mean that growth is told of."""


@dataclass(frozen=True, slots=True)
class SeriesTracks:
    """What became of a field's tubes.

    Attributes:
        rows: one a track, in the columns :data:`COLUMNS`.
        track_of: by (round, tube) the track.
    """

    series: Series
    rows: Rows
    track_of: Mapping[tuple[int, int], int]


def track_series(series: Series) -> SeriesTracks:
    """Follow the tubes of one field; its growth rate is that of a tube's mean diameter.

    Nothing is tracked in fewer than `LEAST_ROUNDS` usable rounds.
    """
    from labrig_analysis.timelapse.tracking import track_tubes
    from labrig_measure.field_job import rows_of

    pictures = [_registered(seen) for seen in series.sightings]
    if sum(picture is not None for picture in pictures) < LEAST_ROUNDS:
        return SeriesTracks(series, [], {})
    found = track_tubes(pictures)
    numbers = [seen.round for seen in series.sightings]
    track_of = {
        (numbers[seen["round"]], seen["label"]): seen["track"]
        for seen in rows_of(found.observations)
    }
    diameters = _diameters(series, track_of)
    rows = [
        {
            "well": series.well,
            "field": series.field,
            "kind": series.kind,
            **track,
            "first_round": numbers[track["first_round"]],
            "last_round": numbers[track["last_round"]],
            **_growth(diameters.get(track["track"], [])),
            "diameter_definition": series.diameter_definition,
        }
        for track in rows_of(found.tracks)
    ]
    return SeriesTracks(series, rows, track_of)


def _registered(seen: Sighting) -> NDArray[Any] | None:
    import numpy as np
    import tifffile

    from labrig_analysis.timelapse.registration import Drift, undo_drift

    if seen.labels is None:
        return None
    # Labels stay below 2^24, up to which a float32 holds whole numbers; OpenCV moves no int32.
    labels = tifffile.imread(seen.labels).astype(np.float32)
    right, down = seen.drift_px
    return undo_drift(labels, Drift(down, right, 1.0), labels=True).astype(np.int32)


def _diameters(
    series: Series, track_of: Mapping[tuple[int, int], int]
) -> dict[int, list[tuple[float, float]]]:
    """By track, (hours, mean diameter in µm) in order of time."""
    found: dict[int, list[tuple[float, float]]] = {}
    for seen in series.sightings:
        for tube, diameter_um in seen.diameters_um.items():
            track = track_of.get((seen.round, tube))
            if track is not None:
                found.setdefault(track, []).append((seen.hours, diameter_um))
    return found


def _growth(diameters: Sequence[tuple[float, float]]) -> dict[str, Any]:
    from labrig_analysis.timelapse.growth import summarise_growth

    hours, diameters_um = [h for h, _ in diameters], [um for _, um in diameters]
    growth = asdict(summarise_growth(hours, diameters_um))
    return {name: None if growth[name] != growth[name] else growth[name] for name in GROWTH}
