"""Find a port by who is plugged in, because ``ttyUSB0`` is another adapter tomorrow."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from serial.tools import list_ports

from labrig_drivers.errors import LinkError, PortMissing


class ListedPort(Protocol):
    """The part of pyserial's ListPortInfo that identifies an adapter."""

    device: str
    vid: int | None
    pid: int | None
    serial_number: str | None


def port_for_usb_identity(
    identity: str, name: str, ports: Sequence[ListedPort] | None = None
) -> str:
    """The port behind ``usb:VID:PID[:SERIAL]`` (hexadecimal ids).

    Args:
        identity: e.g. ``usb:0403:6001:A50285BI``.
        name: the instrument's name in the rig file.
        ports: what is plugged in; asked of the operating system when None.

    Raises:
        LinkError: the identity is misspelt, or several adapters match.
        PortMissing: none matches.
    """
    parts = identity.split(":", 3)
    try:
        vid, pid = int(parts[1], 16), int(parts[2], 16)
    except (IndexError, ValueError):
        raise LinkError(
            name,
            f"{identity!r} is not a USB identity.",
            "Write usb:VID:PID or usb:VID:PID:SERIAL with hexadecimal ids, e.g. usb:0403:6001.",
        ) from None
    serial_number = parts[3] if len(parts) == 4 else None
    there = list(list_ports.comports()) if ports is None else list(ports)
    matches = [
        port
        for port in there
        if (port.vid, port.pid) == (vid, pid) and serial_number in (None, port.serial_number)
    ]
    if not matches:
        raise PortMissing(
            name,
            f"no adapter {identity} is plugged in; there is {_listing(there)}.",
            "Plug it in, or correct the identity in the rig file.",
        )
    if len(matches) > 1:
        raise LinkError(
            name,
            f"{identity} fits several adapters: {_listing(matches)}.",
            "Add the serial number, or name the port by its /dev/serial/by-path link.",
        )
    return matches[0].device


def _listing(ports: Sequence[ListedPort]) -> str:
    if not ports:
        return "no serial port at all"
    return ", ".join(
        f"{port.device} (usb:{port.vid:04x}:{port.pid:04x}:{port.serial_number or ''})"
        if port.vid is not None and port.pid is not None
        else f"{port.device} (not USB)"
        for port in ports
    )
