"""How many frames of 1 MP a second `measure_contraction` takes, and how right it is.

    python benchmarks/film_speed.py

The goal is 100 frames of 1 MP a second. Machines differ and may be busy, so beside the rate
stands its ratio to a plain operation timed in the same run: a 5x5 Gaussian blur of the frame.
The films are synthetic; nothing was fitted on them.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import cv2
import numpy as np

from labrig_analysis.films.contraction import measure_contraction
from labrig_analysis.synthetic.culture import CultureState
from labrig_analysis.synthetic.film import Film, render_film
from labrig_analysis.synthetic.scene import make_scene

SIDE_PX = 1024
RATE_HZ = 50.0
PULSES_S = [0.4, 1.4, 2.4]
FRAMES = 160
REPEATS = 3


def main() -> None:
    """Time and score films at two calibrations, with and without a mask."""
    print(
        f"{FRAMES} frames of {SIDE_PX} x {SIDE_PX}, best of {REPEATS}, "
        f"{cv2.getNumThreads()} threads"
    )
    print("um/px  mask    frames/s  cpu ms/frame  blurs of 5x5  true um  measured um")
    for pixel_size_um in (0.65, 1.3):
        film = filmed(pixel_size_um)
        _, blur_s = best(
            lambda film=film: [cv2.GaussianBlur(f, (5, 5), 0) for f in film.frames[:40]]
        )
        for name, mask in (("given", film.truth.tube_mask), ("none", None)):

            def work(film: Film = film, mask=mask, pixel_size_um: float = pixel_size_um):
                return measure_contraction(
                    film.frames,
                    pixel_size_um=pixel_size_um,
                    frame_rate_hz=RATE_HZ,
                    pulses_s=PULSES_S,
                    mask=mask,
                )

            wall_s, cpu_s = best(work)
            found = work().summary.loc[0, "amplitude_um"]
            true = np.median(film.truth.pulse_response_um)
            print(
                f"{pixel_size_um:<6} {name:<7} {FRAMES / wall_s:8.0f}  "
                f"{cpu_s / FRAMES * 1e3:12.2f}  "
                f"{cpu_s / FRAMES / (blur_s / 40):12.1f}  {true:7.2f}  {found:11.2f}"
            )


def filmed(pixel_size_um: float) -> Film:
    """A synthetic film of three twitches of 2 um."""
    side_um = SIDE_PX * pixel_size_um
    scene = make_scene(1, "A1", 0, height_um=side_um, width_um=side_um)
    return render_film(
        scene,
        CultureState(contraction_um=2.0),
        (SIDE_PX, SIDE_PX),
        pixel_size_um,
        pulses_s=PULSES_S,
        frame_rate_hz=RATE_HZ,
        n_frames=FRAMES,
        rng_seed=1,
    )


def best(work: Callable[[], object]) -> tuple[float, float]:
    """Shortest wall time and shortest processor time (all threads) of some runs, s."""
    walls, processors = [], []
    for _ in range(REPEATS):
        wall, processor = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - wall)
        processors.append(time.process_time() - processor)
    return min(walls), min(processors)


if __name__ == "__main__":
    main()
