"""An OME-Zarr plate (NGFF 0.5, HCS layout) that grows plane by plane.

Layout: ``row/column/field/0`` with axes t, c, y, x; one shard a plane, blosc-zstd with bit
shuffle. Large planes have a second resolution level of half the size for viewers,
``row/column/field/1``; measures, hashes and the journal know the first alone. A plane is written to
a temporary file, renamed, and both file and folder are synced before :meth:`PlateStore.write`
returns; the journal records it only then. An unwritten plane reads back as zeros without an error:
ask the journal, or :meth:`PlateStore.has`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from labrig.durable import sync_folder
from labrig.frames.plate_layout import CHUNK_PX, PlateLayout
from labrig.frames.plate_metadata import image_metadata, plate_metadata
from labrig.places import Place


@dataclass(frozen=True, slots=True)
class WrittenPlane:
    """Where a plane went and what it hashes to.

    ``path`` is relative to the store's parent; ``sha256`` is of the file, so ``sha256sum``
    verifies a copied run without labrig.
    """

    path: str
    sha256: str
    bytes: int


class PlateStore:
    """One plate on disk. Create it once with :meth:`create`; open an existing one to go on."""

    def __init__(self, root: Path, layout: PlateLayout) -> None:
        self._root = root
        self._layout = layout
        self._arrays: dict[tuple[str, int, int], zarr.Array[Any]] = {}

    @property
    def root(self) -> Path:
        """The plate's folder."""
        return self._root

    @property
    def layout(self) -> PlateLayout:
        """The shape it was created with."""
        return self._layout

    @classmethod
    def create(cls, root: Path, layout: PlateLayout) -> PlateStore:
        """Write all metadata, the plate's own last, so a half-made plate is never taken for one.

        Raises:
            FileExistsError: there is a plate already; use :meth:`open`.
            OSError: the disk refuses.
        """
        if (root / "zarr.json").exists():
            raise FileExistsError(f"{root} is a plate already: open it to go on writing")
        group = zarr.open_group(str(root), mode="w", zarr_format=3)
        for well in layout.wells:
            well_group = group.create_group(
                Place.of(well).path,
                attributes={
                    "ome": {
                        "version": "0.5",
                        "well": {
                            "images": [
                                {"path": str(f), "acquisition": 0} for f in range(layout.fields)
                            ]
                        },
                    }
                },
            )
            for field in range(layout.fields):
                image = well_group.create_group(
                    str(field), attributes={"ome": image_metadata(f"{well}_{field}", layout)}
                )
                for level in range(layout.levels):
                    _create_array(image, level, layout)
        group.attrs["labrig"] = layout.to_json()
        group.attrs["ome"] = plate_metadata(layout)
        return cls(root, layout)

    @classmethod
    def open(cls, root: Path) -> PlateStore:
        """Open a plate to read or to go on writing; sweeps temporary files of a killed writer.

        Raises:
            FileNotFoundError: no complete plate is there.
        """
        store = cls.look(root)
        for torn in root.rglob("*.partial"):
            torn.unlink()
        return store

    @classmethod
    def look(cls, root: Path) -> PlateStore:
        """Open a plate to read, also while another process writes it: nothing is swept.

        A plane that :meth:`read` gives is one that was written: a file takes its place whole, and
        all of it is read at once.

        Raises:
            FileNotFoundError: no complete plate is there.
        """
        metadata = root / "zarr.json"
        if not metadata.exists():
            raise FileNotFoundError(
                f"{root} holds no OME-Zarr plate (no zarr.json): it was never created, or its "
                "creation was interrupted before the first frame"
            )
        attributes = json.loads(metadata.read_text(encoding="utf-8"))["attributes"]
        return cls(root, PlateLayout.from_json(attributes["labrig"]))

    def write(
        self, well: str, field: int, round_: int, channel: str, pixels: NDArray[np.uint16]
    ) -> WrittenPlane:
        """Store one plane and return once it is safe on disk.

        Args:
            well: a name such as ``B4``.
            field: index of the field in the well, from 0.
            round_: index on the t axis, from 0.
            channel: one of the layout's.
            pixels: (height_px, width_px), uint16; 8-bit cameras are widened by the caller.

        Raises:
            ValueError: shape or dtype differ from the layout (zarr would wrap silently).
            OSError: the disk refuses, e.g. it is full; earlier planes are untouched.
        """
        wanted = (self._layout.height_px, self._layout.width_px)
        if pixels.shape != wanted or pixels.dtype != np.uint16:
            raise ValueError(
                f"{well} field {field}: the camera gave {pixels.dtype} {pixels.shape}, the plate "
                f"holds uint16 {wanted}: correct width_px/height_px under optics in the rig file"
            )
        if round_ >= self._layout.rounds:
            self._grow(round_ + 1)
        self._make_room(well, field, round_ + 1)
        c = self._layout.channels.index(channel)
        # The smaller levels first: where the picture itself is, they are there too.
        smaller = pixels
        for level in range(1, self._layout.levels):
            smaller = _halved(smaller)
            self._array(well, field, level)[round_, c] = smaller
            _sync(self._shard(well, field, round_, c, level))
        self._array(well, field)[round_, c] = pixels
        shard = self._shard(well, field, round_, c)
        _sync(shard)
        content = shard.read_bytes()
        return WrittenPlane(
            path=str(shard.relative_to(self._root.parent)),
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )

    def _grow(self, rounds: int) -> None:
        """A running protocol was amended: more rounds than the plate was made for."""
        self._layout = replace(self._layout, rounds=rounds)
        group = zarr.open_group(str(self._root), mode="r+")
        group.attrs["labrig"] = self._layout.to_json()

    def _make_room(self, well: str, field: int, rounds: int) -> None:
        for level in range(self._layout.levels):
            array = self._array(well, field, level)
            if array.shape[0] < rounds:
                array.resize((rounds, *array.shape[1:]))

    def has(self, well: str, field: int, round_: int, channel: str) -> bool:
        """Whether this plane was ever written."""
        return self._shard(well, field, round_, self._layout.channels.index(channel)).exists()

    def read(self, well: str, field: int, round_: int, channel: str) -> NDArray[np.uint16]:
        """One plane, (height_px, width_px).

        Raises:
            KeyError: it was never written (and would read as zeros).
        """
        if not self.has(well, field, round_, channel):
            raise KeyError(f"{well} field {field} round {round_} {channel} was never taken")
        plane = self._array(well, field)[round_, self._layout.channels.index(channel)]
        return np.asarray(plane, dtype=np.uint16)

    def _array(self, well: str, field: int, level: int = 0) -> zarr.Array[Any]:
        key = (well, field, level)
        if key not in self._arrays:
            path = self._root / Place.of(well).path / str(field) / str(level)
            self._arrays[key] = zarr.open_array(str(path), mode="r+")
        return self._arrays[key]

    def _shard(
        self, well: str, field: int, round_: int, channel_index: int, level: int = 0
    ) -> Path:
        plane = f"{level}/c/{round_}/{channel_index}/0/0"
        return self._root / Place.of(well).path / str(field) / plane


def _create_array(image: zarr.Group, level: int, layout: PlateLayout) -> None:
    height, width = layout.size_at(level)
    chunk = (min(CHUNK_PX, height), min(CHUNK_PX, width))
    # A shard must be a whole number of chunks: the last chunk may hang over the edge.
    shard = tuple(-(-side // of) * of for side, of in zip((height, width), chunk, strict=True))
    image.create_array(
        str(level),
        shape=(layout.rounds, len(layout.channels), height, width),
        dtype="uint16",
        chunks=(1, 1, *chunk),
        shards=(1, 1, *shard),
        compressors=[BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle")],
        dimension_names=["t", "c", "y", "x"],
    )


def _halved(pixels: NDArray[np.uint16]) -> NDArray[np.uint16]:
    """The mean of each 2 x 2 pixels; an odd last row or column is left out."""
    height, width = pixels.shape[0] // 2, pixels.shape[1] // 2
    whole = pixels[: 2 * height, : 2 * width]
    return np.asarray(cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA), np.uint16)


def _sync(file: Path) -> None:
    # Windows syncs nothing through a handle that may only read.
    with file.open("r+b") as written:
        os.fsync(written.fileno())
    sync_folder(file.parent)
