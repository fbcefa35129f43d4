"""Measure one field: planes in, label images and tidy tables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from labrig_analysis.arrays import GreyImage, LabelImage, Mask
from labrig_analysis.calibration import check_pixel_size
from labrig_analysis.fields.cleaned_planes import cleaned_planes
from labrig_analysis.fields.field_tables import FieldTables, measure_tables, with_numbers
from labrig_analysis.fields.inputs import (
    check_one_size,
    checked_labels,
    planes_by_channel,
    planes_of_labels,
)
from labrig_analysis.fields.plausibility import doubts_of_field, look_at_channels
from labrig_analysis.images.planes import grey_plane
from labrig_analysis.labels.relabelling import relabel_sequential
from labrig_analysis.nuclei.fusion import FusionSettings
from labrig_analysis.nuclei.segmentation import segment_nuclei
from labrig_analysis.overlays import draw_overlay, draw_stain
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.tubes.fluorescence import segment_tubes
from labrig_analysis.tubes.phase import segment_tube_like_objects

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes


@dataclass(frozen=True, repr=False)
class Measurement:
    """All that was measured in one field.

    Attributes:
        labels: (y, x) uint16 or int32 by name: ``tubes``, ``nuclei``.
        field: one row: counts, areas, diameters, fusion with intervals, the definition in force.
        tubes: one row per tube.
        nuclei: one row per nucleus.
        points: one row per place where a width was taken, or why not
            (`diameter.measure_diameters`).
        stains: one row per read-out of a stain beside tubes and nuclei, with its definition and
            why it is not known (`stains.readout.Readout`).
        clusters: one row per spot of the stains ``clusters`` and ``terminals``.
        stain_masks: (y, x) bool by channel of a stain: what was found in it.
        pixel_size_um: width of a pixel in the specimen.
        flags: what a reader must know, in words; empty when nothing is wrong.
    """

    labels: Mapping[str, LabelImage]
    field: pd.DataFrame
    tubes: pd.DataFrame
    nuclei: pd.DataFrame
    points: pd.DataFrame
    stains: pd.DataFrame
    clusters: pd.DataFrame
    stain_masks: Mapping[str, Mask]
    pixel_size_um: float
    flags: tuple[str, ...]

    @property
    def summary(self) -> pd.Series:
        """The row of the field by name, e.g. ``found.summary["fusion_index"]``."""
        return self.field.iloc[0]

    def __repr__(self) -> str:
        """Counts, main numbers and flags in a few lines, for a notebook."""
        row = self.summary
        told = [
            f"{name} {row[name]:.4g}" for name in _TOLD if name in row and row[name] == row[name]
        ]
        return "\n".join([f"Measurement: {', '.join(told) or 'nothing known'}", *self.flags])

    def overlay(
        self, image_stack: GreyImage | Sequence[GreyImage], channels: Sequence[str]
    ) -> GreyImage:
        """What was measured, drawn over the planes: (y, x, 3) uint8, red first.

        Args:
            image_stack: as for :func:`measure`, of the same field.
            channels: likewise.

        Raises:
            ValueError: planes that are not of this field's size, or do not fit their names.
        """
        planes = planes_by_channel(image_stack, channels)
        check_one_size({**planes, **{f"{n} labels": image for n, image in self.labels.items()}})
        picture = draw_overlay(planes, self, self._inside_rule)
        return np.ascontiguousarray(picture[..., ::-1])

    def overlay_of_stain(self, plane: GreyImage, channel: str) -> GreyImage:
        """What was found in a stain, outlined on its plane: (y, x, 3) uint8, red first.

        Args:
            plane: (y, x) of the stain, as it was measured.
            channel: e.g. ``clusters``.

        Raises:
            ValueError: a channel in which nothing is looked for, or a plane of another size.
        """
        if channel not in self.stain_masks:
            known = ", ".join(self.stain_masks) or "none"
            raise ValueError(f"channel {channel!r} has no mask; stains with one: {known}")
        mask = self.stain_masks[channel]
        check_one_size({channel: plane, f"{channel} mask": mask})
        return np.ascontiguousarray(draw_stain(plane, mask)[..., ::-1])

    def plot(
        self,
        image_stack: GreyImage | Sequence[GreyImage],
        channels: Sequence[str],
        axes: Axes | None = None,
    ) -> Axes:
        """The overlay in µm with a legend and the main numbers, by Matplotlib.

        Args:
            image_stack: as for :func:`measure`, of the same field.
            channels: likewise.
            axes: to draw into; None makes a figure.

        Raises:
            ImportError: Matplotlib is missing; it is the extra ``plot``.
            ValueError: as for :meth:`overlay`.
        """
        from labrig_analysis.plots import plot_overlay

        told, *flags = repr(self).removeprefix("Measurement: ").splitlines()
        picture = self.overlay(image_stack, channels)
        return plot_overlay(picture, self.pixel_size_um, "\n".join([told, *flags]), axes)

    @property
    def _inside_rule(self) -> str:
        """By which a nucleus counts as in a tube, from the definition that each row states."""
        stated = self.field["definition"].iloc[0] if "definition" in self.field else None
        return str(stated).split("|")[1] if stated else FusionSettings.inside_rule


_TOLD = ("tubes", "diameter_mean_um", "nuclei", "fusion_index")


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
            ``phase`` (phase contrast, brightfield), or a stain beside them
            (`stains.stain_names.ROLES`, e.g. ``clusters`` or ``marker:EdU``), each at most once.
        settings: None is all defaults.

    Raises:
        ValueError: no calibration, an unknown or repeated channel, as many names as planes not
            given, or planes of different sizes.
        TypeError: settings of another kind, or a pixel size that is no number.
        TypeError, ValueError: a plane that is no grey plane, e.g. a colour image.
    """
    settings = _checked_settings(settings)
    pixel_size_um = check_pixel_size(pixel_size_um)
    cleaned = cleaned_planes(planes_by_channel(image_stack, channels), pixel_size_um)
    planes, flags = cleaned.planes, cleaned.flags
    looks = look_at_channels(planes, pixel_size_um)
    labels: dict[str, LabelImage] = {}
    searched_px, tubes_are_seen = np.nan, True
    if "tubes" in planes or "phase" in planes:
        stained = "tubes" in planes
        segment = segment_tubes if stained else segment_tube_like_objects
        plane = planes["tubes" if stained else "phase"]
        found = segment(plane, pixel_size_um, settings.tubes)
        least_px = settings.tubes.min_area_um2 / pixel_size_um**2
        labels["tubes"] = cleaned.outside_wall(relabel_sequential(found.labels), least_px)
        flags += found.reasons
        tubes_are_seen = found.is_seen and "tubes" not in looks.inverted
    if "nuclei" in planes:
        seen = segment_nuclei(planes["nuclei"], settings.nuclei)
        labels["nuclei"] = cleaned.outside_wall(seen.labels)
        searched_px = seen.typical_diameter_px
        flags += seen.reasons
    tables = measure_tables(planes, labels, pixel_size_um, settings, tubes_are_seen, cleaned.wall)
    tables.field["nucleus_search_diameter_px"] = searched_px
    if "tubes" in labels and "tubes" not in planes:
        validation = f"{tables.field['validation']} (mask: {settings.tubes.phase_mask})"
        tables.field["validation"] = validation
    _leave_out(cleaned.wall_share, tables)
    flags += doubts_of_field(planes, tables.field, looks)
    return _measurement(labels, tables, pixel_size_um, tuple(flags))


def measure_labels(
    planes: Mapping[str, GreyImage],
    labels: Mapping[str, LabelImage],
    pixel_size_um: float,
    settings: MeasureSettings | None = None,
) -> Measurement:
    """The tables of given label images, e.g. ones that a person corrected.

    Objects keep their numbers in the tables, also where numbers between them are missing.

    Args:
        planes: (y, x) by channel; of each kind of label the plane that it was found in.
        labels: (y, x) integers by name, ``tubes`` and ``nuclei`` or one of them: 0 is background,
            every object has a number of its own, up to 16,777,215.
        pixel_size_um: width of a pixel in the specimen.
        settings: None is all defaults; those of segmentation are not used.

    Raises:
        ValueError: no calibration, labels and planes that differ in shape or do not belong
            together, or a number out of range.
        TypeError: labels that are no integers, or settings of another kind.
    """
    settings = _checked_settings(settings)
    pixel_size_um = check_pixel_size(pixel_size_um)
    planes = {name: np.asarray(plane) for name, plane in planes.items()}
    labels = {name: checked_labels(image, name) for name, image in labels.items()}
    found_in = planes_of_labels(labels, planes)
    check_one_size({**planes, **{f"{name} labels": image for name, image in labels.items()}})
    cleaned = cleaned_planes(planes, pixel_size_um)
    planes, flags = cleaned.planes, cleaned.flags
    compact = {name: relabel_sequential(image) for name, image in labels.items()}
    tables = measure_tables(planes, compact, pixel_size_um, settings, wall=cleaned.wall)
    _leave_out(cleaned.wall_share, tables)
    flags += [
        reason
        for channel in found_in.values()
        for reason in grey_plane(planes[channel], f"{channel} plane").reasons
    ]
    return _measurement(labels, with_numbers(tables, labels), pixel_size_um, tuple(flags))


def _leave_out(wall_share: float, tables: FieldTables) -> None:
    """Areas are shares of the field, which the wall of the well is no part of."""
    row = tables.field
    row["wall_share"] = wall_share
    if wall_share and "tube_area_fraction" in row:
        row["tube_area_fraction"] = float(row["tube_area_fraction"]) / (1 - wall_share)


def _checked_settings(settings: MeasureSettings | None) -> MeasureSettings:
    if settings is None:
        return MeasureSettings()
    if not isinstance(settings, MeasureSettings):
        raise TypeError(
            f"settings is a {type(settings).__name__}; give MeasureSettings, e.g. "
            "MeasureSettings(fusion=FusionSettings(min_nuclei=3))"
        )
    return settings


def _measurement(
    labels: Mapping[str, LabelImage],
    tables: FieldTables,
    pixel_size_um: float,
    flags: tuple[str, ...],
) -> Measurement:
    import pandas as pd  # slow to import

    stains = tables.stains
    return Measurement(
        labels=labels,
        field=pd.DataFrame(tables.field, index=[0]),
        tubes=pd.DataFrame(tables.tubes),
        nuclei=pd.DataFrame(tables.nuclei),
        points=pd.DataFrame(tables.points),
        stains=pd.DataFrame(stains.readouts),
        clusters=pd.DataFrame(stains.clusters),
        stain_masks=stains.found,
        pixel_size_um=pixel_size_um,
        flags=(*flags, *stains.reasons),
    )
