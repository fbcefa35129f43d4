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
            arrays = _arrays(labels, objects, layout)
            for plane in found:
                whole = tifffile.imread(plane.path).astype(np.uint32)
                for level, array in enumerate(arrays):
                    height, width = layout.size_at(level)
                    # One pixel of each square: a mean of numbers would be another object's.
                    array[plane.round, 0] = whole[:: 2**level, :: 2**level][:height, :width]
                count += 1
            names.append(objects)
        labels.attrs["ome"] = {"version": VERSION, "labels": names}
    return count


def _arrays(labels: zarr.Group, objects: str, layout: PlateLayout) -> list[zarr.Array[Any]]:
    """One array a level: NGFF asks for as many as the picture has."""
    group = labels.create_group(objects, attributes=_attributes(objects, layout), overwrite=True)
    sizes = [layout.size_at(level) for level in range(layout.levels)]
    return [
        group.create_array(
            str(level),
            shape=(layout.rounds, 1, *size),
            dtype="uint32",
            # As a whole: even of a large field it is but some ten kilobytes.
            chunks=(1, 1, *size),
            compressors=[BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle")],
            dimension_names=["t", "c", "y", "x"],
        )
        for level, size in enumerate(sizes)
    ]


def _attributes(objects: str, layout: PlateLayout) -> Mapping[str, Any]:
    of_image = {"version": VERSION, "source": {"image": "../../"}}
    scales = [multiscale(objects, layout, layout.levels)]
    return {"ome": {"version": VERSION, "multiscales": scales, "image-label": of_image}}
