"""Read one grey plane from a PNG, JPEG, TIFF, OME-TIFF, CZI, ND2, LIF or OME-Zarr image."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from labrig_measure import microscope_files, tiff_planes, zarr_metadata
from labrig_measure.errors import MeasureError, UnreadableImage
from labrig_measure.stacks import planes_along_z, project, time_point

_ALONG_Z = slice(None, None, 1)
"""Stands for the number of each plane along z in turn."""
_COLOURS = {"red": 0, "green": 1, "blue": 2}


@dataclass(frozen=True, slots=True)
class PlaneFile:
    """Where a plane lies.

    Attributes:
        path: an image file, or the folder of an OME-Zarr image (the one that holds ``0``).
        channel: a colour (``red``), an index from 0 or, where the file names them, a channel's
            name; None where the file holds one plane.
        time_index: on the t axis; None where there is one time point.
        z: how a stack along z becomes one plane (`labrig_measure.stacks`); None where there is no
            stack.
        scene: of a microscope's file with several; None for the only one.
    """

    path: str
    channel: str | None = None
    time_index: int | None = None
    z: str | None = None
    scene: int | None = None

    def as_dict(self) -> dict[str, Any]:
        """For JSON; what is not chosen is left out, so that later choices change no older ones."""
        written = {name: value for name, value in asdict(self).items() if value is not None}
        return {"path": self.path, "channel": self.channel, **written}


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
        if path.name.lower().endswith(tiff_planes.ENDINGS):
            return _read_tiff(path, source)
        if microscope_files.is_microscope_file(path):
            return _read_microscope(path, source)
        planes_along_z(path.name, 1, source.z)
        time_point(path.name, 1, source.time_index)
        return _choose(_read_picture(path), source)
    except UnreadableImage:
        raise
    except MeasureError as error:
        raise UnreadableImage(str(error)) from error
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
        if path.name.lower().endswith(tiff_planes.ENDINGS):
            return tiff_planes.tiff_pixel_size_um(path)
        if microscope_files.is_microscope_file(path):
            return microscope_files.microscope_pixel_size_um(path, source.scene or 0)
    except UnreadableImage:
        raise
    except Exception as error:
        raise UnreadableImage(f"{path.name} cannot be read: {error}") from error
    return None


def plane_stamp(source: PlaneFile) -> list[int]:
    """Changes when the files that hold the plane do: how many there are, their size, the newest.

    Empty where there is none.
    """
    path = Path(source.path)
    files = [path]
    if path.is_dir():
        files = [file for file in _zarr_folder(path, source).rglob("*") if file.is_file()]
    states = [file.stat() for file in files if file.exists()]
    if not states:
        return []
    newest = max(state.st_mtime_ns for state in states)
    return [len(states), sum(state.st_size for state in states), newest]


def _read_picture(path: Path) -> NDArray[Any]:
    import cv2

    content = np.frombuffer(path.read_bytes(), np.uint8)
    image = cv2.imdecode(content, cv2.IMREAD_UNCHANGED) if content.size else None
    if image is None:
        raise UnreadableImage(f"{path.name} is no image, or it is cut short: export it again")
    if image.ndim == 3:
        image = image[..., 2::-1] if image.shape[2] >= 3 else image[..., 0]
    return image


def _read_tiff(path: Path, source: PlaneFile) -> NDArray[Any]:
    planes = tiff_planes.read_tiff(path, source.channel, source.z, source.time_index)
    return _one_channel(path, planes, source)


def _read_microscope(path: Path, source: PlaneFile) -> NDArray[Any]:
    planes = microscope_files.read_microscope(path, source.scene or 0, source.z, source.time_index)
    if planes.pixels.shape[2] == 1:
        planes = planes._replace(pixels=planes.pixels[..., 0])
    return _one_channel(path, planes, source)


def _one_channel(
    path: Path,
    planes: tiff_planes.TiffPlanes | microscope_files.MicroscopePlanes,
    source: PlaneFile,
) -> NDArray[Any]:
    chosen = _choose(planes.pixels, source, planes.names)
    if chosen.ndim == 3 and not planes.is_colour:
        named = f" ({', '.join(planes.names)})" if planes.names else ""
        first = planes.names[0] if planes.names else "0"
        raise UnreadableImage(
            f"{path.name} holds {chosen.shape[2]} planes{named}: say which one, as in "
            f"'*{path.suffix}:{first}', or --z max where they are a z stack"
        )
    return chosen


def _choose(image: NDArray[Any], source: PlaneFile, names: tuple[str, ...] = ()) -> NDArray[Any]:
    """One channel of (y, x, c), or the image as it is when none is asked for."""
    file = Path(source.path).name
    if image.ndim == 2:
        if source.channel in (None, "0", *_COLOURS, *names):
            return image
        raise UnreadableImage(f"{file} has one channel, not {source.channel}")
    if image.ndim == 3 and image.shape[2] >= 3 and _is_grey(image):
        return image[..., 0]
    if source.channel is None:
        return image
    if source.channel in names:
        return image[..., names.index(source.channel)]
    index = _COLOURS.get(source.channel.lower(), -1)
    if source.channel.isdigit():
        index = int(source.channel)
    if not 0 <= index < image.shape[2]:
        there = f"channels {', '.join(names)}" if names else f"{image.shape[2]} channels"
        ways = "a name" if names else "red, green, blue"
        raise UnreadableImage(
            f"{file} has {there}: {source.channel} is none of them (say {ways} or a number from 0)"
        )
    chosen = image[..., index]
    if source.channel.lower() in _COLOURS and not chosen.any():
        lit = [name for name, k in _COLOURS.items() if k < image.shape[2] and image[..., k].any()]
        if lit:
            raise UnreadableImage(
                f"{file} is all black in {source.channel}; {' and '.join(lit)} "
                f"{'holds' if len(lit) == 1 else 'hold'} light: say :{lit[0]}"
            )
    return chosen


def _is_grey(image: NDArray[Any]) -> bool:
    """A grey picture that was saved as colour."""
    first = image[..., 0]
    return image.shape[2] in (3, 4) and all(
        np.array_equal(first, image[..., i]) for i in range(1, 3)
    )


def _read_zarr(path: Path, source: PlaneFile) -> NDArray[Any]:
    zarr = zarr_metadata.zarr_library()

    array = zarr.open_array(str(zarr_metadata.array_path(path)), mode="r")
    where: list[int | slice] = []
    axes = zarr_metadata.axis_names(path)
    heights = [0] if "z" in axes else planes_along_z(path.name, 1, source.z)
    for axis, length in zip(axes, array.shape, strict=True):
        if axis in "yx":
            where.append(slice(None))
        elif axis == "t":
            where.append(time_point(path.name, length, source.time_index))
        elif axis == "c":
            where.append(_channel_index(path, source.channel, length))
        elif axis == "z":
            heights = planes_along_z(path.name, length, source.z)
            where.append(_ALONG_Z)
        elif length == 1:
            where.append(0)
        else:
            raise UnreadableImage(f"{path} has {length} planes along {axis}, which is not read")
    planes = [
        np.asarray(array[tuple(k if at is _ALONG_Z else at for at in where)]) for k in heights
    ]
    return project(planes, source.z)


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


def _zarr_folder(path: Path, source: PlaneFile) -> Path:
    """The folder with the chunks of a plane alone, where the array keeps them so; else all."""
    zarr = zarr_metadata.zarr_library()

    try:
        folder = zarr_metadata.array_path(path)
        array = zarr.open_array(str(folder), mode="r")
        chunks = array.shards or array.chunks
        below = folder / "c" if (folder / "zarr.json").exists() else folder
        for axis, length, chunk in zip(
            zarr_metadata.axis_names(path), array.shape, chunks, strict=True
        ):
            if axis not in "tc":
                break
            at = (
                source.time_index or 0
                if axis == "t"
                else _channel_index(path, source.channel, length)
            )
            below = below / str(at // chunk)
    except Exception:
        # What is wrong with it is told when it is read; here it is enough to see it mended.
        return path
    return below if below.is_dir() else folder
