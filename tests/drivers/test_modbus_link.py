"""Our Modbus link: refusals, silence, noise, shared buses; and pymodbus' own server as peer."""

import asyncio
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pymodbus import FramerType
from pymodbus.pdu.device import ModbusDeviceIdentification
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from labrig_drivers.errors import NoReply, NotNow, OutOfRange, Refused, ReplyError
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import SerialSettings
from labrig_drivers.simulated_rtu import ModbusRefusal, RtuSlave, crc16
from labrig_drivers.transports.faulty import FaultyTransport, LinkFault
from labrig_drivers.transports.loopback import LoopbackTransport
from labrig_drivers.transports.modbus import ModbusLink, float_from, registers_from
from labrig_drivers.transports.serial_port import open_serial


class Memory:
    """Registers 0–99; reading 100 + n answers exception n."""

    def __init__(self, first=0):
        self.words = [first, *range(1, 100)]

    def read(self, function, address, count, now_s):
        if address >= 100:
            raise ModbusRefusal(address - 100)
        return self.words[address : address + count]

    def write(self, address, values, now_s):
        self.words[address : address + len(values)] = values

    def identification(self):
        return {0: b"maker", 1: b"thing", 2: b"1.0", 0x80: b"serial number"}


class Slave(RtuSlave):
    """A slave that can stand on a bus by itself."""

    def __init__(self, address=1, first=0):
        super().__init__(address, frozenset({3, 4, 6, 16, 43}), 0.004, Memory(first))

    def advance(self, now_s):
        return b""

    def next_wake_s(self):
        return None


def link_to(simulator, device_id=1, script=None):
    transport = LoopbackTransport(simulator, lambda: 0.0)
    return ModbusLink(FaultyTransport(transport, script or {}), "thing", device_id)


def test_registers_are_read_and_written():
    link = link_to(Slave())
    link.write_register(5, 0xBEEF)
    link.write_registers(6, [1, 2, 3])
    assert link.read_holding(4, 6) == [4, 0xBEEF, 1, 2, 3, 9]
    assert link.read_input(1, 1) == [1]
    assert link.read_device_identification() == {0: b"maker", 1: b"thing", 2: b"1.0"}
    assert link.read_device_identification(4, 0x80) == {0x80: b"serial number"}


@pytest.mark.parametrize(
    ("code", "error"), [(1, Refused), (2, Refused), (3, OutOfRange), (6, NotNow), (11, Refused)]
)
def test_an_exception_reply_is_a_refusal(code, error):
    with pytest.raises(error, match=f"register {100 + code}") as caught:
        link_to(Slave()).read_holding(100 + code, 1)
    assert caught.type is error


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (LinkFault("drop_request"), NoReply),
        (LinkFault("drop_reply"), NoReply),
        (LinkFault("delay_reply"), NoReply),
        *((LinkFault("corrupt_reply", at=at), ReplyError) for at in range(11)),
        *((LinkFault("truncate_reply", at=at), ReplyError) for at in range(1, 11)),
        *((LinkFault("split_reply", at=at), ReplyError) for at in (1, 4, 5, 7)),
    ],
)
def test_a_spoilt_exchange_is_an_error_and_the_next_one_fits(fault, error):
    link = link_to(Slave(), script={0: fault})
    with pytest.raises(error) as caught:
        link.read_holding(10, 3)
    assert caught.value.transcript[0] == (">", bytes.fromhex("01 03 00 0A 00 03 25 C9"))
    assert link.read_holding(20, 3) == [20, 21, 22]


def test_an_answer_later_than_its_time_out_is_not_taken_for_the_next_one(late_once):
    link = ModbusLink(late_once(Slave(), lambda: 0.0), "thing", 1)
    with pytest.raises(NoReply):
        link.read_holding(10, 3)
    assert link.read_holding(20, 3) == [20, 21, 22]


def test_an_adapter_that_echoes_is_named():
    class Echo(Slave):
        def receive(self, data, now_s):
            return data + super().receive(data, now_s)

    with pytest.raises(ReplyError, match="echoes"):
        link_to(Echo()).read_holding(0, 2)


def test_devices_of_one_bus_answer_each_for_itself():
    bus = SharedBus([Slave(1, first=111), Slave(7, first=777)])
    assert [link_to(bus, n).read_holding(0, 1) for n in (1, 7)] == [[111], [777]]
    with pytest.raises(NoReply, match="device 3"):
        link_to(bus, 3).read_holding(0, 1)


def test_two_devices_with_one_address_are_noticed():
    with pytest.raises(ReplyError, match="share an address"):
        # Their answers run into one another on the wire.
        link_to(Colliding()).read_holding(0, 2)


class Colliding(Slave):
    """Two answers at once: the bits that both drive low stay low."""

    def receive(self, data, now_s):
        answer = super().receive(data, now_s)
        return bytes(byte & 0x5F for byte in answer)


@given(st.floats(width=32, allow_nan=False), st.sampled_from(["low_first", "high_first"]))
def test_floats_survive_both_word_orders(value, order):
    assert float_from(registers_from(value, order), order) == value
    assert registers_from(value, "low_first") == registers_from(value, "high_first")[::-1]


@given(st.integers(0, 90), st.integers(1, 9), st.data())
def test_the_slave_answers_a_request_in_any_split(address, count, data):
    body = bytes([1, 3, 0, address, 0, count])
    request, slave, answer = body + crc16(body), Slave(), b""
    while request:
        assert answer == b""
        size = data.draw(st.integers(1, len(request)))
        answer = slave.receive(request[:size], 0.0)
        request = request[size:]
    assert list(answer[3:-2:2]) == [0] * count
    assert list(answer[4:-2:2]) == list(range(address, address + count))


REQUEST = bytes.fromhex("01 03 00 0A 00 03 25 C9")


@pytest.mark.parametrize(
    ("name", "pieces", "answers"),
    [
        ("half a frame is forgotten after a pause", [(REQUEST[:4], 0), (REQUEST, 0.01)], [0, 11]),
        ("half a frame within the pause is noise", [(REQUEST[:4], 0), (REQUEST, 0.001)], [0, 0]),
        ("a bad checksum", [(REQUEST[:-1] + b"\0", 0), (REQUEST, 0.01)], [0, 11]),
        ("a foreign address", [(b"\x02" + REQUEST[1:-2] + crc16(b"\x02" + REQUEST[1:-2]), 0)], [0]),
        ("a function it has not", [(b"\x01\x07" + crc16(b"\x01\x07"), 0)], [5]),
    ],
)
def test_the_slave_keeps_silent_like_a_real_one(name, pieces, answers):
    slave = Slave()
    assert [len(slave.receive(data, now_s)) for data, now_s in pieces] == answers


@pytest.fixture
def pymodbus_server():
    """A device of pymodbus' own make, RTU frames over TCP; gives its address."""
    loop, started, server = asyncio.new_event_loop(), threading.Event(), []

    async def serve():
        device = SimDevice(
            id=240,
            simdata=[
                SimData(0, count=8, values=0, datatype=DataType.REGISTERS),
                SimData(0x0800, values=[0, 256], datatype=DataType.REGISTERS, readonly=True),
            ],
        )
        identity = ModbusDeviceIdentification(
            info_name={"VendorName": "Vaisala", "ProductCode": "GMP25x", "MajorMinorRevision": "1"}
        )
        server.append(
            ModbusTcpServer(
                device, framer=FramerType.RTU, identity=identity, address=("127.0.0.1", 0)
            )
        )
        await server[0].serve_forever(background=True)
        started.set()

    async def shut_down():
        await server[0].shutdown()

    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    asyncio.run_coroutine_threadsafe(serve(), loop).result(10)
    assert started.wait(10)
    host, port = server[0].transport.sockets[0].getsockname()
    yield f"socket://{host}:{port}"
    asyncio.run_coroutine_threadsafe(shut_down(), loop).result(10)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()


def test_a_server_of_another_make_understands_our_link(pymodbus_server):
    transport = open_serial(pymodbus_server, SerialSettings(baudrate=19200), "peer")
    link = ModbusLink(transport, "peer", 240, timeout_s=5.0)
    link.write_registers(0, registers_from(465.66, "low_first"))
    link.write_register(4, 17)
    assert float_from(link.read_holding(0, 2), "low_first") == pytest.approx(465.66)
    assert link.read_holding(0, 5)[4] == 17
    assert link.read_holding(0x0800, 2) == [0, 256]
    assert link.read_device_identification()[0] == b"Vaisala"
    with pytest.raises(Refused, match="no such register"):
        link.write_register(0x0800, 1)
    with pytest.raises(Refused, match="no such register"):
        link.read_holding(0x0700, 1)
    link.close()
