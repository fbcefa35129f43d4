"""Measure one imaging round of a run, in a process of its own, on whatever machine.

Each frame has its record in `measures/records/`, of which the run's tables are made
(`labrig.measure.closing`). A round that is measured twice, because a flow was cut off and taken up
again, measures what has no record yet and doubles nothing.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from labrig.places import Place
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.stains.stain_names import is_stain
from labrig_measure.field_job import FieldJob, done_before, measure_field, use_one_thread
from labrig_measure.frame_check import FrameCheck
from labrig_measure.pairing import CHANNELS, FieldFiles
from labrig_measure.planes import PlaneFile
from labrig_measure.records import records_in_force

PLACE = ("well", "field", "round", "offset_s")
LABELS = "labels"
"""Folder of label images in a run's ``measures``."""


def our_name(shows: str, channel: str) -> str:
    """Our name of a plate's channel, from what its protocol says that it shows.

    >>> our_name("cells", "ph"), our_name("clusters", "btx"), our_name("marker", "EdU")
    ('phase', 'clusters', 'marker:EdU')
    """
    if shows == "marker":
        return f"marker:{channel}"
    return "phase" if shows == "cells" else shows


@dataclass(frozen=True, slots=True)
class RoundFrame:
    """One field in one round.

    Attributes:
        well: such as ``B4``.
        field: index of the field in the well.
        round: index on the plate's t axis.
        offset_s: of the frame from the run's t0.
        channels: by our name (``tubes``, ``nuclei``, ``phase``) the plate's name of the channel;
            leave out what this round did not take.
        first_rounds: by our name, the first round that took this channel of this field, which
            drift is measured against.
    """

    well: str
    field: int
    round: int
    offset_s: float
    channels: Mapping[str, str]
    first_rounds: Mapping[str, int] = dataclasses.field(default_factory=dict)

    @property
    def name(self) -> str:
        """Of overlays and rows; what is seen without a stain is kept apart from what is stained."""
        unstained = "_phase" if "phase" in self.channels else ""
        return f"{self.well}_f{self.field}_t{self.round:03d}{unstained}"

    @property
    def place(self) -> dict[str, Any]:
        """The cells of :data:`PLACE`."""
        return {
            "well": self.well,
            "field": self.field,
            "round": self.round,
            "offset_s": self.offset_s,
        }


def rounds_begun(out: Path) -> frozenset[int]:
    """Rounds of which a frame was recorded, by the names of the records alone."""
    found = map(frame_of, records_in_force(out))
    return frozenset(frame.round for frame in found if frame is not None)


@dataclass(frozen=True, slots=True)
class NamedFrame:
    """What the name of a record of a frame says."""

    well: str
    field: int
    round: int
    unstained: bool


def frame_of(name: str) -> NamedFrame | None:
    """The reverse of :attr:`RoundFrame.name`; None for a name that is none, as that of a film."""
    said = re.fullmatch(r"(\w+)_f(\d+)_t(\d+)(_phase)?", name)
    return said and NamedFrame(said[1], int(said[2]), int(said[3]), said[4] is not None)


def measure_round(
    plate_path: Path,
    frames: Sequence[RoundFrame],
    pixel_size_um: float,
    settings: MeasureSettings,
    out_dir: Path,
    full_scale: Mapping[str, float] | None = None,
) -> int:
    """Measure the frames of a round and record each.

    A frame that was measured before with the same settings is not measured again.

    Args:
        plate_path: the OME-Zarr plate.
        frames: usually all fields of one round.
        pixel_size_um: calibrated width of a pixel in the specimen.
        settings: the same for the whole run.
        out_dir: the run's `measures` folder; made when missing.
        full_scale: by our name of a channel, the largest grey value of its camera; None: the
            frames' quality is not looked at.

    Returns:
        Frames that now have their record.

    Raises:
        ValueError: a channel name of ours is unknown.
        OSError: a record cannot be written; those before it are there.
    """
    use_one_thread()
    out_dir.mkdir(parents=True, exist_ok=True)
    recorded = records_in_force(out_dir)
    for frame in frames:
        job = FieldJob(
            _files(plate_path, frame),
            out_dir,
            settings,
            pixel_size_um,
            frame.place,
            labels=out_dir / LABELS,
            check=None if full_scale is None else _check(plate_path, frame, full_scale),
            before=recorded.get(frame.name),
        )
        if done_before(job) is None:
            measure_field(job)
    return len(frames)


def _files(plate: Path, frame: RoundFrame) -> FieldFiles:
    unknown = [name for name in frame.channels if name not in CHANNELS and not is_stain(name)]
    if unknown:
        raise ValueError(f"{frame.name}: channels {unknown} are none of {', '.join(CHANNELS)}")
    image = _image(plate, frame)
    planes = {
        ours: PlaneFile(image, theirs, frame.round) for ours, theirs in frame.channels.items()
    }
    return FieldFiles(frame.name, planes)


def _check(plate: Path, frame: RoundFrame, full_scale: Mapping[str, float]) -> FrameCheck:
    image = _image(plate, frame)
    references = {
        ours: PlaneFile(image, frame.channels[ours], first)
        for ours, first in frame.first_rounds.items()
    }
    return FrameCheck(references, full_scale)


def _image(plate: Path, frame: RoundFrame) -> str:
    return str(plate / Place.of(frame.well).path / str(frame.field))
