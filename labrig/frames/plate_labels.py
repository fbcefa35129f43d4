"""Label images in an OME-Zarr plate, where viewers look for them: ``row/column/field/labels``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
import zarr
from zarr.codecs import BloscCodec

from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_metadata import VERSION, multiscale
from labrig.places import Place


@dataclass(frozen=True, slots=True, order=True)
class LabelPlane:
    """The objects of one kind that were found in one picture.

    Attributes:
        well, field, round: of the picture.
        objects: name of the label image, e.g. ``tubes``.
        path: TIFF, 0 for the background and a number per object.
    """

    well: str
    field: int
    objects: str
    round: int
    path: Path


def write_labels(root: Path, layout: PlateLayout, planes: Iterable[LabelPlane]) -> int:
    """Put label images into a plate, in place of any that lie there; returns how many.

    A field lists its label images once they are whole, and a plane without one is 0.

    Raises:
        OSError: a file cannot be read, or the disk refuses.
    """
    count = 0
    for (well, field), of_field in groupby(sorted(planes), key=lambda p: (p.well, p.field)):
        image = zarr.open_group(str(root / Place.of(well).path / str(field)), mode="r+")
        labels = image.require_group("labels")
        names = []
        for objects, found in groupby(of_field, key=lambda p: p.objects):
            array = _array(labels, objects, layout)
            for plane in found:
                array[plane.round, 0] = tifffile.imread(plane.path).astype(np.uint32)
                count += 1
            names.append(objects)
        labels.attrs["ome"] = {"version": VERSION, "labels": names}
    return count


def _array(labels: zarr.Group, objects: str, layout: PlateLayout) -> zarr.Array[Any]:
    group = labels.create_group(objects, attributes=_attributes(objects, layout), overwrite=True)
    return group.create_array(
        "0",
        shape=(layout.rounds, 1, layout.height_px, layout.width_px),
        dtype="uint32",
        # As a whole: even of a large field it is but some ten kilobytes.
        chunks=(1, 1, layout.height_px, layout.width_px),
        compressors=[BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle")],
        dimension_names=["t", "c", "y", "x"],
    )


def _attributes(objects: str, layout: PlateLayout) -> Mapping[str, Any]:
    of_image = {"version": VERSION, "source": {"image": "../../"}}
    scales = [multiscale(objects, layout, levels=1)]
    return {"ome": {"version": VERSION, "multiscales": scales, "image-label": of_image}}
