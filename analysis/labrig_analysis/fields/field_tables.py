"""The tables of one field, from its planes and labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, GreyImage, LabelImage, Mask
from labrig_analysis.fields.field_row import Row, fusion_columns, nucleus_columns, tube_columns
from labrig_analysis.fields.inputs import planes_of_labels
from labrig_analysis.images.planes import grey_pixels, grey_plane
from labrig_analysis.labels.region_properties import measure_regions
from labrig_analysis.labels.relabelling import label_areas
from labrig_analysis.nuclei.fusion import INSIDE_RULES, assign_tubes, overlap_nuclei
from labrig_analysis.nuclei.nucleus_table import add_tubes, nucleus_table
from labrig_analysis.nuclei.pyknosis import find_pyknotic
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.stains.stain_tables import Field, StainTables, measure_stains
from labrig_analysis.stains.tube_light import DEFINITION as INTENSITY
from labrig_analysis.stains.tube_light import tube_light
from labrig_analysis.tubes.fluorescence import KIND as STAINED
from labrig_analysis.tubes.phase import KIND as UNSTAINED
from labrig_analysis.widths.diameter import diameter_columns
from labrig_analysis.widths.tube_table import add_nuclei

VALIDATION = {
    STAINED: "outlines and counts by people, see docs",
    UNSTAINED: "not validated on real cultures",
}
"""By kind of tube, what its mask was held against."""
# What columns of `measure_diameters` are called beside those of nuclei and fusion.
_NAMES = {"label": "tube", "definition": "diameter_definition"}


class FieldTables(NamedTuple):
    """All tables of one field; what was not looked at is an empty one."""

    field: Row
    tubes: Columns
    nuclei: Columns
    points: Columns
    stains: StainTables


def measure_tables(
    planes: Mapping[str, GreyImage],
    labels: Mapping[str, LabelImage],
    pixel_size_um: float,
    settings: MeasureSettings,
    tubes_are_seen: bool = True,
    wall: Mask | None = None,
) -> FieldTables:
    """Measure labelled tubes and nuclei.

    Where a plane is blank, or over-exposed with nothing found in it, its numbers are NaN: that no
    tube is seen in it does not say that there is none.

    Args:
        planes: (y, x) by channel.
        labels: (y, x) ``tubes`` and ``nuclei`` or one of them, 1..n without gaps.
        pixel_size_um: width of a pixel in the specimen.
        settings: those of segmentation are not used.
        tubes_are_seen: whether it means something where no tube was found
            (`tube_labels.TubeLabels.is_seen`).
        wall: (y, x) where the wall of the well was filled; None without one.
    """
    row: Row = {}
    tubes: Columns = {}
    nuclei: Columns = {}
    points: Columns = {}
    known: dict[str, LabelImage] = {}
    tubes_known = nuclei_known = True
    counted, tube_of_nucleus = np.zeros(0, bool), None
    if "tubes" in labels:
        kind, bright = _bright_tubes(planes)
        tubes, points = (
            {_NAMES.get(name, name): values for name, values in columns.items()}
            for columns in diameter_columns(
                labels["tubes"], bright, pixel_size_um, settings.diameters
            )
        )
        plane = planes[planes_of_labels(labels, planes)["tubes"]]
        tubes_known = len(tubes["tube"]) > 0 or (tubes_are_seen and _can_be_empty(plane))
        tubes["kind"] = np.full(len(tubes["tube"]), kind)
        row |= {"kind": kind, "validation": VALIDATION[kind]}
        row |= {"diameter_definition": settings.diameters.definition}
        if kind == STAINED:
            tubes["intensity"] = tube_light(bright, labels["tubes"], points)
            tubes["intensity_definition"] = np.full(len(tubes["tube"]), INTENSITY)
            row["intensity_definition"] = INTENSITY
        row |= _known(tube_columns(labels["tubes"], tubes), tubes_known)
        if tubes_known:
            known["tubes"] = labels["tubes"]
    if "nuclei" in labels:
        # One pixel that is not a number would make the background, and what it is in, none either.
        light = grey_pixels(planes["nuclei"], "nucleus image")
        shapes = measure_regions(labels["nuclei"], light)
        pyknotic = find_pyknotic(shapes, _background(light), settings.pyknosis)
        nuclei = nucleus_table(shapes, pyknotic, pixel_size_um, settings.pyknosis)
        nuclei_known = len(nuclei["nucleus"]) > 0 or _can_be_empty(planes["nuclei"])
        row |= {"pyknosis_definition": settings.pyknosis.definition}
        row |= _known(nucleus_columns(nuclei), nuclei_known)
        if nuclei_known:
            known["nuclei"], counted = labels["nuclei"], ~pyknotic
        if "tubes" in labels:
            overlaps = overlap_nuclei(labels["nuclei"], labels["tubes"], shapes.centroids_yx)
            inside = assign_tubes(overlaps, settings.fusion.inside_rule)
            of_tubes = add_nuclei(tubes, inside[~pyknotic], settings.fusion)
            fusion = fusion_columns(overlaps, ~pyknotic, of_tubes, settings.fusion)
            row |= {"definition": settings.fusion.definition}
            row |= _known(fusion, tubes_known and nuclei_known)
            tubes |= _known_columns(of_tubes, tubes, nuclei_known)
            nuclei |= _known_columns(add_tubes(nuclei, overlaps), nuclei, tubes_known)
            for table in (tubes, nuclei):
                count = len(table["area_um2"])
                table["definition"] = np.full(count, settings.fusion.definition)
            if tubes_known and nuclei_known:
                tube_of_nucleus = inside
    seen = Field(known, tubes, counted, tube_of_nucleus, wall)
    stains = measure_stains(planes, seen, pixel_size_um, settings.stains)
    return FieldTables(row, tubes | stains.tubes, nuclei | stains.nuclei, points, stains)


def with_numbers(tables: FieldTables, labels: Mapping[str, LabelImage]) -> FieldTables:
    """Tables of objects 1..n with the numbers that the objects have in `labels`.

    Args:
        tables: of `labels` numbered without gaps (`relabelling.relabel_sequential`).
        labels: (y, x) by name, as for `measure_tables` but with any numbers.
    """
    tubes, nuclei, points = (dict(c) for c in (tables.tubes, tables.nuclei, tables.points))
    spots = dict(tables.stains.clusters)
    if "tubes" in labels:
        number = _numbers(labels["tubes"])
        _renumber(tubes, "tube", number)
        _renumber(points, "tube", number)
        _renumber(spots, "tube", number)
        for rule in INSIDE_RULES:
            _renumber(nuclei, f"tube_{rule}", number)
    if "nuclei" in labels:
        _renumber(nuclei, "nucleus", _numbers(labels["nuclei"]))
    return FieldTables(tables.field, tubes, nuclei, points, tables.stains._replace(clusters=spots))


def _bright_tubes(planes: Mapping[str, GreyImage]) -> tuple[str, GreyImage]:
    """What the tubes are called, and the plane to take widths on, in which they are bright."""
    if "tubes" in planes:
        return STAINED, planes["tubes"]
    phase = grey_pixels(planes["phase"], "phase image").astype(np.float32)
    return UNSTAINED, phase.max() - phase


def _background(plane: GreyImage) -> float:
    """Grey level of the empty parts: nuclei cover far less than half of a field."""
    return float(np.median(plane[::4, ::4]))


def _can_be_empty(plane: GreyImage) -> bool:
    """Whether it means something that nothing was found in a plane."""
    seen = grey_plane(plane)
    return not (seen.is_blank or seen.is_saturated)


def _known(row: Row, is_known: bool) -> Row:
    return row if is_known else dict.fromkeys(row, np.nan)


def _known_columns(columns: Columns, before: Columns, is_known: bool) -> Columns:
    """The columns, those that `before` lacks as NaN where they are not known."""
    return {
        name: values if is_known or name in before else np.full(len(values), np.nan)
        for name, values in columns.items()
    }


def _numbers(labels: LabelImage) -> npt.NDArray[np.int64]:
    """By place without gaps the number of an object; 0 stays 0."""
    there = label_areas(labels) > 0
    there[0] = True
    return np.flatnonzero(there)


def _renumber(columns: Columns, name: str, number: npt.NDArray[np.int64]) -> None:
    """Put numbers for places without gaps, where the column is there and known."""
    places = columns.get(name)
    if places is not None and places.dtype.kind in "iu":
        columns[name] = number[places].astype(places.dtype)
