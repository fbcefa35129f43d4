"""Numbers with their units, rounded to what a person can use."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from types import MappingProxyType

from labrig.plan.figures import figure

DIGITS = 3
"""Significant digits; the coarsest instrument here is good for two, the finest for four."""
DECIMALS: Mapping[str, int] = MappingProxyType({"%": 1, "°C": 1, "mL": 1, "h": 1})
"""Of quantities that people read to a fixed step, whatever their size."""
NO_VALUE = "no value"

_LONG = re.compile(r"(?<![\w.:/\\-])(-?\d+\.\d+(?:e[-+]?\d+)?)(?![\w/\\]|[.:]\d)")


def number_words(value: float | None, unit: str = "") -> str:
    """A value with its unit, rounded as its quantity is read.

    >>> number_words(6.510748386383057, "%"), number_words(0.35266666, "µL/min")
    ('6.5 %', '0.353 µL/min')
    >>> number_words(20000.4, "µL"), number_words(None, "°C")
    ('20000 µL', 'no value')
    """
    if value is None or not math.isfinite(value):
        return NO_VALUE
    decimals = DECIMALS.get(unit)
    text = figure(value, DIGITS)
    if abs(value) >= 10**DIGITS:
        text = f"{value:.0f}"
    # A step that would hide the value altogether is no help.
    elif decimals is not None and (value == 0 or abs(value) >= 10**-decimals):
        text = f"{value:.{decimals}f}"
    return f"{text} {unit}".rstrip()


def range_words(low: float, high: float, unit: str = "") -> str:
    """From where to where, once where both are the same.

    >>> range_words(0.0, 20.0, "µL"), range_words(5.0, 5.0, "µL")
    ('0 to 20 µL', '5 µL')
    """
    ends = (number_words(low, unit), number_words(high, unit))
    if ends[0] == ends[1]:
        return ends[0]
    return f"{ends[0].removesuffix(unit).rstrip()} to {ends[1]}"


def rounded(text: str) -> str:
    """A text by others, e.g. a driver's, with its long numbers rounded.

    Addresses, versions and times keep all their digits.

    >>> rounded("it says 0.3526666666666667 µL/min at 192.168.10.21:4001.")
    'it says 0.3527 µL/min at 192.168.10.21:4001.'
    """
    return _LONG.sub(lambda found: figure(float(found[1])), text)


def count_words(count: int, one: str, many: str = "") -> str:
    """So many of something.

    >>> count_words(1, "picture"), count_words(0, "picture"), count_words(3, "loss", "losses")
    ('1 picture', 'no picture', '3 losses')
    """
    if count == 0:
        return f"no {one}"
    return f"{count} {one}" if count == 1 else f"{count} {many or one + 's'}"
