"""Print what `labrig measure` costs as a whole command: reading, measuring, overlays, tables.

    python benchmarks/batch_speed.py [FIELDS]

CPU time of the command and its children, from start to end, over drawn fields of 4 megapixels: of
the first, of each that is measured with it, and of the same line again with nothing left to do.
What is not measuring (`speed.py`) is reading, pictures, records and tables; the first field also
pays for the start of Python and its libraries.
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
            cv2.imwrite(str(folder / f"{number:02d}field_{channel}.png"), turned)


def cpu_s(folder: Path, out: str, fields: str = "") -> float:
    """CPU seconds of one `labrig measure` of the fields of a folder that begin like this."""
    command = [
        sys.executable, "-m", "labrig", "measure", str(folder), "--out", str(folder / out),
        "--tubes", f"{fields}*_myhc.png", "--nuclei", f"{fields}*_dapi.png",
        "--pixel-size-um", str(PIXEL_UM), "--workers", "1", "--json",
    ]  # fmt: skip
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """One field, then all, then nothing."""
    fields = int(sys.argv[1]) if len(sys.argv) > 1 else 9
    megapixels = SIDE_PX**2 / 1e6
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        draw(folder, fields)
        first_s = cpu_s(folder, "first", "00")
        whole_s, again_s = cpu_s(folder, "all"), cpu_s(folder, "all")
    field_s = (whole_s - first_s) / (fields - 1)
    print(
        f"{fields} fields of {megapixels:.1f} MP, CPU time: {1e3 * field_s:.0f} ms a field, "
        f"{1e3 * field_s / megapixels:.0f} ms a MP; the first {first_s:.1f} s, "
        f"nothing left to do {again_s:.1f} s"
    )


if __name__ == "__main__":
    main()
