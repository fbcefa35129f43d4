"""One field per scene and time point of files that hold several."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from labrig_measure import microscope_files, tiff_planes
from labrig_measure.errors import MeasureError
from labrig_measure.microscope_files import Extent
from labrig_measure.pairing import FieldFiles
from labrig_measure.planes import PlaneFile
from labrig_measure.stacks import ALL_TIMES, StackChoice

_ONE = Extent(1, 1)


def with_choice(fields: Sequence[FieldFiles], choice: StackChoice) -> list[FieldFiles]:
    """The fields with what was chosen, those of several scenes or times taken apart.

    Names gain ``_s2`` for the scene and ``_t003`` for the time, both from 0.

    Args:
        fields: as found by name.
        choice: along z and time.

    Raises:
        MeasureError: a reader that is not installed.
    """
    return [part for field in fields for part in _parts(field, choice)]


def of_plate(fields: Sequence[FieldFiles], choice: StackChoice) -> list[FieldFiles]:
    """The fields of a plate, which are one per time point already, as far as they are chosen."""
    wanted = choice.time_index
    return [
        replace(field, planes={n: replace(p, z=choice.z) for n, p in field.planes.items()})
        for field in fields
        if wanted is None or any(p.time_index == wanted for p in field.planes.values())
    ]


def _parts(field: FieldFiles, choice: StackChoice) -> Iterator[FieldFiles]:
    found = [_extent(plane, choice) for plane in field.planes.values()]
    scenes = max(extent.scenes for extent in found)
    times = max(extent.times for extent in found)
    every_time = choice.time == ALL_TIMES and times > 1
    for scene in range(scenes):
        for time in range(times) if every_time else [choice.time_index]:
            name = field.name
            name += f"_s{scene}" if scenes > 1 else ""
            name += f"_t{time:03d}" if every_time else ""
            planes = {
                channel: replace(
                    plane, z=choice.z, time_index=time, scene=scene if scenes > 1 else None
                )
                for channel, plane in field.planes.items()
            }
            yield replace(field, name=name, planes=planes)


def _extent(plane: PlaneFile, choice: StackChoice) -> Extent:
    """How much the file holds, as far as it matters; one of each where it cannot be read."""
    path = Path(plane.path)
    try:
        if microscope_files.is_microscope_file(path):
            return microscope_files.extent(path)
        if choice.time == ALL_TIMES and path.name.lower().endswith(tiff_planes.ENDINGS):
            return Extent(1, tiff_planes.time_points(path))
    except MeasureError:
        raise
    # Readers of damaged files raise nearly anything; the field's row will say it when it is read.
    except Exception:
        return _ONE
    return _ONE
