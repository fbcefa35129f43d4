"""Ask each stain of a field its question, and put the answers together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from labrig_analysis.arrays import Columns, GreyImage, LabelImage, Mask
from labrig_analysis.stains.clusters import Clusters, cluster_readouts, find_clusters
from labrig_analysis.stains.live_dead import STAIN as LIVE_DEAD
from labrig_analysis.stains.live_dead import dead_of_nuclei, live_dead_of_cells
from labrig_analysis.stains.markers import find_marked, marker_readouts
from labrig_analysis.stains.neurites import find_neurites, neurite_readouts
from labrig_analysis.stains.overlap import overlap_readouts
from labrig_analysis.stains.readout import Readout
from labrig_analysis.stains.stain_names import marker_name
from labrig_analysis.stains.stain_settings import StainSettings
from labrig_analysis.stains.striations import find_striations, striation_readouts

SPOTS = ("clusters", "terminals")


class StainTables(NamedTuple):
    """What the stains of a field say; empty where none was given."""

    readouts: Columns
    """One row per read-out, `readout.Readout` by column."""
    clusters: Columns
    """One row per spot, with its ``stain``."""
    tubes: Columns
    """Columns for the table of tubes."""
    nuclei: Columns
    """Columns for the table of nuclei."""
    found: Mapping[str, Mask]
    """(y, x) bool by channel: what was found in it."""
    reasons: tuple[str, ...]
    """Why a channel told nothing."""


class Field(NamedTuple):
    """What is known of a field before its stains are asked."""

    labels: Mapping[str, LabelImage]
    """(y, x) ``tubes`` and ``nuclei``, 1..n without gaps; left out where not known."""
    tubes: Columns
    """Its tubes, with ``tube`` and ``length_um``."""
    counted: Mask
    """(n,) nuclei that take part in shares; pyknotic ones do not."""
    tube_of_nucleus: LabelImage | None
    """(n,) by the rule in force; None where tubes or nuclei are not known."""
    wall: Mask | None = None
    """(y, x) where the wall of the well was filled; None without one."""


def measure_stains(
    planes: Mapping[str, GreyImage], field: Field, pixel_size_um: float, settings: StainSettings
) -> StainTables:
    """Measure every plane whose channel is a stain (`stain_names.ROLES`).

    Args:
        planes: (y, x) by channel, of one size; those of other channels are passed over.
        field: its tubes and nuclei.
        pixel_size_um: width of a pixel in the specimen.
        settings: by question.

    Raises:
        TypeError, ValueError: no grey plane.
    """
    rows: list[Readout] = []
    of_tubes: Columns = {}
    of_nuclei: Columns = {}
    found: dict[str, Mask] = {}
    tubes, nuclei = field.labels.get("tubes"), field.labels.get("nuclei")
    known_tubes = None if tubes is None else field.tubes
    spots: dict[str, Clusters] = {}
    for name in SPOTS:
        if name in planes:
            spots[name] = find_clusters(
                planes[name], pixel_size_um, tubes, settings.clusters, name, field.wall
            )
            told, columns = cluster_readouts(
                spots[name], name, pixel_size_um, settings.clusters, known_tubes
            )
            rows += told
            of_tubes |= columns
            found[name] = spots[name].labels > 0
    if len(spots) == len(SPOTS):
        rows += overlap_readouts(
            spots["clusters"], spots["terminals"], tubes, pixel_size_um, settings.overlap,
            settings.clusters,
        )  # fmt: skip
    if "neurites" in planes:
        lines = find_neurites(
            planes["neurites"], pixel_size_um, tubes, settings.neurites, wall=field.wall
        )
        told, columns = neurite_readouts(lines, "neurites", pixel_size_um, settings.neurites, tubes)
        rows += told
        of_tubes |= columns
        found["neurites"] = lines.lines
    if "striations" in planes:
        none = np.zeros(planes["striations"].shape, np.uint16)
        bands = find_striations(
            planes["striations"], none if tubes is None else tubes, pixel_size_um,
            settings.striations,
        )  # fmt: skip
        told, columns = striation_readouts(bands, "striations", tubes, settings.striations)
        rows += told
        of_tubes |= columns
        found["striations"] = bands.striated
    for channel, plane in planes.items():
        if marker := marker_name(channel):
            told, columns, marked = _marker(plane, marker, field, pixel_size_um, settings)
            rows += told
            of_nuclei |= columns
            found[channel] = marked
    if "dead" in planes and nuclei is not None:
        died = dead_of_nuclei(planes["dead"], nuclei, pixel_size_um, tubes)
        rows += died.readouts
        is_unknown = all(row.why_not for row in died.readouts)
        of_nuclei |= {"dead_contrast": died.contrast, "dead": _told(died.dead, is_unknown)}
        found["dead"] = _those(nuclei, died.dead)
    elif "live" in planes and "dead" in planes:
        rows += live_dead_of_cells(planes["live"], planes["dead"], tubes, wall=field.wall)
    elif "live" in planes or "dead" in planes:
        why = "one stain tells no share: give live and dead, or nuclei and dead"
        rows += [Readout(LIVE_DEAD, "live_share", np.nan, "", why_not=why)]
    of_clusters = _spot_table(spots)
    return StainTables(_table(rows), of_clusters, of_tubes, of_nuclei, found, _reasons(rows))


def _marker(
    plane: GreyImage, name: str, field: Field, pixel_size_um: float, settings: StainSettings
) -> tuple[list[Readout], Columns, Mask]:
    nuclei = field.labels.get("nuclei")
    if nuclei is None:
        nuclei = np.zeros(plane.shape, np.uint16)
    marked = find_marked(
        plane, nuclei, pixel_size_um, field.labels.get("tubes"), settings.markers, name
    )
    told = marker_readouts(marked, name, field.counted, field.tube_of_nucleus, settings.markers)
    if "nuclei" not in field.labels:
        told = [row._replace(why_not="no nuclei are known") for row in told]
        return told, {}, np.zeros(plane.shape, bool)
    positive = _told(marked.positive, bool(marked.why_not))
    columns = {f"{name}_contrast": marked.contrast, f"{name}_positive": positive}
    return told, columns, _those(nuclei, marked.positive)


def _told(chosen: Mask, is_unknown: bool) -> npt.NDArray[Any]:
    """(n,) yes or no of each nucleus; NaN where nothing is known, which is no "no"."""
    return np.full(len(chosen), np.nan) if is_unknown else chosen.astype(object)


def _those(labels: LabelImage, chosen: Mask) -> Mask:
    """(y, x) the objects 1..n that were chosen."""
    return np.append(False, chosen)[labels]


def _spot_table(spots: Mapping[str, Clusters]) -> Columns:
    if not spots:
        return {}
    names = next(iter(spots.values())).table
    stain = [np.full(len(found.table["cluster"]), name) for name, found in spots.items()]
    return {
        "stain": np.concatenate(stain),
        **{c: np.concatenate([found.table[c] for found in spots.values()]) for c in names},
    }


def _table(rows: list[Readout]) -> Columns:
    return {name: np.array([getattr(row, name) for row in rows]) for name in Readout._fields}


def _reasons(rows: list[Readout]) -> tuple[str, ...]:
    """Of stains of which nothing is known at all, why."""
    stains = dict.fromkeys(row.stain for row in rows)
    reasons = []
    for stain in stains:
        own = [row for row in rows if row.stain == stain]
        if all(row.value != row.value for row in own):
            reasons.append(f"{stain}: {own[0].why_not}")
    return tuple(reasons)
