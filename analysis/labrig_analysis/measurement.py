"""Measure one field: planes in, label images and tidy tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from labrig_analysis import tubes_fluorescence, tubes_phase
from labrig_analysis.arrays import Columns, GreyImage, LabelImage
from labrig_analysis.diameter import diameter_columns
from labrig_analysis.field_row import Row, fusion_columns, nucleus_columns, tube_columns
from labrig_analysis.fusion import assign_tubes, overlap_nuclei
from labrig_analysis.label_numbers import without_gaps
from labrig_analysis.nuclei import segment_nuclei
from labrig_analysis.nucleus_table import add_tubes, nucleus_table
from labrig_analysis.object_shapes import measure_shapes
from labrig_analysis.planes import grey_plane
from labrig_analysis.pyknosis import find_pyknotic
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.tube_table import add_nuclei
from labrig_analysis.tubes import check_pixel_size
from labrig_analysis.tubes_fluorescence import segment_tubes
from labrig_analysis.tubes_phase import segment_tube_like_objects

if TYPE_CHECKING:
    import pandas as pd

CHANNELS = ("tubes", "nuclei", "phase")
# What columns of `measure_diameters` are called beside those of nuclei and fusion.
_NAMES = {"label": "tube", "definition": "diameter_definition"}


@dataclass(frozen=True)
class Measurement:
    """All that was measured in one field.

    Attributes:
        labels: (y, x) uint16 or int32 by name: ``tubes``, ``nuclei``.
        field: one row: counts, areas, diameters, fusion with intervals, the definition in force.
        tubes: one row a tube.
        nuclei: one row a nucleus.
        points: one row a place where a width was taken, or why not (`diameter.measure_diameters`).
        flags: what a reader must know, in words; empty when nothing is wrong.
    """

    labels: Mapping[str, LabelImage]
    field: pd.DataFrame
    tubes: pd.DataFrame
    nuclei: pd.DataFrame
    points: pd.DataFrame
    flags: tuple[str, ...]


def measure(
    image_stack: GreyImage | Sequence[GreyImage],
    pixel_size_um: float,
    channels: Sequence[str],
    settings: MeasureSettings | None = None,
) -> Measurement:
    """Measure the tubes and nuclei of one field.

    What a plane does not show is left out of the tables; what is wrong with a plane is a flag in
    words, and the rest is measured. Where tubes are stained, the phase plane is not measured.

    Args:
        image_stack: (c, y, x), or a sequence of (y, x) planes that may differ in type.
        pixel_size_um: width of a pixel in the specimen.
        channels: what each plane shows: ``tubes`` (MyHC, desmin), ``nuclei`` (DAPI, Hoechst) or
            ``phase`` (phase contrast, brightfield), each at most once.
        settings: None is all defaults.

    Raises:
        ValueError: no calibration, an unknown or repeated channel, as many names as planes not
            given, or planes of different sizes.
        TypeError, ValueError: a plane that is no grey plane, e.g. a colour image.
    """
    settings = settings or MeasureSettings()
    pixel_size_um = check_pixel_size(pixel_size_um)
    planes = _by_channel(image_stack, channels)
    labels: dict[str, LabelImage] = {}
    flags: list[str] = []
    searched_px = np.nan
    if "tubes" in planes or "phase" in planes:
        stained = "tubes" in planes
        segment = segment_tubes if stained else segment_tube_like_objects
        plane = planes["tubes" if stained else "phase"]
        found = segment(plane, pixel_size_um, settings.tubes)
        labels["tubes"] = without_gaps(found.labels)
        flags += found.reasons
    if "nuclei" in planes:
        seen = segment_nuclei(planes["nuclei"], settings.nuclei)
        labels["nuclei"] = seen.labels
        searched_px = seen.typical_diameter_px
        flags += seen.reasons
    tables = _measure_tables(planes, labels, pixel_size_um, settings)
    tables.field["nucleus_search_diameter_px"] = searched_px
    return _measurement(labels, tables, tuple(flags))


def measure_labels(
    planes: Mapping[str, GreyImage],
    labels: Mapping[str, LabelImage],
    pixel_size_um: float,
    settings: MeasureSettings | None = None,
) -> Measurement:
    """The tables of given label images, e.g. ones that a person corrected.

    Args:
        planes: (y, x) by channel.
        labels: (y, x) by name, ``tubes`` and ``nuclei`` or one of them, 1..n without gaps.
        pixel_size_um: width of a pixel in the specimen.
        settings: None is all defaults; those of segmentation are not used.

    Raises:
        ValueError: no calibration, or labels and planes differ in shape.
        TypeError: labels that are no integers.
    """
    settings = settings or MeasureSettings()
    for name, image in labels.items():
        if image.dtype.kind not in "iu":
            raise TypeError(f"{name} labels are {image.dtype}; give integers, 0 the ground")
    _check_shapes({**planes, **{f"{name} labels": image for name, image in labels.items()}})
    return _measurement(labels, _measure_tables(planes, labels, pixel_size_um, settings), ())


class _Tables(NamedTuple):
    field: Row
    tubes: Columns
    nuclei: Columns
    points: Columns


def _measure_tables(
    planes: Mapping[str, GreyImage],
    labels: Mapping[str, LabelImage],
    pixel_size_um: float,
    settings: MeasureSettings,
) -> _Tables:
    row, tubes, nuclei, points = _Tables({}, {}, {}, {})
    if "tubes" in labels:
        kind, plane = _bright_tubes(planes)
        tubes, points = (
            {_NAMES.get(name, name): values for name, values in columns.items()}
            for columns in diameter_columns(
                labels["tubes"], plane, pixel_size_um, settings.diameters
            )
        )
        tubes["kind"] = np.full(len(tubes["tube"]), kind)
        row |= {"kind": kind, **tube_columns(labels["tubes"], tubes)}
    if "nuclei" in labels:
        # One pixel that is not a number would make the background, and what it is in, none either.
        light = grey_plane(planes["nuclei"], "nucleus image").pixels
        shapes = measure_shapes(labels["nuclei"], light)
        pyknotic = find_pyknotic(shapes, _background(light), settings.pyknosis)
        nuclei = nucleus_table(shapes, pyknotic, pixel_size_um)
        row |= nucleus_columns(nuclei)
        if "tubes" in labels:
            overlaps = overlap_nuclei(labels["nuclei"], labels["tubes"], shapes.centroids_yx)
            inside = assign_tubes(overlaps, settings.fusion.inside_rule)
            tubes = add_nuclei(tubes, inside[~pyknotic], settings.fusion)
            nuclei = add_tubes(nuclei, overlaps)
            row |= fusion_columns(overlaps, ~pyknotic, tubes, settings.fusion)
    return _Tables(row, tubes, nuclei, points)


def _by_channel(
    image_stack: GreyImage | Sequence[GreyImage], channels: Sequence[str]
) -> dict[str, GreyImage]:
    planes = [np.asarray(plane) for plane in image_stack]
    if len(planes) != len(channels):
        raise ValueError(
            f"{len(planes)} planes and {len(channels)} channel names {list(channels)}: name each "
            "plane once, in order"
        )
    for name in channels:
        if name not in CHANNELS:
            raise ValueError(f"channel {name!r} is unknown: say {', '.join(CHANNELS)}")
    by_channel = dict(zip(channels, planes, strict=True))
    if len(by_channel) < len(planes):
        raise ValueError(f"channels {list(channels)} name one plane twice")
    _check_shapes(by_channel)
    return by_channel


def _check_shapes(images: Mapping[str, GreyImage]) -> None:
    shapes = {name: image.shape for name, image in images.items()}
    if len(set(shapes.values())) > 1:
        raise ValueError(f"planes and labels of one field must have one size, not {shapes}")


def _bright_tubes(planes: Mapping[str, GreyImage]) -> tuple[str, GreyImage]:
    """What the tubes are called, and the plane to take widths on, in which they are bright."""
    if "tubes" in planes:
        return tubes_fluorescence.KIND, planes["tubes"]
    phase = grey_plane(planes["phase"], "phase image").pixels.astype(np.float32)
    return tubes_phase.KIND, phase.max() - phase


def _background(plane: GreyImage) -> float:
    """Grey level of the empty parts: nuclei cover far less than half of a field."""
    return float(np.median(plane[::4, ::4]))


def _measurement(
    labels: Mapping[str, LabelImage], tables: _Tables, flags: tuple[str, ...]
) -> Measurement:
    import pandas as pd  # slow to import

    tubes, nuclei, points = (pd.DataFrame(columns) for columns in tables[1:])
    return Measurement(labels, pd.DataFrame(tables.field, index=[0]), tubes, nuclei, points, flags)
