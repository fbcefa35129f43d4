"""Which files belong to one field: the part of the name that `*` stands for says so."""

from __future__ import annotations

import glob
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from labrig_analysis.stains.stain_names import is_stain
from labrig_measure.errors import MeasureError
from labrig_measure.planes import PlaneFile

CHANNELS = ("tubes", "nuclei", "phase")


@dataclass(frozen=True, slots=True)
class FieldFiles:
    """The planes of one field.

    Attributes:
        name: what `*` stood for, or ``B4_f0_t003`` in a plate.
        planes: by channel, ``tubes``, ``nuclei``, ``phase`` or a stain (`stain_names.ROLES`).
        missing: channels that were asked for and have no file.
    """

    name: str
    planes: Mapping[str, PlaneFile]
    missing: tuple[str, ...] = ()


def pair_fields(folder: Path, patterns: Mapping[str, str]) -> list[FieldFiles]:
    """Find the fields of a folder.

    Args:
        folder: where the images are.
        patterns: by channel, a name with one ``*``, e.g. ``*_myhc.png`` or, for one colour of a
            colour image, ``*.png:red``; folders are allowed (``myhc/*.tif``).

    Raises:
        MeasureError: no folder, a pattern without exactly one ``*``, one that matches nothing, or
            patterns that share no field.
    """
    if not folder.is_dir():
        raise MeasureError(f"{folder} is not a folder: give the folder that holds the images")
    found = {channel: _find(folder, channel, text) for channel, text in patterns.items()}
    names = sorted(set().union(*found.values()))
    fields = [
        FieldFiles(
            name,
            {channel: files[name] for channel, files in found.items() if name in files},
            tuple(channel for channel, files in found.items() if name not in files),
        )
        for name in names
    ]
    if len(patterns) > 1 and all(field.missing for field in fields):
        examples = "; ".join(f"{c}: {next(iter(files))}" for c, files in found.items())
        raise MeasureError(
            f"no field in {folder} has all of {', '.join(patterns)}. What `*` stood for must be "
            f"the same in each pattern, and it was: {examples}"
        )
    return fields


def option_of(channel: str) -> str:
    """How a person gives the files of a channel.

    >>> option_of("tubes"), option_of("marker:EdU")
    ('--tubes', '--stain marker:EdU')
    """
    return f"--stain {channel}" if is_stain(channel) else f"--{channel}"


def _find(folder: Path, channel: str, text: str) -> dict[str, PlaneFile]:
    pattern, _, choice = text.partition(":")
    if pattern.count("*") != 1:
        raise MeasureError(
            f"{option_of(channel)} {text!r} needs exactly one `*`, the part that names the field, "
            "as in '*_myhc.png'"
        )
    before, after = pattern.split("*")
    name_of = re.compile(re.escape(before) + r"([^/]+)" + re.escape(after))
    found = {}
    for path in sorted(folder.glob(f"{glob.escape(before)}*{glob.escape(after)}")):
        match = name_of.fullmatch(path.relative_to(folder).as_posix())
        # macOS leaves `._x.tif` beside `x.tif` on foreign disks: no image, whatever its ending.
        if match and not path.name.startswith("."):
            found[match[1]] = PlaneFile(str(path), choice or None)
    if not found:
        present = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
        shown = ", ".join(present[:4]) + (", ..." if len(present) > 4 else "")
        raise MeasureError(
            f"{option_of(channel)} {text!r} matches no file in {folder}, which holds "
            f"{shown or 'nothing'}: correct the pattern"
        )
    return found
