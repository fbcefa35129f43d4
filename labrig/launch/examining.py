"""Is everything there, and does it answer as what it should be? For `labrig doctor` and the page.

Who asks while a run has the bench gets in its way: :func:`claimed_ports` keeps them apart.
"""

from __future__ import annotations

import platform
import shutil
import sqlite3
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

from labrig.rig.bench import BenchSpec, open_real_port, probe_ports
from labrig_drivers.errors import InstrumentError, NoReply, ReplyError, WrongInstrument
from labrig_drivers.instrument import SerialSettings


@dataclass(frozen=True, slots=True)
class Answer:
    """What one instrument said when it was asked who it is.

    Attributes:
        answers: its identity; ``-`` for none, ``simulated`` where there is nobody to ask.
        problem, remedy: empty when all is well.
    """

    instrument: str
    port: str
    answers: str
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class PluggedIn:
    """A serial port of this computer; ``usb`` is as rig files may name it, else empty."""

    device: str
    usb: str
    description: str


def ask_instruments(spec: BenchSpec) -> tuple[Answer, ...]:
    """Ask every instrument of a bench who it is; changes none of them."""
    if spec.simulated:
        return tuple(Answer(i.name, i.port, "simulated", "", "") for i in spec.instruments)
    found = []
    for probe in probe_ports(spec, open_real_port):
        who, error = probe.identity, probe.error
        found.append(
            Answer(
                probe.instrument,
                probe.port,
                "-" if who is None else f"{who.vendor} {who.model} {who.firmware}",
                "" if error is None else error.what,
                _remedy(error, spec.port(probe.port).serial),
            )
        )
    return tuple(found)


def plugged_in() -> tuple[PluggedIn, ...]:
    """The serial ports that this computer has now."""
    from serial.tools.list_ports import comports

    return tuple(
        PluggedIn(
            port.device,
            ""
            if port.vid is None
            else f"usb:{port.vid:04X}:{port.pid:04X}"
            + (f":{port.serial_number}" if port.serial_number else ""),
            port.description or "",
        )
        for port in sorted(comports())
    )


def this_computer(folder: Path) -> list[dict[str, str]]:
    """Versions, and the room on the disk of a folder: ``what`` and ``value`` each."""
    free_gb = shutil.disk_usage(folder).free / 1e9
    return [
        {"what": "Python", "value": platform.python_version()},
        {"what": "labrig", "value": version("labrig")},
        {"what": "prefect", "value": version("prefect")},
        {"what": "SQLite", "value": sqlite3.sqlite_version},
        {"what": "free disk here", "value": f"{free_gb:.1f} GB"},
    ]


def _remedy(error: InstrumentError | None, serial: SerialSettings | None) -> str:
    """The driver's own, and what else answers so: another instrument, or other line settings."""
    if error is None:
        return ""
    hints = [error.remedy] if error.remedy else []
    if isinstance(error, NoReply | ReplyError | WrongInstrument):
        if serial is not None and not isinstance(error, WrongInstrument):
            line = f"{serial.baudrate} baud, {serial.bytesize}{serial.parity}{serial.stopbits}"
            hints.append(
                f"The port was opened at {line}: compare with the instrument's own set-up."
            )
        hints.append("Or cables are swapped, and another instrument is on this port.")
    return " ".join(hints) or "Look at its cable and power."
