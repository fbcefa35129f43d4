"""Print what measuring costs: milliseconds a megapixel, against a reference, and memory.

    python benchmarks/speed.py
    python benchmarks/speed.py phase      # without a stain: by rules, and with the network

Milliseconds depend on the machine and on who else is on it; the ratio to the reference, one
Gaussian blur and one distance transform of the same field in the same run, hardly does. Fields are
drawn with the density of a myotube culture at 20x, so it runs without any image.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import get_args

import cv2
import numpy as np
from drawn_sheets import draw

from labrig_analysis.measurement import measure
from labrig_analysis.nuclei.segmentation import segment_nuclei
from labrig_analysis.settings import MeasureSettings
from labrig_analysis.tubes.fluorescence import segment_tubes
from labrig_analysis.tubes.tube_labels import PhaseMask, TubeSettings
from labrig_analysis.widths.diameter import measure_diameters

SIDES_PX = (512, 1024, 2048, 3584, 5000)
PIXEL_UM = 0.32
PHASE_SIDES_PX = (2048, 3584, 5000)
PHASE_PIXELS_UM = (0.32, 0.65, 1.0)


def field(side: int) -> tuple[np.ndarray, np.ndarray]:
    """A tube plane and a nucleus plane, `side` x `side` px, uint8; 40 nuclei of 34 px a MP."""
    rng = np.random.default_rng(1)
    nuclei = np.full((side, side), 10, np.uint8)
    for x, y in rng.integers(0, side, (40 * side * side // 1_000_000, 2)).tolist():
        cv2.ellipse(nuclei, (x, y), (20, 14), rng.uniform(0, 180), 0, 360, rng.uniform(70, 200), -1)
    tubes = np.full((side, side), 15, np.uint8)
    for x in range(60, side + side // 2, 440):
        cv2.line(tubes, (x, 40), (x - side // 2, side - 40), 130, 60, cv2.LINE_AA)
    return _photographed(tubes, rng), _photographed(nuclei, rng)


def _photographed(plane: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    plane = cv2.GaussianBlur(plane, (0, 0), 2)
    # In strips: the drawing must not need more memory than the measuring that is looked at.
    for strip in np.array_split(plane, max(1, len(plane) // 100)):
        strip[:] = np.clip(strip + rng.normal(0, 2, strip.shape), 0, 255).astype(np.uint8)
    return plane


def reference(plane: np.ndarray) -> None:
    """Two plain passes over a field: what any segmentation has to pay at least."""
    blurred = cv2.GaussianBlur(plane.astype(np.float32), (0, 0), 5)
    cv2.distanceTransform((blurred > blurred.mean()).astype(np.uint8), cv2.DIST_L2, 5)


def best_ms(call: Callable[[], object], times: int) -> float:
    """CPU milliseconds of the quickest of some runs; others' load inflates the rest."""
    spent = []
    for _ in range(times):
        start = time.process_time()
        call()
        spent.append(1e3 * (time.process_time() - start))
    return min(spent)


def print_row(side: int) -> None:
    """One size: cost of the steps and of the whole, and the peak memory of this process."""
    cv2.setNumThreads(1)
    tubes, nuclei = field(side)
    megapixels = side * side / 1e6
    labels = segment_tubes(tubes, PIXEL_UM).labels
    resting_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    # Short runs are disturbed the most, and cost the least to repeat.
    times = max(3, round(24 / megapixels))
    steps = {
        "tubes": lambda: segment_tubes(tubes, PIXEL_UM),
        "diameters": lambda: measure_diameters(labels, tubes, PIXEL_UM),
        "nuclei": lambda: segment_nuclei(nuclei),
        "all": lambda: measure([tubes, nuclei], PIXEL_UM, ["tubes", "nuclei"]),
    }
    ms = {name: best_ms(call, times) / megapixels for name, call in steps.items()}
    # Before the reference, which holds more float planes at once than measuring does.
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ms["reference"] = best_ms(lambda: reference(nuclei), times) / megapixels
    cells = "".join(f"{ms[name]:11.1f}" for name in ms)
    print(
        f"{megapixels:8.2f}{cells}{ms['all'] / ms['reference']:9.1f}{peak_mb:9.0f} "
        f"({resting_mb:.0f} before)"
    )


def print_phase_rows() -> None:
    """Phase contrast of drawn tubes over sheets, by either mask."""
    cv2.setNumThreads(1)
    # Drawn at 0.65 µm a pixel; called finer or coarser, the same picture is another culture.
    tile = draw(700, 0.15, True).picture
    print("      MP  µm/px      rules    learned  reference    ratio   ms a MP, CPU time")
    for side in PHASE_SIDES_PX:
        plane = np.tile(tile, (-(-side // len(tile)), -(-side // len(tile))))[:side, :side].copy()
        megapixels, times = side * side / 1e6, max(2, round(12 / (side * side / 1e6)))
        for pixel_um in PHASE_PIXELS_UM:
            ms = [
                best_ms(partial(measure_phase, plane, pixel_um, mask), times) / megapixels
                for mask in get_args(PhaseMask)
            ]
            ms.append(best_ms(lambda plane=plane: reference(plane), times) / megapixels)
            cells = "".join(f"{value:11.1f}" for value in ms)
            print(f"{megapixels:8.2f}{pixel_um:7.2f}{cells}{ms[1] / ms[2]:9.1f}", flush=True)


def measure_phase(plane: np.ndarray, pixel_um: float, mask: PhaseMask) -> None:
    """One field without a stain."""
    measure([plane], pixel_um, ["phase"], MeasureSettings(tubes=TubeSettings(phase_mask=mask)))


def print_line(whole: np.ndarray) -> None:
    """A straight line through (MP, ms) of whole fields, each size weighing the same."""
    megapixels, ms = whole.T
    slope, fixed = np.polyfit(megapixels, ms, 1, w=1 / ms)
    off = np.abs(fixed + slope * megapixels - ms) / ms
    print(f"all: {fixed:.0f} ms a field and {slope:.0f} ms a MP; off by at most {off.max():.0%}")


def main() -> None:
    """A process a size, so that memory is that size's own."""
    if sys.argv[1:] == ["phase"]:
        print_phase_rows()
        return
    if len(sys.argv) > 1:
        print_row(int(sys.argv[1]))
        return
    names = ("tubes", "diameters", "nuclei", "all", "reference")
    print("      MP" + "".join(f"{name:>11}" for name in names) + "    ratio  peak MB")
    print("        " + " ms a MP, one process, one thread, CPU time")
    whole: list[tuple[float, float]] = []
    for side in SIDES_PX:
        command = [sys.executable, __file__, str(side)]
        row = subprocess.run(command, check=True, capture_output=True, text=True).stdout
        print(row, end="", flush=True)
        megapixels, *per_mp = (float(cell) for cell in row.split()[: 1 + len(names)])
        whole.append((megapixels, megapixels * per_mp[names.index("all")]))
    print_line(np.array(whole))


if __name__ == "__main__":
    main()
