"""Planes of a TIFF, also OME's or ImageJ's: which there are, and what the file says of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labrig.measure import zarr_metadata
from labrig.measure.errors import UnreadableImage

ENDINGS = (".tif", ".tiff", ".ome.tif", ".ome.tiff")


class TiffPlanes(NamedTuple):
    """The planes of one file."""

    pixels: NDArray[Any]
    """(y, x), or (y, x, c)."""
    is_colour: bool
    """The last axis is that of colours."""
    names: tuple[str, ...]
    """Of the channels, as far as the file states them."""


def read_tiff(path: Path) -> TiffPlanes:
    """All planes of the file's first image.

    Raises:
        UnreadableImage: a time series, a z stack, or more than one row of channels.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        image, axes = series.asarray(), series.axes
        names = _channel_names(file.ome_metadata)
    if "T" in axes and image.shape[axes.index("T")] > 1:
        raise UnreadableImage(
            f"{path.name} holds {image.shape[axes.index('T')]} time points: save each as a file of "
            "its own (ImageJ: Image > Stacks > Stack to Images), or all as OME-Zarr"
        )
    if "Z" in axes and image.shape[axes.index("Z")] > 1:
        raise UnreadableImage(
            f"{path.name} is a stack of {image.shape[axes.index('Z')]} z planes: project it first"
        )
    keep = [i for i, axis in enumerate(axes) if axis in "YX" or image.shape[i] > 1]
    image = image.reshape([image.shape[i] for i in keep])
    axes = "".join(axes[i] for i in keep)
    others = [i for i, axis in enumerate(axes) if axis not in "YX"]
    if len(others) > 1:
        raise UnreadableImage(f"{path.name} has axes {axes}: one plane or one row of channels")
    if not others:
        return TiffPlanes(image, False, names)
    return TiffPlanes(np.moveaxis(image, others[0], -1), axes[others[0]] == "S", names)


def tiff_pixel_size_um(path: Path) -> float | None:
    """The width of a pixel that OME or ImageJ metadata state; None when they state none."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        if file.ome_metadata:
            for element in ElementTree.fromstring(file.ome_metadata).iter():
                if element.tag.endswith("Pixels") and element.get("PhysicalSizeX"):
                    unit = element.get("PhysicalSizeXUnit", "µm")
                    return zarr_metadata.in_um(float(element.get("PhysicalSizeX", "0")), unit)
        imagej = file.imagej_metadata or {}
        resolution = file.pages.first.tags.get("XResolution")
        unit = str(imagej.get("unit", "")).replace("\\u00B5", "µ")
        if unit and resolution and resolution.value[0]:
            return zarr_metadata.in_um(resolution.value[1] / resolution.value[0], unit)
    return None


def _channel_names(ome_metadata: str | None) -> tuple[str, ...]:
    """Of the first image of the file."""
    if not ome_metadata:
        return ()
    for pixels in ElementTree.fromstring(ome_metadata).iter():
        if pixels.tag.endswith("}Pixels"):
            found = [e.get("Name", "") for e in pixels if re.search("}Channel$", e.tag)]
            return tuple(found) if any(found) else ()
    return ()
