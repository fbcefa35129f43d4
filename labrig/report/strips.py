"""Strips of pictures: one unit per arm, chosen by a rule and not by eye."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from labrig.frames.plate_store import PlateStore
from labrig.plan.experimental_units import Unit

if TYPE_CHECKING:
    import pandas as pd

SHOWN_PX = 340
RULE = (
    "One unit per arm: the one whose diameter at the last measured round is nearest to its arm's "
    "median (the first one before anything is measured, or at a tie); of it the first well, field "
    "1, at the first, middle and last round taken."
)
_JPEG_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture as a data URI.

    Attributes:
        bar_percent: length of the scale bar, in per cent of the picture's width.
    """

    uri: str
    caption: str
    alt: str
    bar_percent: float
    bar_um: float


@dataclass(frozen=True, slots=True)
class Strip:
    """Pictures of one well in order of time: as taken, then with what was measured on them."""

    arm: str
    unit: str
    well: str
    pictures: tuple[Picture, ...]


def representatives(units: Sequence[Unit], table: pd.DataFrame) -> dict[str, Unit]:
    """One unit per arm, by :data:`RULE`."""
    chosen: dict[str, Unit] = {}
    measured = table[table["diameter_um"].notna()] if len(table) else table
    last = measured[measured["round"] == measured["round"].max()] if len(measured) else measured
    for unit in units:
        own = last[last["arm"] == unit.arm]
        if not len(own):
            chosen.setdefault(unit.arm, unit)
            continue
        distance = (own["diameter_um"] - own["diameter_um"].median()).abs()
        nearest = own["unit"].iloc[int(distance.argmin())]
        if unit.name == nearest:
            chosen[unit.arm] = unit
    return chosen


def strips(
    plate: PlateStore, chosen: dict[str, Unit], rounds_s: dict[int, float], overlays: Path
) -> tuple[Strip, ...]:
    """Pictures of the chosen units.

    Args:
        plate: the time-lapse.
        chosen: by arm, from :func:`representatives`.
        rounds_s: planned start of every round.
        overlays: folder of overlays, named as the measures name them.
    """
    found = []
    for arm, unit in chosen.items():
        well = unit.wells[0]
        pictures = [*_frames(plate, well, rounds_s), *_overlays(plate, well, rounds_s, overlays)]
        found.append(Strip(arm, unit.name, well, tuple(pictures)))
    return tuple(strip for strip in found if strip.pictures)


def _frames(plate: PlateStore, well: str, rounds_s: dict[int, float]) -> list[Picture]:
    taken: dict[str, list[int]] = {
        channel: [r for r in rounds_s if plate.has(well, 0, r, channel)]
        for channel in plate.layout.channels
    }
    # The channel that tells most of the time course: the one taken most often.
    channel = max(taken, key=lambda name: len(taken[name]))
    rounds = taken[channel]
    if not rounds:
        return []
    picked = dict.fromkeys((rounds[0], rounds[len(rounds) // 2], rounds[-1]))
    return [
        _picture(
            plate, _grey(plate.read(well, 0, r, channel)),
            f"{channel}, {rounds_s[r] / 3600:.1f} h",
            f"Well {well}, {channel} image, {rounds_s[r] / 3600:.1f} hours after the start",
        )
        for r in picked
    ]  # fmt: skip


def _overlays(
    plate: PlateStore, well: str, rounds_s: dict[int, float], folder: Path
) -> list[Picture]:
    import cv2

    measured = [r for r in rounds_s if _overlay_path(folder, well, r).exists()]
    pictures = []
    for round_ in dict.fromkeys((*measured[:1], *measured[-1:])):
        image = cv2.imread(str(_overlay_path(folder, well, round_)))
        if image is not None:
            hours = rounds_s[round_] / 3600
            pictures.append(
                _picture(
                    plate,
                    image,
                    f"measured, {hours:.1f} h",
                    f"Well {well}, {hours:.1f} hours: outlines and widths of the measured tubes",
                )
            )
    return pictures


def _overlay_path(folder: Path, well: str, round_: int) -> Path:
    return folder / f"{well}_f0_t{round_:03d}.png"


def _grey(plane: Any) -> Any:  # noqa: ANN401 - images of any integer type
    import numpy as np

    low, high = np.percentile(plane[::2, ::2], [0.5, 99.7])
    unit = np.clip((plane.astype(np.float32) - low) / max(float(high - low), 1.0), 0, 1)
    return (255 * unit).astype(np.uint8)


def _picture(plate: PlateStore, image: Any, caption: str, alt: str) -> Picture:  # noqa: ANN401
    import cv2

    height, width = image.shape[:2]
    width_um = width * plate.layout.pixel_size_um
    size = (SHOWN_PX, round(SHOWN_PX * height / width))
    small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
    done, content = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    if not done:
        raise ValueError(f"{alt}: the picture cannot be encoded")
    bar_um = next((b for b in (500, 200, 100, 50, 20, 10) if b < width_um / 3), 5)
    uri = "data:image/jpeg;base64," + base64.b64encode(content.tobytes()).decode()
    return Picture(uri, caption, alt, 100 * bar_um / width_um, bar_um)
