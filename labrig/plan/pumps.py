"""What rates a rig's pumps can hold, as their types declare it of their settings."""

from __future__ import annotations

from collections.abc import Mapping

from labrig.rig.models import Rig
from labrig_drivers.instrument import InstrumentType
from labrig_drivers.kinds import PumpRates


def pump_rates(rig: Rig, types: Mapping[str, InstrumentType]) -> dict[str, PumpRates]:
    """The rates of every pump of the rig, by its name.

    The rig's loader has made sure that types are known and settings right.
    """
    rates: dict[str, PumpRates] = {}
    for name, entry in rig.instruments.items():
        kind = types[entry.type]
        if kind.rates is not None:
            rates[name] = kind.rates(kind.settings(**entry.settings))
    return rates
