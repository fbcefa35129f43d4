"""What a simulated medium is made of, over what differentiation medium holds."""

from __future__ import annotations

import re

from labrig.protocol.contents import carrier_medium
from labrig.protocol.models import Protocol

NORMAL_GLUCOSE_MM, NORMAL_CALCIUM_MM, NORMAL_SERUM_PERCENT = 5.5, 1.8, 2.0
"""[K] DMEM of low glucose with 2 % horse serum."""
_SHARE = re.compile(r"([0-9]+(?:\.[0-9]+)?)\s*%")


def feeds(protocol: Protocol, solution: str) -> bool:
    """Whether cells live on it: a medium, or a stock that is made up in one."""
    if solution in protocol.stocks:
        return carrier_medium(protocol, solution) is not None
    return solution in protocol.media


def components_of(protocol: Protocol, solution: str) -> dict[str, float]:
    """Components over normal of what a reservoir holds, those that its medium tells of.

    Args:
        protocol: names its media and stocks.
        solution: a medium, or a stock, which is made up in one.
    """
    name = carrier_medium(protocol, solution) if solution in protocol.stocks else solution
    medium = protocol.media.get(name or "")
    if medium is None:
        return {}
    serum = _SHARE.search(medium.serum)
    told = {
        "amino_acids": (medium.amino_acids_percent, 100.0),
        "calcium": (medium.calcium_mm, NORMAL_CALCIUM_MM),
        "glucose": (medium.glucose_mm, NORMAL_GLUCOSE_MM),
        "serum": (None if serum is None else float(serum[1]), NORMAL_SERUM_PERCENT),
    }
    return {
        component: round(value / normal, 6)
        for component, (value, normal) in told.items()
        if value is not None and value != normal
    }
