"""Vaisala GMP251 and GMP252 carbon dioxide probes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig_drivers.instrument import InstrumentType, SerialSettings
from labrig_drivers.kinds import CO2, TEMPERATURE
from labrig_drivers.simulation import Fault, IncubatorPlant
from labrig_drivers.vaisala_gmp25x.faults import FAULTS
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings

if TYPE_CHECKING:
    from labrig_drivers.transports.modbus import ModbusLink
    from labrig_drivers.vaisala_gmp25x.driver import VaisalaProbe
    from labrig_drivers.vaisala_gmp25x.simulator import SimulatedVaisala


def _driver(link: ModbusLink, settings: VaisalaSettings, name: str) -> VaisalaProbe:
    from labrig_drivers.vaisala_gmp25x.driver import VaisalaProbe

    return VaisalaProbe(link, settings, name)


def _simulator(
    settings: VaisalaSettings, plant: IncubatorPlant, seed: int, faults: Sequence[Fault], name: str
) -> SimulatedVaisala:
    from labrig_drivers.vaisala_gmp25x.simulator import SimulatedVaisala

    return SimulatedVaisala(settings, plant, seed, faults, name)


INSTRUMENT = InstrumentType(
    name="vaisala_gmp25x",
    kind="probe",
    link="modbus",
    vendor="Vaisala",
    model="GMP251/GMP252",
    # 3.5 characters of 11 bits at 19200 baud.
    serial=SerialSettings(baudrate=19200, parity="N", stopbits=2, quiet_s=0.0021),
    settings=VaisalaSettings,
    driver=_driver,
    simulator=_simulator,
    verified_on=("manual",),
    bus_key=lambda settings: settings.address,
    device_id=lambda settings: settings.address,
    measures=lambda settings: (CO2, TEMPERATURE),
    faults=FAULTS,
)
