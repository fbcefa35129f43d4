"""ASI MS-2000: an XY microscope stage on a serial line."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from labrig_drivers.asi_ms2000.faults import FAULTS
from labrig_drivers.asi_ms2000.settings import AsiStageSettings, travel
from labrig_drivers.instrument import InstrumentType, SerialSettings

if TYPE_CHECKING:
    from labrig_drivers.asi_ms2000.driver import AsiStage
    from labrig_drivers.asi_ms2000.simulator import AsiStageSimulator
    from labrig_drivers.simulation import Fault, StagePlant
    from labrig_drivers.transports.base import Transport


def _driver(link: Transport, settings: AsiStageSettings, name: str) -> AsiStage:
    from labrig_drivers.asi_ms2000.driver import AsiStage

    return AsiStage(link, settings, name)


def _simulator(
    settings: AsiStageSettings,
    plant: StagePlant,
    seed: int,
    faults: Sequence[Fault],
    name: str,
) -> AsiStageSimulator:
    from labrig_drivers.asi_ms2000.simulator import AsiStageSimulator

    return AsiStageSimulator(settings, plant, seed, faults, name)


INSTRUMENT = InstrumentType(
    name="asi_ms2000",
    kind="stage",
    link="serial",
    vendor="Applied Scientific Instrumentation",
    model="MS-2000",
    serial=SerialSettings(baudrate=9600),
    settings=AsiStageSettings,
    driver=_driver,
    simulator=_simulator,
    verified_on=("peer client",),
    travel=travel,
    faults=FAULTS,
)
