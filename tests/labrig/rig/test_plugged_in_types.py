"""Rigs with third parties' types: what tells instruments of a port apart, and broken packages."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
from plugged_in import PlugIns

from labrig.catalogue import catalogue_folder
from labrig.problems import FileProblems
from labrig.rig.bench import bench_spec, probe_ports
from labrig.rig.loading import load_rig
from labrig_drivers.hosting import SharedBus
from labrig_drivers.instrument import installed_types
from labrig_drivers.transports.loopback import LoopbackTransport

WHOLE = (catalogue_folder() / "rigs/simulated-bench.yaml").read_text(encoding="utf-8")
# without its rows of syringes, which only make reading slower
BENCH = "".join(
    line for line in WHOLE.splitlines(keepends=True) if "insult" not in line and "nerve" not in line
)

FOUR_CHANNELS = '''
"""A pump with four heads at one address, as a Reglo ICC has them."""
from dataclasses import dataclass
from labrig_drivers.instrument import InstrumentType, SerialSettings
from labrig_drivers.kinds import Identity, PumpLimits

@dataclass(frozen=True)
class Settings:
    station: int = 1
    head: int = 1

class Rates:
    def limits(self):
        return PumpLimits(0.1, 1000.0, 0.1)
    def quantised(self, rate_ul_min):
        return rate_ul_min

class Driver(Rates):
    def __init__(self, link, settings, name):
        self.link, self.settings = link, settings
    def identify(self):
        self.link.write(b"%d.%d?" % (self.settings.station, self.settings.head))
        return Identity("Acme", self.link.read(3, 1.0).decode(), "")

class Head:
    def __init__(self, settings):
        self.mine = b"%d.%d" % (settings.station, settings.head)
    def receive(self, data, now_s):
        return self.mine if data == self.mine + b"?" else b""
    def advance(self, now_s):
        return b""
    def next_wake_s(self):
        return None

INSTRUMENT = InstrumentType(
    name="acme_icc", kind="pump", link="serial", vendor="Acme", model="ICC",
    serial=SerialSettings(9600), settings=Settings, driver=Driver,
    simulator=lambda settings, plant, seed, faults, name: Head(settings),
    verified_on=(), bus_key=lambda s: (s.station, s.head), rates=lambda s: Rates(),
)
'''


@pytest.fixture
def plug_ins(tmp_path, monkeypatch):
    folder = tmp_path / "site"
    folder.mkdir()
    yield PlugIns(folder, monkeypatch)
    monkeypatch.undo()
    installed_types.cache_clear()


def rig_file(tmp_path, heads):
    """The simulated bench with these heads (name: settings) on a port of their own, unused."""
    instruments = "".join(
        f"  {name}: {{type: acme_icc, port: icc, settings: {settings}}}\n"
        for name, settings in heads.items()
    )
    text = BENCH.replace("ports:\n", "ports:\n  icc: {address: sim}\n", 1)
    file = tmp_path / "bench.yaml"
    file.write_text(text.replace("instruments:\n", "instruments:\n" + instruments, 1))
    return file


def test_four_channels_at_one_address_are_four_instruments(plug_ins, tmp_path):
    plug_ins.install("acme-labrig", {"acme_icc": "INSTRUMENT"}, FOUR_CHANNELS)
    heads = {f"head_{n}": f"{{station: 3, head: {n}}}" for n in (1, 2, 3, 4)}
    rig = load_rig(rig_file(tmp_path, heads)).model
    spec = bench_spec(rig)
    kind = installed_types()["acme_icc"]
    heads = spec.on_port("icc")
    bus = SharedBus([
        kind.simulator(kind.settings(**i.settings), None, 0, (), i.name) for i in heads
    ])  # fmt: skip
    only = type(spec)((spec.port("icc"),), heads, ())
    seen = probe_ports(only, lambda port: LoopbackTransport(bus, lambda: 0.0))
    assert [(p.instrument, p.identity.model) for p in seen] == [
        ("head_1", "3.1"), ("head_2", "3.2"), ("head_3", "3.3"), ("head_4", "3.4"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("{station: 3, head: 2}", "{head: 2, station: 3}"),
        ("{station: 1, head: 1}", "{}"),
        ("{head: 4}", "{station: 1, head: 4}"),
    ],
)
def test_two_of_one_key_are_refused_wherever_it_comes_from(plug_ins, tmp_path, first, second):
    plug_ins.install("acme-labrig", {"acme_icc": "INSTRUMENT"}, FOUR_CHANNELS)
    with pytest.raises(FileProblems) as caught:
        load_rig(rig_file(tmp_path, {"head_a": first, "head_b": second}))
    [problem] = caught.value.problems
    assert problem.path == "instruments.head_b.settings"
    assert "'head_b' and 'head_a' share port 'icc' and both have address" in problem.what
    assert "its own address" in problem.remedy


def test_one_without_a_key_has_its_port_alone(plug_ins, tmp_path):
    source = FOUR_CHANNELS.replace("(s.station, s.head)", "s.station or None")
    plug_ins.install("acme-labrig", {"acme_icc": "INSTRUMENT"}, source)
    for heads in (
        {"head_a": "{station: 0}", "head_b": "{station: 2}"},
        {"head_a": "{station: 2}", "head_b": "{station: 0}"},
    ):
        with pytest.raises(FileProblems) as caught:
            load_rig(rig_file(tmp_path, heads))
        [problem] = caught.value.problems
        assert "share port 'icc', and a acme_icc has no address" in problem.what
        assert problem.remedy == "Give each its own port."


BROKEN = {
    "does not import": ("raise ImportError('no licence')", "does not load"),
    "ends the program": ("raise SystemExit(3)", "does not load"),
    "is no type": ("INSTRUMENT = 'word'", "not an InstrumentType"),
    "has another name": (FOUR_CHANNELS.replace("acme_icc", "acme"), "the same name"),
    "contradicts itself": (FOUR_CHANNELS.replace(", rates=lambda s: Rates()", ""), "rates="),
    "is hosted where it cannot be": (
        FOUR_CHANNELS.replace("verified_on=()", "verified_on=(), host='imaging'"),
        "cannot serve a pump",
    ),
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_broken_package_costs_a_line_and_only_rigs_that_name_it(plug_ins, tmp_path, what):
    source, said = BROKEN[what]
    plug_ins.install("acme-labrig", {"acme_icc": "INSTRUMENT"}, source)
    assert "base_left" in load_rig(rig_file(tmp_path, {})).model.instruments
    with pytest.raises(FileProblems) as caught:
        load_rig(rig_file(tmp_path, {"head_a": "{}"}))
    [problem] = caught.value.problems
    assert problem.path == "instruments.head_a.type"
    assert said in problem.remedy


def doctor(*arguments):
    run = subprocess.run(
        [sys.executable, "-m", "labrig", "doctor", "--json", *arguments],
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def test_doctor_has_a_line_for_each_package_that_cannot_be_used(plug_ins):
    plug_ins.install("broken-labrig", {"broken": "INSTRUMENT"}, "raise ImportError('no licence')")
    for package in ("one-labrig", "two-labrig"):
        plug_ins.install(package, {"acme_icc": "INSTRUMENT"}, FOUR_CHANNELS)
    plug_ins.install("other-labrig", {"pulse_pal_2": "INSTRUMENT"}, FOUR_CHANNELS)
    found = doctor("--types")
    assert {t["type"] for t in found["types"]} == {t for t in installed_types() if t not in (
        "broken", "acme_icc"
    )}  # fmt: skip
    lines = sorted(row["what is wrong"] for row in found["unusable types"])
    assert len(lines) == 3
    assert "broken-labrig" in lines[0]
    assert "no licence" in lines[0]
    assert "other-labrig" in lines[1]
    assert "one-labrig, two-labrig" in lines[2]
