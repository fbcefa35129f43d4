"""The OME-NGFF metadata of an image or a plate (versions 0.4 and 0.5)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_UM_PER_UNIT = {
    "µm": 1.0,
    "um": 1.0,
    "micron": 1.0,
    "microns": 1.0,
    "micrometer": 1.0,
    "nm": 1e-3,
    "nanometer": 1e-3,
    "mm": 1e3,
    "millimeter": 1e3,
}


def has_metadata(folder: Path) -> bool:
    """Whether a folder is a zarr group at all."""
    return (folder / "zarr.json").exists() or (folder / ".zattrs").exists()


def ome_attributes(folder: Path) -> dict[str, Any]:
    """The OME attributes of a zarr group.

    Raises:
        FileNotFoundError: the folder is no zarr group.
    """
    for name in ("zarr.json", ".zattrs"):
        if (folder / name).exists():
            content = json.loads((folder / name).read_text(encoding="utf-8"))
            attributes = content.get("attributes", content)
            ome: dict[str, Any] = attributes.get("ome", attributes)
            return ome
    raise FileNotFoundError(f"{folder} holds no OME-Zarr metadata (zarr.json or .zattrs)")


def axis_names(image: Path) -> list[str]:
    """Such as ``["t", "c", "y", "x"]``."""
    axes = ome_attributes(image)["multiscales"][0]["axes"]
    return [axis["name"] if isinstance(axis, dict) else str(axis) for axis in axes]


def array_path(image: Path) -> Path:
    """Folder of the full-size array."""
    return image / str(ome_attributes(image)["multiscales"][0]["datasets"][0]["path"])


def channel_names(image: Path) -> list[str]:
    """The channel names that an image states; empty when it states none."""
    omero = ome_attributes(image).get("omero", {})
    return [str(channel.get("label", "")) for channel in omero.get("channels", [])]


def pixel_size_um(image: Path) -> float | None:
    """Along x, in µm; None when the image states no scale with a unit of length."""
    scale = ome_attributes(image)["multiscales"][0]
    axis = scale["axes"][-1]
    for step in scale["datasets"][0].get("coordinateTransformations", []):
        if step["type"] == "scale" and isinstance(axis, dict):
            return in_um(float(step["scale"][-1]), str(axis.get("unit", "")))
    return None


def in_um(value: float, unit: str) -> float | None:
    """A length in µm; None for a unit that is none of length, or a value that cannot be one."""
    factor = _UM_PER_UNIT.get(unit.strip())
    return value * factor if factor and value > 0 else None
