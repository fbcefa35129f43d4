"""What an OME-Zarr plate says of itself (NGFF 0.5); pure."""

from __future__ import annotations

from typing import Any

from labrig.frames.plate_layout import PlateLayout
from labrig.places import Place, rows_and_columns

VERSION = "0.5"
_COLORS = ("FFFFFF", "FF3030", "4080FF", "30C030")


def plate_metadata(layout: PlateLayout) -> dict[str, Any]:
    """The ``ome`` attributes of the plate."""
    rows, columns = rows_and_columns(layout.wells)
    return {
        "version": VERSION,
        "plate": {
            "version": VERSION,
            "name": layout.name,
            "field_count": layout.fields,
            "acquisitions": [{"id": 0, "name": "time-lapse", "maximumfieldcount": layout.fields}],
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


def image_metadata(name: str, layout: PlateLayout) -> dict[str, Any]:
    """The ``ome`` attributes of one field.

    Its contrast window is what its camera can give, not what the array could hold: a picture of
    12 bits is black in a window of 16.
    """
    return {
        "version": VERSION,
        "multiscales": [multiscale(name, layout, layout.levels)],
        "omero": {
            "channels": [
                {
                    "label": channel,
                    "color": _COLORS[index % len(_COLORS)],
                    "active": index == 0,
                    "window": {"min": 0, "max": most, "start": 0, "end": most},
                }
                for index, channel in enumerate(layout.channels)
                for most in (layout.full_scale_of(index),)
            ]
        },
    }


def multiscale(name: str, layout: PlateLayout, levels: int) -> dict[str, Any]:
    """Axes and scales of a field, or of a label image on it."""
    um = layout.pixel_size_um
    return {
        "name": name,
        "axes": [
            {"name": "t", "type": "time", "unit": "second"},
            {"name": "c", "type": "channel"},
            {"name": "y", "type": "space", "unit": "micrometer"},
            {"name": "x", "type": "space", "unit": "micrometer"},
        ],
        "datasets": [
            {"path": str(level), "coordinateTransformations": _transformations(layout, um, level)}
            for level in range(levels)
        ],
    }


def _transformations(layout: PlateLayout, um: float, level: int) -> list[dict[str, Any]]:
    step = 2**level
    scale = {"type": "scale", "scale": [layout.interval_s, 1.0, um * step, um * step]}
    if not level:
        return [scale]
    # The middle of the first large pixel lies between those of the small ones in it.
    middle = um * (step - 1) / 2
    return [scale, {"type": "translation", "translation": [0.0, 0.0, middle, middle]}]
