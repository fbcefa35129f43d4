"""Read one grey plane from a PNG, JPEG, TIFF, OME-TIFF or OME-Zarr image."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labrig.measure import zarr_metadata
from labrig.measure.errors import UnreadableImage

TIFF_ENDINGS = (".tif", ".tiff", ".ome.tif", ".ome.tiff")
_COLOURS = {"red": 0, "green": 1, "blue": 2}


@dataclass(frozen=True, slots=True)
class PlaneFile:
    """Where a plane lies.

    Attributes:
        path: an image file, or the folder of an OME-Zarr image (the one that holds ``0``).
        channel: a colour (``red``), an index from 0 or, in OME-Zarr, a channel name; None where
            the file holds one plane.
        time_index: on the t axis, where there is one.
    """

    path: str
    channel: str | None = None
    time_index: int = 0


def read_plane(source: PlaneFile) -> NDArray[Any]:
    """The plane as stored: (y, x), its own dtype; (y, x, 3) for a colour image without a choice.

    Raises:
        UnreadableImage: missing, torn or not an image; a channel that is not there.
    """
    path = Path(source.path)
    try:
        if path.is_dir():
            return _read_zarr(path, source)
        if not path.exists():
            raise UnreadableImage(f"{path.name} is not there")
        if path.name.lower().endswith(TIFF_ENDINGS):
            return _choose(_read_tiff(path), source)
        return _choose(_read_picture(path), source)
    except UnreadableImage:
        raise
    # Readers of damaged files raise nearly anything; whatever it was becomes this field's reason.
    except Exception as error:
        raise UnreadableImage(f"{path.name} cannot be read: {error}") from error


def read_pixel_size_um(source: PlaneFile) -> float | None:
    """The pixel size that the file itself states, in µm; None when it states none.

    A plain TIFF resolution in dpi is not taken: scanners and editors write 72 or 96 there.
    """
    path = Path(source.path)
    try:
        if path.is_dir():
            return zarr_metadata.pixel_size_um(path)
        if path.name.lower().endswith(TIFF_ENDINGS):
            return _tiff_pixel_size_um(path)
    except Exception as error:
        raise UnreadableImage(f"{path.name} cannot be read: {error}") from error
    return None


def _read_picture(path: Path) -> NDArray[Any]:
    import cv2

    content = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if image is None:
        raise UnreadableImage(f"{path.name} is no image, or it is cut short: export it again")
    if image.ndim == 3:
        image = image[..., 2::-1] if image.shape[2] >= 3 else image[..., 0]
    return image


def _read_tiff(path: Path) -> NDArray[Any]:
    import tifffile

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        image, axes = series.asarray(), series.axes
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
    return np.moveaxis(image, others[0], -1) if others else image


def _choose(image: NDArray[Any], source: PlaneFile) -> NDArray[Any]:
    """One channel of (y, x, c), or the image as it is when none is asked for."""
    if image.ndim == 2:
        if source.channel in (None, "0", *_COLOURS):
            return image
        raise UnreadableImage(f"{Path(source.path).name} has one channel, not {source.channel}")
    if image.ndim == 3 and image.shape[2] >= 3 and _is_grey(image):
        return image[..., 0]
    if source.channel is None:
        return image
    index = _COLOURS.get(source.channel.lower(), -1)
    if source.channel.isdigit():
        index = int(source.channel)
    if not 0 <= index < image.shape[2]:
        raise UnreadableImage(
            f"{Path(source.path).name} has {image.shape[2]} channels: {source.channel} is none of "
            "them (say red, green, blue or a number from 0)"
        )
    return image[..., index]


def _is_grey(image: NDArray[Any]) -> bool:
    """A grey picture that was saved as colour."""
    first = image[..., 0]
    return image.shape[2] in (3, 4) and all(
        np.array_equal(first, image[..., i]) for i in range(1, 3)
    )


def _tiff_pixel_size_um(path: Path) -> float | None:
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


def _read_zarr(path: Path, source: PlaneFile) -> NDArray[Any]:
    import zarr

    array = zarr.open_array(str(zarr_metadata.array_path(path)), mode="r")
    where: list[int | slice] = []
    for axis, length in zip(zarr_metadata.axis_names(path), array.shape, strict=True):
        if axis in "yx":
            where.append(slice(None))
        elif axis == "t":
            where.append(source.time_index)
        elif axis == "c":
            where.append(_channel_index(path, source.channel, length))
        elif length == 1:
            where.append(0)
        else:
            raise UnreadableImage(f"{path} has {length} {axis} planes: project it first")
    return np.asarray(array[tuple(where)])


def _channel_index(path: Path, channel: str | None, count: int) -> int:
    if channel is None and count == 1:
        return 0
    names = zarr_metadata.channel_names(path)
    if channel in names:
        return names.index(str(channel))
    if channel is not None and re.fullmatch(r"\d+", channel) and int(channel) < count:
        return int(channel)
    raise UnreadableImage(
        f"{path} has channels {names or list(range(count))}: {channel} is none of them"
    )
