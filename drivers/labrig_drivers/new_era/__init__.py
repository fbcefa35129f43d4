"""New Era NE-1000 family syringe pumps (also sold by WPI as Aladdin, by Landgraf as LA)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig_drivers.instrument import InstrumentType, SerialSettings, Syringe
from labrig_drivers.new_era.faults import FAULTS
from labrig_drivers.new_era.settings import NewEraSettings
from labrig_drivers.simulation import Fault, PumpPlant

if TYPE_CHECKING:
    from labrig_drivers.kinds import PumpRates
    from labrig_drivers.new_era.driver import NewEraPump
    from labrig_drivers.new_era.simulator import SimulatedNewEra
    from labrig_drivers.transports.base import Transport


def _driver(link: Transport, settings: NewEraSettings, name: str) -> NewEraPump:
    from labrig_drivers.new_era.driver import NewEraPump

    return NewEraPump(link, settings, name)


def _simulator(
    settings: NewEraSettings, plant: PumpPlant, seed: int, faults: Sequence[Fault], name: str
) -> SimulatedNewEra:
    from labrig_drivers.new_era.simulator import SimulatedNewEra

    return SimulatedNewEra(settings, plant, seed, faults, name)


def _rates(settings: NewEraSettings) -> PumpRates:
    from labrig_drivers.new_era.rates import NewEraRates

    return NewEraRates(settings)


INSTRUMENT = InstrumentType(
    name="new_era_ne1000",
    kind="pump",
    link="serial",
    vendor="New Era",
    model="NE-1000",
    serial=SerialSettings(baudrate=19200),
    settings=NewEraSettings,
    driver=_driver,
    simulator=_simulator,
    verified_on=("manual", "peer client"),
    bus_key=lambda settings: settings.address,
    heartbeat_s=lambda settings: settings.watchdog_s or None,
    rates=_rates,
    syringe=lambda settings: Syringe(settings.syringe_diameter_mm, settings.syringe_volume_ul),
    drive_watched=True,
    faults=FAULTS,
)
