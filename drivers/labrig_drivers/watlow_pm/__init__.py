"""Watlow EZ-ZONE PM: a controller of temperature, or of a gas."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig_drivers.instrument import InstrumentType, SerialSettings
from labrig_drivers.watlow_pm.faults import FAULTS
from labrig_drivers.watlow_pm.settings import WatlowPmSettings, measures, sets

if TYPE_CHECKING:
    from labrig_drivers.simulation import ControllerPlant, Fault
    from labrig_drivers.transports.modbus import ModbusLink
    from labrig_drivers.watlow_pm.driver import WatlowPm
    from labrig_drivers.watlow_pm.simulator import SimulatedWatlowPm


def _driver(link: ModbusLink, settings: WatlowPmSettings, name: str) -> WatlowPm:
    from labrig_drivers.watlow_pm.driver import WatlowPm

    return WatlowPm(link, settings, name)


def _simulator(
    settings: WatlowPmSettings,
    plant: ControllerPlant,
    seed: int,
    faults: Sequence[Fault],
    name: str,
) -> SimulatedWatlowPm:
    from labrig_drivers.watlow_pm.simulator import SimulatedWatlowPm

    return SimulatedWatlowPm(settings, plant, seed, faults, name)


INSTRUMENT = InstrumentType(
    name="watlow_pm",
    kind="controller",
    link="modbus",
    vendor="Watlow",
    model="EZ-ZONE PM",
    # 3.5 characters of 10 bits at 9600 baud.
    serial=SerialSettings(baudrate=9600, quiet_s=0.0037),
    settings=WatlowPmSettings,
    driver=_driver,
    simulator=_simulator,
    verified_on=("peer client",),
    bus_key=lambda settings: settings.address,
    device_id=lambda settings: settings.address,
    measures=measures,
    sets=sets,
    faults=FAULTS,
)
