"""Numbers in findings as a person would write them."""

from __future__ import annotations


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
