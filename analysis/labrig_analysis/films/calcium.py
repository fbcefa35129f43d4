"""ΔF/F0 of a calcium film: how much brighter cells are than at rest, under pulses or by themselves.

F is the mean grey level in the mask less the background's, F0 what it is at rest: the
10th percentile in stretches of the film, joined by one exponential, because dyes bleach (Theil-Sen
on logarithms, so that active stretches do not bend it). Percentile baselines are usual (Jia et al.
2011 Nat Protoc 6:28, 8th percentile). A ratio is only as good as its background: a camera's offset
that is left in makes every response too small.

Known bias, on drawn films: amplitudes of 0.1 to 2 are right to 6 %, with noise of 0.003 per frame
0.008 high, because a peak and the lowest frame before it are taken from noise too.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from labrig_analysis.arrays import GreyImage, Mask
from labrig_analysis.films.pulse_responses import (
    LONGEST_BEAT_S,
    fatigue_ratio,
    find_beats,
    pulse_table,
)

DEFINITION = "dF/F0: mean in the mask less background, over its 10th percentile at rest"
RESTING_PERCENT = 10.0
STRETCH_S = 2.0
"""[P] Long enough to hold rest between responses of cells that are paced at 1 Hz."""
DARKEST_PERCENT = 1.0
"""[P] Of the mean picture; stands for the background where none is given."""
NOISE_REACH = 2.5
"""[P] So many standard deviations of a frame stand for what noise alone shows: of some thousand
frames a few reach 3 to 4."""
LEAST_STRETCHES = 4
"""Fewer tell no bleaching: F0 is then one level."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class CalciumResponse:
    """What a calcium film says.

    Attributes:
        trace: One row per frame: ``time_s``, ``fluorescence`` (grey levels over background),
            ``baseline`` (F0), ``dff`` (ΔF/F0, a share).
        pulses: One row per pulse or, without pulses, per transient: ``pulse_s``, ``single``,
            ``resolved``, ``followed``, ``amplitude_dff``, ``time_to_peak_s``,
            ``half_decay_s`` (NaN where not followed or cut short by the next pulse).
        summary: One row, see `measure_calcium`.
    """

    trace: pd.DataFrame
    pulses: pd.DataFrame
    summary: pd.DataFrame


def measure_calcium(
    frames: Iterable[GreyImage],
    *,
    frame_rate_hz: float,
    pulses_s: Sequence[float] | Floats | None = None,
    mask: Mask | None = None,
    background: Mask | None = None,
) -> CalciumResponse:
    """Measure a film of grey frames (y, x).

    Args:
        frames: In order; an array (t, y, x) or a generator.
        frame_rate_hz: Frames per second, constant.
        pulses_s: Times of the stimulus pulses from the first frame, s; None or empty: transients
            are looked for.
        mask: (y, x), nonzero in the cells that count. Without it, what is brighter than Otsu's
            level of the mean picture.
        background: (y, x), nonzero where no cell is. Without it, the darkest hundredth of the mean
            picture stands for it.

    Returns:
        Tables. The summary has ``amplitude_dff`` (median over followed single pulses),
        ``time_to_peak_s``, ``half_decay_s``, ``pulses``, ``resolved``, ``followed``,
        ``capture_fraction``, ``fatigue_ratio``, ``transient_rate_hz`` (NaN where pulses were
        given), ``noise_dff`` (standard deviation of one frame at rest), ``bleached_per_min`` (share
        of F0 lost), ``background_grey``, ``mask``, ``definition``, ``flags``.

    Raises:
        ValueError: Rate, masks or frames that cannot be used; the message says which.
    """
    if not 0 < frame_rate_hz < math.inf:
        raise ValueError(
            f"frame_rate_hz is {frame_rate_hz}: give the frames per second, a number above 0"
        )
    film = _stacked(frames)
    picture = film.mean(axis=0)
    inside = _inside(picture, mask)
    dark = _background(picture, background)
    level = film[:, inside].mean(axis=1) - dark
    if level.min() <= 0:
        raise ValueError(
            f"the cells are no brighter than the background ({dark:.1f} grey levels): give a mask "
            "of cells and a background without any"
        )
    time_s = np.arange(len(level)) / frame_rate_hz
    resting, bleached = _resting(time_s, level)
    dff = level / resting - 1
    noise = float(np.median(np.abs(np.diff(dff))) / (0.6745 * math.sqrt(2)))
    given = np.sort(np.asarray([] if pulses_s is None else pulses_s, dtype=np.float64))
    events = given if len(given) else find_beats(time_s, dff.clip(0), NOISE_REACH * noise)
    pulses = pulse_table(time_s, dff, NOISE_REACH * noise, events, LONGEST_BEAT_S)
    trace = {"time_s": time_s, "fluorescence": level, "baseline": resting, "dff": dff}
    said = {
        "noise_dff": noise,
        "bleached_per_min": bleached,
        "background_grey": dark,
        "mask": "bright" if mask is None else "given",
        "definition": DEFINITION,
        "flags": "; ".join(_flags(film, time_s, given, background)),
    }
    summary = pd.DataFrame([_summary(pulses, given, time_s) | said])
    names = {"amplitude_um": "amplitude_dff", "half_relaxation_s": "half_decay_s"}
    return CalciumResponse(pd.DataFrame(trace), pulses.rename(columns=names), summary)


def _summary(pulses: pd.DataFrame, given: Floats, time_s: Floats) -> dict[str, Any]:
    alone = pulses[pulses["single"] & pulses["followed"]]
    resolved, followed = int(pulses["resolved"].sum()), int(pulses["followed"].sum())
    seconds = len(time_s) * float(time_s[1])
    return {
        "amplitude_dff": float(alone["amplitude_um"].median()),
        "time_to_peak_s": float(alone["time_to_peak_s"].median()),
        "half_decay_s": float(alone["half_relaxation_s"].median()),
        "pulses": int(((given >= 0) & (given <= time_s[-1])).sum()),
        "resolved": resolved if len(given) else 0,
        "followed": followed,
        "capture_fraction": followed / resolved if len(given) and resolved else math.nan,
        "fatigue_ratio": fatigue_ratio(pulses),
        "transient_rate_hz": math.nan if len(given) else followed / seconds,
    }


def _stacked(frames: Iterable[GreyImage]) -> npt.NDArray[np.float32]:
    film: list[npt.NDArray[np.float32]] = []
    for number, frame in enumerate(frames):
        if frame.ndim != 2:
            raise ValueError(f"frame {number} has shape {frame.shape}: give grey frames (y, x)")
        if film and frame.shape != film[0].shape:
            raise ValueError(
                f"frame {number} has shape {frame.shape}, those before it {film[0].shape}"
            )
        film.append(frame.astype(np.float32))
        if not np.isfinite(film[-1]).all():
            raise ValueError(f"frame {number} holds NaN or infinity: give numbers in every pixel")
    if len(film) < 2:
        raise ValueError("a film needs two frames or more")
    return np.stack(film)


def _inside(picture: Floats, mask: Mask | None) -> Mask:
    from skimage.filters import threshold_otsu

    if mask is None:
        if picture.min() == picture.max():
            raise ValueError("nothing is brighter than anything else: give a mask of the cells")
        return np.asarray(picture > threshold_otsu(picture))  # type: ignore[no-untyped-call]
    return _of_shape(picture, mask, "mask")


def _background(picture: Floats, background: Mask | None) -> float:
    if background is None:
        return float(np.percentile(picture, DARKEST_PERCENT))
    return float(picture[_of_shape(picture, background, "background")].mean())


def _of_shape(picture: Floats, mask: Mask, name: str) -> Mask:
    if mask.shape != picture.shape:
        raise ValueError(
            f"the {name} has shape {mask.shape}, the frames {picture.shape}: give one of theirs"
        )
    if not (mask > 0).any():
        raise ValueError(f"the {name} is empty: mark the places that count")
    return np.asarray(mask > 0)


def _resting(time_s: Floats, level: Floats) -> tuple[Floats, float]:
    """(t,) F0, and the share of it that is lost per minute."""
    from scipy.stats import theilslopes

    per_stretch = max(2, round(STRETCH_S / float(time_s[1])))
    stretches = len(level) // per_stretch
    if stretches < LEAST_STRETCHES:
        return np.full(len(level), np.percentile(level, RESTING_PERCENT)), 0.0
    parts = [slice(n * per_stretch, (n + 1) * per_stretch) for n in range(stretches)]
    low = np.array([np.percentile(level[part], RESTING_PERCENT) for part in parts])
    at_s = np.array([time_s[part].mean() for part in parts])
    slope, intercept, *_ = theilslopes(np.log(low), at_s)
    return np.exp(intercept + slope * time_s), float(-math.expm1(60.0 * slope))


def _flags(
    film: npt.NDArray[np.float32], time_s: Floats, given: Floats, background: Mask | None
) -> list[str]:
    flags = []
    if background is None:
        flags.append(
            f"no background given: the darkest {DARKEST_PERCENT:g} % of the picture stands for it"
        )
    brightest = float(film.max())
    if brightest in (255.0, 4095.0, 65535.0) and (film == brightest).mean() > 1e-4:
        flags.append(f"pixels are saturated at {brightest:g}: responses read too small")
    late = int((given > time_s[-1]).sum())
    if late:
        flags.append(
            f"{late} of {len(given)} pulses come after the last frame, at {time_s[-1]:.4g} s"
        )
    return flags
