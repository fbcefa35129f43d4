"""The pictures of one run as the page shows them: grey values to bytes for a browser.

JPEG, because a picture of 1024 pixels takes 2 ms to encode and one in WebP 30 times as long, which
a player of eight a second has not; at its full size it is PNG, without loss.
"""

from __future__ import annotations

import csv
import threading
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from labrig.frames.plate_layout import PlateLayout
from labrig.frames.plate_store import PlateStore
from labrig.measure.rounds import RoundFrame
from labrig.plan.plan import Plan
from labrig.run_folder import RunFolder
from labrig.web.contrast import FIRST_ROUNDS, Window, shown, spread, window_of
from labrig.web.taken import Taken
from labrig_measure.field_job import overlay_path

_Grey = TypeVar("_Grey", np.uint8, np.uint16)
_JPEG_QUALITY = 88
_MEASURED: tuple[dict[str, str], ...] = ({"tubes": "tubes"}, {})
"""Channels that name what is measured stained, and what is measured without a stain."""


class NoPicture(Exception):
    """There is none; the message says why, for a person."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture.

    Attributes:
        width_px: at most; that of the plate's planes for no loss.
        auto: with its own contrast.
        overlay: as it was measured, with outlines of tubes and nuclei.
    """

    well: str
    field: int
    round: int
    channel: str
    width_px: int
    auto: bool = False
    overlay: bool = False


class RunPictures:
    """Pictures of one run, also while they are taken; threads may share it.

    Args:
        folder: the run.
        plan: its compiled plan.
        late_from_s: a picture that comes later than this after it was due counts as late.
    """

    def __init__(self, folder: RunFolder, plan: Plan, late_from_s: float) -> None:
        self._folder = folder
        self.taken = Taken(folder, plan, late_from_s)
        self._plate: PlateStore | None = None
        self._windows: dict[str, tuple[tuple[Hashable, ...], Window]] = {}
        self._lock = threading.Lock()

    def layout(self) -> PlateLayout | None:
        """The shape of the plate; None while there is none, and in a rehearsal."""
        plate = self._opened()
        return None if plate is None else plate.layout

    def window(self, channel: str) -> Window | None:
        """The contrast of a channel; None before its first picture.

        Raises:
            NoPicture: the plate has no such channel.
        """
        plate = self._checked(channel)
        pictures = spread(self.taken.first_pictures(channel, FIRST_ROUNDS))
        with self._lock:
            made_of, window = self._windows.get(channel, ((), None))
            if pictures and pictures != made_of:
                window = window_of([plate.read(w, f, r, channel) for w, f, r in pictures])
                self._windows[channel] = (pictures, window)
            return window

    def flagged(self) -> dict[tuple[str, int, int], str]:
        """By well, field and round, why a picture is not fit; judged once the run is over."""
        path = self._folder.measures / "fields.csv"
        if not path.exists():
            return {}
        with path.open(encoding="utf-8", newline="") as table:
            return {
                (row["well"], int(row["field"]), int(row["round"])): row["quality_reasons"]
                for row in csv.DictReader(table)
                if row.get("quality") == "flagged"
            }

    def has_overlay(self, well: str, field: int, round_: int) -> bool:
        """Whether this picture was measured."""
        return self._overlay(well, field, round_) is not None

    def stamp(self, asked: Asked) -> tuple[Hashable, ...]:
        """Everything that the bytes of a picture depend on.

        Raises:
            NoPicture: there is none.
        """
        layout = self._checked(asked.channel).layout
        if asked.well not in layout.wells:
            raise NoPicture(f"{asked.well} is no well of this run's plate.")
        if not 0 <= asked.field < layout.fields:
            raise NoPicture(f"Field {asked.field + 1}: a well has {layout.fields}.")
        if not 0 <= asked.round < layout.rounds:
            raise NoPicture(f"Round {asked.round + 1}: the run has {layout.rounds}.")
        where = f"{asked.well}, field {asked.field + 1}, round {asked.round + 1}"
        moment = self.taken.moment(asked.well, asked.field, asked.channel, asked.round)
        if moment is None or not moment.taken:
            raise NoPicture(f"{where}: no picture was taken in {asked.channel}.")
        if not asked.overlay:
            return (self._folder.root, asked, moment.sha256, self.window(asked.channel))
        path = self._overlay(asked.well, asked.field, asked.round)
        if path is None:
            raise NoPicture(f"{where}: nothing is measured on this picture yet.")
        return (self._folder.root, asked, path.stat().st_mtime_ns)

    def encoded(self, asked: Asked) -> bytes:
        """The picture: JPEG, or PNG when it is as wide as the plane.

        Raises:
            NoPicture: there is none.
        """
        layout = self._checked(asked.channel).layout
        width_px = min(asked.width_px, layout.width_px)
        image = self._measured(asked, width_px) if asked.overlay else self._grey(asked, width_px)
        whole = width_px == layout.width_px
        quality = [] if whole else [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY]
        done, content = cv2.imencode(".png" if whole else ".jpg", image, quality)
        if not done:
            raise NoPicture("This picture cannot be shown.")
        return content.tobytes()

    def _opened(self) -> PlateStore | None:
        with self._lock:
            if self._plate is None and (self._folder.plate / "zarr.json").exists():
                self._plate = PlateStore.look(self._folder.plate)
            return self._plate

    def _checked(self, channel: str) -> PlateStore:
        plate = self._opened()
        if plate is None:
            raise NoPicture("This run has no pictures yet; a rehearsal takes none.")
        if channel not in plate.layout.channels:
            channels = ", ".join(plate.layout.channels)
            raise NoPicture(f"{channel} is no channel of this run: it has {channels}.")
        return plate

    def _grey(self, asked: Asked, width_px: int) -> NDArray[np.uint8]:
        plate = self._checked(asked.channel)
        try:
            plane = plate.read(asked.well, asked.field, asked.round, asked.channel)
        except KeyError as gone:
            raise NoPicture("Its file is not in the run folder.") from gone
        window = window_of([plane], auto=True) if asked.auto else self.window(asked.channel)
        if window is None:
            raise NoPicture("No picture was taken in this channel yet.")
        return shown(_shrunk(plane, width_px), window)

    def _measured(self, asked: Asked, width_px: int) -> NDArray[np.uint8]:
        path = self._overlay(asked.well, asked.field, asked.round)
        image = None if path is None else cv2.imread(str(path))
        if image is None:
            raise NoPicture("Its overlay is not in the run folder.")
        return _shrunk(np.asarray(image, np.uint8), width_px)

    def _overlay(self, well: str, field: int, round_: int) -> Path | None:
        for channels in _MEASURED:
            name = RoundFrame(well, field, round_, 0.0, channels).name
            path = overlay_path(self._folder.measures, name)
            if path.exists():
                return path
        return None


def media_type(picture: bytes) -> str:
    """Of what :meth:`RunPictures.encoded` gave."""
    return "image/png" if picture.startswith(b"\x89PNG") else "image/jpeg"


def _shrunk(image: NDArray[_Grey], width_px: int) -> NDArray[_Grey]:
    if image.shape[1] <= width_px:
        return image
    height_px = max(1, round(image.shape[0] * width_px / image.shape[1]))
    small = cv2.resize(image, (width_px, height_px), interpolation=cv2.INTER_AREA)
    return small.astype(image.dtype, copy=False)
