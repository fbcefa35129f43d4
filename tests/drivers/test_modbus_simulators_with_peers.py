"""Masters of other makes (pymodbus, minimalmodbus) against our Modbus simulators, over ports."""

import minimalmodbus
import pytest
import serial
from pymodbus import FramerType
from pymodbus.client import ModbusTcpClient

from labrig_drivers import leadfluid, vaisala_gmp25x
from labrig_drivers.hosting import SharedBus, host_on_pty, host_on_tcp
from labrig_drivers.leadfluid.settings import LeadFluidSettings
from labrig_drivers.vaisala_gmp25x.settings import VaisalaSettings


@pytest.fixture
def stands(bench):
    """A probe and a pump, both at 60 s (the probe has warmed up by then)."""
    both = [
        bench(vaisala_gmp25x.INSTRUMENT, VaisalaSettings(model="GMP252")),
        bench(leadfluid.INSTRUMENT, LeadFluidSettings(address=5)),
    ]
    for stand in both:
        stand.clock.wait(60.0)
    return both


@pytest.fixture
def bus(stands):
    return SharedBus([stand.simulator for stand in stands])


def test_pymodbus_client(bus, stands):
    with host_on_tcp(bus, clock=stands[0].clock.now_s) as port:
        host, number = port.address.removeprefix("socket://").split(":")
        client = ModbusTcpClient(
            host, port=int(number), framer=FramerType.RTU, timeout=3, retries=0
        )
        assert client.connect()
        co2 = client.read_holding_registers(0, count=2, device_id=240)
        assert client.convert_from_registers(
            co2.registers, client.DATATYPE.FLOAT32, word_order="little"
        ) == pytest.approx(50_000.0)
        assert client.read_device_information(device_id=240).information[0] == b"Vaisala"
        assert client.read_holding_registers(6, count=2, device_id=240).exception_code == 2
        assert client.write_registers(0x020A, [0, 0x7FC0], device_id=240).exception_code == 3
        assert client.read_input_registers(0, count=2, device_id=240).exception_code == 1
        words = client.convert_to_registers(2.5, client.DATATYPE.FLOAT32, word_order="little")
        assert not client.write_registers(4015, words, device_id=5).isError()
        assert not client.write_register(4126, 1, device_id=5).isError()
        assert client.read_holding_registers(4126, count=1, device_id=5).registers == [1]
        assert client.read_input_registers(1018, count=5, device_id=5).registers[0] == 0x654C
        client.close()
    assert stands[1].plant.flows == [(60.0, 2500.0)]


def test_minimalmodbus(bus, stands):
    with host_on_pty(bus, clock=stands[0].clock.now_s) as address:
        port = serial.Serial(address.address, 19200, timeout=0.5)
        probe, pump = minimalmodbus.Instrument(port, 240), minimalmodbus.Instrument(port, 5)
        swapped = minimalmodbus.BYTEORDER_LITTLE_SWAP
        assert probe.read_float(0, byteorder=swapped) == pytest.approx(50_000.0)
        assert probe.read_float(4, byteorder=swapped) == 37.0
        assert probe.read_registers(0x0800, 2) == [0, 0]
        with pytest.raises(minimalmodbus.IllegalRequestError):
            probe.read_register(0x0900)
        pump.write_float(4015, 2.5, byteorder=swapped)
        pump.write_register(4126, 1, functioncode=6)
        assert pump.read_register(4126) == 1
        with pytest.raises(minimalmodbus.IllegalRequestError):
            pump.write_register(4022, 9, functioncode=6)
        port.timeout = 0.05
        with pytest.raises(minimalmodbus.NoResponseError):
            minimalmodbus.Instrument(port, 77).read_register(0)
        port.close()
    assert stands[1].plant.flows == [(60.0, 2500.0)]
