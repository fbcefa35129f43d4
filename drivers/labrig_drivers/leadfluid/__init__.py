"""Lead Fluid / Golander BT-F and BT-L peristaltic flow pumps (also LabSciTech LEPP 150F)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig_drivers.instrument import InstrumentType, SerialSettings
from labrig_drivers.leadfluid.faults import FAULTS
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.simulation import Fault, PumpPlant

if TYPE_CHECKING:
    from labrig_drivers.kinds import PumpRates
    from labrig_drivers.leadfluid.driver import LeadFluidPump
    from labrig_drivers.leadfluid.simulator import SimulatedLeadFluid
    from labrig_drivers.transports.modbus import ModbusLink


def _driver(link: ModbusLink, settings: LeadFluidSettings, name: str) -> LeadFluidPump:
    from labrig_drivers.leadfluid.driver import LeadFluidPump

    return LeadFluidPump(link, settings, name)


def _simulator(
    settings: LeadFluidSettings, plant: PumpPlant, seed: int, faults: Sequence[Fault], name: str
) -> SimulatedLeadFluid:
    from labrig_drivers.leadfluid.simulator import SimulatedLeadFluid

    return SimulatedLeadFluid(settings, plant, seed, faults, name)


def _rates(settings: LeadFluidSettings) -> PumpRates:
    from labrig_drivers.leadfluid.rates import LeadFluidRates

    return LeadFluidRates(settings)


INSTRUMENT = InstrumentType(
    name="leadfluid_bt",
    kind="pump",
    link="modbus",
    vendor="Lead Fluid",
    model="BT-F/BT-L",
    # 3.5 characters of 11 bits at 9600 baud.
    serial=SerialSettings(baudrate=9600, parity="E", quiet_s=0.0041),
    settings=LeadFluidSettings,
    driver=_driver,
    simulator=_simulator,
    verified_on=("manual",),
    bus_key=lambda settings: settings.address,
    device_id=lambda settings: settings.address,
    rates=_rates,
    faults=FAULTS,
)
