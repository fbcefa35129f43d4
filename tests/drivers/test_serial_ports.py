"""Opening, losing and naming ports: ptys, TCP and USB identities."""

import socket
from types import SimpleNamespace

import pytest

from labrig_drivers.errors import LinkError, PortBusy, PortLost, PortMissing
from labrig_drivers.hosting import SharedBus, host_on_pty, host_on_tcp
from labrig_drivers.instrument import SerialSettings
from labrig_drivers.transports.serial_port import open_serial
from labrig_drivers.transports.usb import port_for_usb_identity

SETTINGS = SerialSettings(baudrate=9600, parity="E")


class Echo:
    """Answers what it hears; a bell is answered by a bell of its own at 1 s."""

    def __init__(self):
        self.wake_s = None

    def receive(self, data, now_s):
        return data

    def advance(self, now_s):
        if self.wake_s is not None and now_s >= self.wake_s:
            self.wake_s = None
            return b"\a"
        return b""

    def next_wake_s(self):
        return self.wake_s


@pytest.mark.parametrize("host", [host_on_pty, host_on_tcp])
def test_bytes_travel_and_the_port_can_be_opened_again(host):
    with host(Echo()) as port:
        # Parity on a pty is refused by the kernel from the second opening on, unless avoided.
        for message in (b"first", b"second"):
            link = open_serial(port.address, SETTINGS, "echo")
            link.write(message)
            assert link.read(len(message), 2.0) == message
            assert link.read(1, 0.01) == b""
            link.close()
            link.close()


@pytest.mark.parametrize("host", [host_on_pty, host_on_tcp])
def test_unread_input_is_discarded_and_returned(host):
    with host(Echo()) as port:
        link = open_serial(port.address, SETTINGS, "echo")
        link.write(b"stale")
        assert link.read(1, 2.0) == b"s"
        stale = b""
        for _ in range(200):
            stale += link.discard_input()
            if len(stale) == 4:
                break
            link.read(0, 0.01)
        assert stale == b"tale"
        link.close()


@pytest.mark.parametrize("host", [host_on_pty, host_on_tcp])
def test_a_vanished_instrument_is_a_lost_port(host):
    with host(Echo()) as port:
        link = open_serial(port.address, SETTINGS, "echo")
        link.write(b"x")
        assert link.read(1, 2.0) == b"x"
    with pytest.raises(PortLost, match="echo"):  # noqa: PT012 - the first write after may pass
        for _ in range(3):
            link.write(b"x")
            link.read(1, 0.05)
    link.close()


def test_a_second_owner_is_turned_away():
    with host_on_pty(Echo()) as port:
        first = open_serial(port.address, SETTINGS, "first")
        with pytest.raises(PortBusy, match="another program"):
            open_serial(port.address, SETTINGS, "second")
        first.close()


def test_quiet_is_kept_before_a_frame(monkeypatch):
    slept = []
    monkeypatch.setattr("labrig_drivers.transports.serial_port.time.monotonic", lambda: 10.0)
    monkeypatch.setattr("labrig_drivers.transports.serial_port.time.sleep", slept.append)
    link = open_serial("loop://", SerialSettings(baudrate=9600, quiet_s=0.004), "bus")
    link.write(b"one")
    link.write(b"two")
    assert slept == [pytest.approx(0.004)]
    link.close()


@pytest.mark.parametrize(
    ("address", "error", "says"),
    [
        ("/dev/ttyNOWHERE", PortMissing, "labrig doctor"),
        ("socket://127.0.0.1:1", PortMissing, "nobody listens"),
        ("carrier-pigeon://x", LinkError, "makes no sense"),
        ("usb:zz", LinkError, "not a USB identity"),
        ("usb:ffff:fffe", PortMissing, "no adapter usb:ffff:fffe is plugged in"),
    ],
)
def test_an_address_that_does_not_open_says_why(address, error, says):
    with pytest.raises(error, match="pump") as caught:
        open_serial(address, SETTINGS, "pump")
    assert says in str(caught.value)


FTDI_A = SimpleNamespace(device="/dev/ttyUSB0", vid=0x0403, pid=0x6001, serial_number="A1")
FTDI_B = SimpleNamespace(device="/dev/ttyUSB1", vid=0x0403, pid=0x6001, serial_number="B2")
DUE = SimpleNamespace(device="/dev/ttyACM0", vid=0x2341, pid=0x003E, serial_number=None)
ON_BOARD = SimpleNamespace(device="/dev/ttyS0", vid=None, pid=None, serial_number=None)
PLUGGED_IN = [FTDI_A, FTDI_B, DUE, ON_BOARD]


@pytest.mark.parametrize(
    ("identity", "device"),
    [("usb:0403:6001:B2", "/dev/ttyUSB1"), ("usb:2341:003e", "/dev/ttyACM0")],
)
def test_an_adapter_is_found_by_identity(identity, device):
    assert port_for_usb_identity(identity, "pump", PLUGGED_IN) == device


@pytest.mark.parametrize(
    ("identity", "error", "says"),
    [
        ("usb:0403:6001", LinkError, "Add the serial number"),
        ("usb:0403:6001:C3", PortMissing, "usb:0403:6001:A1"),
        ("usb:0403", LinkError, "hexadecimal"),
    ],
)
def test_an_unclear_identity_lists_what_is_there(identity, error, says):
    with pytest.raises(error) as caught:
        port_for_usb_identity(identity, "pump", PLUGGED_IN)
    assert says in str(caught.value)


def test_several_instruments_share_a_bus():
    first, second = Echo(), Echo()
    first.wake_s, second.wake_s = 7.0, 1.0
    bus = SharedBus([first, second])
    assert bus.receive(b"x", 0.0) == b"xx"
    assert bus.next_wake_s() == 1.0
    assert bus.advance(1.0) == b"\a"
    assert bus.next_wake_s() == 7.0


def test_a_hosted_simulator_speaks_unasked_when_its_time_comes():
    echo, now_s = Echo(), 0.0
    echo.wake_s = 1.0
    with host_on_pty(echo, clock=lambda: now_s) as port:
        link = open_serial(port.address, SETTINGS, "echo")
        assert link.read(1, 0.1) == b""
        now_s = 1.0
        assert link.read(1, 2.0) == b"\a"
        link.close()


def test_a_socket_sends_each_command_at_once():
    """Else two commands without an answer between them wait 40 ms on each other (Nagle)."""
    with host_on_tcp(Echo()) as port:
        link = open_serial(port.address, SETTINGS, "echo")
        assert link._port._socket.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) != 0
        link.close()
