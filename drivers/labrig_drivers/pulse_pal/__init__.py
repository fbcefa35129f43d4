"""Sanworks Pulse Pal 2: a four-channel ±10 V pulse-train generator on USB."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig_drivers.instrument import InstrumentType, SerialSettings
from labrig_drivers.pulse_pal.faults import FAULTS
from labrig_drivers.pulse_pal.settings import PulsePalSettings

if TYPE_CHECKING:
    from labrig_drivers.pulse_pal.driver import PulsePal
    from labrig_drivers.pulse_pal.simulator import PulsePalSimulator
    from labrig_drivers.simulation import Fault, StimulatorPlant
    from labrig_drivers.transports.base import Transport


def _driver(link: Transport, settings: PulsePalSettings, name: str) -> PulsePal:
    from labrig_drivers.pulse_pal.driver import PulsePal

    return PulsePal(link, settings, name)


def _simulator(
    settings: PulsePalSettings,
    plant: StimulatorPlant,
    seed: int,
    faults: Sequence[Fault],
    name: str,
) -> PulsePalSimulator:
    from labrig_drivers.pulse_pal.simulator import PulsePalSimulator

    return PulsePalSimulator(settings, plant, seed, faults, name)


INSTRUMENT = InstrumentType(
    name="pulse_pal_2",
    kind="stimulator",
    link="serial",
    vendor="Sanworks",
    model="Pulse Pal 2",
    # The port is an Arduino Due's native USB: it answers only while DTR is on, ignores the
    # baud rate, and erases its flash when opened at 1200 baud.
    serial=SerialSettings(baudrate=115_200),
    settings=PulsePalSettings,
    driver=_driver,
    simulator=_simulator,
    verified_on=("firmware", "peer client"),
    faults=FAULTS,
)
