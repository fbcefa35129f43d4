"""The OME-NGFF metadata of an image or a plate (versions 0.4 and 0.5)."""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from labrig_measure.errors import MeasureError, PixelsNotSquare

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
    "cm": 1e4,
    "centimeter": 1e4,
    "m": 1e6,
    "meter": 1e6,
    "inch": 25_400.0,
    "in": 25_400.0,
}
SAME_SIZE = 0.01
"""Pixels whose sides differ by less than this part are square: metadata are rounded."""


def zarr_library() -> Any:  # noqa: ANN401 - a module without types
    """The library that reads chunks; an extra of labrig-analysis.

    Raises:
        MeasureError: it is not installed.
    """
    try:
        return import_module("zarr")
    except ModuleNotFoundError as error:
        raise MeasureError(
            "OME-Zarr is read by zarr, which is not installed: pip install 'labrig-analysis[zarr]'"
        ) from error


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
    """Side of a pixel in µm; None when the image states no scale with a unit of length.

    Raises:
        PixelsNotSquare: no one size is right.
    """
    scale = ome_attributes(image)["multiscales"][0]
    for step in scale["datasets"][0].get("coordinateTransformations", []):
        if step["type"] == "scale" and all(isinstance(axis, dict) for axis in scale["axes"][-2:]):
            y_um, x_um = (
                in_um(float(side), str(axis.get("unit", "")))
                for side, axis in zip(step["scale"][-2:], scale["axes"][-2:], strict=True)
            )
            return square_um(image.name, x_um, y_um)
    return None


def square_um(name: str, x_um: float | None, y_um: float | None) -> float | None:
    """The side of square pixels in µm; None where x states none.

    Raises:
        PixelsNotSquare: the sides differ.
    """
    if x_um is None or y_um is None or abs(y_um / x_um - 1) < SAME_SIZE:
        return x_um
    raise PixelsNotSquare(
        f"{name} states pixels of {x_um:g} x {y_um:g} µm, which are not square: scale the image to "
        "square pixels, or correct its metadata"
    )


def in_um(value: float, unit: str) -> float | None:
    """A length in µm; None for a unit that is none of length, or a value that cannot be one."""
    factor = _UM_PER_UNIT.get(unit.strip())
    return value * factor if factor and value > 0 else None
