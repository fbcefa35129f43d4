"""Planes of a TIFF, also OME's or ImageJ's: which there are, and what the file says of them."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labrig_measure import zarr_metadata
from labrig_measure.errors import UnreadableImage
from labrig_measure.stacks import planes_along_z, project, time_point

_WHITE_IS_ZERO = 0
"""TIFF's PhotometricInterpretation (tag 262); ImageJ turns such pictures over as well."""
_UNSAID = "Q"
"""tifffile's letter for an axis of which a file does not say what it is."""
ENDINGS = (".tif", ".tiff", ".ome.tif", ".ome.tiff")


class TiffPlanes(NamedTuple):
    """The planes of one file."""

    pixels: NDArray[Any]
    """(y, x), or (y, x, c)."""
    is_colour: bool
    """The last axis is that of colours."""
    names: tuple[str, ...]
    """Of the channels, as far as the file states them."""


def read_tiff(
    path: Path, channel: str | None = None, z: str | None = None, time_index: int | None = None
) -> TiffPlanes:
    """The channels of the file's largest image: beside it some programs store a thumbnail.

    Args:
        path: the file.
        channel: where a number is asked for and the file has planes along z alone, it is theirs:
            ImageJ may save channels so.
        z: how a stack becomes one plane, as in `labrig_measure.stacks`; also of pages of which the
            file does not say what they are.
        time_index: which time point.

    Raises:
        UnreadableImage: a series or a stack without a choice, or more than one row of channels.
    """
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = _largest(file)
        names = _channel_names(file.ome_metadata) or _imagej_labels(file, series)
        alike = [other for other in file.series if other.shape == series.shape]
        if len(alike) > 1 and series.axes == "YX":
            # Separate pages: what each shows is not said, but they can be asked for by number.
            image, axes = np.stack([page.asarray() for page in alike]), _UNSAID + "YX"
            if z is not None and channel is None:
                axes = "ZYX"
                chosen = planes_along_z(path.name, len(image), z)
                image = image[chosen]
        else:
            axes = series.axes
            if "Z" not in axes and z is not None and channel is None:
                axes = axes.replace("I", "Z").replace(_UNSAID, "Z")
            elif "Z" in axes and "C" not in axes and z is None and str(channel).isdecimal():
                axes = axes.replace("Z", "C")
            size = dict(zip(axes, series.shape, strict=True))
            time = time_point(path.name, size.get("T", 1), time_index)
            wanted = {"T": [time], "Z": planes_along_z(path.name, size.get("Z", 1), z)}
            image = _read(file, series, axes, wanted)
        if series.keyframe.photometric == _WHITE_IS_ZERO and image.dtype.kind == "u":
            image = np.iinfo(image.dtype).max - image
    if "Z" in axes:
        along = axes.index("Z")
        image = project(list(np.moveaxis(image, along, 0)), z)
        axes = axes.replace("Z", "")
    keep = [i for i, axis in enumerate(axes) if axis in "YX" or image.shape[i] > 1]
    image = image.reshape([image.shape[i] for i in keep])
    axes = "".join(axes[i] for i in keep)
    others = [i for i, axis in enumerate(axes) if axis not in "YX"]
    if len(others) > 1:
        raise UnreadableImage(f"{path.name} has axes {axes}: one plane or one row of channels")
    if not others:
        return TiffPlanes(image, False, names)
    return TiffPlanes(np.moveaxis(image, others[0], -1), axes[others[0]] == "S", names)


def time_points(path: Path) -> int:
    """How many time points the file's largest image has."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = _largest(file)
        return int(dict(zip(series.axes, series.shape, strict=True)).get("T", 1))


def _largest(file: Any) -> Any:  # noqa: ANN401 - tifffile's series has no public type
    return max(file.series, key=_picture_size)


def _read(
    file: Any,  # noqa: ANN401 - see above
    series: Any,  # noqa: ANN401
    axes: str,
    wanted: Mapping[str, list[int]],
) -> NDArray[Any]:
    """The series with all axes, cut down to what is wanted of some; reads no other pages."""
    inner = len(series.keyframe.shape)
    outer = series.shape[: len(axes) - inner]
    pages = np.arange(int(np.prod(outer))).reshape(outer)
    by_page = (
        len(series.pages) == pages.size and series.shape[len(outer) :] == series.keyframe.shape
    )
    image = pages if by_page else series.asarray()
    for axis, numbers in wanted.items():
        if axis in axes:
            image = image.take(numbers, axes.index(axis))
    if not by_page:
        return np.asarray(image)
    read = file.asarray(key=image.ravel().tolist(), series=series)
    return np.asarray(read).reshape(image.shape + series.keyframe.shape)


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
