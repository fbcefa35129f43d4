"""The bench as data, and drivers over loopback simulators."""

import dataclasses
import json
import subprocess
import sys

import pytest

from labrig.catalogue import catalogue_folder
from labrig.rig.bench import (
    BenchSpec,
    bench_spec,
    open_bench,
    open_port,
    open_real_port,
    probe_ports,
)
from labrig.rig.loading import load_rig
from labrig_drivers.errors import NoReply, PortMissing
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import installed_types
from labrig_drivers.simulation import Fault, still_plant
from labrig_drivers.transports.loopback import LoopbackTransport


@pytest.fixture(scope="module")
def spec():
    return bench_spec(load_rig(catalogue_folder() / "rigs/simulated-bench.yaml").model)


def loopback(spec, faults=()):
    """Opens each port onto simulators in this process."""
    types = installed_types()

    def open_transport(port):
        simulators = [
            types[i.type].simulator(
                types[i.type].settings(**i.settings),
                still_plant(types[i.type].kind),
                1,
                tuple(f for name, f in faults if name == i.name),
                i.name,
            )
            for i in spec.on_port(port.name)
        ]
        inner = simulators[0] if len(simulators) == 1 else SharedBus(simulators)
        return LoopbackTransport(inner, lambda: 0.0)

    return open_transport


def test_a_bench_survives_json(spec):
    assert BenchSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


def test_ports_open_as_their_instruments_want_or_the_rig_says(spec):
    assert spec.simulated
    assert spec.port("rs485_pumps").serial.parity == "E"
    assert spec.port("camera").serial is None
    example = bench_spec(load_rig(catalogue_folder() / "rigs/example-bench.yaml").model)
    assert example.port("syringes").serial.baudrate == 19200
    assert not example.simulated


def test_cameras_are_named_and_not_opened(spec):
    assert spec.hosted == ("camera",)
    bench = open_bench(spec, loopback(spec))
    assert "camera" not in bench.ports
    assert "camera" not in bench.drivers


def test_instruments_on_one_port_share_its_transport(spec):
    opened = []

    def count(port):
        opened.append(port.name)
        return loopback(spec)(port)

    bench = open_bench(spec, count)
    assert sorted(opened) == sorted(set(opened))
    assert set(bench.ports["chain_nerve"].drivers) == {f"nerve_{n:02d}" for n in range(1, 13)}


def test_every_instrument_of_the_simulated_bench_says_who_it_is(spec):
    probes = probe_ports(spec, loopback(spec))
    assert [p.instrument for p in probes if p.error] == []
    assert len(probes) == 29
    models = {p.instrument: p.identity.model for p in probes}
    assert models["nerve_07"] == "NE-1000"
    assert models["stimulator"] == "Pulse Pal 2"


def test_a_silent_instrument_is_told_and_its_neighbours_still_answer(spec):
    faults = [("nerve_03", Fault("silent", 0.0))]
    probes = {p.instrument: p for p in probe_ports(spec, loopback(spec, faults))}
    assert isinstance(probes["nerve_03"].error, NoReply)
    assert probes["nerve_04"].identity is not None


def missing_stage(spec):
    good = loopback(spec)

    def open_transport(port):
        if port.name == "stage":
            raise PortMissing(port.name, "there is no port.", "Plug it in.")
        return good(port)

    return open_transport


def test_a_port_that_is_not_there_is_told_for_its_instruments(spec):
    probes = {p.instrument: p for p in probe_ports(spec, missing_stage(spec))}
    assert isinstance(probes["stage"].error, PortMissing)
    assert probes["stimulator"].identity is not None


def test_ports_opened_before_a_failure_are_closed_again(spec):
    class Watched:
        def __init__(self):
            self.closed = False

        def close(self):
            self.closed = True

    opened = []

    def open_transport(port):
        if port.name == "stage":
            raise PortMissing(port.name, "there is no port.", "Plug it in.")
        opened.append(Watched())
        return opened[-1]

    with pytest.raises(PortMissing):
        open_bench(spec, open_transport)
    assert opened
    assert all(transport.closed for transport in opened)


def test_a_simulated_port_is_never_opened_as_a_real_one(spec):
    with pytest.raises(PortMissing, match="no real serial port"):
        open_real_port(spec.port("stage"))


def test_opening_a_bench_needs_none_of_the_libraries_that_read_rigs(spec, tmp_path):
    file = tmp_path / "bench.json"
    file.write_text(json.dumps(spec.to_json()))
    code = (
        "import json, sys\n"
        "from labrig.rig.bench import BenchSpec, open_bench\n"
        f"spec = BenchSpec.from_json(json.load(open({str(file)!r})))\n"
        "class T:\n"
        "    def close(self): pass\n"
        "open_bench(spec, lambda port: T())\n"
        "print([m for m in ('pint', 'pydantic', 'ruamel', 'numpy', 'cv2', 'prefect')"
        " if m in sys.modules])\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert run.stdout.strip() == "[]"


def test_the_runner_reads_settings_that_hold_the_defaults_in_force(spec):
    # a type whose watchdog is on by default must be polled in time though no rig writes it
    types = installed_types()
    for entry in spec.instruments:
        fields = {field.name for field in dataclasses.fields(types[entry.type].settings)}
        assert set(entry.settings) == fields
    example = bench_spec(load_rig(catalogue_folder() / "rigs/example-bench.yaml").model)
    settings = {i.name: i.settings for i in example.instruments}
    assert settings["nerve_1"]["watchdog_s"] == 240
    assert settings["base"]["address"] == 1


def test_what_check_says_of_a_pumps_witness_is_what_its_driver_says(spec):
    types = installed_types()
    for port in spec.byte_ports():
        opened = open_port(spec, port, loopback(spec))
        for entry in spec.on_port(port.name):
            if types[entry.type].kind == "pump":
                state = opened.drivers[entry.name].state()
                assert state.drive_watched is types[entry.type].drive_watched, entry.name
        opened.close()
