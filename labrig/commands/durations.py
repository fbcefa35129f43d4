"""Durations on the command line, written with their unit: ``10 min``."""

from __future__ import annotations

import typer


def duration_s(text: str, option: str) -> float:
    """A duration in s.

    Raises:
        typer.BadParameter: it has no unit of time, or lies below 0.
    """
    from labrig.units import parse_quantity

    try:
        seconds = parse_quantity(text, "s")
    except ValueError as error:
        raise typer.BadParameter(f"{error}; write it like '10 min'", param_hint=option) from None
    if seconds < 0:
        raise typer.BadParameter(f"'{text}' lies below 0", param_hint=option)
    return seconds
