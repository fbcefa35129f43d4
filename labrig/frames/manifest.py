"""The table of frames beside the images: what was taken, where, when and how late.

The journal is the record; this is its copy for people and programs that read images without
labrig, rewritten whole (temporary file, then rename) at the end of a round and of a run.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from labrig import run_clock
from labrig.durable import written_whole

COLUMNS = (
    "key",
    "path",
    "sha256",
    "well",
    "field",
    "round",
    "channel",
    "offset_s",
    "lateness_s",
    *run_clock.COLUMNS,
    "x_asked_um",
    "y_asked_um",
    "x_reached_um",
    "y_reached_um",
    "position_verified",
    "exposure_ms",
    "focus",
)


def write_manifest(path: Path, rows: Iterable[Mapping[str, Any]]) -> int:
    """Write the frame table and return how many rows it has.

    Args:
        path: the CSV file.
        rows: mappings with at least :data:`COLUMNS`; None becomes an empty cell.

    Raises:
        OSError: the disk refuses; the previous table is untouched.
    """
    count = 0
    with written_whole(path) as binary:
        stream = io.TextIOWrapper(binary, newline="", encoding="utf-8")
        writer = csv.DictWriter(stream, COLUMNS, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow(dict(row))
            count += 1
        stream.detach()
    return count
