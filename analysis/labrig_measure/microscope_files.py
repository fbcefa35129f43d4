"""Planes of microscopes' own files: CZI, ND2 and LIF, by bioio's readers (extra ``formats``)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from labrig_measure import zarr_metadata
from labrig_measure.errors import MeasureError, UnreadableImage
from labrig_measure.stacks import planes_along_z, project, time_point

_READERS = {".czi": "bioio_czi", ".nd2": "bioio_nd2", ".lif": "bioio_lif"}
_NOT_READ = (
    ".vsi", ".xlef", ".lsm", ".oib", ".oif", ".dv", ".ims", ".zvi", ".stk",
)  # fmt: skip


class Extent(NamedTuple):
    """How much a file holds."""

    scenes: int
    """Positions of the stage, tiles or series, each a field of its own."""
    times: int


class MicroscopePlanes(NamedTuple):
    """The planes of one field at one time."""

    pixels: NDArray[Any]
    """(y, x, c) of channels, or (y, x, 3 or 4) of colours."""
    is_colour: bool
    names: tuple[str, ...]
    """Of the channels, as far as the file states them."""


def is_microscope_file(path: Path) -> bool:
    """Whether this module reads or refuses it."""
    return path.suffix.lower() in {*_READERS, *_NOT_READ}


def extent(path: Path) -> Extent:
    """How many scenes a file holds, and time points in the first of them.

    Raises:
        MeasureError: the reader is not installed.
        UnreadableImage: a format that is not read.
        Exception: whatever the reader raises on a damaged file.
    """
    reader = _open(path, 0)
    return Extent(len(reader.scenes), reader.dims.T)


def read_microscope(
    path: Path, scene: int, z: str | None, time_index: int | None
) -> MicroscopePlanes:
    """All channels of one scene at one time.

    Raises:
        MeasureError: the reader is not installed.
        UnreadableImage: a format that is not read; a stack or series without a choice.
        Exception: whatever the reader raises on a damaged file.
    """
    reader = _open(path, scene)
    time = time_point(path.name, reader.dims.T, time_index)
    chosen = planes_along_z(path.name, reader.dims.Z, z)
    for axis in set(reader.dims.order) - set("TCZYXS"):
        if (count := getattr(reader.dims, axis)) > 1:
            raise UnreadableImage(
                f"{path.name} holds {count} along {axis} (M: tiles of a mosaic), which are not put "
                "together here: stitch them in the microscope's program, or export OME-TIFF"
            )
    colours = "S" in reader.dims.order
    axes = "YXS" if colours else "CYX"
    # Not all of a file that may be larger than memory: plane by plane.
    planes = [reader.get_image_dask_data(axes, T=time, Z=k).compute() for k in chosen]
    pixels = np.asarray(project(planes, z))
    names = tuple(str(name) for name in reader.channel_names or ())
    if colours:
        return MicroscopePlanes(pixels, True, ())
    return MicroscopePlanes(np.moveaxis(pixels, 0, -1), False, names)


def microscope_pixel_size_um(path: Path, scene: int) -> float | None:
    """The side of a pixel that the file states; None when it states none.

    Raises:
        MeasureError: the reader is not installed.
        PixelsNotSquare: no one size is right.
        UnreadableImage: a format that is not read.
        Exception: whatever the reader raises on a damaged file.
    """
    size = _open(path, scene).physical_pixel_sizes
    return zarr_metadata.square_um(path.name, size.X, size.Y)


def _open(path: Path, scene: int) -> Any:  # noqa: ANN401 - bioio's readers share no typed base
    ending = path.suffix.lower()
    kind = ending[1:].upper()
    if ending not in _READERS:
        why = " (only Bio-Formats reads it, and that needs Java)" if ending == ".vsi" else ""
        raise UnreadableImage(
            f"{path.name}: {kind} files are not read{why}. Export OME-TIFF from the microscope's "
            "program, or convert them with Fiji (Bio-Formats)"
        )
    try:
        module = import_module(_READERS[ending])
    except ModuleNotFoundError as error:
        raise MeasureError(
            f"{path.name}: {kind} files are read by {error.name}, which is not installed: "
            "pip install 'labrig-analysis[formats]', or export OME-TIFF"
        ) from error
    reader = module.Reader(str(path))
    reader.set_scene(scene)
    return reader
