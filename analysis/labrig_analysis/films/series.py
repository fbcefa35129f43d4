"""What a series of films of one well says: capture threshold, force and frequency, fatigue.

Arrays in, numbers out; each film is one point. Of movement seen, as all of `contraction`, never
force: *force–frequency* is the name of the test.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True)
class Capture:
    """What a staircase of amplitudes says.

    Attributes:
        threshold: the lowest amplitude from which on every step was captured; NaN: the top step
            was not.
        below: the step before it, which was not captured; NaN: the lowest step was captured, so the
            threshold is no higher than that. The threshold lies between the two.
        half: amplitude at which the response is half of the largest, between steps by a straight
            line; NaN where the lowest step gives more than half.
    """

    threshold: float
    below: float
    half: float


def capture(
    amplitudes: Sequence[float],
    followed_shares: Sequence[float],
    responses_um: Sequence[float],
    captured_share: float,
    least_response: float = 0.1,
) -> Capture:
    """The capture threshold of a staircase.

    Args:
        amplitudes: of the steps, rising.
        followed_shares: of each step's pulses, those that were followed.
        responses_um: of each step, 0 where none was followed.
        captured_share: a step is captured when no smaller share of its pulses is followed.
        least_response: and when its response is no smaller a share of the largest [P]: noise and
            the twitch of a fibre at the rim do not capture a culture.

    Raises:
        ValueError: the lists differ in length, or the amplitudes do not rise.
    """
    volts = np.asarray(amplitudes, dtype=np.float64)
    shares = np.asarray(followed_shares, dtype=np.float64)
    sizes = np.nan_to_num(np.asarray(responses_um, dtype=np.float64))
    if not len(volts) == len(shares) == len(sizes) or np.any(np.diff(volts) <= 0):
        raise ValueError("a staircase needs a share and a response for each of rising amplitudes")
    top = float(sizes.max(initial=0.0))
    captured = (shares >= captured_share - 1e-9) & (sizes >= least_response * top) & (top > 0)
    if not len(volts) or not captured[-1]:
        return Capture(math.nan, math.nan, math.nan)
    missed = np.flatnonzero(~captured)
    first = int(missed[-1]) + 1 if len(missed) else 0
    below = float(volts[first - 1]) if first else math.nan
    return Capture(float(volts[first]), below, rising_crossing(volts, sizes, top / 2.0))


@dataclass(frozen=True, slots=True)
class ForceFrequency:
    """What trains of rising frequency say.

    Attributes:
        twitch_um: response at the lowest frequency.
        largest_um: the largest of all.
        f50_hz: frequency at which the response is halfway between the two, by a straight line over
            the logarithm of frequency; NaN where the largest is not the greater by a tenth.
        ratio: largest over twitch.
    """

    twitch_um: float
    largest_um: float
    f50_hz: float
    ratio: float


def force_frequency(
    frequencies_hz: Sequence[float], responses_um: Sequence[float]
) -> ForceFrequency:
    """The force–frequency curve in four numbers; responses that are NaN are left out."""
    rates = np.asarray(frequencies_hz, dtype=np.float64)
    sizes = np.asarray(responses_um, dtype=np.float64)
    known = np.isfinite(sizes)
    rates, sizes = rates[known], sizes[known]
    if len(rates) < 2 or not sizes.max() > 0:
        return ForceFrequency(math.nan, math.nan, math.nan, math.nan)
    twitch, largest = float(sizes[0]), float(sizes.max())
    f50 = math.nan
    if largest > 1.1 * twitch:
        f50 = math.exp(rising_crossing(np.log(rates), sizes, (twitch + largest) / 2.0))
    return ForceFrequency(twitch, largest, f50, largest / twitch if twitch > 0 else math.nan)


def rising_crossing(
    at: np.ndarray[tuple[int], np.dtype[np.float64]],
    values: np.ndarray[tuple[int], np.dtype[np.float64]],
    level: float,
) -> float:
    """Where values first rise to a level, between two points by a straight line.

    NaN where the first is above it already.
    """
    above = np.flatnonzero(values >= level)
    if not len(above) or above[0] == 0:
        return math.nan
    i = int(above[0])
    share = (level - values[i - 1]) / (values[i] - values[i - 1])
    return float(at[i - 1] + share * (at[i] - at[i - 1]))


def fatigue_ratio(first_um: float, last_um: float) -> float:
    """Response at the end of a test over that at its beginning; NaN where there was none."""
    return last_um / first_um if first_um > 0 else math.nan
