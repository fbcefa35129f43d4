"""Films of contraction: one multi-page TIFF a film, whole on disk or not there at all."""

from __future__ import annotations

import hashlib
import os
import uuid
from pathlib import Path
from typing import Any

import numpy as np
import tifffile
from numpy.typing import NDArray

from labrig.durable import sync_folder
from labrig.frames.plate_store import WrittenPlane


def write_film(
    folder: Path, name: str, frames: NDArray[Any], pixel_size_um: float, frame_rate_hz: float
) -> WrittenPlane:
    """Write a film and return once it is safe on disk.

    Args:
        folder: where films go; made when missing.
        name: file name without suffix.
        frames: (t, y, x), uint8 or uint16.
        pixel_size_um: calibrated.
        frame_rate_hz: as delivered by the camera.

    Raises:
        ValueError: not a (t, y, x) stack of uint8 or uint16.
        OSError: the disk refuses.
    """
    if frames.ndim != 3 or frames.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"{name}: a film is (t, y, x) of uint8 or uint16, not {frames.dtype} {frames.shape}"
        )
    folder.mkdir(parents=True, exist_ok=True)
    partial, final = folder / f"{name}.ome.tif.partial", folder / f"{name}.ome.tif"
    metadata = {
        "axes": "TYX",
        "PhysicalSizeX": pixel_size_um,
        "PhysicalSizeXUnit": "µm",
        "PhysicalSizeY": pixel_size_um,
        "PhysicalSizeYUnit": "µm",
        "TimeIncrement": 1.0 / frame_rate_hz,
        "TimeIncrementUnit": "s",
        # Of the content, because tifffile's own is drawn: the same film must be the same file.
        "UUID": str(uuid.UUID(bytes=_digest(frames)[:16])),
    }
    # As it is: grey levels of a camera are noise to a compressor, which costs several times what
    # writing costs and takes off a quarter.
    tifffile.imwrite(partial, frames, ome=True, metadata=metadata)
    # Windows syncs nothing through a handle that may only read.
    with partial.open("r+b") as written:
        os.fsync(written.fileno())
        sha256, size = hashlib.file_digest(written, "sha256").hexdigest(), written.tell()
    os.replace(partial, final)
    sync_folder(folder)
    return WrittenPlane(
        path=str(Path(folder.name) / final.name),
        sha256=sha256,
        bytes=size,
    )


def _digest(frames: NDArray[Any]) -> bytes:
    """SHA-256 of the pixels, a frame at a time: a film can be half of the memory there is."""
    digest = hashlib.sha256()
    for frame in frames:
        digest.update(np.ascontiguousarray(frame).reshape(-1).data)
    return digest.digest()
