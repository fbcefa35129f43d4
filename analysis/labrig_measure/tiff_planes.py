"""Planes of a TIFF, also OME's or ImageJ's: which there are, and what the file says of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labrig_measure import zarr_metadata
from labrig_measure.errors import UnreadableImage

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
    """All planes of the file's largest image: beside it some programs store a thumbnail.

    Raises:
        UnreadableImage: a time series, a z stack, or more than one row of channels.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = max(file.series, key=_picture_size)
        image, axes = series.asarray(), series.axes
        alike = [other for other in file.series if other.shape == series.shape]
        if len(alike) > 1 and axes == "YX":
            # Separate pages: what each shows is not said, but they can be asked for by number.
            image, axes = np.stack([page.asarray() for page in alike]), "CYX"
        names = _channel_names(file.ome_metadata) or _imagej_labels(file, series)
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
    """The side of a pixel that OME or ImageJ metadata state; None when they state none.

    Raises:
        PixelsNotSquare: no one size is right.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        if file.ome_metadata:
            for element in ElementTree.fromstring(file.ome_metadata).iter():
                if element.tag.endswith("Pixels") and element.get("PhysicalSizeX"):
                    x_um, y_um = (_ome_side_um(element, axis) for axis in "XY")
                    return zarr_metadata.square_um(path.name, x_um, y_um)
        imagej = file.imagej_metadata or {}
        unit = str(imagej.get("unit", "")).replace("\\u00B5", "µ")
        if unit:
            tags = file.pages.first.tags
            x_um, y_um = (_imagej_side_um(tags.get(f"{axis}Resolution"), unit) for axis in "XY")
            return zarr_metadata.square_um(path.name, x_um, y_um)
    return None


def _ome_side_um(pixels: ElementTree.Element, axis: str) -> float | None:
    size = pixels.get(f"PhysicalSize{axis}")
    unit = pixels.get(f"PhysicalSize{axis}Unit", "µm")
    return None if size is None else zarr_metadata.in_um(float(size), unit)


def _imagej_side_um(resolution: Any, unit: str) -> float | None:  # noqa: ANN401 - a TIFF tag
    if resolution is None or not resolution.value[0]:
        return None
    return zarr_metadata.in_um(resolution.value[1] / resolution.value[0], unit)


def _picture_size(series: Any) -> int:  # noqa: ANN401 - tifffile's series has no public type
    sides = [n for n, axis in zip(series.shape, series.axes, strict=True) if axis in "YX"]
    return int(np.prod(sides))


def _imagej_labels(file: Any, series: Any) -> tuple[str, ...]:  # noqa: ANN401 - see above
    """What ImageJ calls the slices of a stack, where each channel has one."""
    labels = (file.imagej_metadata or {}).get("Labels") or []
    channels = series.shape[series.axes.index("C")] if "C" in series.axes else 0
    names = tuple(str(label).strip() for label in labels)
    return names if len(names) == channels and all(names) else ()


def _channel_names(ome_metadata: str | None) -> tuple[str, ...]:
    """Of the first image of the file."""
    if not ome_metadata:
        return ()
    for pixels in ElementTree.fromstring(ome_metadata).iter():
        if pixels.tag.endswith("}Pixels"):
            found = [e.get("Name", "") for e in pixels if re.search("}Channel$", e.tag)]
            return tuple(found) if any(found) else ()
    return ()
