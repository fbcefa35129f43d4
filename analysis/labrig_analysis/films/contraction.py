"""Optical contraction: how far, how fast and how faithfully tubes move under pulses.

It is movement seen, never force: a tube held at both ends may pull hard and hardly move.
Amplitude is the 95th percentile of the displacement inside the tube mask; MYOCYTER (Grune et
al. 2019, doi 10.1038/s41598-019-51676-x) likewise reads amplitude and speed from a film.

Known bias, on synthetic phase films of known movement, 0.65 and 1.3 um per pixel: inside a given
mask the amplitude is right to 2 % from 2 to 6 um, and 2 to 18 % high at 0.5 um, where noise
widens the distribution that the percentile is taken of; half relaxation is then up to 25 % long.
Without a mask, and for beats that nobody timed, 2 to 8 % low (time to peak from the onset, 10 to
20 ms short). Under 2 Hz that began before the film, at 50 frames per second and 1.3 um per pixel,
in a mask made from the film itself, 1 % high to 5 % low at 1 and 2 um. Times can be no better than
a fraction of the frame interval: film at 50 frames per second or more, trains of
10 Hz at 100 or more.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from labrig_analysis.arrays import Mask
from labrig_analysis.films.baseline import LEAST_BASELINE_FRAMES, REST_AFTER_S
from labrig_analysis.films.displacement import baseline_frames, follow_film, turned_over
from labrig_analysis.films.motion import downsampled_film
from labrig_analysis.films.pulse_responses import (
    FOLLOWED_NOISE,
    LONGEST_BEAT_S,
    WINDOW_S,
    fatigue_ratio,
    find_beats,
    pulse_table,
    train_table,
)

DEFINITION = "optical contraction: 95th percentile displacement in the mask, peak less baseline"
LEAST_FRAME_RATE_HZ = 50.0

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Contraction:
    """What a film says.

    Attributes:
        trace: One row per frame: ``time_s``, ``displacement_um``.
        pulses: One row per pulse (or, without pulses, a beat that was found): ``pulse_s``,
            ``single``, ``resolved``, ``followed``, ``amplitude_um``, ``time_to_peak_s``,
            ``half_relaxation_s`` (NaN where not followed or cut short by the next pulse),
            ``rate_of_rise_um_s``.
        trains: One row per train: ``start_s``, ``frequency_hz``, ``pulses``, ``peak_um``,
            ``tetanus_twitch_ratio`` (peak over the amplitude of the film's single twitches;
            NaN without any), ``fusion`` (displacement just before the last pulse over the
            peak after it: 0 apart, 1 fused; after Bakels & Kernell 1993 for force),
            ``plateau_um`` (mean over the last quarter of the train), ``ripple`` (largest less
            smallest displacement there over ``peak_um``: 0 fused).
        summary: One row, see `measure_contraction`.
    """

    trace: pd.DataFrame
    pulses: pd.DataFrame
    trains: pd.DataFrame
    summary: pd.DataFrame


def measure_contraction(
    frames: Iterable[npt.NDArray[Any]],
    *,
    pixel_size_um: float,
    frame_rate_hz: float,
    pulses_s: Sequence[float] | Floats | None = None,
    mask: Mask | None = None,
) -> Contraction:
    """Measure a film of grey frames (y, x).

    Args:
        frames: The frames in order; an array (t, y, x) or a generator.
        pixel_size_um: Side of a pixel, from the objective's calibration.
        frame_rate_hz: Frames a second, constant.
        pulses_s: Times of the stimulus pulses from the first frame, s; None or empty: beats
            are looked for in the trace. One before the film (negative) says that its first
            frames may not be at rest.
        mask: (y, x), nonzero in tubes. Without it the places that move are taken, which reads
            larger where some tubes stand still; ``mask`` in the summary says which was used.

    Returns:
        Tables. The summary has ``amplitude_um`` (median over followed single pulses; over
        train peaks if there are only trains), ``time_to_peak_s``, ``half_relaxation_s`` and
        ``rate_of_rise_um_s`` (medians), ``pulses``, ``resolved``, ``followed``,
        ``capture_fraction`` (followed over resolved; NaN for beats), ``fatigue_ratio`` (mean
        amplitude of the last 5 over the first 5 resolved pulses, missed ones as 0; NaN below 10),
        ``beat_rate_hz`` (beats that were found; NaN where pulses were given), ``noise_um`` (what
        the trace shows at rest), ``plateau_um``, ``ripple`` and ``fusion`` (medians over trains;
        NaN without any),
        ``mask``, ``definition``, ``flags`` (reasons for doubt).

    Raises:
        ValueError: Calibration, rate or frames that cannot be used; the message says which.
    """
    if not 0 < pixel_size_um < math.inf:
        raise ValueError(
            f"pixel_size_um is {pixel_size_um}: give the calibrated size of a pixel in um; "
            "without it no displacement in um can be stated"
        )
    if not 0 < frame_rate_hz < math.inf:
        raise ValueError(
            f"frame_rate_hz is {frame_rate_hz}: give the frames per second, a number above 0"
        )
    given = np.sort(np.asarray([] if pulses_s is None else pulses_s, dtype=np.float64))
    rest = baseline_frames(given, frame_rate_hz)
    seen = follow_film(downsampled_film(frames, pixel_size_um), rest, mask)
    if not len(given):
        seen = turned_over(seen, mask)
    inside, displacement, noise_um = seen.inside, seen.displacement_um, seen.noise_um
    time_s = np.arange(len(displacement)) / frame_rate_hz
    events = given if len(given) else find_beats(time_s, displacement, noise_um)

    window_s = WINDOW_S if len(given) else LONGEST_BEAT_S
    pulses = pulse_table(time_s, displacement, noise_um, events, window_s)
    alone = pulses["single"] & pulses["followed"]
    twitch_um = float(pulses.loc[alone, "amplitude_um"].median())
    trains = train_table(time_s, displacement, pulses, twitch_um)
    resolved = int(pulses["resolved"].sum())
    followed = int(pulses["followed"].sum())
    # A first pulse of a train that the film's end cuts off stands alone, and says nothing.
    only_trains = not (pulses["single"] & pulses["resolved"]).any() and len(trains) > 0
    above_noise = trains["peak_um"] > FOLLOWED_NOISE * noise_um
    summary = {
        "amplitude_um": (
            float(trains.loc[above_noise, "peak_um"].median()) if only_trains else twitch_um
        ),
        "time_to_peak_s": float(pulses.loc[alone, "time_to_peak_s"].median()),
        "half_relaxation_s": float(pulses.loc[alone, "half_relaxation_s"].median()),
        "rate_of_rise_um_s": float(pulses.loc[alone, "rate_of_rise_um_s"].median()),
        "pulses": int(((given >= 0) & (given <= time_s[-1])).sum()),
        "resolved": resolved if len(given) else 0,
        "followed": followed,
        "capture_fraction": followed / resolved if len(given) and resolved else np.nan,
        "fatigue_ratio": fatigue_ratio(pulses),
        "beat_rate_hz": np.nan if len(given) else followed * frame_rate_hz / len(time_s),
        "noise_um": noise_um,
        **{
            name: float(trains.loc[above_noise, name].median())
            for name in ("plateau_um", "ripple", "fusion")
        },
        "mask": "moving" if mask is None else "given",
        "definition": DEFINITION,
        "flags": "; ".join(
            _flags(frame_rate_hz, rest, given, time_s, inside, seen.motion.steadied)
        ),
    }
    trace = pd.DataFrame({"time_s": time_s, "displacement_um": displacement})
    return Contraction(trace, pulses, trains, pd.DataFrame([summary]))


def _flags(
    frame_rate_hz: float,
    rest: Sequence[int],
    given: Floats,
    time_s: Floats,
    inside: Mask,
    steadied: bool,
) -> list[str]:
    flags = []
    if frame_rate_hz < LEAST_FRAME_RATE_HZ:
        flags.append(
            f"{frame_rate_hz:g} frames/s is below {LEAST_FRAME_RATE_HZ:g}: times are coarse"
        )
    if len(given) and len(rest) < LEAST_BASELINE_FRAMES:
        flags.append(
            f"fewer than {LEAST_BASELINE_FRAMES} frames at rest (before the first pulse, or "
            f"{REST_AFTER_S:g} s after one): rest is the state that the film dwells in"
        )
    late = int((given > time_s[-1]).sum())
    if late:
        flags.append(
            f"{late} of {len(given)} pulses come after the last frame, at {time_s[-1]:.4g} s"
            + (": times are seconds from the first frame" if late == len(given) else "")
        )
    if not steadied:
        flags.append("too little still background: movement of the whole field is not taken out")
    if not inside.any():
        flags.append("no tubes in the mask" if len(given) else "nothing moves")
    return flags
