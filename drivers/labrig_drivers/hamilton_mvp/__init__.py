"""Hamilton MVP: a modular valve positioner on a serial line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig_drivers.hamilton_mvp.faults import FAULTS
from labrig_drivers.hamilton_mvp.settings import HamiltonMvpSettings, positions
from labrig_drivers.instrument import InstrumentType, SerialSettings

if TYPE_CHECKING:
    from labrig_drivers.hamilton_mvp.driver import HamiltonMvp
    from labrig_drivers.hamilton_mvp.simulator import SimulatedHamiltonMvp
    from labrig_drivers.simulation import Fault, SettingPlant
    from labrig_drivers.transports.base import Transport


def _driver(link: Transport, settings: HamiltonMvpSettings, name: str) -> HamiltonMvp:
    from labrig_drivers.hamilton_mvp.driver import HamiltonMvp

    return HamiltonMvp(link, settings, name)


def _simulator(
    settings: HamiltonMvpSettings,
    plant: SettingPlant,
    seed: int,
    faults: Sequence[Fault],
    name: str,
) -> SimulatedHamiltonMvp:
    from labrig_drivers.hamilton_mvp.simulator import SimulatedHamiltonMvp

    return SimulatedHamiltonMvp(settings, plant, seed, faults, name)


INSTRUMENT = InstrumentType(
    name="hamilton_mvp",
    kind="valve",
    link="serial",
    vendor="Hamilton",
    model="MVP",
    serial=SerialSettings(baudrate=9600, bytesize=7, parity="O", stopbits=1),
    settings=HamiltonMvpSettings,
    driver=_driver,
    simulator=_simulator,
    verified_on=("manual",),
    bus_key=lambda settings: settings.address,
    positions=positions,
    faults=FAULTS,
)
