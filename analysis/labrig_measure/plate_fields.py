"""The fields of an OME-Zarr plate (NGFF HCS layout) or single image, as `FieldFiles`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from labrig_measure import zarr_metadata
from labrig_measure.errors import MeasureError
from labrig_measure.pairing import CHANNELS, FieldFiles
from labrig_measure.planes import PlaneFile


def find_plate(folder: Path) -> Path | None:
    """The plate that a path means: itself, or the images of a run folder; None for neither."""
    for candidate in (folder, folder / "images" / "plate.ome.zarr"):
        if zarr_metadata.has_metadata(candidate):
            return candidate
    return None


def plate_fields(plate: Path, channels: Mapping[str, str]) -> list[FieldFiles]:
    """Every written (well, field, round) of a plate.

    Args:
        plate: folder of the plate or of a single image.
        channels: by our name, the plate's own name or index of the channel; where empty, the
            plate's channels named ``tubes``, ``nuclei`` and ``phase`` are taken.

    Raises:
        MeasureError: a channel that the plate has not.
    """
    attributes = zarr_metadata.ome_attributes(plate)
    if "plate" not in attributes:
        return _image_fields(plate, plate.name.removesuffix(".zarr").removesuffix(".ome"), channels)
    fields = []
    for well in attributes["plate"]["wells"]:
        folder = plate / well["path"]
        for image in zarr_metadata.ome_attributes(folder)["well"]["images"]:
            name = f"{well['path'].replace('/', '')}_f{image['path']}"
            fields += _image_fields(folder / image["path"], name, channels)
    return fields


def _image_fields(image: Path, name: str, channels: Mapping[str, str]) -> list[FieldFiles]:
    zarr = zarr_metadata.zarr_library()

    names = zarr_metadata.channel_names(image)
    wanted = dict(channels) or {c: c for c in CHANNELS if c in names}
    unknown = [c for c in wanted.values() if c not in names and not c.isdigit()]
    if unknown or not wanted:
        raise MeasureError(
            f"{image} has channels {', '.join(names) or '(unnamed)'}: say which shows what, as "
            f"in --tubes {names[0] if names else 0}"
        )
    axes = zarr_metadata.axis_names(image)
    array = zarr_metadata.array_path(image)
    shape = zarr.open_array(str(array), mode="r").shape
    rounds = shape[axes.index("t")] if "t" in axes else 1
    fields = []
    for t in range(rounds):
        planes = {
            ours: PlaneFile(str(image), theirs, t)
            for ours, theirs in wanted.items()
            if _is_written(array, axes, t, names.index(theirs) if theirs in names else int(theirs))
        }
        if planes:
            # In a time-lapse, stains are taken in few rounds by plan: nothing is missing then.
            missing = tuple(c for c in wanted if c not in planes) if rounds == 1 else ()
            suffix = f"_t{t:03d}" if rounds > 1 else ""
            fields.append(FieldFiles(name + suffix, planes, missing))
    return fields


def _is_written(array: Path, axes: list[str], t: int, channel: int) -> bool:
    """A plane that was never written reads as zeros; the files of its chunks are not there."""
    zarr = zarr_metadata.zarr_library()

    if axes[:2] != ["t", "c"] or not (array / "zarr.json").exists():
        return True
    opened = zarr.open_array(str(array), mode="r")
    key = json.loads((array / "zarr.json").read_text(encoding="utf-8"))["chunk_key_encoding"]
    if key["name"] != "default" or key.get("configuration", {}).get("separator", "/") != "/":
        # Chunks lie under other names: what was never written cannot be told, and is read.
        return True
    # A file may hold several planes, or, as a shard, several chunks.
    per_file = opened.shards or opened.chunks
    return (array / "c" / str(t // per_file[0]) / str(channel // per_file[1])).exists()
