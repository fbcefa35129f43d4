"""One number about a stain in one field, with what it means and why it is not known."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np


class Readout(NamedTuple):
    """One row of `Measurement.stains`."""

    stain: str
    """The channel, or the two channels, that it is about."""
    readout: str
    """What was measured; a unit ends its name."""
    value: float
    """NaN where it cannot be measured."""
    definition: str
    """Every rule and number that decided it."""
    low: float = np.nan
    """Of a share of counted things, its 95 % Wilson interval; NaN for all else."""
    high: float = np.nan
    counted: float = np.nan
    """Things that a share is of; NaN for all else."""
    level: float = np.nan
    """Grey levels above the local background from which the stain counts; NaN without one."""
    why_not: str = ""
    """Why the value is NaN."""


def not_known(stain: str, names: tuple[str, ...], definition: str, why: str) -> list[Readout]:
    """Read-outs that cannot be measured, and why."""
    return [Readout(stain, name, np.nan, definition, why_not=why) for name in names]
