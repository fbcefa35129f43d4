"""What the panel does, without Qt: fields and frames, another level, measures, corrections."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labrig.measure.review import (
    Correction,
    Review,
    measure_corrected,
    planes_of,
    program_measures,
    write_label_set,
)
from labrig.measure.run_review import frames_measured
from labrig.night.reviewing import Results
from labrig_analysis.images.downsampling import downsampled
from labrig_analysis.images.planes import grey_plane
from labrig_analysis.measurement import Measurement
from labrig_analysis.tubes.fluorescence import segment_tubes
from labrig_analysis.tubes.phase import find_sheets, segment_tube_like_objects
from labrig_measure.errors import MeasureError
from labrig_measure.label_images import save_labels
from labrig_measure.records import Record

MOST_PREVIEW_PX = 500_000
"""A level is tried on no more pixels than this, so that outlines follow the slider."""
Labels = dict[str, NDArray[Any]]


@dataclass(frozen=True, slots=True, eq=False)
class Shown:
    """One field on the screen.

    Attributes:
        planes: (y, x) by channel.
        labels: as they are now, corrected or not, by ``tubes`` and ``nuclei``.
    """

    name: str
    planes: Mapping[str, NDArray[Any]]
    labels: Labels
    review: Review
    record: Record

    @property
    def pixel_size_um(self) -> float:
        """Width of a pixel in the specimen."""
        return self.review.pixel_size_um


class Preview(NamedTuple):
    """Tubes at another level, in coarser pixels."""

    labels: NDArray[Any]
    """(y, x)."""
    scale: int
    """Pixels of the field along one pixel of the preview."""


@dataclass(frozen=True, slots=True)
class Session:
    """Results that somebody looks at.

    Attributes:
        names: of fields, or of a run's frames.
    """

    results: Results
    names: tuple[str, ...]

    @classmethod
    def at(cls, path: Path) -> Session:
        """A measured folder or plate (the ``--out`` folder), or a run.

        Raises:
            MeasureError: there are no results.
        """
        results = Results.at(path)
        if results.run is None:
            return cls(results, tuple(record.name for record in results.open().fields))
        names = tuple(frames_measured(results.folder))
        if not names:
            raise MeasureError(f"{path}: no frame of this run has been measured yet")
        return cls(results, names)

    def show(self, name: str) -> Shown:
        """A field with its planes and labels.

        Raises:
            MeasureError: its images are not what was measured, or its labels cannot be read.
        """
        review = self.results.open([name] if self.results.run is not None else ())
        record = next(record for record in review.fields if record.name == name)
        planes = planes_of(record)
        kept = review.labels
        if drawn := kept.names(name):
            labels = {objects: np.asarray(kept.now(name, objects)) for objects in drawn}
        else:
            labels = dict(program_measures(review, record).labels)
        return Shown(name, planes, labels, review, record)

    def record(self, shown: Shown, labels: Labels, by: str, why: str) -> list[Correction]:
        """Take labels as corrected: the path of `labrig review`.

        Args:
            shown: the field.
            labels: as they were left, by ``tubes`` and ``nuclei``.
            by: who corrected.
            why: in a few words.

        Raises:
            MeasureError: no name or reason; or as `labrig review` refuses.
        """
        if not (by.strip() and why.strip()):
            raise MeasureError("Say who corrects and why: both are kept with the correction.")
        only = replace(shown.review, fields=(shown.record,))
        write_label_set(shown.review if self.results.run is None else only)
        for objects, image in labels.items():
            path = shown.review.labels.path(shown.name, objects)
            save_labels(path, np.asarray(image), shown.pixel_size_um)
        return self.results.correct(shown.review, by, why)


def preview_level(shown: Shown, level_factor: float) -> Preview | None:
    """Tubes at another level, on coarser pixels; None where no plane shows tubes.

    Args:
        shown: the field.
        level_factor: of the level that outlines are seen at; below 1 takes in dimmer tubes.
    """
    if (coarser := _coarser(shown)) is None:
        return None
    small, scale, sheets = coarser
    found = _found(shown, small, shown.pixel_size_um * scale, level_factor, sheets)
    return Preview(found, scale)


@lru_cache(maxsize=1)
def _coarser(shown: Shown) -> tuple[NDArray[Any], int, NDArray[np.bool_] | None] | None:
    """What does not depend on the level: the plane, its scale, and sheets if they are cut out."""
    plane = _plane_with_tubes(shown)
    if plane is None:
        return None
    scale = max(1, math.ceil(math.sqrt(plane.size / MOST_PREVIEW_PX)))
    small = downsampled(grey_plane(plane, "plane").pixels, scale) if scale > 1 else plane
    settings = shown.review.settings.tubes
    if "tubes" in shown.planes or settings.phase_mask != "learned":
        return small, scale, None
    return small, scale, find_sheets(small, shown.pixel_size_um * scale, settings)


def tubes_at_level(shown: Shown, level_factor: float) -> NDArray[Any] | None:
    """Tubes at another level in the field's own pixels; None where no plane shows tubes."""
    plane = _plane_with_tubes(shown)
    return None if plane is None else _found(shown, plane, shown.pixel_size_um, level_factor)


def measured(shown: Shown, labels: Labels) -> Measurement:
    """The tables of labels as they are on the screen; nothing is written.

    Raises:
        MeasureError: the field's images are not what was measured.
        ValueError, TypeError: what is no label image of the field.
    """
    return measure_corrected(shown.review, shown.record, labels)


def _plane_with_tubes(shown: Shown) -> NDArray[Any] | None:
    return next((shown.planes[name] for name in ("tubes", "phase") if name in shown.planes), None)


def _found(
    shown: Shown,
    plane: NDArray[Any],
    pixel_size_um: float,
    level_factor: float,
    sheets: NDArray[np.bool_] | None = None,
) -> NDArray[Any]:
    settings = replace(shown.review.settings.tubes, level_factor=level_factor)
    if "tubes" in shown.planes:
        return np.asarray(segment_tubes(plane, pixel_size_um, settings).labels)
    return np.asarray(segment_tube_like_objects(plane, pixel_size_um, settings, sheets).labels)
