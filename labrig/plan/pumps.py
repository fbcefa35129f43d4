"""What rates a rig's pumps can hold, asked of their drivers without any I/O."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, cast

from labrig.rig.models import Rig
from labrig_drivers.instrument import InstrumentType
from labrig_drivers.kinds import PumpLimits


class PumpRates(Protocol):
    """The two methods of a pump driver that touch no instrument."""

    def limits(self) -> PumpLimits:
        """Least and largest rate, and the step near the least."""
        ...

    def quantised(self, rate_ul_min: float) -> float:
        """The rate really run when asked for this one."""
        ...


def pump_rates(rig: Rig, types: Mapping[str, InstrumentType]) -> dict[str, PumpRates]:
    """A driver without a link for every pump of the rig.

    The rig's loader has made sure that types are known and settings right.
    """
    found: dict[str, PumpRates] = {}
    for name, entry in rig.instruments.items():
        kind = types[entry.type]
        if kind.kind == "pump":
            settings = kind.settings(**entry.settings)
            found[name] = cast(PumpRates, kind.driver(None, settings, name))
    return found
