"""Donors by what they are: whose cells, and by attributes that outcomes ask of."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from labrig.protocol.culture import Donor
    from labrig.protocol.models import Protocol

PREFIX = "donor."
ATTRIBUTES = ("age_group", "age", "sex", "genotype", "morbidity", "passage")
"""What a level of ``donor.ATTRIBUTE`` is a value of."""

_AGE = re.compile(r"(under|from)-(\d+(?:\.\d+)?)")


def persons(protocol: Protocol) -> dict[str, str]:
    """By donor id, whose cells they are: passages of one donor are not two donors."""
    return {donor.id: donor.person or donor.id for donor in protocol.donors}


def attribute_of(factor: str) -> str | None:
    """The attribute that a factor of an interaction names; None where it is a factor of arms."""
    return factor.removeprefix(PREFIX) if factor.startswith(PREFIX) else None


def has_level(donor: Donor, attribute: str, level: str) -> bool:
    """Whether a donor has this value of an attribute; of an unknown one nobody has any."""
    if attribute == "age":
        bound = _AGE.fullmatch(level)
        if bound is None or donor.age_years is None:
            return False
        side, years = bound.groups()
        return (donor.age_years < float(years)) is (side == "under")
    value = getattr(donor, attribute)
    return value is not None and str(value) == level


def is_age_level(level: str) -> bool:
    """Whether it is written as ages are: ``under-40``, ``from-65``."""
    return _AGE.fullmatch(level) is not None
