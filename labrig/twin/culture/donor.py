"""Whose cells they are: donors differ in size and in how they answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Donor:
    """What is fixed about the cells of one well.

    Attributes:
        log_size: own deviation of donor and well.
        old: of an old donor.
        answers: how strongly factors act, over the usual.
        passages_over: passages above 4.
    """

    log_size: float = 0.0
    old: bool = False
    answers: float = 1.0
    passages_over: float = 0.0
