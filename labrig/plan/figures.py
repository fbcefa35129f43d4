"""Numbers in findings as a person would write them."""

from __future__ import annotations

import math


def figure(value: float, digits: int = 4) -> str:
    """Rounded to some digits, without an exponent where a person would write none.

    >>> figure(20000.4), figure(0.000123456), figure(9.3e-18)
    ('20000', '0.0001235', '9.3e-18')
    """
    short = f"{value:.{digits}g}"
    if "e" not in short or not 1e-6 <= abs(value) < 1e9:
        return short
    plain = f"{float(short):.12f}"
    return plain.rstrip("0").rstrip(".")


def slip_of_thousands(one: float, other: float) -> str:
    """A doubt, for values that lie a thousand or a million times apart; else "".

    >>> slip_of_thousands(10.0, 10000.0)
    '; they are a thousand times apart: is a unit wrong, such as µg for ng?'
    >>> slip_of_thousands(10.0, 30.0), slip_of_thousands(0.0, 30.0)
    ('', '')
    """
    if one <= 0.0 or other <= 0.0:
        return ""
    decades = abs(math.log10(one / other))
    for power, words in ((3, "a thousand"), (6, "a million")):
        if abs(decades - power) < math.log10(2.0):
            return f"; they are {words} times apart: is a unit wrong, such as µg for ng?"
    return ""
