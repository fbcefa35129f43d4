"""A serial port, or anything pyserial can open by URL (``socket://``, ``loop://``)."""

from __future__ import annotations

import errno
import logging
import os
import socket
import sys
import time
from urllib.parse import urlsplit

import serial

from labrig_drivers.errors import LinkError, PortBusy, PortLost, PortMissing
from labrig_drivers.instrument import SerialSettings
from labrig_drivers.transports.usb import port_for_usb_identity

WRITE_TIMEOUT_S = 1.0

_log = logging.getLogger(__name__)

if sys.platform == "win32":
    _PORT_ERRORS: tuple[type[Exception], ...] = (serial.SerialException, OSError)
else:
    import termios

    # pyserial lets termios.error through, which is neither a SerialException nor an OSError.
    _PORT_ERRORS = (serial.SerialException, OSError, termios.error)


class SerialTransport:
    """An open port with one owner. Made by :func:`open_serial`."""

    def __init__(self, port: serial.Serial, name: str, quiet_s: float = 0.0) -> None:
        self._port = port
        self._name = name
        self._quiet_s = quiet_s
        self._last_activity_s = float("-inf")

    def write(self, data: bytes) -> None:
        """Send all of ``data``, after the silence that the protocol wants before a frame."""
        pause_s = self._last_activity_s + self._quiet_s - time.monotonic()
        if pause_s > 0:
            time.sleep(pause_s)
        try:
            self._port.write(data)
        except serial.SerialTimeoutException as error:
            raise LinkError(
                self._name,
                f"{self._port.port} did not take {len(data)} bytes within {WRITE_TIMEOUT_S:g} s.",
                "Check the adapter and that no flow control is wired; then unplug and replug it.",
            ) from error
        except _PORT_ERRORS as error:
            raise self._lost(error) from error
        self._last_activity_s = time.monotonic()

    def read(self, size: int, timeout_s: float) -> bytes:
        """Up to ``size`` bytes within ``timeout_s``."""
        try:
            # Setting the time-out reconfigures the port, so only when it changes.
            if timeout_s == 0:
                size = min(size, self._port.in_waiting)
            elif self._port.timeout != timeout_s:
                self._port.timeout = timeout_s
            data = bytes(self._port.read(size)) if size else b""
        except _PORT_ERRORS as error:
            raise self._lost(error) from error
        self._last_activity_s = time.monotonic()
        return data

    def discard_input(self) -> bytes:
        """Throw away what arrived unread."""
        stale = b""
        try:
            # A socket:// port says only "something" (1), hence the loop.
            while waiting := self._port.in_waiting:
                stale += self._port.read(waiting)
        except _PORT_ERRORS as error:
            raise self._lost(error) from error
        return stale

    def close(self) -> None:
        """Let go of the port."""
        # pyserial 3.5 forgets to close the socket of a peer that has gone first.
        forgotten = getattr(self._port, "_socket", None)
        try:
            self._port.close()
        except _PORT_ERRORS:
            # A port that has gone is closed; nobody is left to be told.
            _log.debug("%s: closing %s failed", self._name, self._port.port, exc_info=True)
        if forgotten is not None:
            forgotten.close()

    def _lost(self, error: Exception) -> PortLost:
        return PortLost(
            self._name,
            f"{self._port.port} has gone while in use ({error}).",
            "Check the cable and the instrument's power; the port is looked for again.",
        )


def open_serial(address: str, settings: SerialSettings, name: str) -> SerialTransport:
    """Open a port exclusively, with finite time-outs both ways.

    Args:
        address: a path, ``COM3``, ``usb:VID:PID[:SERIAL]``, ``socket://host:port`` or ``loop://``.
        settings: how the instrument leaves the factory.
        name: the instrument's name in the rig file, for error messages.

    Raises:
        PortMissing: nothing is there.
        PortBusy: another program holds it.
        LinkError: it cannot be opened for another reason, e.g. missing permission.
    """
    if address.startswith("socket://"):
        _check_socket(address, name)
    where = port_for_usb_identity(address, name) if address.startswith("usb:") else address
    bytesize, parity, stopbits = settings.bytesize, settings.parity, settings.stopbits
    if _is_pty(where) and (bytesize, parity, stopbits) != (8, "N", 1):
        # A Linux pty keeps neither parity nor 7 bits, and tcsetattr then answers EINVAL on
        # the second open: there is no line to have a parity, so 8N1 loses nothing.
        _log.info("%s: %s is a pty, opened 8N1 instead of %d%s%d", name, where, *(
            bytesize, parity, stopbits,
        ))  # fmt: skip
        bytesize, parity, stopbits = 8, "N", 1
    try:
        port: serial.Serial = serial.serial_for_url(
            where,
            do_not_open=True,
            baudrate=settings.baudrate,
            bytesize=bytesize,
            parity=parity,
            stopbits=stopbits,
            timeout=0.5,
            write_timeout=WRITE_TIMEOUT_S,
            exclusive=None if sys.platform == "win32" else True,
        )
        if not settings.dtr_on_open:
            port.dtr = False
        port.open()
        _send_at_once(port)
    except ValueError as error:
        raise LinkError(
            name,
            f"the address {address!r} makes no sense: {error}.",
            "Write a path, COM3, usb:VID:PID[:SERIAL] or socket://HOST:PORT (`labrig doctor` "
            "lists what is plugged in).",
        ) from error
    except _PORT_ERRORS as error:
        raise _open_error(where, name, error) from error
    return SerialTransport(port, name, settings.quiet_s)


def _check_socket(address: str, name: str) -> None:
    """A host and a port, or pyserial fails with an error about types."""
    remedy = "Write socket://HOST:PORT, e.g. socket://192.0.2.10:4001."
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError as error:
        raise LinkError(name, f"the address {address!r} makes no sense: {error}.", remedy) from None
    if not host or port is None:
        missing = "port" if host else "host"
        raise LinkError(name, f"the address {address!r} names no {missing}.", remedy)


def _send_at_once(port: serial.Serial) -> None:
    """Over ``socket://``, send each command when it is written.

    Two commands in a row without an answer between them (abort, then disarm) would otherwise
    meet Nagle's algorithm and delayed acknowledgement (RFC 896, RFC 1122 4.2.3.2): the second
    waits some 40 ms for the first one's ACK. pyserial 3.5 has no setting for it.
    """
    connection = getattr(port, "_socket", None)
    if connection is not None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _is_pty(where: str) -> bool:
    return os.path.realpath(where).startswith("/dev/pts/")


def _open_error(where: str, name: str, error: Exception) -> LinkError:
    code = getattr(error, "errno", None)
    text = str(error)
    if code in (errno.EAGAIN, errno.EBUSY) or (
        sys.platform == "win32" and "PermissionError" in text
    ):
        return PortBusy(
            name, f"{where} is held by another program.", "Close the vendor's software, then retry."
        )
    if code == errno.EACCES:
        return LinkError(
            name,
            f"no permission to open {where}.",
            "Add your user to the group that owns it (often 'dialout') and log in again.",
        )
    if where.startswith("socket://"):
        return PortMissing(
            name,
            f"nobody listens at {where} ({text}).",
            "Start the gateway or `labrig sim`, or correct the address in the rig file.",
        )
    if code == errno.ENOENT or "FileNotFoundError" in text:
        return PortMissing(
            name,
            f"there is no port {where}.",
            "Plug the instrument in, or correct the port in the rig file (`labrig doctor` "
            "lists what is there).",
        )
    return LinkError(
        name,
        f"cannot open {where}: {text}.",
        "It may be no serial port: compare with what `labrig doctor` lists, and correct the rig "
        "file.",
    )
