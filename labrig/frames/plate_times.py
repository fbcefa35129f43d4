"""When the pictures of a plate were taken, in its metadata.

NGFF 0.5 has a place for the beginning and end of an acquisition and none for the time of a plane:
that stands in each field's attributes, ``labrig: acquired_utc``, by channel and round.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from labrig.durable import write_text_whole
from labrig.frames.plate_layout import PlateLayout
from labrig.places import Place


@dataclass(frozen=True, slots=True)
class PlaneOf:
    """Which picture."""

    well: str
    field: int
    round: int
    channel: str


def write_times(root: Path, layout: PlateLayout, taken: Mapping[PlaneOf, datetime]) -> None:
    """Write the times of all pictures; the same times give the same files.

    Args:
        root: of the plate.
        layout: of the plate.
        taken: with time zone; pictures that are left out have none.

    Raises:
        OSError: the disk refuses; a file is as it was, or has its times.
    """
    for well in layout.wells:
        for field in range(layout.fields):
            acquired = {
                channel: [
                    _text(taken.get(PlaneOf(well, field, round_, channel)))
                    for round_ in range(layout.rounds)
                ]
                for channel in layout.channels
            }
            _change(
                root / Place.of(well).path / str(field),
                lambda attributes, acquired=acquired: attributes.update(
                    labrig={"acquired_utc": acquired}
                ),
            )
    if taken:
        first, last = min(taken.values()), max(taken.values())
        _change(root, lambda attributes: _date(attributes["ome"]["plate"], first, last))


def _date(plate: dict[str, Any], first: datetime, last: datetime) -> None:
    plate["acquisitions"][0] |= {"starttime": _epoch_ms(first), "endtime": _epoch_ms(last)}


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _epoch_ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def _change(group: Path, change: Any) -> None:  # noqa: ANN401 - a function of the attributes
    path = group / "zarr.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    change(content["attributes"])
    write_text_whole(path, json.dumps(content, indent=2))
