"""The volume of a bolus that is given by what it is to reach.

The chamber is stirred while the bolus flows in and as much flows out, so a volume v of a stock S
leaves C = rS (1 - exp(-v/V)) where there was none before (:meth:`ChamberModel.add` adds it so):
v = -V ln(1 - C/rS), with S as it has aged by then and r its recovery. What flows in beside the
bolus, what decays meanwhile and what was there before count nothing.
"""

from __future__ import annotations

import math
from dataclasses import replace

from labrig.plan.perfusion_physics import stock_after_h
from labrig.protocol.contents import doses_of, recovery
from labrig.protocol.models import Protocol
from labrig.protocol.segments import BolusAt, boluses
from labrig.rig.models import Rig

MINUTES_PER_H = 60.0


def bolus_volume_ul(reach_ng_ml: float, stock_ng_ml: float, volume_ml: float) -> float:
    """How much of a stock, as it arrives, brings an empty chamber to a concentration.

    >>> round(bolus_volume_ul(10.0, 1000.0, 1.0), 3)
    10.05

    Raises:
        ValueError: the stock is not stronger than what is to be reached.
    """
    if not 0 < reach_ng_ml < stock_ng_ml:
        raise ValueError(f"no volume of {stock_ng_ml:g} ng/mL reaches {reach_ng_ml:g} ng/mL")
    return -volume_ml * 1000.0 * math.log1p(-reach_ng_ml / stock_ng_ml)


def planned_boluses(protocol: Protocol, rig: Rig, arm: str) -> tuple[BolusAt, ...]:
    """An arm's boluses, each with its volume and rate on this rig.

    One whose stock has grown too weak by then has no volume: None.
    """
    return tuple(_planned(protocol, rig, bolus) for bolus in boluses(protocol, arm))


def _planned(protocol: Protocol, rig: Rig, bolus: BolusAt) -> BolusAt:
    volume_ul = bolus.volume_ul
    if volume_ul is None and bolus.reach_ng_ml is not None:
        stock = protocol.stocks[bolus.stock]
        fresh = doses_of(protocol, bolus.stock)[bolus.factor]
        arrives = recovery(protocol, bolus.factor) * stock_after_h(
            fresh, bolus.at_s / 3600.0, stock.half_life_cold_h
        )
        if bolus.reach_ng_ml >= arrives:
            return bolus
        volume_ul = bolus_volume_ul(bolus.reach_ng_ml, arrives, rig.chambers.volume_ml)
    rate = bolus.rate_ml_h
    if rate is None and volume_ul is not None:
        rate = volume_ul * MINUTES_PER_H / 1000.0
    return replace(bolus, volume_ul=volume_ul, rate_ml_h=rate)
