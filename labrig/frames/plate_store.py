"""An OME-Zarr plate (NGFF 0.5, HCS layout) that grows plane by plane.

Layout: ``row/column/field/0`` with axes t, c, y, x; one shard a plane, blosc-zstd with bit
shuffle. A plane is written to a temporary file, renamed, and both file and folder are synced
before :meth:`PlateStore.write` returns; the journal records it only then. An unwritten plane
reads back as zeros without an error: ask the journal, or :meth:`PlateStore.has`.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import zarr
from numpy.typing import NDArray
from zarr.codecs import BloscCodec

from labrig.durable import sync_folder
from labrig.places import Place, rows_and_columns
from labrig.typed_json import TypedJson

CHUNK_PX = 512


@dataclass(frozen=True, slots=True)
class PlateLayout:
    """The shape of a plate's time-lapse, known before the first frame.

    Attributes:
        wells: names such as ``B4``, in any order.
        fields: fields per well.
        channels: names in storage order.
        rounds: length of the t axis.
        height_px, width_px: of every frame.
        pixel_size_um: calibrated.
        interval_s: between rounds.
    """

    name: str
    wells: tuple[str, ...]
    fields: int
    channels: tuple[str, ...]
    rounds: int
    height_px: int
    width_px: int
    pixel_size_um: float
    interval_s: float

    def to_json(self) -> dict[str, Any]:
        """Plain data."""
        return asdict(self)

    @classmethod
    def from_json(cls, raw: dict[str, Any]) -> PlateLayout:
        """The reverse of :meth:`to_json`.

        Raises:
            labrig.typed_json.NotAsTyped: it is no layout.
        """
        return TypedJson().read(cls, raw)


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
        self._arrays: dict[tuple[str, int], zarr.Array[Any]] = {}

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
        rows, columns = rows_and_columns(layout.wells)
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
                    str(field), attributes={"ome": _image_metadata(well, field, layout)}
                )
                image.create_array(
                    "0",
                    shape=(layout.rounds, len(layout.channels), layout.height_px, layout.width_px),
                    dtype="uint16",
                    chunks=(1, 1, min(CHUNK_PX, layout.height_px), min(CHUNK_PX, layout.width_px)),
                    shards=(1, 1, *_shard_yx(layout)),
                    compressors=[BloscCodec(cname="zstd", clevel=1, shuffle="bitshuffle")],
                    dimension_names=["t", "c", "y", "x"],
                )
        group.attrs["labrig"] = layout.to_json()
        group.attrs["ome"] = {
            "version": "0.5",
            "plate": {
                "version": "0.5",
                "name": layout.name,
                "field_count": layout.fields,
                "acquisitions": [
                    {"id": 0, "name": "time-lapse", "maximumfieldcount": layout.fields}
                ],
                "rows": [{"name": r} for r in rows],
                "columns": [{"name": c} for c in columns],
                "wells": [
                    {
                        "path": place.path,
                        "rowIndex": rows.index(place.row_name),
                        "columnIndex": columns.index(place.column_name),
                    }
                    for place in map(Place.of, layout.wells)
                ],
            },
        }
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
        c = self._layout.channels.index(channel)
        self._array(well, field)[round_, c] = pixels
        shard = self._shard(well, field, round_, c)
        # Windows syncs nothing through a handle that may only read.
        with shard.open("r+b") as written:
            os.fsync(written.fileno())
        sync_folder(shard.parent)
        content = shard.read_bytes()
        return WrittenPlane(
            path=str(shard.relative_to(self._root.parent)),
            sha256=hashlib.sha256(content).hexdigest(),
            bytes=len(content),
        )

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

    def _array(self, well: str, field: int) -> zarr.Array[Any]:
        key = (well, field)
        if key not in self._arrays:
            path = self._root / Place.of(well).path / str(field) / "0"
            self._arrays[key] = zarr.open_array(str(path), mode="r+")
        return self._arrays[key]

    def _shard(self, well: str, field: int, round_: int, channel_index: int) -> Path:
        plane = f"0/c/{round_}/{channel_index}/0/0"
        return self._root / Place.of(well).path / str(field) / plane


def _shard_yx(layout: PlateLayout) -> tuple[int, int]:
    # a shard must be a whole number of chunks: the last chunk may hang over the edge
    chunk_y, chunk_x = min(CHUNK_PX, layout.height_px), min(CHUNK_PX, layout.width_px)
    return (
        -(-layout.height_px // chunk_y) * chunk_y,
        -(-layout.width_px // chunk_x) * chunk_x,
    )


def _image_metadata(well: str, field: int, layout: PlateLayout) -> dict[str, Any]:
    um = layout.pixel_size_um
    return {
        "version": "0.5",
        "multiscales": [
            {
                "name": f"{well}_{field}",
                "axes": [
                    {"name": "t", "type": "time", "unit": "second"},
                    {"name": "c", "type": "channel"},
                    {"name": "y", "type": "space", "unit": "micrometer"},
                    {"name": "x", "type": "space", "unit": "micrometer"},
                ],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": [layout.interval_s, 1.0, um, um]}
                        ],
                    }
                ],
            }
        ],
        "omero": {
            "channels": [
                {
                    "label": name,
                    "color": color,
                    "active": index == 0,
                    "window": {"min": 0, "max": 65535, "start": 0, "end": 65535},
                }
                for index, (name, color) in enumerate(
                    zip(layout.channels, _colors(len(layout.channels)), strict=True)
                )
            ]
        },
    }


def _colors(count: int) -> list[str]:
    palette = ["FFFFFF", "FF3030", "4080FF", "30C030"]
    return [palette[i % len(palette)] for i in range(count)]
