"""Print what `labrig measure` costs as a whole command: reading, measuring, overlays, tables.

    python benchmarks/batch_speed.py [FIELDS]

CPU time of the command and its children, from start to end, over drawn fields of 4 megapixels; and
that of the same line again, with nothing left to do. What is not measuring (`speed.py`) is
pictures, records, tables and the start of Python.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import cv2
import numpy as np
from speed import PIXEL_UM, field

SIDE_PX = 2048


def draw(folder: Path, fields: int) -> None:
    """Fields of one density, each turned another way."""
    planes = field(SIDE_PX)
    for number in range(fields):
        for plane, channel in zip(planes, ("myhc", "dapi"), strict=True):
            turned = np.ascontiguousarray(np.rot90(plane, number)[:, :: 1 - 2 * (number // 4 % 2)])
            cv2.imwrite(str(folder / f"field{number:02d}_{channel}.png"), turned)


def cpu_s(folder: Path) -> float:
    """CPU seconds of one `labrig measure` of a folder."""
    command = [
        sys.executable, "-m", "labrig", "measure", str(folder), "--out", str(folder / "out"),
        "--tubes", "*_myhc.png", "--nuclei", "*_dapi.png", "--pixel-size-um", str(PIXEL_UM),
        "--workers", "1", "--json",
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """A batch, and the same again."""
    fields = int(sys.argv[1]) if len(sys.argv) > 1 else 8
    megapixels = fields * SIDE_PX**2 / 1e6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder, fields)
        whole_s, again_s = cpu_s(folder), cpu_s(folder)
    print(
        f"{fields} fields of {SIDE_PX**2 / 1e6:.1f} MP: {1e3 * whole_s / megapixels:.0f} ms a MP, "
        f"{1e3 * whole_s / fields:.0f} ms a field; nothing left to do: {1e3 * again_s:.0f} ms"
    )


if __name__ == "__main__":
    main()
