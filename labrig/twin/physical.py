"""What the simulated instruments physically did, written beside the truth: ``physical.jsonl``.

Each line is one change, ``[instrument, seconds, what, ...]``::

    ["base", 0.0, "flow", 30.0]            µL/min from now on
    ["pulses", 8.0, "train", 1, ...]       begins on channel 1: phase ms, amplitude V, biphasic,
                                           frequency Hz, burst s, gap s, duration s; of a current
                                           source null for V, and mA of the channel at the end
    ["pulses", 9.5, "cut", 1]              it is cut off before its end
    ["pulses", 9.5, "volts", 1, 0.0]       it holds this outside pulses from now on
    ["stage", 3.2, "at", 500.0, -250.0]    the stage has come to rest here, µm
    ["lamp", 3.2, "held", "percent", 20.0]  it holds this value of this quantity from now on
    ["valve", 3.2, "held", "position", "2"]  it has come to rest there

Nothing of labrig reads it: it is what ledger, journal and report are held against.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from labrig.record.patient_file import PatientFile
from labrig_drivers.simulation import (
    ControllerPlant,
    ElectrodeVoltage,
    PumpPlant,
    SettingPlant,
    StagePlant,
    StimulatorPlant,
)

_LINES_A_WRITE = 256
_MOST_WAITING = 100_000_000
"""Bytes that wait for a full disk: none is given up, or the rebuilt bench would tell it again."""


class PhysicalRecord:
    """An append-only file of changes.

    A bench that is rebuilt does again what it did before; of each instrument only what the file
    does not hold yet is added, so lines that died with their process come back, and none twice.

    Args:
        path: the file; made when something happens.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._on_file: Counter[str] = Counter()
        self._told: Counter[str] = Counter()
        self._waiting: list[str] = []
        self._file = PatientFile(path, _MOST_WAITING)
        if path.exists():
            whole = path.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]
            self._on_file.update(json.loads(line)[0] for line in whole.splitlines())
            # What a power cut tore in the middle is told again.
            os.truncate(path, len(whole))

    def tell(self, instrument: str, now_s: float, what: str, *values: Any) -> None:  # noqa: ANN401
        """One change of one instrument."""
        self._told[instrument] += 1
        if self._told[instrument] <= self._on_file[instrument]:
            return
        self._waiting.append(json.dumps([instrument, round(now_s, 6), what, *values]) + "\n")
        if len(self._waiting) >= _LINES_A_WRITE:
            self._write()

    def add(self, instrument: str, now_s: float, what: str, *values: Any) -> None:  # noqa: ANN401
        """One change of an instrument that a rebuilt bench does not do again."""
        self._waiting.append(json.dumps([instrument, round(now_s, 6), what, *values]) + "\n")

    @property
    def told(self) -> dict[str, int]:
        """By instrument, how many changes it has told."""
        return dict(self._told)

    @told.setter
    def told(self, told: dict[str, int]) -> None:
        self._told = Counter(told)

    def close(self) -> None:
        """Write what waits; more may be told, and this called again.

        Raises:
            OSError: the disk refuses; what waits is kept.
        """
        self._write()
        self._file.close()
        if self._file.waiting:
            raise OSError(f"{self._path} lacks its last lines: its disk is full or gone")

    def _write(self) -> None:
        if self._waiting:
            self._file.append("".join(self._waiting).encode())
        self._waiting.clear()


@dataclass(frozen=True, slots=True)
class Told:
    """One instrument's way into the record.

    Attributes:
        ahead_s: how much more the instrument's clock shows than the world's.
    """

    record: PhysicalRecord
    instrument: str
    ahead_s: float

    def tell(self, now_s: float, what: str, *values: Any) -> None:  # noqa: ANN401
        """One change, at a time of the instrument's clock."""
        self.record.tell(self.instrument, now_s - self.ahead_s, what, *values)


@dataclass(frozen=True, slots=True)
class RecordedPump:
    """Lines whose changes of flow are written down; passes everything on."""

    inner: PumpPlant
    told: Told

    def flow_changed(self, now_s: float, rate_ul_min: float) -> None:
        """The pump moves this much from now on."""
        self.told.tell(now_s, "flow", rate_ul_min)
        self.inner.flow_changed(now_s, rate_ul_min)


class Electrodes(StimulatorPlant, ElectrodeVoltage, Protocol):
    """Electrodes that are told of trains and of what they hold between pulses."""


@dataclass(frozen=True, slots=True)
class RecordedElectrodes:
    """Electrodes whose trains and voltages are written down; passes everything on."""

    inner: Electrodes
    told: Told

    def train_started(
        self,
        now_s: float,
        channel: int,
        phase_ms: float,
        amplitude_v: float | None,
        biphasic: bool,
        frequency_hz: float,
        burst_s: float,
        gap_s: float,
        duration_s: float,
        amplitude_ma: float | None = None,
    ) -> None:
        """A train begins."""
        shape = (phase_ms, amplitude_v, biphasic, frequency_hz, burst_s, gap_s, duration_s)
        current = {} if amplitude_ma is None else {"amplitude_ma": amplitude_ma}
        self.told.tell(now_s, "train", channel, *shape, *current.values())
        self.inner.train_started(
            now_s,
            channel,
            phase_ms=phase_ms,
            amplitude_v=amplitude_v,
            biphasic=biphasic,
            frequency_hz=frequency_hz,
            burst_s=burst_s,
            gap_s=gap_s,
            duration_s=duration_s,
            **current,
        )

    def train_stopped(self, now_s: float, channel: int) -> None:
        """It is cut off."""
        self.told.tell(now_s, "cut", channel)
        self.inner.train_stopped(now_s, channel)

    def voltage_held(self, now_s: float, channel: int, volts: float) -> None:
        """The channel holds this voltage outside pulses."""
        self.told.tell(now_s, "volts", channel, round(volts, 4))
        self.inner.voltage_held(now_s, channel, volts)


@dataclass(frozen=True, slots=True)
class RecordedStage:
    """A stage whose rests are written down; passes everything on."""

    inner: StagePlant
    told: Told

    def moved(self, now_s: float, x_um: float, y_um: float) -> None:
        """The stage has come to rest."""
        self.told.tell(now_s, "at", round(x_um, 3), round(y_um, 3))
        self.inner.moved(now_s, x_um, y_um)


@dataclass(frozen=True, slots=True)
class RecordedSetting:
    """What an instrument holds is written down; passes everything on."""

    inner: SettingPlant
    told: Told

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """The instrument holds this from now on."""
        self.told.tell(now_s, "held", quantity, value)
        self.inner.setting_held(now_s, quantity, value)


@dataclass(frozen=True, slots=True)
class RecordedController:
    """What a controller is set to is written down; passes everything on."""

    inner: ControllerPlant
    told: Told

    def setting_held(self, now_s: float, quantity: str, value: float | str) -> None:
        """It is set to this from now on."""
        self.told.tell(now_s, "held", quantity, value)
        self.inner.setting_held(now_s, quantity, value)

    def measured(self, now_s: float, quantity: str) -> float:
        """What its own sensor feels: nothing that it does."""
        return self.inner.measured(now_s, quantity)


_RECORDED: Mapping[str, Callable[[Any, Told], Any]] = {
    "pump": RecordedPump,
    "stimulator": RecordedElectrodes,
    "stage": RecordedStage,
    "controller": RecordedController,
}
"""By kind of instrument; the others hold settings."""
_DOES_NOTHING = ("probe",)


def recorded(
    kind: str,
    plant: Any,  # noqa: ANN401 - of that kind
    record: PhysicalRecord,
    instrument: str,
    ahead_s: float,
) -> Any:  # noqa: ANN401 - of that kind
    """The plant of an instrument of this kind, whose changes are written down."""
    if kind in _DOES_NOTHING:
        return plant
    return _RECORDED.get(kind, RecordedSetting)(plant, Told(record, instrument, ahead_s))
